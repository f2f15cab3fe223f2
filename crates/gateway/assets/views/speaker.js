// Where sound is played: one choice for all pictures of the page, where the browser lets pages choose.

let chosen = '';

export const canChooseSpeaker = 'setSinkId' in HTMLMediaElement.prototype;

/** Plays an element on the chosen device, now and after later choices. */
export function useSpeaker(/** @type {HTMLMediaElement} */ element) {
  element.dataset.sound = 'true';
  play(element);
}

/** @param {string} [deviceId] none: the system's */
export function chooseSpeaker(deviceId = '') {
  chosen = deviceId;
  for (const element of document.querySelectorAll('[data-sound]')) play(element);
}

function play(element) {
  if (!canChooseSpeaker || element.sinkId === chosen) return;
  element.setSinkId(chosen).catch(() => {}); // It was pulled out: the system's own plays on.
}
