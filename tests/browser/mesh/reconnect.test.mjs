// A terminal that loses its connection comes back by itself: in time with its calls, else without them.

import assert from 'node:assert/strict';
import test from 'node:test';

import { openPage, startBrowser } from '../support/browser.mjs';
import { makeCuttable, spoilTicket } from '../support/line.mjs';
import { NODE_A, NODE_B, uniqueId } from '../support/mesh.mjs';
import { callWith, inState, online, person, picturesArrive, register } from '../support/terminal.mjs';

test('a call goes on when the connection comes back, and the other side notices nothing', async (t) => {
  const { a, b, unlucky, other, cuts } = await callOverBadLine(t);
  let wentAway = false;
  callWith(b, unlucky)
    .waitFor({ state: 'detached' })
    .then(
      () => (wentAway = true),
      () => {},
    );

  cuts.at(-1)();
  await a.locator('html[data-state="reconnecting"]').waitFor();
  await online(a);
  await inState(callWith(a, other), 'connected');
  assert.equal(cuts.length, 2, 'one new connection');
  await callWith(a, other).getByTestId('pause-video').click();
  await callWith(b, unlucky).locator('[data-note="byPeer.video"]').waitFor();
  await callWith(a, other).getByTestId('pause-video').click();
  await picturesArrive(callWith(b, unlucky));
  assert.equal(wentAway, false, 'the call was never gone');
});

test('a node that does not know the terminal any more ends the calls, and new ones can be made', async (t) => {
  const { a, b, unlucky, other, cuts } = await callOverBadLine(t, spoilTicket);

  cuts.at(-1)();
  await a.locator('html[data-state="reconnecting"]').waitFor();
  await callWith(a, other).waitFor({ state: 'detached' });
  await callWith(b, unlucky).waitFor({ state: 'detached' });
  await online(a);
  await person(a, other).getByTestId('call-video').click();
  await inState(callWith(a, other), 'connected');
});

/** Two pages in a call; the first one's connections can be cut, and what it says passes through `spoil`. */
async function callOverBadLine(t, spoil) {
  const [unlucky, other] = [uniqueId('unlucky'), uniqueId('other')];
  const browser = await startBrowser(t);
  const a = await openPage(t, browser);
  const b = await openPage(t, browser);
  const cuts = await makeCuttable(a, spoil);
  await register(a, NODE_A, unlucky);
  await register(b, NODE_B, other);
  await person(a, other).getByTestId('call-video').click();
  await inState(callWith(a, other), 'connected');
  await inState(callWith(b, unlucky), 'connected');
  return { a, b, unlucky, other, cuts };
}
