// Unmodified mediasoup-client against a node: everything that applications of the original do in a room.

import assert from 'node:assert/strict';
import test from 'node:test';
import { fileURLToPath } from 'node:url';

import { build } from 'esbuild';

import { openPage, startBrowser } from '../support/browser.mjs';
import { NODE_A, PASSWORD, USER, uniqueId } from '../support/mesh.mjs';
import { until } from '../support/terminal.mjs';

/** The version of the original's web client, and the newest. */
const PACKAGES = ['mediasoup-client-3.6.82', 'mediasoup-client'];
const LAYERS = [
  { scaleResolutionDownBy: 4, maxBitrate: 150_000, scalabilityMode: 'L1T3' },
  { scaleResolutionDownBy: 2, maxBitrate: 400_000, scalabilityMode: 'L1T3' },
  { scaleResolutionDownBy: 1, maxBitrate: 900_000, scalabilityMode: 'L1T3' },
];

for (const name of PACKAGES) {
  const { version } = await import(name);

  test(`mediasoup-client ${version} produces, consumes, pauses, restarts ICE and switches layers`, async (t) => {
    const browser = await startBrowser(t);
    const script = await bundle(name);
    const [alice, bob] = [uniqueId('alice'), uniqueId('bob')];
    const a = await openMember(t, browser, script, alice);
    const b = await openMember(t, browser, script, bob);
    const roomId = await a.evaluate((room) => member.create(room), `mediasoup-client ${version}`);
    await a.evaluate((id) => member.enter(id), roomId);
    await b.evaluate((id) => member.enter(id), roomId);

    const sound = await soundAndPicture(a, b, alice);
    await data(a, b, alice);
    await pauses(a, b, sound);
    await iceRestart(a, b, alice);
    await layers(a, b, alice);
    await closes(a, b, sound, alice);
  });
}

/** Sound from the first member reaches the second, with numbers that grow; the node's numbers have their shape. */
async function soundAndPicture(a, b, alice) {
  const producerId = await a.evaluate(() => member.produce('audio'));
  await b.evaluate(() => member.produce('audio'));
  const { consumerId, type, producerPaused } = await b.evaluate(
    (id) => member.until('media::consume', { producerId: id }),
    producerId,
  );
  assert.equal(type, 'simple');
  assert.equal(producerPaused, false);
  await grows(b, consumerId, 'packetsReceived');
  await until(
    'a sound is heard',
    async () => (await b.evaluate((id) => member.statsOf(id), consumerId)).audioLevel > 0,
  );
  const [stat] = await b.evaluate((id) => member.statusOf('media::consumer::status', { consumerId: id }), consumerId);
  assert.equal(typeof stat.byteCount, 'number');
  const [transportId] = await a.evaluate(() => member.transportIds());
  const [transport] = await a.evaluate(
    (id) => member.statusOf('media::transport::status', { transportId: id }),
    transportId,
  );
  assert.equal(transport.iceState === 'connected' || transport.iceState === 'completed', true, transport.iceState);
  assert.equal(transport.dtlsState, 'connected');
  assert.equal((await b.evaluate((id) => member.consumersOf(id), alice)).length, 1, 'one consumer for one producer');
  return { producerId, consumerId };
}

async function data(a, b, alice) {
  const id = await a.evaluate(() => member.produceData());
  await b.evaluate((clientId) => member.consumeDataOf(clientId), alice);
  await b.evaluate((producerId) => member.until('media::data::consume', { producerId }), id);
  await until('the channel is open', () => a.evaluate((it) => member.canSay(it), id));
  const text = 'a text over a data channel';
  await until('the text is heard', async () => {
    await a.evaluate(([it, words]) => member.say(it, words), [id, text]);
    return b.evaluate(
      ([from, words]) => member.heard.some((it) => it.from === from && it.data === words),
      [alice, text],
    );
  });
}

