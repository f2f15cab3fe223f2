// A whole call without a mouse: register, search, call, stop the microphone, hang up.

import assert from 'node:assert/strict';
import test from 'node:test';

import { openPage, startBrowser } from '../support/browser.mjs';
import { NODE_A, NODE_B, PASSWORD, USER, uniqueId } from '../support/mesh.mjs';
import { callWith, focused, inState, online, person, register, tabTo } from '../support/terminal.mjs';

test('a call can be made and ended with the keyboard alone', async (t) => {
  const [typist, other] = [uniqueId('typist'), uniqueId('other')];
  const browser = await startBrowser(t);
  const a = await openPage(t, browser);
  const b = await openPage(t, browser);
  await register(b, NODE_B, other);

  await a.goto(`${NODE_A}/?node=here&clientId=${typist}`);
  await a.locator('[data-testid="field-username"]:focus').waitFor();
  await a.keyboard.type(USER);
  await tabTo(a, 'field-password');
  await a.keyboard.type(PASSWORD);
  await a.keyboard.press('Enter');
  await online(a);
  assert.equal(await focused(a), 'people', 'after signing in the focus is on the list');

  await person(a, other).waitFor();
  await tabTo(a, 'search');
  await a.keyboard.type(other);
  await tabTo(a, 'call-video');
  await a.keyboard.press('Enter');
  await inState(callWith(a, other), 'connected');
  assert.equal(await focused(a), 'call', 'the focus follows the call');

  await tabTo(a, 'toggle-mic');
  await a.keyboard.press('Space');
  await callWith(a, other).locator('[data-note="muted.audio"]').waitFor();
  await tabTo(a, 'hang-up');
  await a.keyboard.press('Enter');
  await callWith(a, other).waitFor({ state: 'detached' });
  await callWith(b, typist).waitFor({ state: 'detached' });
  assert.equal(await focused(a), 'call-video', 'the focus returns to where the call began');
});
