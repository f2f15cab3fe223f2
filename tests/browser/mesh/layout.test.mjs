// How much of the screen the pictures have, on desktops, on telephones both ways and at 200 %, and that nothing covers the buttons.

import assert from 'node:assert/strict';
import test from 'node:test';

import { DESKTOP, LANDSCAPE, PHONE, ZOOMED, openPage, shoot, startBrowser } from '../support/browser.mjs';
import { meet } from '../support/meeting.mjs';
import { NODE_A, uniqueId } from '../support/mesh.mjs';
import { member, say, seen, shows } from '../support/room.mjs';
import { callWith, inState, person, picturesArrive, register, until } from '../support/terminal.mjs';

/** All but those of the toasts themselves. */
const BUTTONS = 'button:not(.toast button)';
/** Size of the page, and the least share of it that the picture of a call, and the large one of a room, have. */
const PLACES = [
  ['desktop', DESKTOP, 0.4, 0.3],
  ['phone', PHONE, 0.5, 0.3],
  ['landscape', LANDSCAPE, 0.75, 0.5],
  ['zoomed', ZOOMED, 0.6, 0.4],
];

test('the picture of a call has most of the screen', async (t) => {
  const [alice, bob] = [uniqueId('alice'), uniqueId('bob')];
  const browser = await startBrowser(t);
  const a = await openPage(t, browser);
  const b = await openPage(t, browser);
  await register(a, NODE_A, alice);
  await register(b, NODE_A, bob);
  await person(a, bob).getByTestId('call-video').click();
  const call = callWith(a, bob);
  await inState(call, 'connected');
  await picturesArrive(call);
  for (const [name, viewport, least] of PLACES) {
    await a.setViewportSize(viewport);
    await shoot(a, `layout-call-${name}`);
    await isLarge(call.getByTestId('remote-video'), viewport, least, name);
    await nothingIsCovered(a, '.call button', name);
  }
});

test('the large picture of a room has most of the screen, and a screen beside the chat can be read', async (t) => {
  const { a, b, bob } = await meet(t);
  for (const [name, viewport, , least] of PLACES) {
    await a.setViewportSize(viewport);
    await until('it is arranged', () => fills(member(a, bob), viewport, least));
    await shoot(a, `layout-room-${name}`);
    await nothingIsCovered(a, '.room button', name);
  }
  await b.getByTestId('room-screen').click();
  const screen = member(a, bob, 'screen');
  await seen(screen);
  await a.setViewportSize(DESKTOP);
  await a.getByTestId('room-layout').click();
  await say(a, 'the third line is wrong');
  await shows(screen, '[data-large="true"]');
  const video = screen.getByTestId('member-video');
  assert.equal(await video.evaluate((it) => getComputedStyle(it).objectFit), 'contain', 'nothing of it is cut off');
  await until('it is large', () => fills(screen, DESKTOP, 0.2));
  await shoot(a, 'layout-screen-and-chat');
});

test('what a person pins is large until it is let go', async (t) => {
  const { a, alice, bob } = await meet(t);
  await shows(member(a, bob), '[data-large="true"]');
  await member(a, alice).hover();
  await member(a, alice).getByTestId('member-pin').click();
  await shows(member(a, alice), '[data-large="true"]');
  await shows(member(a, bob), '[data-large="false"]');
  await a.getByTestId('room-layout').click();
  await shows(member(a, alice), '[data-large="true"]');
  await member(a, alice).getByTestId('member-pin').click();
  await shows(member(a, alice), '[data-large="false"]');
});

test('a toast covers no button', async (t) => {
  const { a } = await meet(t);
  for (const [name, viewport] of PLACES) {
    await a.setViewportSize(viewport);
    // Before there is a toast, which would go away by itself.
    await until('the page is laid out for its new size', async () => (await coveredOf(a, BUTTONS)).length === 0);
    await a.evaluate(async () => (await import('/views/notices.js')).toast('Something that a person has to know, in one sentence.'));
    await a.getByTestId('toast').last().waitFor();
    await shoot(a, `layout-toast-${name}`);
    await nothingIsCovered(a, BUTTONS, `${name} with a toast`);
  }
});

test('a list that is looked at again is loaded anew', async (t) => {
  const page = await openPage(t, await startBrowser(t), { viewport: PHONE });
  const asked = { 'client::list': 0, 'room::list': 0 };
  await page.routeWebSocket(/websocket\.signal/, (socket) => {
    const node = socket.connectToServer();
    socket.onMessage((text) => {
      const { signal } = JSON.parse(text).header;
      if (signal in asked) asked[signal] += 1;
      node.send(text);
    });
  });
  await register(page, NODE_A, uniqueId('reader'));
  await until('both lists are there', () => asked['client::list'] > 0 && asked['room::list'] > 0);
  await page.waitForTimeout(2_000);
  for (const look of [() => page.getByTestId('tab-rooms').click(), () => page.evaluate(() => window.dispatchEvent(new Event('focus')))]) {
    const before = { ...asked };
    await look();
    const isAsked = () => Object.keys(asked).every((it) => asked[it] > before[it]);
    await until('both lists are asked for', isAsked);
  }
});

async function isLarge(element, viewport, least, name) {
  const share = await shareOf(element, viewport);
  assert.ok(share >= least, `${name}: the picture has ${(share * 100).toFixed(0)} % of the screen`);
}

async function fills(element, viewport, least) {
  return (await shareOf(element, viewport)) >= least;
}

async function shareOf(element, { width, height }) {
  const box = await element.boundingBox();
  return box ? (box.width * box.height) / (width * height) : 0;
}

/** Fails unless a click on the middle of each of these buttons meets it. */
async function nothingIsCovered(page, selector, name) {
  assert.deepEqual(await coveredOf(page, selector), [], `${name}: covered or outside`);
}

/** The buttons of which a click on their middle meets something else. */
async function coveredOf(page, selector) {
  return page.evaluate((wanted) => {
    const isMet = (button) => {
      const { left, top, width, height } = button.getBoundingClientRect();
      return button.contains(document.elementFromPoint(left + width / 2, top + height / 2));
    };
    const shown = [...document.querySelectorAll(wanted)].filter((it) => it.checkVisibility({ visibilityProperty: true }));
    return shown.filter((it) => !it.closest('.side') && !isMet(it)).map((it) => it.dataset.testid ?? it.id);
  }, selector);
}
