// What a page measures of the picture that it receives: how much of it is decoded, and how long it stands still.

const SAMPLE_MS = 100;

/** @typedef {object} Watched what came in some seconds
 * @property {number} frames decoded
 * @property {number} longestStillMs the longest time in which no frame was decoded
 * @property {number} longestFreezeMs the longest freeze that the browser itself counts
 * @property {number} freezes
 * @property {number} lost packets
 * @property {number} received packets
 * @property {number} nacks
 * @property {number} plis requests for a key frame
 * @property {number} kbps
 */

/** Lets the page's connections be measured. Called before the page is loaded. */
export async function makeMeasurable(page) {
  await page.addInitScript(() => {
    window.connections = [];
    window.RTCPeerConnection = class extends RTCPeerConnection {
      constructor(...options) {
        super(...options);
        window.connections.push(this);
      }
    };
  });
}

/** The port from which a node sees the connection come on which the page's pictures come, or go. */
export async function portOf(page, /** @type {'inbound-rtp'|'outbound-rtp'} */ type) {
  return page.evaluate(async (wanted) => {
    for (const connection of window.connections) {
      const report = await connection.getStats();
      const entries = [...report.values()];
      if (!entries.some((it) => it.type === wanted && it.kind === 'video')) continue;
      const { selectedCandidatePairId } = entries.find((it) => it.type === 'transport');
      return report.get(report.get(selectedCandidatePairId).localCandidateId).port;
    }
    throw new Error(`no ${wanted} of a picture`);
  }, type);
}

/**
 * Watches the one picture that the page receives.
 *
 * @param {import('playwright-core').Page} page
 * @param {number} durationMs
 * @returns {Promise<Watched>}
 */
export async function watch(page, durationMs) {
  return page.evaluate(watchInPage, [durationMs, SAMPLE_MS]);
}

async function watchInPage([durationMs, sampleMs]) {
  const read = async () => {
    for (const connection of window.connections) {
      const entries = [...(await connection.getStats()).values()];
      const picture = entries.find((it) => it.type === 'inbound-rtp' && it.kind === 'video');
      if (picture) return picture;
    }
    throw new Error('no picture comes');
  };
  const first = await read();
  let [last, movedAt, longestStillMs, longestFreezeMs] = [first, first.timestamp, 0, 0];
  while (last.timestamp - first.timestamp < durationMs) {
    await new Promise((resolve) => setTimeout(resolve, sampleMs));
    const next = await read();
    longestStillMs = Math.max(longestStillMs, next.timestamp - movedAt);
    if (next.framesDecoded > last.framesDecoded) movedAt = next.timestamp;
    const frozenMs = (next.totalFreezesDuration - last.totalFreezesDuration) * 1_000;
    longestFreezeMs = Math.max(longestFreezeMs, frozenMs);
    last = next;
  }
  const grown = (name) => last[name] - first[name];
  return {
    frames: grown('framesDecoded'),
    longestStillMs: Math.round(longestStillMs),
    longestFreezeMs: Math.round(longestFreezeMs),
    freezes: grown('freezeCount'),
    lost: grown('packetsLost'),
    received: grown('packetsReceived'),
    nacks: grown('nackCount'),
    plis: grown('pliCount'),
    kbps: Math.round((grown('bytesReceived') * 8) / (last.timestamp - first.timestamp)),
  };
}
