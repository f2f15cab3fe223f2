// A small camera for tests with several pages: the machine that encodes for all of them is one.

/** Runs in a page before its own scripts: whatever size is asked for, a small one comes. */
export function useSmallCamera() {
  const devices = navigator.mediaDevices;
  const open = devices?.getUserMedia.bind(devices);
  if (!open) return;
  devices.getUserMedia = (wanted) =>
    open(wanted.video ? { ...wanted, video: { width: 640, height: 360, frameRate: 15 } } : wanted);
}
