// Small cameras for tests with several pages: the machine that encodes for all of them is one.

export const SMALL = { width: 640, height: 360, frameRate: 15 };
/** The smallest of which Chromium sends three sizes. */
export const THREE_SIZES = { width: 960, height: 540, frameRate: 15 };

/** Runs in a page before its own scripts: whatever size is asked for, this one comes. */
export function useCamera(video) {
  const devices = navigator.mediaDevices;
  const open = devices?.getUserMedia.bind(devices);
  if (!open) return;
  devices.getUserMedia = (wanted) => open(wanted.video ? { ...wanted, video } : wanted);
}
