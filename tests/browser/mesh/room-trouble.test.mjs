// A picture on a bad line: a narrow one gets a smaller picture, and lost packets come again before anybody sees it.

import assert from 'node:assert/strict';
import test from 'node:test';

import { openPage, shoot, startBrowser } from '../support/browser.mjs';
import { THREE_SIZES } from '../support/camera.mjs';
import { uniqueId } from '../support/mesh.mjs';
import { freeUdpPort, startNode } from '../support/node.mjs';
import { makeMeasurable, portOf, watch } from '../support/picture.mjs';
import { createRoom, enterRoom, member, number, seen } from '../support/room.mjs';
import { register, until } from '../support/terminal.mjs';
import { UdpProxy } from '../support/udp-proxy.mjs';

const NARROW_KBPS = 300;
/** The estimate has to notice, and a key frame of the smaller picture has to come. */
const SHRINKS_WITHIN_MS = 12_000;
const LOSS = 0.05;
const LOSSY_MS = 20_000;
const CONTROL_MS = 5_000;
const FREEZE_MAX_MS = 1_000;
/** Of the frames that come without loss, while the machine is as busy. */
const LOSSY_SHARE_MIN = 0.6;
/** The camera makes 15 frames a second, and its lowest temporal layer has every fourth of them. */
const NARROW_FPS_MIN = 3;

test('a narrow line gets a smaller picture, and a wide one the large one again', async (t) => {
  const { viewer, tile, down } = await meet(t);
  const widest = await number(tile, 'size');

  down.weather = { kbps: NARROW_KBPS };
  const narrowedAt = Date.now();
  await until('a smaller layer comes', async () => (await number(tile, 'layer')) < 2);
  await until('the picture is smaller', async () => (await number(tile, 'size')) < widest);
  const shrunkAfterMs = Date.now() - narrowedAt;
  const narrow = await watch(viewer, CONTROL_MS);
  t.diagnostic(`smaller after ${shrunkAfterMs} ms, then ${JSON.stringify(narrow)}`);
  assert.ok(shrunkAfterMs < SHRINKS_WITHIN_MS, `the picture is smaller after ${shrunkAfterMs} ms`);
  assert.ok(fps(narrow, CONTROL_MS) >= NARROW_FPS_MIN, 'frames go on being decoded');

  down.weather = {};
  const widenedAt = Date.now();
  await until('the largest layer comes', async () => (await number(tile, 'layer')) === 2);
  await until('the picture is large', async () => (await number(tile, 'size')) === widest);
  t.diagnostic(`large again after ${Date.now() - widenedAt} ms`);
  await seen(tile);
});

test('what is lost on the way to a viewer comes again in time', async (t) => {
  const { viewer, down, up } = await meet(t);
  await holdsAgainstLoss(t, viewer, [down, up]);
});

test('what is lost on the way from a sender comes again in time', async (t) => {
  const { viewer, sender, proxy } = await meet(t);
  const { up, down } = proxy.flow(await portOf(sender, 'outbound-rtp'));
  await holdsAgainstLoss(t, viewer, [up, down]);
});

/** Loses datagrams both ways; before and after that, the same picture is watched without loss on the same machine. */
async function holdsAgainstLoss(t, viewer, ways) {
  const before = await watch(viewer, CONTROL_MS);
  for (const way of ways) way.weather = { loss: LOSS };
  const lossy = await watch(viewer, LOSSY_MS);
  for (const way of ways) way.weather = {};
  const after = await watch(viewer, CONTROL_MS);
  t.diagnostic(`without loss: ${JSON.stringify([before, after])}`);
  t.diagnostic(`with loss: ${JSON.stringify(lossy)}; ${ways[0].lost} datagrams of pictures vanished`);
  if (isFrozen(before) || isFrozen(after)) return t.skip('on this machine the picture freezes without loss as well');
  assert.ok(ways.every((way) => way.lost > 0), 'something was lost both ways');
  const fpsWithout = Math.min(fps(before, CONTROL_MS), fps(after, CONTROL_MS));
  assert.ok(fps(lossy, LOSSY_MS) >= fpsWithout * LOSSY_SHARE_MIN, 'most frames come in spite of the loss');
  assert.ok(!isFrozen(lossy), `the picture freezes for more than ${FREEZE_MAX_MS} ms: ${JSON.stringify(lossy)}`);
}

function isFrozen({ longestStillMs, longestFreezeMs }) {
  return Math.max(longestStillMs, longestFreezeMs) > FREEZE_MAX_MS;
}

function fps({ frames }, durationMs) {
  return (frames * 1_000) / durationMs;
}

/** One terminal sends its camera in three sizes, another one looks at it, large, on a line that the test can spoil. */
async function meet(t) {
  const [alice, bob, name] = [uniqueId('alice'), uniqueId('bob'), uniqueId('storm')];
  const browser = await startBrowser(t);
  const sender = await openPage(t, browser, { camera: THREE_SIZES });
  const viewer = await openPage(t, browser);
  const mediaPort = await freeUdpPort();
  const proxy = await UdpProxy.start(t, mediaPort);
  const ports = `listen = "127.0.0.1:${mediaPort}", advertise = "127.0.0.1:${proxy.port}"`;
  const { origin } = await startNode(t, `media = { ${ports}, workers = 1, tcp = false, bitrate_in_max = 5000000 }`);
  await makeMeasurable(sender);
  await makeMeasurable(viewer);
  await register(sender, origin, alice);
  await register(viewer, origin, bob);
  await createRoom(sender, name);
  await enterRoom(viewer, name, { camera: false });
  const tile = member(viewer, alice);
  await seen(tile);
  await until('the largest layer comes', async () => (await number(tile, 'layer')) === 2);
  await shoot(viewer, 'room-trouble');
  const { up, down } = proxy.flow(await portOf(viewer, 'inbound-rtp'));
  return { sender, viewer, tile, proxy, up, down };
}
