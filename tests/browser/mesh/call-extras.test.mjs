// Text and screens in a call, also of who has no camera.

import assert from 'node:assert/strict';
import test from 'node:test';

import { checkView } from '../support/access.mjs';
import { openPage, startBrowser } from '../support/browser.mjs';
import { NODE_A, NODE_B, uniqueId } from '../support/mesh.mjs';
import { callWith, inState, person, picturesArrive, register, stat, until } from '../support/terminal.mjs';

test('two who call each other write, and only they read it', async (t) => {
  const { a, b, onA, onB } = await call(t);
  await onA.getByTestId('call-chat').click();
  await onA.getByTestId('chat-text').fill('the gate is open');
  await onA.getByTestId('chat-send').click();
  await onA.getByTestId('chat-message').filter({ hasText: 'You' }).filter({ hasText: 'the gate is open' }).waitFor();
  await onB.getByTestId('chat-unread').filter({ hasText: '1' }).waitFor();
  await onB.getByTestId('call-chat').click();
  await onB.getByTestId('chat-message').filter({ hasText: 'the gate is open' }).waitFor();
  await onB.getByTestId('chat-text').fill('thank you');
  await onB.getByTestId('chat-send').click();
  await onA.getByTestId('chat-message').filter({ hasText: 'thank you' }).waitFor();
  await checkView(a, 'call-chat');
  assert.equal(await b.getByTestId('toast').count(), 0);
});

test('a screen is shown in the place of the camera, and the camera comes back after it', async (t) => {
  const { a, onA, onB } = await call(t);
  const camera = await stat(onB, 'received');
  await onA.getByTestId('call-screen').click();
  await until('another picture comes', async () => (await stat(onB, 'received')) !== camera);
  await picturesArrive(onB);
  await onA.locator('[data-testid="call-screen"][aria-pressed="true"]').waitFor();
  await checkView(a, 'call-screen');
  await onA.getByTestId('call-screen').click();
  await until('the camera comes again', async () => (await stat(onB, 'received')) === camera);
  await picturesArrive(onB);
});

for (const caller of ['the one without a camera', 'the other one']) {
  test(`who has no camera shows its screen (${caller} calls)`, async (t) => {
    const bare = await openPage(t, await startBrowser(t));
    await bare.addInitScript(() => {
      const none = async () => Promise.reject(new DOMException('There is none.', 'NotFoundError'));
      navigator.mediaDevices.getUserMedia = none;
    });
    const { onA, onB } = await call(t, bare, caller === 'the other one');
    await onA.getByTestId('call-screen').click();
    await picturesArrive(onB);
    await onA.getByTestId('call-screen').click();
    await onA.locator('[data-testid="call-screen"][aria-pressed="false"]').waitFor();
    await inState(onB, 'connected');
  });
}

async function call(t, page, isCalled = false) {
  const [alice, bob] = [uniqueId('alice'), uniqueId('bob')];
  const browser = await startBrowser(t);
  const a = page ?? (await openPage(t, browser, { smallCamera: true }));
  const b = await openPage(t, browser, { smallCamera: true });
  await register(a, NODE_A, alice);
  await register(b, NODE_B, bob);
  const [caller, called] = isCalled ? [b, alice] : [a, bob];
  await person(caller, called).getByTestId('call-video').click();
  const [onA, onB] = [callWith(a, bob), callWith(b, alice)];
  await inState(onA, 'connected');
  await inState(onB, 'connected');
  if (!page) await picturesArrive(onB);
  return { a, b, onA, onB };
}
