// How a room ends from outside: the page is loaded anew, the node dies and comes back, somebody else ends it.

import assert from 'node:assert/strict';
import test from 'node:test';

import { shoot, startBrowser } from '../support/browser.mjs';
import { meet } from '../support/meeting.mjs';
import { PASSWORD } from '../support/mesh.mjs';
import { freeUdpPort, startNode } from '../support/node.mjs';
import { createRoom, enterRoom, inRoom, member, room, seen } from '../support/room.mjs';
import { online } from '../support/terminal.mjs';

test('a page that is loaded anew leaves its room and may enter it again', async (t) => {
  const { a, b, alice: other, bob: reader, name } = await meet(t);
  await b.reload();
  await member(a, reader).waitFor({ state: 'detached' });
  await b.getByTestId('field-password').fill(PASSWORD);
  await b.getByTestId('connect').click();
  await online(b);
  await enterRoom(b, name);
  await seen(member(b, other));
  await seen(member(a, reader));
  assert.equal(await member(a, reader).count(), 1, 'nothing is left of the time before');
  assert.equal(await a.getByTestId('member').count(), 2);
});

test('a room that dies with its node is over, and the page says so', async (t) => {
  const media = `media = { listen = "127.0.0.1:${await freeUdpPort()}", workers = 1 }`;
  const browser = await startBrowser(t);
  const node = await startNode(t, media);
  const origins = [node.origin, node.origin];
  const { a, b, name } = await meet(t, { browser, origins, expected: /^WebSocket connection to/ });
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
  const { a, b, name } = await meet(t);
  a.once('dialog', (dialog) => dialog.accept());
  await a.getByTestId('room-end').click();
  await room(b, name).waitFor({ state: 'detached' });
  await b.getByTestId('toast').filter({ hasText: `${name} was ended` }).waitFor();
});
