// Muting is a person's decision: no second call, no return into a room, no lost connection and no other member undoes it.

import assert from 'node:assert/strict';
import test from 'node:test';

import { openPage, startBrowser } from '../support/browser.mjs';
import { botCalls, heardBy, startBot } from '../support/bot.mjs';
import { makeCuttable, spoilTicket } from '../support/line.mjs';
import { NODE_A, NODE_B, uniqueId } from '../support/mesh.mjs';
import { makeMeasurable } from '../support/picture.mjs';
import { createRoom, enterRoom, inRoom, member, shows } from '../support/room.mjs';
import { hears, hearsNothing } from '../support/sound.mjs';
import { callWith, inState, online, openForm, register, until } from '../support/terminal.mjs';

test('a page asks before it answers, unless its person or its address says otherwise', async (t) => {
  const page = await openPage(t, await startBrowser(t));
  await openForm(page, NODE_A, uniqueId('person'), { answer: undefined });
  assert.equal(await page.getByTestId('answer-ask').isChecked(), true);
  await openForm(page, NODE_A, uniqueId('monitor'), { answer: 'auto' });
  assert.equal(await page.getByTestId('answer-auto').isChecked(), true);
  // What was stored before there was a choice of the person's own was the default, and nobody's decision.
  await page.evaluate(() => localStorage.setItem('taoyao.settings', JSON.stringify({ answer: 'auto' })));
  await openForm(page, NODE_A, uniqueId('person'), { answer: undefined });
  assert.equal(await page.getByTestId('answer-ask').isChecked(), true);
});

test('a terminal that calls a second time gets no second call, and nobody is unmuted by it', async (t) => {
  const [person, caller] = [uniqueId('person'), uniqueId('caller')];
  const browser = await startBrowser(t);
  const a = await openPage(t, browser);
  const bot = await openPage(t, browser);
  await makeMeasurable(bot);
  await register(a, NODE_A, person);
  await startBot(bot, NODE_A, caller);
  await botCalls(bot, person);
  await hears(bot);
  await mute(callWith(a, caller));
  await hearsNothing(bot, 'while the person is muted');

  const second = await bot.evaluate((id) => window.bot.request('session::call', { clientId: id }), person);
  const isEnded = async () => (await heardBy(bot, 'session::close')).some((it) => it.sessionId === second.sessionId);
  await until('the second call is ended', isEnded);
  assert.equal(await callWith(a, caller).count(), 1);
  await inState(callWith(a, caller), 'connected');
  await hearsNothing(bot, 'after the second call');

  await callWith(a, caller).getByTestId('hang-up').click();
  await botCalls(bot, person);
  await hearsNothing(bot, 'in the next call');
  const mic = callWith(a, caller).getByTestId('toggle-mic');
  assert.equal(await mic.getAttribute('aria-pressed'), 'true', 'and the page shows it');
  await mic.click();
  await hears(bot);
});

test('two who call each other at the same moment are in one call', async (t) => {
  const [left, right] = [uniqueId('left'), uniqueId('right')];
  const browser = await startBrowser(t);
  const [a, b] = [await openPage(t, browser), await openPage(t, browser)];
  await startBot(a, NODE_A, left);
  await startBot(b, NODE_A, right);
  for (const answer of ['auto', 'ask']) {
    const call = (page, id) =>
      page.evaluate(([it, how]) => ((window.bot.answer = how), window.bot.call(it).then(() => {})), [id, answer]);
    await Promise.all([call(a, right), call(b, left)]);
    const states = (page) => page.evaluate(() => [...window.bot.sessions.values()].map((it) => it.state).join());
    for (const page of [a, b]) await until('one call is connected', async () => (await states(page)) === 'connected');
    const ids = (page) => page.evaluate(() => [...window.bot.sessions.keys()].join());
    assert.equal(await ids(a), await ids(b), 'both have the same one');
    await a.evaluate(() => [...window.bot.sessions.values()].forEach((it) => it.close()));
    await until('it is over', async () => (await states(b)) === '');
  }
});

test('a call whose connection to the mesh comes back is as muted as before', async (t) => {
  const [person, caller] = [uniqueId('person'), uniqueId('caller')];
  const browser = await startBrowser(t);
  const a = await openPage(t, browser);
  const bot = await openPage(t, browser);
  await makeMeasurable(bot);
  const cuts = await makeCuttable(a);
  await register(a, NODE_A, person);
  await startBot(bot, NODE_B, caller);
  await bot.waitForTimeout(500);
  await botCalls(bot, await bot.evaluate(nameSeen, person));
  await hears(bot);
  await mute(callWith(a, caller));
  cuts.at(-1)();
  await a.locator('html[data-state="reconnecting"]').waitFor();
  await online(a);
  await inState(callWith(a, caller), 'connected');
  await hearsNothing(bot, 'after the connection came back');
});

test('a member that enters its room again, or that others resume, stays muted', async (t) => {
  const [owner, member1, name] = [uniqueId('owner'), uniqueId('member'), uniqueId('quiet')];
  const browser = await startBrowser(t);
  const a = await openPage(t, browser, { smallCamera: true });
  const b = await openPage(t, browser, { smallCamera: true });
  await makeMeasurable(a);
  const cuts = await makeCuttable(b, spoilTicket);
  const others = await signalsOf(a);
  await register(a, NODE_A, owner);
  await register(b, NODE_A, member1);
  await createRoom(a, name);
  await enterRoom(b, name);
  await hears(a);
  await b.getByTestId('room-mic').click();
  await shows(member(a, member1), '[data-muted="true"]');

  const { producerId, roomId } = others('media::consume').map((it) => it.body).find((it) => it.kind === 'audio');
  others.say('media::producer::resume', { roomId, producerId });
  await hearsNothing(a, 'although the owner has resumed it');
  await shows(member(a, member1), '[data-muted="true"]');

  cuts.at(-1)();
  await b.locator('html[data-state="reconnecting"]').waitFor();
  await online(b);
  await inRoom(b, name);
  await member(a, member1).waitFor();
  assert.equal(await b.getByTestId('room-mic').getAttribute('aria-pressed'), 'true');
  await hearsNothing(a, 'after the member came back');
  await b.getByTestId('room-mic').click();
  await hears(a);
});

async function mute(call) {
  await call.getByTestId('toggle-mic').click();
  await call.locator('[data-note="muted.audio"]').waitFor();
}

/** Runs in the page: under which id the bot knows a terminal. */
async function nameSeen(clientId) {
  const all = await window.bot.list();
  return all.map((it) => it.clientId).find((it) => it.split('@')[0] === clientId);
}

/** What a page hears, and a way to say on its connection what its buttons do not. */
async function signalsOf(page) {
  const heard = [];
  let socket;
  await page.routeWebSocket(/websocket\.signal/, (opened) => {
    socket = opened.connectToServer();
    opened.onMessage((text) => socket.send(text));
    socket.onMessage((text) => {
      heard.push(JSON.parse(text));
      opened.send(text);
    });
  });
  const of = (signal) => heard.filter((it) => it.header.signal === signal);
  of.say = (signal, body) => socket.send(JSON.stringify({ header: { v: '1.0.0', id: 1, signal }, body }));
  return of;
}
