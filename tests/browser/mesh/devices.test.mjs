// Camera, microphone and speaker: tried and chosen before anything is sent, changed and pulled out meanwhile, or not there at all.

import assert from 'node:assert/strict';
import test from 'node:test';

import { checkView } from '../support/access.mjs';
import { botCalls, startBot } from '../support/bot.mjs';
import { openPage, shoot, startBrowser } from '../support/browser.mjs';
import { openLabel, plug, rememberDevices, unplug } from '../support/devices.mjs';
import { NODE_A, uniqueId } from '../support/mesh.mjs';
import { makeMeasurable } from '../support/picture.mjs';
import { answerDialog, createRoom, enterRoom, inRoom, member, openRoomDialog, seen } from '../support/room.mjs';
import { hears, hearsNothing } from '../support/sound.mjs';
import { callWith, inState, picturesArrive, register, until } from '../support/terminal.mjs';

test('devices are tried and chosen before a room is entered, and remembered', async (t) => {
  const [looker, name] = [uniqueId('looker'), uniqueId('mirror')];
  const page = await openPage(t, await startBrowser(t));
  await page.addInitScript(rememberDevices);
  await register(page, NODE_A, looker);
  await page.getByTestId('room-new').click();
  const dialog = page.getByTestId('room-dialog');
  await plays(dialog.getByTestId('preview-video'));
  const level = dialog.getByTestId('preview-level');
  await until('the level moves', () => level.evaluate((it) => it.value > 0.05));
  const camera = dialog.getByTestId('choose-camera');
  await until('the cameras are listed', async () => (await camera.locator('option').count()) > 2);
  const first = await openLabel(page, 'video');
  const other = (await camera.locator('option').allTextContents()).findLast((it) => it !== first);
  await camera.selectOption({ label: other });
  await until('the other camera is open', async () => (await openLabel(page, 'video')) === other);
  await plays(dialog.getByTestId('preview-video'));
  await checkView(page, 'room-dialog-preview');
  await page.getByTestId('field-room-name').fill(name);
  await answerDialog(page);
  await inRoom(page, name);
  await plays(member(page, looker).getByTestId('member-video'));
  await page.getByTestId('room-leave').click();
  await until('the devices are given back', async () => (await openLabel(page, 'video')) === undefined);

  await register(page, NODE_A, looker);
  await page.getByTestId('devices').click();
  await until('the same camera is open', async () => (await openLabel(page, 'video')) === other);
  await page.getByTestId('devices-close').click();
  await until('and given back', async () => (await openLabel(page, 'video')) === undefined);
});

test('another camera and another microphone go on in a call, as muted as the first', async (t) => {
  const { page, bot, call } = await inCall(t);
  await hears(bot);
  const first = await openLabel(page, 'video');
  await call.getByTestId('toggle-mic').click();
  await call.getByTestId('call-devices').click();
  const dialog = page.getByTestId('devices-dialog');
  for (const [name, kind] of [['choose-camera', 'video'], ['choose-microphone', 'audio']]) {
    const list = dialog.getByTestId(name);
    await until('devices are listed', async () => (await list.locator('option').count()) > 2);
    const before = await openLabel(page, kind);
    const other = (await list.locator('option').allTextContents()).findLast((it) => it !== before);
    await list.selectOption({ label: other });
    await until('the other one is open', async () => (await openLabel(page, kind)) === other);
  }
  await shoot(page, 'devices-dialog');
  await page.getByTestId('devices-close').click();
  assert.notEqual(await openLabel(page, 'video'), first);
  await botSees(bot);
  await hearsNothing(bot, 'after another microphone was chosen');
  await call.getByTestId('toggle-mic').click();
  await hears(bot);
});

