// The recording of a room: everybody is told, whoever may stops it, and a file for every member is at the node.

import assert from 'node:assert/strict';
import test from 'node:test';

import { checkView } from '../support/access.mjs';
import { openPage, shoot, startBrowser } from '../support/browser.mjs';
import { meet } from '../support/meeting.mjs';
import { PASSWORD, USER, uniqueId } from '../support/mesh.mjs';
import { freeUdpPort, startNode } from '../support/node.mjs';
import { createRoom, enterRoom, member, seen } from '../support/room.mjs';
import { register, until } from '../support/terminal.mjs';

test('a room is recorded, all its members see that, and another operator stops it', async (t) => {
  const media = `media = { listen = "127.0.0.1:${await freeUdpPort()}", workers = 1 }\nrecordings = { dir = "recordings" }`;
  const browser = await startBrowser(t);
  const { origin } = await startNode(t, media, { roles: ['terminal', 'operator'] });
  const { a, b, alice, bob, name } = await meet(t, { browser, origins: [origin, origin] });
  for (const page of [a, b]) assert.equal(await mark(page).isVisible(), false);

  await a.getByTestId('room-record').click();
  for (const page of [a, b]) {
    await mark(page).waitFor();
    assert.equal(await page.getByTestId('room-record').getAttribute('aria-pressed'), 'true');
  }
  assert.equal(await b.locator('#announce-now').textContent(), 'The room is being recorded.');
  await shoot(b, 'room-recording');
  const late = uniqueId('late');
  const c = await openPage(t, browser, { smallCamera: true });
  await register(c, origin, late);
  await enterRoom(c, name);
  await mark(c).waitFor();
  await seen(member(a, late));
  await until('three members are recorded', async () => (await recordings(a)).length === 3);

  await b.getByTestId('room-record').click();
  for (const page of [a, b, c]) await mark(page).waitFor({ state: 'hidden' });
  await until('the files are closed', async () => (await recordings(a)).every((it) => it.state === 'finished'));
  const files = await recordings(a);
  assert.deepEqual(
    files.map((it) => it.member.split('@')[0]).sort(),
    [alice, bob, late].sort(),
    'one file for each',
  );
  for (const file of files) assert.ok(file.bytes > 1_000, JSON.stringify(file));
});

test('a recording is played in the page, for who may, and others are told why not', async (t) => {
  const media = `media = { listen = "127.0.0.1:${await freeUdpPort()}", workers = 1 }\nrecordings = { dir = "recordings" }`;
  const browser = await startBrowser(t);
  const { origin } = await startNode(t, media, { roles: ['terminal', 'operator'] });
  const { a, alice, bob } = await meet(t, { browser, origins: [origin, origin] });
  await a.getByTestId('room-record').click();
  await mark(a).waitFor();
  await until('two members are recorded', async () => (await recordings(a)).filter((it) => it.bytes > 50_000).length === 2);
  await a.getByTestId('room-record').click();
  await until('the files are closed', async () => (await recordings(a)).every((it) => it.state === 'finished'));

  await a.getByTestId('recordings').click();
  for (const name of [alice, bob]) await a.getByTestId('recording').filter({ hasText: name }).filter({ hasText: 'finished' }).waitFor();
  await a.getByTestId('recording').filter({ hasText: bob }).getByTestId('recording-play').click();
  const video = a.getByTestId('recordings-video');
  await until('it is played', () => video.evaluate((it) => it.videoWidth > 0 && it.currentTime > 0.5));
  await checkView(a, 'recordings');
  await a.getByTestId('recordings-close').click();
  await until('its memory is given back', async () => (await video.getAttribute('src')) === null);
});

test('who may not see recordings is told so', async (t) => {
  const media = `media = { listen = "127.0.0.1:${await freeUdpPort()}", workers = 1 }\nrecordings = { dir = "recordings" }`;
  const refused = /status of 40/;
  const page = await openPage(t, await startBrowser(t), { smallCamera: true, expected: refused });
  const { origin } = await startNode(t, media);
  await register(page, origin, uniqueId('curious'));
  await page.getByTestId('recordings').click();
  await page.getByTestId('recordings-note').filter({ hasText: 'operators only' }).waitFor();
});

test('a node without a recorder offers no recording', async (t) => {
  const [alice, name] = [uniqueId('alice'), uniqueId('studio')];
  const page = await openPage(t, await startBrowser(t), { smallCamera: true });
  const { origin } = await startNode(t, `media = { listen = "127.0.0.1:${await freeUdpPort()}", workers = 1 }`);
  await register(page, origin, alice);
  await createRoom(page, name);
  await page.getByTestId('room-end').waitFor();
  assert.equal(await page.getByTestId('room-record').isVisible(), false);
});

function mark(page) {
  return page.getByTestId('room-recording');
}

/** The node's index, as an operator is shown it. */
function recordings(page) {
  return page.evaluate(async ([user, password]) => {
    const headers = { authorization: `Basic ${btoa(`${user}:${password}`)}` };
    const answer = await fetch('/recordings/list', { headers });
    return (await answer.json()).body;
  }, [USER, PASSWORD]);
}
