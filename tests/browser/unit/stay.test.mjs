// How long a terminal stays in a room: refusals, lost connections, rooms that are not there any more.

import assert from 'node:assert/strict';
import test from 'node:test';

import { load } from '../support/assets.mjs';

const { Stay } = await load('taoyao/room/stay.js');
const { TaoyaoError } = await load('taoyao/errors.js');

/** A stay whose node refuses every way in for one reason, until the test changes it. */
function make({ isOnline = true } = {}) {
  const node = { refusal: new TaoyaoError('3401', '密码错误'), asked: 0 };
  const states = [];
  const pushed = [];
  const stay = new Stay({
    request: async () => {
      node.asked += 1;
      throw node.refusal;
    },
    push: (signal) => pushed.push(signal),
    isOnline: () => isOnline,
    onConnected: () => {},
    onDisconnected: () => {},
    onState: () => states.push(stay.state),
  });
  return { stay, node, states, pushed };
}

test('a refused way in is final, and says why', async () => {
  const { stay, node, states } = make();
  await assert.rejects(stay.enter(), node.refusal);
  assert.deepEqual(states, ['closed']);
  assert.deepEqual([stay.closeReason, stay.error], ['failed', node.refusal]);
  stay.lose();
  stay.end('left');
  assert.equal(stay.closeReason, 'failed', 'an end is final');
});

test('a room that is not there any more has ended, at the first try', async () => {
  const { stay, node, states } = make();
  node.refusal = new TaoyaoError('9999', '无效房间：0f1e');
  stay.lose();
  await stay.restore();
  assert.deepEqual(states, ['returning', 'closed']);
  assert.deepEqual([stay.closeReason, node.asked], ['ended', 1]);
});

test('a password that is not right any more ends the search for a way back', async () => {
  const { stay } = make();
  stay.lose();
  await stay.restore();
  assert.equal(stay.closeReason, 'failed');
});

test('a node that does not answer is asked again, a little later', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { stay, node } = make();
  node.refusal = new TaoyaoError('timeout', 'no answer');
  stay.lose();
  await stay.restore();
  for (let tries = 1; tries <= 6; tries += 1) {
    assert.equal(node.asked, tries);
    assert.equal(stay.state, tries < 6 ? 'returning' : 'closed');
    t.mock.timers.tick(60_000);
    await settled();
  }
  assert.equal(stay.closeReason, 'failed');
});

test('without a node nothing is asked until there is one again', async () => {
  const { stay, node, pushed } = make({ isOnline: false });
  stay.reenter();
  assert.deepEqual([stay.state, node.asked, pushed.length], ['returning', 0, 0]);
  await stay.restore();
  assert.equal(node.asked, 1);
});

test('who leaves while it searches is left alone', async () => {
  const { stay, node } = make();
  stay.lose();
  const search = stay.restore();
  stay.end('left');
  await search;
  assert.deepEqual([stay.closeReason, node.asked], ['left', 1]);
});

/** All that was waiting has gone on. */
function settled() {
  return new Promise((resolve) => setImmediate(resolve));
}
