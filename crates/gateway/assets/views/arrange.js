// Where the tiles of a room stand, so that people and screens are as large as the place allows. Pure: numbers in, boxes out.

/** Between tiles, in pixels. */
export const GAP = 6;
/** Cameras are cut no narrower and no wider than this, as width by height. */
const NARROWEST = 4 / 3;
const WIDEST = 16 / 9;
/** Smaller tiles show nobody: rather the place is scrolled. */
const TILE_WIDTH_MIN = 150;
/** The others beside or below a large picture, as a share of the place and within these bounds. */
const STRIP_SHARE = 0.2;
const STRIP_WIDTH = { min: 88, max: 208 };
const STRIP_HEIGHT = { min: 54, max: 128 };
/** A place that is lower or narrower than this holds the large picture alone. */
const STRIP_PLACE_MIN = 160;

/**
 * @typedef {object} Box in pixels, from the place's corner
 * @property {number} x
 * @property {number} y
 * @property {number} width
 * @property {number} height
 */

/**
 * @typedef {object} Arrangement
 * @property {(Box|undefined)[]} boxes of the tiles in their order; undefined: there is no place for it now
 * @property {number} height of all of them, more than the place's when it has to be scrolled
 */

/**
 * Arranges tiles of one size, or one large tile and the others in a strip.
 *
 * @param {{width: number, height: number}} place
 * @param {number} count of tiles
 * @param {number} [large] which tile is the large one; none: all are of one size
 * @param {number} [aspect] of what the large one shows, as width by height
 * @returns {Arrangement}
 */
export function arrange(place, count, large = -1, aspect = WIDEST) {
  if (count === 0) return { boxes: [], height: place.height };
  if (count === 1) return { boxes: [{ x: 0, y: 0, ...place }], height: place.height };
  return large < 0 ? gridOf(place, count) : stageOf(place, count, large, aspect);
}

/** As many columns as make the tiles largest; the last row stands in the middle. */
function gridOf(place, count) {
  let best = cellsOf(place, count, 1);
  for (let columns = 2; columns <= count; columns += 1) {
    const cells = cellsOf(place, count, columns);
    if (cells.width * cells.height > best.width * best.height) best = cells;
  }
  const widthMin = Math.min(TILE_WIDTH_MIN, (place.width - GAP) / 2);
  if (best.width < widthMin) best = scrolled(place, count, widthMin);
  return placed(place, count, best);
}

function cellsOf({ width, height }, count, columns) {
  const rows = Math.ceil(count / columns);
  const cell = { width: (width - GAP * (columns - 1)) / columns, height: (height - GAP * (rows - 1)) / rows };
  return { columns, rows, ...cut(cell) };
}

function scrolled({ width }, count, widthMin) {
  const columns = Math.max(1, Math.floor((width + GAP) / (widthMin + GAP)));
  const tile = (width - GAP * (columns - 1)) / columns;
  return { columns, rows: Math.ceil(count / columns), width: tile, height: tile / WIDEST };
}

/** The largest part of a cell that cuts nobody to a strip. */
function cut({ width, height }) {
  return { width: Math.min(width, height * WIDEST), height: Math.min(height, width / NARROWEST) };
}

function placed(place, count, { columns, rows, width, height }) {
  const all = rows * height + (rows - 1) * GAP;
  const top = Math.max(0, (place.height - all) / 2);
  const boxes = Array.from({ length: count }, (_, i) => {
    const row = Math.floor(i / columns);
    const inRow = Math.min(columns, count - row * columns);
    const left = (place.width - inRow * width - (inRow - 1) * GAP) / 2;
    return { x: left + (i % columns) * (width + GAP), y: top + row * (height + GAP), width, height };
  });
  return { boxes, height: Math.max(place.height, all) };
}

/** The strip is where it leaves the most of the large picture. */
function stageOf(place, count, large, aspect) {
  const ways = [beside(place), below(place), alone(place)].filter(Boolean);
  const shown = ({ stage }) => Math.min(stage.width, stage.height * aspect) ** 2 / aspect;
  const best = ways.slice(0, -1).sort((a, b) => shown(b) - shown(a))[0] ?? ways.at(-1);
  const others = inStrip(best, count - 1);
  const boxes = Array.from({ length: count }, (_, i) => (i === large ? best.stage : others[i - Number(i > large)]));
  return { boxes, height: place.height };
}

function alone(place) {
  return { stage: { x: 0, y: 0, ...place } };
}

function beside({ width, height }) {
  if (width < STRIP_PLACE_MIN * 2 || height < STRIP_HEIGHT.min) return undefined;
  const tile = clamp(width * STRIP_SHARE, STRIP_WIDTH);
  const stage = { x: 0, y: 0, width: width - tile - GAP, height };
  return { stage, tile: { width: tile, height: Math.min(height, tile / WIDEST) }, isBeside: true, length: height };
}

function below({ width, height }) {
  if (height < STRIP_PLACE_MIN) return undefined;
  const tile = clamp(height * STRIP_SHARE, STRIP_HEIGHT);
  const stage = { x: 0, y: 0, width, height: height - tile - GAP };
  return { stage, tile: { width: Math.min(width, tile * WIDEST), height: tile }, isBeside: false, length: width };
}

/** In the middle of the strip, as many as it holds. */
function inStrip({ stage, tile, isBeside, length }, count) {
  if (!tile) return [];
  const side = isBeside ? tile.height : tile.width;
  const fitting = Math.min(count, Math.floor((length + GAP) / (side + GAP)));
  const from = (length - fitting * side - (fitting - 1) * GAP) / 2;
  return Array.from({ length: fitting }, (_, i) => {
    const along = from + i * (side + GAP);
    return isBeside ? { x: stage.width + GAP, y: along, ...tile } : { x: along, y: stage.height + GAP, ...tile };
  });
}

function clamp(value, { min, max }) {
  return Math.min(max, Math.max(min, value));
}
