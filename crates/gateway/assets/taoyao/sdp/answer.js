// The SFU's answer to a browser that sends: which of what it offered is received, and where.

import { codecLines, isRtx } from './codecs.js';
import { extensionLines } from './extensions.js';
import { joinLines } from './text.js';
import { closedLines, dataLines, sessionLines, wayLines } from './transport.js';

/** What an SFU wishes of opus: repair in the stream, and silence that costs nothing. */
const OPUS = Object.freeze({ minptime: 10, useinbandfec: 1, usedtx: 1 });

/**
 * Answers an offer section by section, in its order.
 *
 * @param {{media: import('./text.js').Section[]}} offer
 * @param {import('./transport.js').Remote} remote
 * @param {Map<string, object>} sent the `rtpParameters` of what is sent, by mid; a section without is refused
 * @param {number} version
 * @returns {string}
 */
export function writeAnswer(offer, remote, sent, version) {
  const isUsed = (it) => !it.isClosed && (it.kind === 'application' ? remote.sctpParameters : sent.has(it.mid));
  const mids = offer.media.filter(isUsed).map((it) => it.mid);
  return joinLines([
    ...sessionLines(remote, version, mids),
    ...offer.media.flatMap((it) => (isUsed(it) ? sectionLines(it, remote, sent.get(it.mid)) : closedLines(it))),
  ]);
}

function sectionLines(section, remote, rtp) {
  if (section.kind === 'application') {
    return [...wayLines(remote, section, 'passive'), ...dataLines(remote.sctpParameters)];
  }
  const codecs = rtp.codecs.map(tuned);
  const formats = codecs.map((it) => it.payloadType);
  const rids = rtp.encodings.filter((it) => it.rid).map((it) => it.rid);
  return [
    ...wayLines(remote, { kind: section.kind, formats, mid: section.mid }, 'passive'),
    'a=recvonly',
    'a=rtcp-mux',
    'a=rtcp-rsize',
    ...codecLines(codecs),
    ...extensionLines(rtp.headerExtensions),
    ...rids.map((rid) => `a=rid:${rid} recv`),
    ...(rids.length > 0 ? [`a=simulcast:recv ${rids.join(';')}`] : []),
  ];
}

/** An answer says what the answerer wants to get, so it repeats formats but not the offerer's own wishes. */
function tuned(codec) {
  if (isRtx(codec)) return codec;
  return codec.mimeType.toLowerCase() === 'audio/opus' ? { ...codec, parameters: OPUS } : codec;
}
