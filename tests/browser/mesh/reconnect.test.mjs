// A terminal that loses its node comes back by itself; its calls end, because sessions live on the connection.

import assert from 'node:assert/strict';
import test from 'node:test';

import { openPage, startBrowser } from '../support/browser.mjs';
import { NODE_A, NODE_B, uniqueId } from '../support/mesh.mjs';
import { callWith, inState, online, person, register } from '../support/terminal.mjs';

test('a lost connection ends the calls, says so, and is made again', async (t) => {
  const [unlucky, other] = [uniqueId('unlucky'), uniqueId('other')];
  const browser = await startBrowser(t);
  const a = await openPage(t, browser);
  const b = await openPage(t, browser);
  const cuts = await makeCuttable(a);
  await register(a, NODE_A, unlucky);
  await register(b, NODE_B, other);
  await person(a, other).getByTestId('call-video').click();
  await inState(callWith(a, other), 'connected');

  cuts.at(-1)();
  await a.locator('html[data-state="reconnecting"]').waitFor();
  await callWith(a, other).waitFor({ state: 'detached' });
  await callWith(b, unlucky).waitFor({ state: 'detached' });
  await a
    .getByTestId('retry')
    .click()
    .catch(() => {}); // It may have come back before the click.
  await online(a);
  assert.equal(cuts.length, 2, 'one new connection');
  await person(a, other).getByTestId('call-video').click();
  await inState(callWith(a, other), 'connected');
});

/** Routes the page's connections so that the test can cut each, as a dying node would. */
async function makeCuttable(page) {
  const cuts = [];
  await page.routeWebSocket(/websocket\.signal/, (socket) => {
    const node = socket.connectToServer();
    cuts.push(() => {
      node.close();
      socket.close({ code: 1001 });
    });
  });
  return cuts;
}
