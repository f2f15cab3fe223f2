// Rooms on a bad line: a terminal that was away for a moment is still there, and one that was forgotten comes back.

import test from 'node:test';

import { openPage, startBrowser } from '../support/browser.mjs';
import { makeCuttable, spoilTicket } from '../support/line.mjs';
import { NODE_A, uniqueId } from '../support/mesh.mjs';
import { createRoom, enterRoom, heard, inRoom, member, reads, say, seen } from '../support/room.mjs';
import { online, register } from '../support/terminal.mjs';

test('a room goes on when the connection comes back in time', async (t) => {
  const { a, b, unlucky, other, name, cut } = await meet(t);
  cut();
  await a.locator('html[data-state="reconnecting"]').waitFor();
  await online(a);
  await inRoom(a, name);
  await seen(member(a, other));
  await seen(member(b, unlucky));
  await say(b, 'still here?');
  await reads(a, other, 'still here?');
});

test('a terminal that its node has forgotten enters its room anew by itself', async (t) => {
  const { a, b, unlucky, other, name, cut } = await meet(t, spoilTicket);
  cut();
  await a.locator('html[data-state="reconnecting"]').waitFor();
  await online(a);
  await inRoom(a, name);
  await seen(member(a, other));
  await seen(member(b, unlucky));
  await heard(member(b, unlucky));
  await say(a, 'back again');
  await reads(b, unlucky, 'back again');
});

async function meet(t, spoil) {
  const [unlucky, other, name] = [uniqueId('unlucky'), uniqueId('other'), uniqueId('harbour')];
  const browser = await startBrowser(t);
  const a = await openPage(t, browser, { smallCamera: true });
  const b = await openPage(t, browser, { smallCamera: true });
  const cuts = await makeCuttable(a, spoil);
  await register(a, NODE_A, unlucky);
  await register(b, NODE_A, other);
  await createRoom(b, name);
  await enterRoom(a, name);
  await seen(member(a, other));
  await seen(member(b, unlucky));
  return { a, b, unlucky, other, name, cut: () => cuts.at(-1)() };
}
