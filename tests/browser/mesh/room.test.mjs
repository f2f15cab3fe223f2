// A room of two: password, sound and pictures both ways, mute, chat, leaving and coming back, invitation, expulsion, end.

import test from 'node:test';

import { PHONE, openPage, shoot, startBrowser } from '../support/browser.mjs';
import { NODE_A, uniqueId } from '../support/mesh.mjs';
import {
  answerDialog,
  createRoom,
  enterRoom,
  heard,
  inRoom,
  member,
  openRoomDialog,
  reads,
  room,
  say,
  seen,
  shows,
} from '../support/room.mjs';
import { register } from '../support/terminal.mjs';

const PASSWORD = 'petals';

test('two terminals meet in a room', async (t) => {
  const [alice, bob, name] = [uniqueId('alice'), uniqueId('bob'), uniqueId('garden')];
  const browser = await startBrowser(t);
  const a = await openPage(t, browser, { smallCamera: true });
  const b = await openPage(t, browser, { smallCamera: true, viewport: PHONE });
  await register(a, NODE_A, alice);
  await register(b, NODE_A, bob);
  await createRoom(a, name, { password: PASSWORD });
  await passwordIsNeeded(b, name);
  await inRoom(b, name);

  const [bobAtA, aliceAtB] = [member(a, bob), member(b, alice)];
  await seen(bobAtA);
  await seen(aliceAtB);
  await heard(bobAtA);
  await heard(aliceAtB);
  await shoot(a, 'room-desktop');
  await shoot(b, 'room-phone');
  await muteAndCamera(a, aliceAtB);
  await chat(a, b, alice, bob);
  await leaveAndReturn(a, b, bob, name);
  await expelAndInvite(a, b, bob, name);
  await end(a, b, name);
});

async function passwordIsNeeded(b, name) {
  await openRoomDialog(b, name);
  await answerDialog(b, { password: 'thorns' });
  await b.getByTestId('room-error').filter({ hasText: 'password' }).waitFor();
  await answerDialog(b, { password: PASSWORD });
}

async function muteAndCamera(a, aliceAtB) {
  await a.getByTestId('room-mic').click();
  await shows(aliceAtB, '[data-muted="true"]');
  await a.getByTestId('room-mic').click();
  await shows(aliceAtB, '[data-muted="false"]');
  await heard(aliceAtB);
  await a.getByTestId('room-camera').click();
  await shows(aliceAtB, '[data-picture="false"]');
  await a.getByTestId('room-camera').click();
  await shows(aliceAtB, '[data-picture="true"]');
  await seen(aliceAtB);
}

async function chat(a, b, alice, bob) {
  await say(a, 'hello from the garden');
  await reads(b, alice, 'hello from the garden');
  await say(b, 'the trees are in bloom');
  await reads(a, bob, 'the trees are in bloom');
  await b.getByTestId('room-chat').click();
}

async function leaveAndReturn(a, b, bob, name) {
  await b.getByTestId('room-leave').click();
  await room(b, name).waitFor({ state: 'detached' });
  await member(a, bob).waitFor({ state: 'detached' });
  await enterRoom(b, name, { password: PASSWORD, simulcast: false });
  await seen(member(a, bob));
  await heard(member(a, bob));
}

async function expelAndInvite(a, b, bob, name) {
  a.once('dialog', (dialog) => dialog.accept());
  await a.getByTestId('room-layout').click();
  await member(a, bob).getByTestId('member-expel').click();
  await room(b, name).waitFor({ state: 'detached' });
  await b.getByTestId('toast').first().waitFor();
  await member(a, bob).waitFor({ state: 'detached' });

  await a.getByTestId('room-invite').click();
  const row = a.getByTestId('invite').and(a.locator(`[data-client-id="${bob}"]`));
  await row.getByTestId('invite-person').click();
  await a.getByTestId('invite-close').click();
  await b.getByTestId('invite-enter').click();
  await b.getByTestId('room-submit').click();
  await inRoom(b, name);
  await seen(member(a, bob));
}

async function end(a, b, name) {
  a.once('dialog', (dialog) => dialog.accept());
  await a.getByTestId('room-end').click();
  await room(a, name).waitFor({ state: 'detached' });
  await room(b, name).waitFor({ state: 'detached' });
  // The list is asked for once more when a room ends.
  await a.getByTestId('room-row').filter({ hasText: name }).waitFor({ state: 'detached' });
}
