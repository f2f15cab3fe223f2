// Codecs: read from a section, written into one, and compared with those of the router.

import { sameProfile } from './h264.js';
import { splitOnce } from './text.js';

/**
 * @typedef {object} Feedback `a=rtcp-fb`
 * @property {string} type e.g. `nack`
 * @property {string} parameter e.g. `pli`; `''` if there is none
 */

/**
 * A codec as the mesh writes it.
 *
 * @typedef {object} Codec
 * @property {string} mimeType e.g. `video/VP8`
 * @property {number} payloadType
 * @property {number} clockRate
 * @property {number} [channels] of audio with more than one
 * @property {Record<string, string|number>} parameters what SDP calls `fmtp`
 * @property {Feedback[]} rtcpFeedback
 */

/** A hexadecimal number that looks like a decimal one must stay text. */
const ALWAYS_TEXT = new Set(['profile-level-id']);

/**
 * The codecs of a section, preferred first.
 *
 * @param {import('./text.js').Section} section
 * @returns {Codec[]}
 */
export function readCodecs(section) {
  const maps = new Map(section.all('rtpmap').map((it) => splitOnce(it, ' ')));
  return section.formats.filter((it) => maps.has(it)).map((format) => readCodec(section, format, maps.get(format)));
}

function readCodec(section, format, map) {
  const [name, clockRate, channels] = map.split('/');
  const own = (attribute) =>
    section
      .all(attribute)
      .map((it) => splitOnce(it, ' '))
      .filter(([payloadType]) => payloadType === format)
      .map(([, value]) => value);
  return {
    mimeType: `${section.kind}/${name}`,
    payloadType: Number(format),
    clockRate: Number(clockRate),
    ...(Number(channels) > 1 ? { channels: Number(channels) } : {}),
    parameters: readParameters(own('fmtp')[0] ?? ''),
    rtcpFeedback: own('rtcp-fb').map((it) => {
      const [type, parameter] = splitOnce(it, ' ');
      return { type, parameter };
    }),
  };
}

/** `'apt=96;x=a'` → `{ apt: 96, x: 'a' }`; parts without a name, as of telephone events, mean nothing here. */
function readParameters(text) {
  const pairs = text
    .split(';')
    .map((it) => splitOnce(it.trim(), '='))
    .filter(([name, value]) => name && value);
  return Object.fromEntries(
    pairs.map(([name, value]) => [name, /^\d+$/.test(value) && !ALWAYS_TEXT.has(name) ? Number(value) : value]),
  );
}

/**
 * The lines that describe codecs in a section.
 *
 * @param {Codec[]} codecs
 * @returns {string[]}
 */
export function codecLines(codecs) {
  return codecs.flatMap(({ mimeType, payloadType, clockRate, channels, parameters = {}, rtcpFeedback = [] }) => {
    const fmtp = Object.entries(parameters)
      .filter(([, value]) => value !== null && value !== undefined)
      .map(([name, value]) => `${name}=${value}`);
    return [
      `a=rtpmap:${payloadType} ${nameOf(mimeType)}/${clockRate}${channels > 1 ? `/${channels}` : ''}`,
      ...(fmtp.length > 0 ? [`a=fmtp:${payloadType} ${fmtp.join(';')}`] : []),
      ...rtcpFeedback.map(
        ({ type, parameter }) => `a=rtcp-fb:${payloadType} ${type}${parameter ? ` ${parameter}` : ''}`,
      ),
    ];
  });
}

/** Whether two codecs can talk to each other. Their payload types may differ, and so may their fine settings. */
export function sameCodec(a, b) {
  return (
    sameText(a.mimeType, b.mimeType) &&
    a.clockRate === b.clockRate &&
    (a.channels ?? 1) === (b.channels ?? 1) &&
    sameFormat(a.mimeType.toLowerCase(), a.parameters ?? {}, b.parameters ?? {})
  );
}

function sameFormat(mimeType, a, b) {
  if (mimeType === 'video/vp9') return Number(a['profile-id'] ?? 0) === Number(b['profile-id'] ?? 0);
  if (mimeType !== 'video/h264') return true;
  const modeOf = (parameters) => Number(parameters['packetization-mode'] ?? 0);
  return modeOf(a) === modeOf(b) && sameProfile(a['profile-level-id'], b['profile-level-id']);
}

/** Whether a codec carries retransmissions (RFC 4588). */
export function isRtx(codec) {
  return nameOf(codec.mimeType).toLowerCase() === 'rtx';
}

/**
 * The retransmissions of a codec.
 *
 * @param {{mimeType: string, parameters: object}[]} codecs
 * @param {number} payloadType of the codec
 */
export function rtxOf(codecs, payloadType) {
  return codecs.find((it) => isRtx(it) && Number(it.parameters?.apt) === payloadType);
}

/** The feedback that both sides know. */
export function commonFeedback(a = [], b = []) {
  return a.filter((it) => b.some((other) => it.type === other.type && it.parameter === (other.parameter ?? '')));
}

function nameOf(mimeType) {
  return splitOnce(mimeType, '/')[1];
}

function sameText(a, b) {
  return a.toLowerCase() === b.toLowerCase();
}
