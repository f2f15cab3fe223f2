// How much of a picture is sent and asked for: bit rates of simulcast, and layers by the size of a tile.

/**
 * Pixels of the shorter side; what a camera sends to a room is no larger. Three sizes of 1080 lines would need more than a
 * node lets in from one transport by default (`media.bitrate_in_max`, 1.6 Mbit/s), and tiles are seldom larger.
 */
export const CAMERA_LINES_MAX = 720;
/** What each simulcast stream is reduced by, smallest first, and what it may cost at most. */
const STREAMS = [
  { rid: 'r0', scaleResolutionDownBy: 4, maxBitrate: 120_000 },
  { rid: 'r1', scaleResolutionDownBy: 2, maxBitrate: 350_000 },
  { rid: 'r2', scaleResolutionDownBy: 1, maxBitrate: 1_000_000 },
];
const TEMPORAL = 'L1T3';
/** Of a picture in one size: a camera without simulcast, or a screen, which is read and whose frames need not be many. */
const SINGLE_BITRATE = 1_200_000;
/** Heights in device pixels up to which a stream of a quarter, and of half of the size, looks sharp enough. */
const QUARTER_HEIGHT = 200;
const HALF_HEIGHT = 420;

/**
 * What to send of a picture.
 *
 * @param {'camera'|'screen'} source
 * @param {{simulcast: boolean, videoKbps?: number, lines?: number}} wishes `videoKbps` bounds the largest stream; `lines`
 *   of the picture as it is captured, in pixels of its shorter side
 * @returns {RTCRtpEncodingParameters[]}
 */
export function encodingsFor(source, { simulcast, videoKbps, lines = 0 }) {
  const bound = videoKbps ? videoKbps * 1_000 : Infinity;
  if (source === 'screen') return [{ maxBitrate: Math.min(SINGLE_BITRATE, bound) }];
  // A call may have opened the camera larger.
  const reduction = Math.max(1, lines / CAMERA_LINES_MAX);
  if (!simulcast) return [{ scaleResolutionDownBy: reduction, maxBitrate: Math.min(SINGLE_BITRATE, bound) }];
  return STREAMS.map((it) => ({
    ...it,
    scaleResolutionDownBy: it.scaleResolutionDownBy * reduction,
    maxBitrate: Math.min(it.maxBitrate, bound),
    scalabilityMode: TEMPORAL,
  }));
}

/**
 * Which layers suit a tile; the node sends less where the line is weak.
 *
 * @param {number} height of the tile, in device pixels
 * @param {{spatial: number, temporal: number}} layers how many there are
 * @returns {{spatialLayer: number, temporalLayer: number}|undefined} undefined when there is nothing to choose
 */
export function layersFor(height, { spatial, temporal }) {
  if (spatial <= 1 && temporal <= 1) return undefined;
  const top = spatial - 1;
  const below = height <= QUARTER_HEIGHT ? 2 : height <= HALF_HEIGHT ? 1 : 0;
  return { spatialLayer: Math.max(0, top - below), temporalLayer: temporal - 1 };
}
