// What this browser can receive of what a router speaks.

import { commonFeedback, isRtx, readCodecs, rtxOf, sameCodec } from './codecs.js';
import { commonExtensions } from './extensions.js';
import { parseSdp } from './text.js';

/** Data channels of a transport, in each direction; what other clients of the mesh ask for. */
export const SCTP_CAPABILITIES = Object.freeze({ numStreams: { OS: 1024, MIS: 1024 } });

/**
 * The capabilities for `room::enter`, under the router's numbers: it will send with them.
 *
 * @param {string} offer that would receive sound and picture
 * @param {{codecs: object[], headerExtensions: object[]}} router its capabilities
 */
export function receivable(offer, router) {
  const sections = parseSdp(offer).media.filter((it) => it.kind !== 'application');
  return {
    codecs: sections.flatMap((section) => receivableCodecs(section, router.codecs)),
    headerExtensions: sections.flatMap((section) => receivableExtensions(section, router.headerExtensions)),
  };
}

function receivableCodecs(section, routerCodecs) {
  const local = readCodecs(section);
  const found = routerCodecs
    .filter((it) => !isRtx(it))
    .flatMap((router) => {
      const own = local.find((it) => sameCodec(it, router));
      if (!own) return [];
      const routerRtx = rtxOf(routerCodecs, router.preferredPayloadType);
      const hasRtx = routerRtx && rtxOf(local, own.payloadType);
      return [capability(section.kind, router, own), ...(hasRtx ? [routerRtx] : [])];
    });
  return found;
}

function capability(kind, router, own) {
  const { mimeType, clockRate, channels, preferredPayloadType } = router;
  return {
    kind,
    mimeType,
    preferredPayloadType,
    clockRate,
    ...(channels > 1 ? { channels } : {}),
    parameters: own.parameters,
    rtcpFeedback: commonFeedback(own.rtcpFeedback, router.rtcpFeedback),
  };
}

/** Both sides of an extension have to know it; what the router only receives is never sent here. */
function receivableExtensions(section, routerExtensions) {
  const known = new Set(commonExtensions(section, routerExtensions, 'receive').map((it) => it.uri));
  return routerExtensions.filter(
    (it) => it.kind === section.kind && known.has(it.uri) && it.direction !== 'recvonly' && it.direction !== 'inactive',
  );
}
