// What a browser is about to send, as the mesh writes it: read from one section of its offer.

import { commonFeedback, isRtx, readCodecs, rtxOf, sameCodec } from './codecs.js';
import { commonExtensions } from './extensions.js';

/**
 * The `rtpParameters` of `media::produce`. Payload types and extension ids are the browser's own. Of the codecs that the
 * router knows, its first is taken.
 *
 * @param {import('./text.js').Section} section
 * @param {{codecs: object[], headerExtensions: object[]}} router its capabilities
 * @param {RTCRtpEncodingParameters[]} [encodings] as the sender has them, for what SDP does not say
 * @returns {object|undefined} undefined when browser and router have no codec in common
 */
export function readSending(section, router, encodings = []) {
  const codecs = chooseCodecs(readCodecs(section), router.codecs);
  if (codecs.length === 0) return undefined;
  const cname = section
    .all('ssrc')
    .map((it) => /cname:(\S+)/.exec(it)?.[1])
    .find(Boolean);
  return {
    mid: section.mid,
    codecs,
    headerExtensions: commonExtensions(section, router.headerExtensions, 'send').map((it) => ({
      ...it,
      encrypt: false,
      parameters: {},
    })),
    encodings: readEncodings(section, encodings, codecs.some(isRtx)),
    rtcp: { ...(cname ? { cname } : {}), reducedSize: true, mux: true },
  };
}

/** The codec and, if both sides have them, its retransmissions. */
function chooseCodecs(local, routerCodecs) {
  for (const router of routerCodecs.filter((it) => !isRtx(it))) {
    const own = local.find((it) => sameCodec(it, router));
    if (!own) continue;
    const rtx = rtxOf(routerCodecs, router.preferredPayloadType) && rtxOf(local, own.payloadType);
    const codec = { ...own, rtcpFeedback: commonFeedback(own.rtcpFeedback, router.rtcpFeedback) };
    return rtx ? [codec, { ...rtx, rtcpFeedback: [] }] : [codec];
  }
  return [];
}

/** Simulcast names its streams; a single stream has a number. */
function readEncodings(section, encodings, hasRtx) {
  const rids = section.all('rid').map((it) => it.split(' '));
  const sent = rids.filter(([, direction]) => direction === 'send').map(([rid]) => rid);
  if (sent.length > 0) return sent.map((rid) => ({ rid, ...bounds(encodings.find((it) => it.rid === rid)) }));
  const [ssrc] = section.all('ssrc').map((it) => Number.parseInt(it, 10));
  const rtx = rtxSsrc(section, ssrc);
  return [{ ...(ssrc ? { ssrc } : {}), ...(hasRtx && rtx ? { rtx: { ssrc: rtx } } : {}), ...bounds(encodings[0]) }];
}

function rtxSsrc(section, ssrc) {
  const groups = section.all('ssrc-group').map((it) => it.split(' '));
  const pair = groups.find(([semantics, first]) => semantics === 'FID' && Number(first) === ssrc);
  return pair && Number(pair[2]);
}

/** @param {{maxBitrate?: number, scalabilityMode?: string}} [encoding] */
function bounds({ maxBitrate, scalabilityMode } = {}) {
  return { ...(maxBitrate ? { maxBitrate } : {}), ...(scalabilityMode ? { scalabilityMode } : {}) };
}
