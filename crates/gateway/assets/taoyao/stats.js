// What a call's statistics say, in one flat object instead of the browser's linked reports.

/**
 * @typedef {object} Direction
 * @property {string} [codec] e.g. `VP8`
 * @property {number} [width] pixels
 * @property {number} [height] pixels
 * @property {number} [fps] frames per second
 * @property {number} [frames] frames decoded (received) or encoded (sent) since the start
 * @property {number} bytes since the start, audio and video
 * @property {number} kbps since the previous reading; 0 at the first
 */

/**
 * @typedef {object} CallStats
 * @property {number} atMs when it was read
 * @property {Direction} received
 * @property {Direction} sent
 * @property {number} packetsLost received packets that went missing
 * @property {number} [rttMs] round trip between the two terminals
 * @property {string} [localCandidate] e.g. `host/udp`, `srflx/udp`, `relay/tcp`
 * @property {string} [remoteCandidate] the same of the other side
 */

/**
 * @param {Map<string, any>} report an `RTCStatsReport`
 * @param {CallStats} [previous] the reading before, for rates
 * @returns {CallStats}
 */
export function readStats(report, previous) {
  const entries = [...report.values()];
  const inbound = entries.filter((it) => it.type === 'inbound-rtp');
  const outbound = entries.filter((it) => it.type === 'outbound-rtp');
  const pair = selectedPair(report, entries);
  const atMs = Math.max(0, ...entries.map((it) => it.timestamp ?? 0));
  const elapsedMs = previous ? atMs - previous.atMs : 0;
  return {
    atMs,
    received: direction(report, inbound, 'framesDecoded', 'bytesReceived', elapsedMs, previous?.received),
    sent: direction(report, outbound, 'framesEncoded', 'bytesSent', elapsedMs, previous?.sent),
    packetsLost: sum(inbound, 'packetsLost'),
    rttMs: pair?.currentRoundTripTime === undefined ? undefined : pair.currentRoundTripTime * 1_000,
    localCandidate: describe(report.get(pair?.localCandidateId)),
    remoteCandidate: describe(report.get(pair?.remoteCandidateId)),
  };
}

function direction(report, streams, framesKey, bytesKey, elapsedMs, previous) {
  const video = streams.find((it) => it.kind === 'video');
  const bytes = sum(streams, bytesKey);
  return {
    codec: report.get(video?.codecId)?.mimeType?.split('/')[1],
    width: video?.frameWidth,
    height: video?.frameHeight,
    fps: video?.framesPerSecond,
    frames: video?.[framesKey],
    bytes,
    kbps: elapsedMs > 0 ? Math.max(0, ((bytes - previous.bytes) * 8) / elapsedMs) : 0,
  };
}

function selectedPair(report, entries) {
  const transport = entries.find((it) => it.type === 'transport' && it.selectedCandidatePairId);
  if (transport) return report.get(transport.selectedCandidatePairId);
  // Firefox reports no transport; it marks the pair itself.
  return entries.find((it) => it.type === 'candidate-pair' && it.selected);
}

function describe(candidate) {
  return candidate && `${candidate.candidateType}/${candidate.protocol}`;
}

function sum(entries, key) {
  return entries.reduce((total, it) => total + (it[key] ?? 0), 0);
}
