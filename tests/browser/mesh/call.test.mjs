// Two pages on two nodes: they find each other, call, stop and resume, and hang up.

import assert from 'node:assert/strict';
import test from 'node:test';

import { PHONE, openPage, shoot, startBrowser } from '../support/browser.mjs';
import { NODE_A, NODE_B, uniqueId } from '../support/mesh.mjs';
import { callWith, inState, person, picturesArrive, register } from '../support/terminal.mjs';

const [ALICE, BOB] = [uniqueId('alice'), uniqueId('bob')];

test('two terminals on two nodes see, call, pause and leave each other', async (t) => {
  const browser = await startBrowser(t);
  const a = await openPage(t, browser);
  const b = await openPage(t, browser, { viewport: PHONE });
  await register(a, NODE_A, ALICE);
  await register(b, NODE_B, BOB);
  await presence(a, b);
  const [onA, onB] = await callEachOther(a, b);
  await pauses(onA, onB);
  await hangUp(b, onA, onB);
});

async function presence(a, b) {
  await person(a, BOB).waitFor();
  await person(b, ALICE).waitFor();
  const groups = (page) => page.getByTestId('group').evaluateAll((all) => all.map((it) => it.dataset.partition));
  assert.equal((await groups(a)).length >= 2, true, 'each partition is a group');
  const ownFirst = a.getByTestId('group').first();
  assert.equal(await person(ownFirst, ALICE).count(), 1, 'the own partition is first');
  await shoot(a, 'people-desktop');
  await shoot(b, 'people-phone');
}

async function callEachOther(a, b) {
  await person(a, BOB).getByTestId('call-video').click();
  const [onA, onB] = [callWith(a, BOB), callWith(b, ALICE)];
  await inState(onA, 'connected');
  await inState(onB, 'connected');
  await b.getByTestId('banner').getByTestId('banner-ok').click();
  await picturesArrive(onA);
  await picturesArrive(onB);
  await onA.getByTestId('details').click();
  await shoot(a, 'call-desktop');
  await shoot(b, 'call-phone');
  return [onA, onB];
}

async function pauses(onA, onB) {
  const note = (call, name) => call.locator(`[data-note="${name}"]`);
  for (const kind of ['video', 'audio']) {
    await onA.getByTestId(`pause-${kind}`).click();
    await note(onA, `ofPeer.${kind}`).waitFor();
    await note(onB, `byPeer.${kind}`).waitFor();
    await onA.getByTestId(`pause-${kind}`).click();
    await note(onB, `byPeer.${kind}`).waitFor({ state: 'detached' });
    await note(onA, `ofPeer.${kind}`).waitFor({ state: 'detached' });
  }
  await picturesArrive(onA);
}

async function hangUp(b, onA, onB) {
  await onB.getByTestId('hang-up').click();
  await onB.waitFor({ state: 'detached' });
  await onA.waitFor({ state: 'detached' });
  await b.getByTestId('tab-people').click();
}
