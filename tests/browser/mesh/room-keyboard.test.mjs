// A room without a mouse: make it, mute, write, see the numbers, invite, leave.

import assert from 'node:assert/strict';
import test from 'node:test';

import { openPage, startBrowser } from '../support/browser.mjs';
import { NODE_A, uniqueId } from '../support/mesh.mjs';
import { enterRoom, inRoom, member, reads, room, seen, shows } from '../support/room.mjs';
import { focused, register, tabTo, until } from '../support/terminal.mjs';

test('a room can be made, used and left with the keyboard alone', async (t) => {
  const [typist, other, name] = [uniqueId('typist'), uniqueId('other'), uniqueId('study')];
  const browser = await startBrowser(t);
  const a = await openPage(t, browser, { smallCamera: true });
  const b = await openPage(t, browser, { smallCamera: true });
  await register(b, NODE_A, other);
  await register(a, NODE_A, typist);

  await tabTo(a, 'room-new');
  await a.keyboard.press('Enter');
  await a.locator('[data-testid="field-room-name"]:focus').waitFor();
  await a.keyboard.type(name);
  await a.keyboard.press('Enter');
  await inRoom(a, name);
  await until('the focus follows into the room', async () => (await focused(a)) === 'room');

  await enterRoom(b, name);
  await seen(member(a, other));
  await press(a, 'room-mic', 'Space');
  await shows(member(b, typist), '[data-muted="true"]');
  await press(a, 'room-chat', 'Enter');
  assert.equal(await focused(a), 'chat-text', 'the chat opens ready to write');
  await until('there is a channel', () => a.getByTestId('chat-send').isEnabled());
  await a.keyboard.type('by keyboard');
  await a.keyboard.press('Enter');
  await reads(b, typist, 'by keyboard');
  await a.keyboard.press('Escape');
  await a.getByTestId('chat').waitFor({ state: 'hidden' });
  assert.equal(await focused(a), 'room-chat', 'the chat gives the focus back');

  await press(a, 'room-layout', 'Enter');
  await press(a, 'member-quality', 'Enter');
  await a.getByTestId('member-details').first().waitFor();
  await press(a, 'room-invite', 'Enter');
  await a.getByTestId('invite-dialog').waitFor();
  await a.keyboard.press('Escape');
  await a.getByTestId('invite-dialog').waitFor({ state: 'hidden' });
  assert.equal(await focused(a), 'room-invite', 'a dialog gives the focus back');

  await press(a, 'room-leave', 'Enter');
  await room(a, name).waitFor({ state: 'detached' });
  await member(b, typist).waitFor({ state: 'detached' });
  assert.equal(await focused(a), 'room-new', 'the focus returns to where the room began');
});

async function press(page, testId, key) {
  await tabTo(page, testId, 120);
  await page.keyboard.press(key);
}
