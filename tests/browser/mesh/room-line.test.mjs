// Rooms on a bad line: a terminal that was away for a moment is still there, and one that was forgotten comes back.

import test from 'node:test';

import { makeCuttable, spoilTicket } from '../support/line.mjs';
import { meet } from '../support/meeting.mjs';
import { heard, inRoom, member, reads, say, seen } from '../support/room.mjs';
import { online } from '../support/terminal.mjs';

test('a room goes on when the connection comes back in time', async (t) => {
  const { a, b, alice, bob, name, cut } = await meetOnBadLine(t);
  cut();
  await b.locator('html[data-state="reconnecting"]').waitFor();
  await online(b);
  await inRoom(b, name);
  await seen(member(b, alice));
  await seen(member(a, bob));
  await say(a, 'still here?');
  await reads(b, alice, 'still here?');
});

test('a terminal that its node has forgotten enters its room anew by itself', async (t) => {
  const { a, b, alice, bob, name, cut } = await meetOnBadLine(t, spoilTicket);
  cut();
  await b.locator('html[data-state="reconnecting"]').waitFor();
  await online(b);
  await inRoom(b, name);
  await seen(member(b, alice));
  await seen(member(a, bob));
  await heard(member(a, bob));
  await say(b, 'back again');
  await reads(a, bob, 'back again');
});

/** The line of Bob, who has bad luck, can be cut. */
async function meetOnBadLine(t, spoil) {
  let cuts;
  const prepare = async (page) => {
    cuts = await makeCuttable(page, spoil);
  };
  return { ...(await meet(t, { prepare })), cut: () => cuts.at(-1)() };
}
