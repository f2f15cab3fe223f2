// Where the tiles of a room stand: in every place and for any number, nothing overlaps, is cut off or is needlessly small.

import assert from 'node:assert/strict';
import test from 'node:test';

import { load } from '../support/assets.mjs';

const { arrange } = await load('views/arrange.js');

/** What is left for tiles on a desktop, beside a chat, on phones both ways, and at 200 %. */
const PLACES = [
  { width: 880, height: 600 },
  { width: 560, height: 600 },
  { width: 390, height: 560 },
  { width: 720, height: 340 },
  { width: 510, height: 350 },
  { width: 240, height: 120 },
];
const COUNTS = [1, 2, 3, 4, 5, 7, 9, 12, 30, 200];
/** Half a pixel of rounding. */
const SLACK = 0.5;

for (const place of PLACES) {
  for (const count of COUNTS) {
    test(`${count} tiles fit into ${place.width} × ${place.height}`, () => {
      for (const large of [-1, 0, count - 1]) {
        const { boxes, height } = arrange(place, count, large);
        assert.equal(boxes.length, count);
        const shown = boxes.filter(Boolean);
        if (large < 0) assert.equal(shown.length, count, 'in the grid everybody has a place');
        for (const box of shown) isInside(box, { width: place.width, height });
        shown.forEach((box, i) => shown.slice(i + 1).forEach((other) => isApart(box, other)));
      }
    });
  }
}

test('nobody in the grid is cut to a strip', () => {
  for (const place of PLACES) {
    for (const count of COUNTS.filter((it) => it > 1)) {
      for (const { width, height } of arrange(place, count).boxes) {
        assert.ok(width / height > 1.3 && width / height < 1.8, `${width} × ${height} of ${count} in ${JSON.stringify(place)}`);
      }
    }
  }
});

test('a grid uses the place: what pictures do not cover is less than what they do', () => {
  for (const place of PLACES) {
    for (const count of [2, 3, 4, 6, 9].filter((it) => place.width / it > 30)) {
      const covered = arrange(place, count).boxes.reduce((sum, box) => sum + box.width * box.height, 0);
      assert.ok(covered > 0.45 * place.width * place.height, `${count} cover ${covered} of ${JSON.stringify(place)}`);
    }
  }
});

test('a large picture has most of the place, wherever the strip is', () => {
  for (const place of PLACES) {
    const { boxes } = arrange(place, 4, 2);
    const area = boxes[2].width * boxes[2].height;
    assert.ok(area >= 0.7 * place.width * place.height, `${area} of ${JSON.stringify(place)}`);
  }
  const wide = arrange({ width: 720, height: 340 }, 3, 0).boxes;
  assert.equal(wide[0].height, 340, 'in a low place the others stand beside it');
  const tall = arrange({ width: 390, height: 560 }, 3, 0).boxes;
  assert.equal(tall[0].width, 390, 'in a narrow one below it');
});

function isInside({ x, y, width, height }, place) {
  assert.ok(x >= -SLACK && y >= -SLACK, `${x}, ${y}`);
  assert.ok(x + width <= place.width + SLACK && y + height <= place.height + SLACK, `${x + width}, ${y + height}`);
  assert.ok(width > 20 && height > 10, `${width} × ${height}`);
}

function isApart(a, b) {
  const isBeside = a.x + a.width <= b.x + SLACK || b.x + b.width <= a.x + SLACK;
  const isBelow = a.y + a.height <= b.y + SLACK || b.y + b.height <= a.y + SLACK;
  assert.ok(isBeside || isBelow, `${JSON.stringify([a, b])} overlap`);
}
