// Being called: asked first, declined, sound only, and without any device.

import assert from 'node:assert/strict';
import test from 'node:test';

import { PHONE, openPage, shoot, startBrowser } from '../support/browser.mjs';
import { NODE_A, NODE_B, uniqueId } from '../support/mesh.mjs';
import { callWith, inState, person, picturesArrive, register } from '../support/terminal.mjs';

test('a person who wants to be asked can decline and can answer', async (t) => {
  const [caller, shy] = [uniqueId('caller'), uniqueId('shy')];
  const browser = await startBrowser(t);
  const a = await openPage(t, browser);
  const b = await openPage(t, browser, { viewport: PHONE });
  await register(a, NODE_A, caller);
  await register(b, NODE_B, shy, { answer: 'ask' });

  await person(a, shy).getByTestId('call-video').click();
  await inState(callWith(a, shy), 'calling');
  await b.getByTestId('decline').waitFor();
  await shoot(b, 'ringing-phone');
  await b.getByTestId('decline').click();
  await callWith(a, shy).waitFor({ state: 'detached' });

  await person(a, shy).getByTestId('call-video').click();
  await b.getByTestId('answer').click();
  await inState(callWith(a, shy), 'connected');
  await inState(callWith(b, caller), 'connected');
});

test('a call of sound only has no picture on either side', async (t) => {
  const [caller, called] = [uniqueId('caller'), uniqueId('called')];
  const browser = await startBrowser(t);
  const a = await openPage(t, browser);
  const b = await openPage(t, browser);
  await register(a, NODE_A, caller);
  await register(b, NODE_B, called);
  await person(a, called).getByTestId('call-audio').click();
  for (const call of [callWith(a, called), callWith(b, caller)]) {
    await inState(call, 'connected');
    assert.equal(await call.getByTestId('local-video').isVisible(), false);
    assert.equal(await call.getByTestId('toggle-camera').isVisible(), false);
  }
});

test('a terminal without camera and microphone still sees the other side', async (t) => {
  const [bare, camera] = [uniqueId('bare'), uniqueId('camera')];
  const a = await openPage(t, await startBrowser(t, { devices: false }));
  const b = await openPage(t, await startBrowser(t));
  await register(a, NODE_A, bare);
  await register(b, NODE_B, camera);
  await person(a, camera).getByTestId('call-video').click();
  const call = callWith(a, camera);
  await inState(call, 'connected');
  await picturesArrive(call);
  await call.locator('[data-note^="missing.video"]').waitFor();
  await shoot(a, 'no-camera-desktop');

  await callWith(b, bare).getByTestId('hang-up').click();
  await call.waitFor({ state: 'detached' });
  await person(b, bare).getByTestId('call-video').click();
  await inState(call, 'connected');
  await picturesArrive(call);
});
