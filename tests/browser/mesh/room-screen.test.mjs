// A screen that is shown to a room: it is the large picture, beside its person's camera, and goes when it is stopped.

import assert from 'node:assert/strict';
import test from 'node:test';

import { openPage, shoot, startBrowser } from '../support/browser.mjs';
import { NODE_A, uniqueId } from '../support/mesh.mjs';
import { createRoom, enterRoom, member, number, seen, shows } from '../support/room.mjs';
import { register, until } from '../support/terminal.mjs';

test('a screen is shown to the others until it is stopped', async (t) => {
  const [alice, bob, name] = [uniqueId('alice'), uniqueId('bob'), uniqueId('lecture')];
  const browser = await startBrowser(t);
  const a = await openPage(t, browser, { smallCamera: true });
  const b = await openPage(t, browser, { smallCamera: true });
  await register(a, NODE_A, alice);
  await register(b, NODE_A, bob);
  await createRoom(a, name);
  await enterRoom(b, name);
  await seen(member(b, alice));

  const button = a.getByTestId('room-screen');
  await button.click();
  const screen = member(b, alice, 'screen');
  await seen(screen);
  await shows(screen, '[data-large="true"]');
  await until('it has the size of a screen', async () => (await number(screen, 'size')) > 320);
  assert.equal(await button.getAttribute('aria-pressed'), 'true');
  await seen(member(b, alice));
  await shoot(b, 'room-screen');

  await button.click();
  await screen.waitFor({ state: 'detached' });
  assert.equal(await button.getAttribute('aria-pressed'), 'false');
  await button.click();
  await seen(screen);
  await a.getByTestId('room-leave').click();
  await screen.waitFor({ state: 'detached' });
  await member(b, alice).waitFor({ state: 'detached' });
});