async function pauses(a, b, { producerId, consumerId }) {
  await a.evaluate((id) => member.pause(id), producerId);
  await a.evaluate((id) => member.until('media::producer::pause', { producerId: id }), producerId);
  await b.evaluate((id) => member.until('media::consumer::pause', { consumerId: id }), consumerId);
  await b.evaluate(() => member.forgetPushes());
  await a.evaluate((id) => member.resume(id), producerId);
  await b.evaluate((id) => member.until('media::consumer::resume', { consumerId: id }), consumerId);
  await grows(b, consumerId, 'packetsReceived');
}

async function iceRestart(a, b, alice) {
  await a.evaluate(() => member.restartIce());
  await b.evaluate(() => member.restartIce());
  for (const page of [a, b]) {
    await until('both transports are connected again', async () => {
      const states = await page.evaluate(() => member.connectionStates());
      return states.every((it) => it === 'connected');
    });
  }
  const [{ consumerId }] = await b.evaluate((id) => member.consumersOf(id), alice);
  await grows(b, consumerId, 'packetsReceived');
}

/** A smaller layer makes a smaller picture, a larger one a larger, and frames go on. */
async function layers(a, b, alice) {
  const producerId = await a.evaluate((encodings) => member.produce('video', { encodings }), LAYERS);
  const { consumerId, type } = await b.evaluate((id) => member.until('media::consume', { producerId: id }), producerId);
  assert.equal(type, 'simulcast');
  await grows(b, consumerId, 'framesDecoded');
  const height = async () => (await b.evaluate((id) => member.statsOf(id), consumerId)).frameHeight;
  for (const [layer, isSuited] of [
    [0, (it) => it <= 180],
    [1, (it) => it > 180 && it <= 360],
    [0, (it) => it <= 180],
  ]) {
    await b.evaluate(([id, spatial]) => member.preferLayers(id, spatial, 2), [consumerId, layer]);
    await until(`layer ${layer} comes`, async () => isSuited(await height()));
    await grows(b, consumerId, 'framesDecoded');
  }
  await b.evaluate((id) => member.setPriority(id, 10), consumerId);
  await b.evaluate((id) => member.requestKeyFrame(id), consumerId);
  const keyFrames = (await b.evaluate((id) => member.statsOf(id), consumerId)).keyFramesDecoded;
  await until(
    'a key frame comes',
    async () => (await b.evaluate((id) => member.statsOf(id), consumerId)).keyFramesDecoded > keyFrames,
  );
  assert.equal((await b.evaluate((id) => member.consumersOf(id), alice)).length, 2);
}

async function closes(a, b, { producerId, consumerId }, alice) {
  await a.evaluate((id) => member.closeProducer(id), producerId);
  await b.evaluate((id) => member.until('media::consumer::close', { consumerId: id }), consumerId);
  await a.evaluate((id) => member.until('media::producer::close', { producerId: id }), producerId);
  await a.evaluate(() => member.leave());
  await b.evaluate((clientId) => member.until('room::leave', { clientId }), alice);
  const open = (await b.evaluate((id) => member.consumersOf(id), alice)).filter((it) => !it.isClosed);
  assert.deepEqual(open, [], 'nothing of who left is received any more');
  for (const page of [a, b]) await page.evaluate(() => member.disconnect());
}

async function grows(page, consumerId, name) {
  let first;
  await until(`${name} grows`, async () => {
    const value = (await page.evaluate((id) => member.statsOf(id), consumerId))?.[name];
    if (!(value > 0)) return false;
    first ??= value;
    return value > first + 10;
  });
}

async function bundle(name) {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('member.js', import.meta.url))],
    alias: { 'mediasoup-client': name },
    bundle: true,
    format: 'iife',
    write: false,
    logLevel: 'error',
  });
  return outputFiles[0].text;
}

/** The page of the node, which does nothing before somebody signs in, with the bundle in it. */
async function openMember(t, browser, script, clientId) {
  const page = await openPage(t, browser, { bypassCSP: true });
  await page.goto(NODE_A);
  await page.addScriptTag({ content: script });
  const url = `${NODE_A.replace('http', 'ws')}/websocket.signal`;
  await page.evaluate((values) => member.register(values), { url, clientId, username: USER, password: PASSWORD });
  return page;
}
