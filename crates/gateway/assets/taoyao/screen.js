// The screen, a window or a tab of this terminal's person, as a track to be sent.

export const canShowScreen = typeof globalThis.navigator?.mediaDevices?.getDisplayMedia === 'function';

/**
 * Lets the person choose what to show.
 *
 * @returns {Promise<MediaStreamTrack|undefined>} undefined when the person thought better of it
 */
export async function openScreen() {
  try {
    const stream = await navigator.mediaDevices.getDisplayMedia({ video: true });
    const [track] = stream.getVideoTracks();
    track.contentHint = 'detail';
    return track;
  } catch (error) {
    if (error.name !== 'NotAllowedError') throw error;
    return undefined;
  }
}
