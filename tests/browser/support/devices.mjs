// Devices that a test can pull out: no browser lets its own fake ones be.

/** Runs in a page before its own scripts: remembers what was opened, so that {@link unplug} finds it. */
export function rememberDevices() {
  window.opened = [];
  window.isUnplugged = {};
  const devices = navigator.mediaDevices;
  const open = devices.getUserMedia.bind(devices);
  devices.getUserMedia = async (wanted) => {
    for (const kind of ['audio', 'video']) {
      if (wanted[kind] && window.isUnplugged[kind]) throw new DOMException('There is none.', 'NotFoundError');
    }
    const stream = await open(wanted);
    window.opened.push(...stream.getTracks());
    return stream;
  };
}

/** Ends the track of a device as a browser does when the device is pulled out; with `last` there is no other. */
export function unplug(page, kind, { last = false } = {}) {
  return page.evaluate(
    ([wanted, isLast]) => {
      window.isUnplugged[wanted] = isLast;
      const track = window.opened.findLast((it) => it.kind === wanted && it.readyState === 'live');
      track.stop();
      track.dispatchEvent(new Event('ended'));
    },
    [kind, last],
  );
}

/** A device is there again. */
export function plug(page, kind) {
  return page.evaluate((wanted) => {
    window.isUnplugged[wanted] = false;
    navigator.mediaDevices.dispatchEvent(new Event('devicechange'));
  }, kind);
}

/** The label of the device that is open now; undefined while none is. */
export function openLabel(page, kind) {
  return page.evaluate((wanted) => window.opened.findLast((it) => it.kind === wanted && it.readyState === 'live')?.label, kind);
}
