// The choice of the nearest node, and the delays between attempts to reconnect.

import assert from 'node:assert/strict';
import test from 'node:test';

import { load } from '../support/assets.mjs';

const { order, readPartitions } = await load('taoyao/nearest.js');
const { retryDelay } = await load('taoyao/backoff.js');

function orderOf(...rtts) {
  return order(rtts.map((rttMs, i) => ({ node: i, rttMs }))).map((it) => it.node);
}

test('the order of the mesh stands unless another is clearly faster', () => {
  assert.deepEqual(orderOf(30, 25, 22), [0, 1, 2], 'less than 10 ms is no reason');
  assert.deepEqual(orderOf(100, 80, 90), [0, 1, 2], 'less than a third is no reason');
  assert.deepEqual(orderOf(100, 20, 90), [1, 0, 2]);
});

test('nodes that did not answer come last', () => {
  assert.deepEqual(orderOf(Infinity, 900, Infinity), [1, 0, 2]);
  assert.deepEqual(orderOf(Infinity, Infinity), [0, 1]);
});

test('only well formed candidates of an answer are used', () => {
  const good = { node: 'cn/east/sh', url: 'wss://h:1/websocket.signal', probe: 'https://h:1/mesh/probe' };
  const bad = [{}, { ...good, url: 'javascript:alert(1)' }, { ...good, probe: 'no url' }, null];
  assert.deepEqual(readPartitions({ partitions: [{ partition: 'sh', nodes: [...bad, good] }] }), [
    { partition: 'sh', nodes: [good] },
  ]);
  for (const answer of [
    undefined,
    null,
    [],
    {},
    { partitions: 1 },
    { partitions: [{ partition: 'sh', nodes: bad }] },
  ]) {
    assert.deepEqual(readPartitions(answer), []);
  }
});

test('delays double up to half a minute and are spread over their upper half', () => {
  const bounds = [0, 1, 2, 3, 4, 5, 50].map((failures) => [
    retryDelay(failures, () => 0),
    retryDelay(failures, () => 1),
  ]);
  assert.deepEqual(bounds, [
    [500, 1_000],
    [1_000, 2_000],
    [2_000, 4_000],
    [4_000, 8_000],
    [8_000, 16_000],
    [15_000, 30_000],
    [15_000, 30_000],
  ]);
});
