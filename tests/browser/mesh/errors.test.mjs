// What a person is told of failures: its own, in its own language, and when to come back; nothing of what others did.

import assert from 'node:assert/strict';
import test from 'node:test';

import { openPage, shoot, startBrowser } from '../support/browser.mjs';
import { meet } from '../support/meeting.mjs';
import { NODE_A, uniqueId } from '../support/mesh.mjs';
import { createRoom, room } from '../support/room.mjs';
import { online, openForm, person, register, until } from '../support/terminal.mjs';

const RETRY_MS = 2_000;
const SETTLED_MS = 4_000;

test('nobody is shown an error when a room ends, and nobody asks for what is over', async (t) => {
  const refusals = [];
  const prepareBoth = (page) => listen(page, (message) => message.header.signal === 'platform::error' && refusals.push(message));
  const { a, b, name } = await meet(t, { prepareBoth });
  // The pages ask several things by themselves after they have met, the last after three seconds: none may cross the room's end.
  await a.waitForTimeout(SETTLED_MS);
  a.once('dialog', (dialog) => dialog.accept());
  await a.getByTestId('room-end').click();
  for (const page of [a, b]) {
    await room(page, name).waitFor({ state: 'detached' });
    await page.waitForTimeout(1_500);
    const toasts = await page.getByTestId('toast').allTextContents();
    assert.equal(toasts.length, 1, toasts.join());
    assert.match(toasts[0], /was ended/);
  }
  assert.deepEqual(refusals, []);
});

test('a refusal of what the page says by itself is no news for its person, one of its own deed is', async (t) => {
  const page = await openPage(t, await startBrowser(t), { smallCamera: true });
  let socket;
  await listen(page, () => {}, (opened) => (socket = opened));
  const sent = await sentBy(page);
  await register(page, NODE_A, uniqueId('doer'));
  await createRoom(page, uniqueId('deeds'));
  const refuse = (id) => socket.send(JSON.stringify({ code: '3403', message: '请求拒绝：denied by rule owner', header: { v: '1.0.0', id, signal: 'platform::error' }, body: {} }));
  await until('the page has said something by itself', () => sent.some((it) => it.signal === 'room::broadcast'));
  refuse(sent.find((it) => it.signal === 'room::broadcast').id);
  await page.waitForTimeout(500);
  assert.equal(await page.getByTestId('toast').count(), 0);
  page.once('dialog', (dialog) => dialog.accept());
  await page.getByTestId('room-end').click();
  await until('its person has ended it', () => sent.some((it) => it.signal === 'room::close'));
  refuse(sent.find((it) => it.signal === 'room::close').id);
  await page.getByTestId('toast').filter({ hasText: 'You may not do this in this room' }).waitFor();
});

for (const [locale, words] of [['en-US', /This is not allowed/], ['zh-CN', /没有权限/]]) {
  test(`an error is in the language of its reader, what the mesh said behind it (${locale})`, async (t) => {
    const page = await openPage(t, await startBrowser(t), { locale });
    await answerOnce(page, 'client::register', { code: '3403', message: '请求拒绝：denied by rule r1' });
    await openForm(page, NODE_A, uniqueId('reader'));
    await page.getByTestId('connect').click();
    const error = page.getByTestId('register-error');
    await error.waitFor();
    const shown = await error.evaluate((it) => it.innerText);
    assert.match(shown, words);
    assert.doesNotMatch(shown, /denied by rule/, 'nobody reads another language unasked');
    await error.getByTestId('error-detail').locator('summary').click();
    assert.match(await error.evaluate((it) => it.innerText), /3403 请求拒绝：denied by rule r1/);
    await shoot(page, `error-${locale}`);
  });
}

test('a login that was not looked at is tried again when the node says, and only a refused one is given up', async (t) => {
  const page = await openPage(t, await startBrowser(t));
  const busy = { code: '3503', message: '服务正在维护：2 s', body: { retryAfterMs: RETRY_MS } };
  const answered = await answerOnce(page, 'client::register', busy);
  await openForm(page, NODE_A, uniqueId('patient'));
  await page.getByTestId('connect').click();
  await page.locator('#status-text').filter({ hasText: 'Busy; again in' }).waitFor();
  await online(page);
  assert.ok(Date.now() - answered.at >= RETRY_MS, 'it has waited as it was told');
});

test('media services stand apart from people, under the name that they have', async (t) => {
  const page = await openPage(t, await startBrowser(t));
  const me = uniqueId('looker');
  await register(page, NODE_A, me);
  await person(page, me).waitFor();
  const services = page.getByTestId('group').filter({ hasText: 'Services' });
  await services.getByText('桃夭媒体服务').waitFor();
  assert.equal(await person(services, me).count(), 0);
  assert.equal(await page.getByTestId('group').last().getByText('桃夭媒体服务').count(), 1, 'below everybody');
});

/** Lets a test listen to what a node says, and speak in its place. */
async function listen(page, onMessage, onOpen = () => {}) {
  await page.routeWebSocket(/websocket\.signal/, (socket) => {
    const node = socket.connectToServer();
    onOpen(socket);
    node.onMessage((text) => {
      onMessage(JSON.parse(text));
      socket.send(text);
    });
    socket.onMessage((text) => node.send(text));
  });
}

/** What the page sends, as it is on the wire. */
async function sentBy(page) {
  const sent = [];
  page.on('websocket', (socket) => socket.on('framesent', ({ payload }) => sent.push(JSON.parse(payload).header)));
  await page.exposeFunction('reportSent', (text) => sent.push(JSON.parse(text).header));
  await page.addInitScript(() => {
    const { send } = WebSocket.prototype;
    WebSocket.prototype.send = function (text) {
      window.reportSent(text);
      return send.call(this, text);
    };
  });
  return sent;
}

/** The first message of a signal is answered by the test, and does not reach the node. */
async function answerOnce(page, signal, { code, message, body = {} }) {
  const answered = { at: undefined };
  await page.routeWebSocket(/websocket\.signal/, (socket) => {
    const node = socket.connectToServer();
    node.onMessage((text) => socket.send(text));
    socket.onMessage((text) => {
      const { header } = JSON.parse(text);
      if (header.signal !== signal || answered.at) return node.send(text);
      answered.at = Date.now();
      return socket.send(JSON.stringify({ code, message, header: { ...header, signal: 'platform::error' }, body }));
    });
  });
  return answered;
}
