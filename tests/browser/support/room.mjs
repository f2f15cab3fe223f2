// What a person does with rooms of the web terminal, in the words of the tests.

import assert from 'node:assert/strict';

import { until } from './terminal.mjs';

/** Brings the list of rooms to the front where views are tabs. */
async function showRooms(page) {
  const tab = page.getByTestId('tab-rooms');
  if (await tab.isVisible()) await tab.click();
}

/**
 * Makes a room and enters it.
 *
 * @param {import('playwright-core').Page} page
 * @param {string} name
 * @param {{password?: string, camera?: boolean, simulcast?: boolean}} [options]
 */
export async function createRoom(page, name, options = {}) {
  await showRooms(page);
  await page.getByTestId('room-new').click();
  await page.getByTestId('field-room-name').fill(name);
  await answerDialog(page, options);
  await inRoom(page, name);
}

/** Enters a room that is in the list, or will be soon. */
export async function enterRoom(page, name, options = {}) {
  await openRoomDialog(page, name);
  await answerDialog(page, options);
  await inRoom(page, name);
}

/** Asks to enter, up to the dialog. */
export async function openRoomDialog(page, name) {
  await showRooms(page);
  const row = page.getByTestId('room-row').filter({ hasText: name });
  await until(`the list has ${name}`, async () => {
    await page.getByTestId('rooms-refresh').click();
    return (await row.count()) > 0;
  });
  await row.getByTestId('room-enter').click();
}

/** Fills the dialog in and sends it. */
export async function answerDialog(page, { password = '', camera = true, simulcast = true } = {}) {
  await page.getByTestId('field-room-password').fill(password);
  await page.getByTestId('field-room-camera').setChecked(camera);
  await page.getByTestId('field-room-simulcast').setChecked(simulcast);
  await page.getByTestId('room-submit').click();
}

/** The tile of a room. */
export function room(page, name) {
  return page.getByTestId('room').filter({ hasText: name });
}

/** Waits until the page is in a room. */
export async function inRoom(page, name) {
  await room(page, name).and(page.locator('[data-state="in"]')).waitFor();
}

/** The tile of a member, or of the screen that it shows. */
export function member(page, clientId, source = 'camera') {
  const isIt = `:is([data-client-id="${clientId}"], [data-client-id^="${clientId}@"])`;
  return page.locator(`[data-testid="member"][data-source="${source}"]${isIt}`);
}

/** A number of a member's panel, which is filled while it is closed, too; NaN while there is none. */
export async function number(tile, name) {
  return Number.parseFloat(await tile.getByTestId(`stat-${name}`).textContent());
}

/** Waits until a member's pictures are decoded: the count has to grow from one reading to a later one. */
export async function seen(tile) {
  let first;
  await until('decoded frames grow', async () => {
    const frames = await number(tile, 'frames');
    if (Number.isNaN(frames)) return false;
    first ??= frames;
    return frames > first + 5;
  });
}

/** Waits until a member's sound is heard: the browser measures a level. */
export async function heard(tile) {
  await until('a sound level is measured', async () => (await number(tile, 'level')) > 0);
}

/** Waits until what a selector means is so in a tile. */
export async function shows(tile, selector) {
  await tile.and(tile.page().locator(selector)).waitFor();
}

/** Opens the chat if need be, and writes to everybody. */
export async function say(page, text) {
  if (!(await page.getByTestId('chat').isVisible())) await page.getByTestId('room-chat').click();
  await page.getByTestId('chat-text').fill(text);
  await until('there is a channel', () => page.getByTestId('chat-send').isEnabled());
  await page.getByTestId('chat-send').click();
  assert.equal(await page.getByTestId('chat-text').inputValue(), '', 'it was sent');
}

/** Waits for a text from a member. */
export async function reads(page, clientId, text) {
  const from = `:is([data-client-id="${clientId}"], [data-client-id^="${clientId}@"])`;
  await page.locator(`[data-testid="chat-message"]${from}`).filter({ hasText: text }).waitFor({ state: 'attached' });
}
