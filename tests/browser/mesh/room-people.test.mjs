// How people come into a room and behave in it: links, invitations without a password, raised hands, everybody muted.

import assert from 'node:assert/strict';
import test from 'node:test';

import { openPage, shoot, startBrowser } from '../support/browser.mjs';
import { meet } from '../support/meeting.mjs';
import { NODE_A, NODE_B, PASSWORD, uniqueId } from '../support/mesh.mjs';
import { makeMeasurable } from '../support/picture.mjs';
import { answerDialog, createRoom, enterRoom, inRoom, member, room, seen, shows } from '../support/room.mjs';
import { hears, hearsNothing } from '../support/sound.mjs';
import { nameOf, openForm, register, until } from '../support/terminal.mjs';

test('a link leads into its room, at another node as well, and once', async (t) => {
  const [alice, bob, name] = [uniqueId('alice'), uniqueId('bob'), uniqueId('linked')];
  const browser = await startBrowser(t);
  const a = await openPage(t, browser, { smallCamera: true, permissions: ['clipboard-read', 'clipboard-write'] });
  const b = await openPage(t, browser, { smallCamera: true });
  await register(a, NODE_A, alice);
  await createRoom(a, name);
  await a.getByTestId('room-link').click();
  await a.getByTestId('toast').filter({ hasText: 'copied' }).waitFor();
  const link = new URL(await a.evaluate(() => navigator.clipboard.readText()));
  assert.equal(link.origin, NODE_A);

  await openForm(b, NODE_B, bob, { room: link.searchParams.get('room') });
  await b.getByTestId('connect').click();
  await b.getByTestId('room-dialog').filter({ hasText: `Enter ${name}` }).waitFor();
  await answerDialog(b);
  await inRoom(b, name);
  await seen(member(a, bob));
  await b.getByTestId('room-leave').click();
  await room(b, name).waitFor({ state: 'detached' });
  await b.evaluate(() => window.dispatchEvent(new Event('online')));
  assert.equal(await b.getByTestId('room-dialog').isVisible(), false);
});

test('who is invited is told by whom, and is asked for no password', async (t) => {
  const [alice, bob, name] = [uniqueId('alice'), uniqueId('bob'), uniqueId('secret')];
  const browser = await startBrowser(t);
  const a = await openPage(t, browser, { smallCamera: true });
  const b = await openPage(t, browser, { smallCamera: true });
  await register(a, NODE_A, alice);
  await register(b, NODE_A, bob);
  await createRoom(a, name, { password: PASSWORD });
  await a.getByTestId('room-invite').click();
  const row = a.getByTestId('invite').and(a.locator(`[data-client-id="${bob}"]`));
  await row.getByTestId('invite-person').click();
  await a.getByTestId('invite-close').click();
  const banner = b.getByTestId('banner').filter({ hasText: `${nameOf(alice)} invites you to “${name}”` });
  await banner.waitFor();
  await shoot(b, 'invited');
  await banner.getByTestId('invite-enter').click();
  assert.equal(await b.getByTestId('field-room-password').isVisible(), false);
  await b.getByTestId('room-submit').click();
  await inRoom(b, name);
  await seen(member(a, bob));
});

test('a raised hand is seen by who is there and by who comes later, until it is taken down', async (t) => {
  const { a, b, bob, name } = await meet(t, { origins: [NODE_A, NODE_B] });
  await b.getByTestId('room-hand').click();
  await shows(b.getByTestId('room-hand'), '[aria-pressed="true"]');
  await hand(a, bob).waitFor();
  await shoot(a, 'hand-raised');
  const late = uniqueId('late');
  const c = await openPage(t, a.context().browser(), { smallCamera: true });
  await register(c, NODE_A, late);
  await enterRoom(c, name, { camera: false });
  await hand(c, bob).waitFor();
  await b.getByTestId('room-hand').click();
  for (const page of [a, c]) await hand(page, bob).waitFor({ state: 'hidden' });
});

test('who manages a room mutes everybody else, and each decides alone to speak again', async (t) => {
  const { a, b, bob, alice } = await meet(t, { prepareBoth: makeMeasurable });
  await hears(a);
  assert.equal(await b.getByTestId('room-mute-all').isVisible(), false, 'a guest is not offered it');
  await a.getByTestId('room-mute-all').click();
  await b.getByTestId('toast').filter({ hasText: 'switched off by who manages' }).waitFor();
  await shows(b.getByTestId('room-mic'), '[aria-pressed="true"]');
  await shows(member(a, bob), '[data-muted="true"]');
  await shows(member(b, alice), '[data-muted="false"]');
  await hearsNothing(a, 'after everybody was muted');
  await b.getByTestId('room-mic').click();
  await hears(a);
  for (let i = 0; i < 3; i += 1) await b.getByTestId('room-mic').click();
  await b.getByTestId('room-mic').click();
  await b.waitForTimeout(1_500);
  assert.equal(await b.getByTestId('room-mic').getAttribute('aria-pressed'), 'false', 'an own quick mute is no other’s');
});

function hand(page, clientId) {
  return member(page, clientId).getByTestId('member-hand');
}
