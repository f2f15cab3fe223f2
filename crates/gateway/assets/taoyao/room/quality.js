// How good a picture or a sound is: the browser's numbers, and a grade that they give.

/** Losses above these shares of all packets can be noticed, and annoy. */
const LOSS_FAIR = 0.02;
const LOSS_POOR = 0.08;
const ROUND_TRIP_FAIR_MS = 300;
const ROUND_TRIP_POOR_MS = 700;
const FPS_FAIR = 14;
const FPS_POOR = 7;
/** A share of the time between two readings in which the picture stood still. */
const FREEZE_POOR = 0.2;

/**
 * One stream in one direction. Rates are those since the reading before; counts are since the start.
 *
 * @typedef {object} Reading
 * @property {number} atMs
 * @property {'audio'|'video'} kind
 * @property {string} [codec]
 * @property {number} [width]
 * @property {number} [height]
 * @property {number} [fps]
 * @property {number} [frames] decoded or encoded
 * @property {number} bytes
 * @property {number} packets
 * @property {number} kbps
 * @property {number} lost packets
 * @property {number} lossShare of the packets since the reading before, 0 to 1
 * @property {number} [jitterMs]
 * @property {number} [rttMs]
 * @property {number} [freezes]
 * @property {number} freezeShare of the time since the reading before, 0 to 1
 * @property {number} [frozenMs]
 * @property {number} [audioLevel] 0 to 1
 * @property {string} [limitedBy] why less is sent than could be: `cpu`, `bandwidth`
 * @property {number} [streams] of a simulcast picture that are sent now
 */

/** @typedef {'good'|'fair'|'poor'} Grade */

/**
 * Readings of everything that one connection receives or sends, by mid.
 *
 * @param {Pick<Map<string, any>, 'get'|'values'>} report an `RTCStatsReport`
 * @param {'in'|'out'} direction
 * @param {Map<string, Reading>} [previous]
 * @returns {Map<string, Reading>}
 */
export function readQuality(report, direction, previous = new Map()) {
  const entries = [...report.values()];
  const streams = entries.filter((it) => it.type === (direction === 'in' ? 'inbound-rtp' : 'outbound-rtp') && it.mid);
  const rttMs = roundTrip(report, entries);
  const read = direction === 'in' ? readIn : readOut;
  const readings = new Map();
  for (const mid of new Set(streams.map((it) => it.mid))) {
    const own = streams.filter((it) => it.mid === mid);
    readings.set(mid, withRates({ ...read(report, own), rttMs }, previous.get(mid)));
  }
  return readings;
}

/**
 * @param {Reading[]} readings of one member: sound, picture
 * @returns {Grade|undefined} undefined when nothing was measured
 */
export function gradeOf(readings) {
  if (readings.length === 0) return undefined;
  const grades = readings.map(gradeOne);
  const bad = /** @type {Grade[]} */ (['poor', 'fair']);
  return bad.find((it) => grades.includes(it)) ?? 'good';
}

/** @param {Reading} reading @returns {Grade} */
function gradeOne({ kind, lossShare, freezeShare, rttMs = 0, fps, limitedBy }) {
  const isPoorPicture = kind === 'video' && (freezeShare > FREEZE_POOR || (fps ?? FPS_FAIR) < FPS_POOR);
  if (lossShare > LOSS_POOR || rttMs > ROUND_TRIP_POOR_MS || isPoorPicture) return 'poor';
  const isFairPicture =
    kind === 'video' && (freezeShare > 0 || (fps ?? FPS_FAIR) < FPS_FAIR || limitedBy === 'bandwidth');
  return lossShare > LOSS_FAIR || rttMs > ROUND_TRIP_FAIR_MS || isFairPicture ? 'fair' : 'good';
}

function readIn(report, streams) {
  const [stream] = streams;
  return {
    ...common(report, stream),
    frames: stream.framesDecoded,
    bytes: stream.bytesReceived ?? 0,
    packets: stream.packetsReceived ?? 0,
    lost: stream.packetsLost ?? 0,
    jitterMs: inMs(stream.jitter),
    freezes: stream.freezeCount,
    frozenMs: inMs(stream.totalFreezesDuration),
    audioLevel: stream.audioLevel,
  };
}

/** Several streams of one simulcast picture are one reading: the largest gives the size. */
function readOut(report, streams) {
  const largest = streams.reduce((a, b) => ((b.frameHeight ?? 0) > (a.frameHeight ?? 0) ? b : a));
  const remotes = streams.map((it) => report.get(it.remoteId)).filter(Boolean);
  const limits = streams.map((it) => it.qualityLimitationReason).filter((it) => it && it !== 'none');
  return {
    ...common(report, largest),
    frames: largest.framesEncoded,
    bytes: sum(streams, 'bytesSent'),
    packets: sum(streams, 'packetsSent'),
    lost: sum(remotes, 'packetsLost'),
    jitterMs: inMs(remotes[0]?.jitter),
    limitedBy: limits[0],
    streams: streams.filter((it) => it.active !== false && (it.framesPerSecond ?? 0) > 0).length,
  };
}

function common(report, stream) {
  return {
    atMs: stream.timestamp,
    kind: stream.kind,
    codec: report.get(stream.codecId)?.mimeType?.split('/')[1],
    width: stream.frameWidth,
    height: stream.frameHeight,
    fps: stream.framesPerSecond,
  };
}

function withRates(reading, before) {
  const elapsedMs = before ? reading.atMs - before.atMs : 0;
  if (!(elapsedMs > 0)) return { ...reading, kbps: 0, lossShare: 0, freezeShare: 0 };
  const grown = (name) => Math.max(0, (reading[name] ?? 0) - (before[name] ?? 0));
  const [came, lost] = [grown('packets'), grown('lost')];
  return {
    ...reading,
    kbps: (grown('bytes') * 8) / elapsedMs,
    lossShare: lost > 0 ? lost / (came + lost) : 0,
    freezeShare: Math.min(1, grown('frozenMs') / elapsedMs),
  };
}

function roundTrip(report, entries) {
  const transport = entries.find((it) => it.type === 'transport' && it.selectedCandidatePairId);
  const pair = transport
    ? report.get(transport.selectedCandidatePairId)
    : entries.find((it) => it.type === 'candidate-pair' && it.selected);
  return inMs(pair?.currentRoundTripTime);
}

function inMs(seconds) {
  return seconds === undefined ? undefined : seconds * 1_000;
}

function sum(entries, key) {
  return entries.reduce((total, it) => total + (it[key] ?? 0), 0);
}