test('a call survives that devices are pulled out, and what was muted stays so', async (t) => {
  const { page, bot, call } = await inCall(t);
  await unplug(page, 'video');
  await page.getByTestId('toast').filter({ hasText: 'The camera is another one now' }).waitFor();
  await botSees(bot);
  await unplug(page, 'video', { last: true });
  await call.locator('[data-note="missing.video.NotFoundError"]').waitFor();
  await inState(call, 'connected');
  await picturesArrive(call);
  await plug(page, 'video');
  await call.locator('[data-note^="missing.video"]').waitFor({ state: 'detached' });
  await botSees(bot);

  await call.getByTestId('toggle-mic').click();
  await unplug(page, 'audio', { last: true });
  await call.locator('[data-note="missing.audio.NotFoundError"]').waitFor();
  await plug(page, 'audio');
  await call.locator('[data-note^="missing.audio"]').waitFor({ state: 'detached' });
  await hearsNothing(bot, 'although the microphone came back');
});

test('a room goes on when its camera is pulled out', async (t) => {
  const [unlucky, other, name] = [uniqueId('unlucky'), uniqueId('other'), uniqueId('plug')];
  const browser = await startBrowser(t);
  const a = await openPage(t, browser, { smallCamera: true });
  await a.addInitScript(rememberDevices);
  const b = await openPage(t, browser, { smallCamera: true });
  await register(a, NODE_A, unlucky);
  await register(b, NODE_A, other);
  await createRoom(a, name);
  await enterRoom(b, name);
  await seen(member(b, unlucky));
  await unplug(a, 'video');
  await seen(member(b, unlucky));
  await unplug(a, 'video', { last: true });
  await a.getByTestId('toast').filter({ hasText: 'The camera is gone' }).waitFor();
  await seen(member(a, other));
  await plug(a, 'video');
  await seen(member(b, unlucky));
});

test('who has neither camera nor microphone is told so before, enters as a viewer, and sees the others', async (t) => {
  const [bare, other, name] = [uniqueId('bare'), uniqueId('other'), uniqueId('view')];
  const page = await openPage(t, await startBrowser(t, { devices: false }));
  const peer = await openPage(t, await startBrowser(t), { smallCamera: true });
  await register(peer, NODE_A, other);
  await createRoom(peer, name);
  await register(page, NODE_A, bare);
  await openRoomDialog(page, name);
  await page.getByTestId('preview-missing').filter({ hasText: 'viewer' }).waitFor();
  await shoot(page, 'room-dialog-viewer');
  await answerDialog(page);
  await inRoom(page, name);
  await page.getByTestId('room-viewer').waitFor();
  await seen(member(page, other));
  await checkView(page, 'room-viewer');
});

test('sound is played on the speaker that was chosen', async (t) => {
  const { page, call } = await inCall(t);
  await call.getByTestId('call-devices').click();
  const list = page.getByTestId('devices-dialog').getByTestId('choose-speaker');
  await until('speakers are listed', async () => (await list.locator('option').count()) > 1);
  await list.selectOption({ index: 1 });
  const wanted = await list.inputValue();
  await until('it is taken', () => call.getByTestId('remote-video').evaluate((it, id) => it.sinkId === id, wanted));
});

/** A person's page in a call with a terminal that answers by itself. */
async function inCall(t) {
  const [person, caller] = [uniqueId('person'), uniqueId('caller')];
  const browser = await startBrowser(t);
  const page = await openPage(t, browser);
  await page.addInitScript(rememberDevices);
  const bot = await openPage(t, browser, { smallCamera: true });
  await makeMeasurable(bot);
  await register(page, NODE_A, person);
  await startBot(bot, NODE_A, caller);
  await botCalls(bot, person);
  const call = callWith(page, caller);
  await inState(call, 'connected');
  await page.getByTestId('banner-ok').click();
  await picturesArrive(call);
  return { page, bot, call };
}

/** Waits until frames are decoded that were sent from now on. */
async function botSees(bot) {
  const frames = () =>
    bot.evaluate(async () => {
      const reports = await Promise.all(window.connections.map((it) => it.getStats()));
      const all = reports.flatMap((it) => [...it.values()]);
      return all.filter((it) => it.type === 'inbound-rtp' && it.kind === 'video').reduce((sum, it) => sum + it.framesDecoded, 0);
    });
  await bot.waitForTimeout(500); // What was on its way.
  const before = await frames();
  await until('frames are decoded', async () => (await frames()) > before + 5);
}

/** Waits until a picture is played. */
async function plays(video) {
  await until('the picture is played', () => video.evaluate((it) => it.videoWidth > 0 && !it.paused && it.currentTime > 0));
}
