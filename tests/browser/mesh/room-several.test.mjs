// One terminal in several rooms at a time: each has its own members, chat and switches, and ends on its own.

import assert from 'node:assert/strict';
import test from 'node:test';

import { openPage, shoot, startBrowser } from '../support/browser.mjs';
import { NODE_A, uniqueId } from '../support/mesh.mjs';
import { createRoom, enterRoom, heard, member, room, say, reads, seen } from '../support/room.mjs';
import { register } from '../support/terminal.mjs';

test('a terminal is in two rooms at a time, and leaves one without the other', async (t) => {
  const [host, west, east] = [uniqueId('host'), uniqueId('west'), uniqueId('east')];
  const [hall, yard] = [uniqueId('hall'), uniqueId('yard')];
  const browser = await startBrowser(t);
  const a = await openPage(t, browser, { smallCamera: true });
  const b = await openPage(t, browser, { smallCamera: true });
  const c = await openPage(t, browser, { smallCamera: true });
  await register(a, NODE_A, host);
  await register(b, NODE_A, west);
  await register(c, NODE_A, east);
  // One size is enough here: the machine encodes it twice.
  await createRoom(a, hall, { simulcast: false });
  await createRoom(a, yard, { simulcast: false });
  await enterRoom(b, hall);
  await enterRoom(c, yard);
  for (const tile of [member(a, west), member(a, east), member(b, host), member(c, host)]) {
    await seen(tile);
    await heard(tile);
  }
  assert.equal(await room(a, hall).getByTestId('member').count(), 2);
  assert.equal(await room(a, yard).getByTestId('member').count(), 2);
  await shoot(a, 'room-several');

  await say(c, 'who is in the yard?');
  await reads(a, east, 'who is in the yard?');
  assert.equal(await b.getByTestId('chat-message').count(), 0, 'what is said in one room stays there');
  await room(a, hall).getByTestId('room-mic').click();
  await member(b, host).and(b.locator('[data-muted="true"]')).waitFor();
  assert.equal(await member(c, host).getAttribute('data-muted'), 'false');

  await room(a, hall).getByTestId('room-leave').click();
  await member(b, host).waitFor({ state: 'detached' });
  await seen(member(a, east));
  await seen(member(c, host));
  await heard(member(c, host));
});
