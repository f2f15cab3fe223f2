// How a room ends from outside: the page is loaded anew, the node dies and comes back, somebody else ends it.

import assert from 'node:assert/strict';
import test from 'node:test';

import { openPage, shoot, startBrowser } from '../support/browser.mjs';
import { NODE_A, PASSWORD, uniqueId } from '../support/mesh.mjs';
import { freeUdpPort, startNode } from '../support/node.mjs';
import { createRoom, enterRoom, inRoom, member, room, seen } from '../support/room.mjs';
import { online, register } from '../support/terminal.mjs';

test('a page that is loaded anew leaves its room and may enter it again', async (t) => {
  const { a, b, reader, other, name } = await meet(t, NODE_A);
  await a.reload();
  await member(b, reader).waitFor({ state: 'detached' });
  await a.getByTestId('field-password').fill(PASSWORD);
  await a.getByTestId('connect').click();
  await online(a);
  await enterRoom(a, name);
  await seen(member(a, other));
  await seen(member(b, reader));
  assert.equal(await member(b, reader).count(), 1, 'nothing is left of the time before');
  assert.equal(await b.getByTestId('member').count(), 2);
});

test('a room that dies with its node is over, and the page says so', async (t) => {
  const media = `media = { listen = "127.0.0.1:${await freeUdpPort()}", workers = 1 }`;
  const node = await startNode(t, media);
  const { a, b, name } = await meet(t, node.origin, { expected: /^WebSocket connection to/ });
  await node.kill();
  for (const page of [a, b]) await page.locator('html[data-state="reconnecting"]').waitFor();
  await shoot(a, 'room-interrupted');
  await node.start();
  for (const page of [a, b]) {
    await online(page);
    await room(page, name).waitFor({ state: 'detached' });
    await page.getByTestId('toast').filter({ hasText: `${name} was ended` }).waitFor();
  }
  await shoot(a, 'room-over');
  await createRoom(a, name);
  await enterRoom(b, name);
  await inRoom(b, name);
});

test('who is in a room that its owner ends is told', async (t) => {
  const { a, b, name } = await meet(t, NODE_A);
  b.once('dialog', (dialog) => dialog.accept());
  await b.getByTestId('room-end').click();
  await room(a, name).waitFor({ state: 'detached' });
  await a.getByTestId('toast').filter({ hasText: `${name} was ended` }).waitFor();
});

/** Two pages in a room that the second one has made. */
async function meet(t, origin, options = {}) {
  const [reader, other, name] = [uniqueId('reader'), uniqueId('other'), uniqueId('library')];
  const browser = await startBrowser(t);
  const a = await openPage(t, browser, { smallCamera: true, ...options });
  const b = await openPage(t, browser, { smallCamera: true, ...options });
  await register(a, origin, reader);
  await register(b, origin, other);
  await createRoom(b, name);
  await enterRoom(a, name);
  await seen(member(a, other));
  await seen(member(b, reader));
  return { a, b, reader, other, name };
}
