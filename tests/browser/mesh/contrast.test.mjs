// Every button in every state, pressed, open, pointed at or focused, light and dark, can be told from what is behind it.

import assert from 'node:assert/strict';
import test from 'node:test';

import { openPage, startBrowser } from '../support/browser.mjs';
import { lookAtButtons } from '../support/contrast.mjs';
import { NODE_A, uniqueId } from '../support/mesh.mjs';
import { createRoom, enterRoom, member, seen } from '../support/room.mjs';
import { callWith, inState, online, openForm, person, register } from '../support/terminal.mjs';

for (const colorScheme of ['light', 'dark']) {
  test(`no button is lost in any of its states (${colorScheme})`, async (t) => {
    const [looker, other, name] = [uniqueId('looker'), uniqueId('other'), uniqueId('garden')];
    const browser = await startBrowser(t);
    const page = await openPage(t, browser, { colorScheme, reducedMotion: 'reduce', smallCamera: true });
    const peer = await openPage(t, browser, { smallCamera: true });
    const check = async (view, atLeast) => {
      const { faults, checked } = await lookAtButtons(page);
      assert.deepEqual(faults, [], `${view}: what cannot be told from what is behind it`);
      assert.ok(checked > atLeast, `${view}: ${checked} states were looked at`);
    };
    await register(peer, NODE_A, other);
    await openForm(page, NODE_A, looker, { answer: 'ask' });
    await check('register', 20);
    await page.getByTestId('connect').click();
    await online(page);
    await person(peer, looker).getByTestId('call-video').click();
    await page.getByTestId('answer').waitFor();
    await check('ringing', 30);
    await page.getByTestId('answer').click();
    await inState(callWith(page, other), 'connected');
    await check('call', 40);
    await callWith(page, other).getByTestId('hang-up').click();
    await createRoom(page, name);
    await enterRoom(peer, name);
    await seen(member(page, other));
    await page.getByTestId('room-layout').click();
    await page.getByTestId('room-chat').click();
    await check('room', 80);
    await page.getByTestId('room-invite').click();
    await check('invite', 20);
  });
}
