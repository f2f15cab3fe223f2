// What a person does with the web terminal, in the words of the tests.

import { PATIENCE_MS } from './browser.mjs';
import { PASSWORD, USER } from './mesh.mjs';

/** As a monitor does: most tests have nobody who answers. */
const ANSWERS = { answer: 'auto' };

/** Opens the page of a node with the form filled in; `preset` adds to the address, e.g. `{ answer: 'ask' }`. */
export async function openForm(page, origin, clientId, preset = {}) {
  const wanted = { node: 'here', clientId, name: nameOf(clientId), username: USER, ...ANSWERS, ...preset };
  const query = new URLSearchParams(Object.entries(wanted).filter(([, value]) => value !== undefined));
  await page.goto(`${origin}/?${query}`);
  await page.getByTestId('field-password').fill(PASSWORD);
}

/** Registers at a node and waits until the page says that it is online. */
export async function register(page, origin, clientId, preset) {
  await openForm(page, origin, clientId, preset);
  await page.getByTestId('connect').click();
  await online(page);
}

export async function online(page) {
  await page.locator('html[data-state="online"]').waitFor();
}

/** The name that {@link openForm} gives a terminal: `alice-x7` → `Alice-x7`. */
export function nameOf(clientId) {
  return clientId[0].toUpperCase() + clientId.slice(1);
}

/** The row of a terminal, wherever in the mesh it is. */
export function person(page, clientId) {
  return page.locator(`[data-testid="person"]:is([data-client-id="${clientId}"], [data-client-id^="${clientId}@"])`);
}

/** The tile of the call with a terminal. */
export function callWith(page, clientId) {
  return page.locator(`[data-testid="call"]:is([data-peer="${clientId}"], [data-peer^="${clientId}@"])`);
}

/** Waits until a call is in a state, e.g. `connected`. */
export async function inState(call, state) {
  await call.and(call.page().locator(`[data-state="${state}"]`)).waitFor();
}

/** A number of the details panel, read as the panel shows it; NaN while it shows none. */
export async function stat(call, name) {
  return Number.parseFloat(await call.getByTestId(`stat-${name}`).textContent());
}

/** Waits until the other side's pictures are decoded: the count has to grow from one reading to a later one. */
export async function picturesArrive(call) {
  let first;
  await until('decoded frames grow', async () => {
    const frames = await stat(call, 'framesDecoded');
    if (Number.isNaN(frames)) return false;
    first ??= frames;
    return frames > first + 5;
  });
}

/** Asks again and again until it is so. */
export async function until(what, isSo) {
  const end = Date.now() + PATIENCE_MS;
  while (!(await isSo())) {
    if (Date.now() > end) throw new Error(`gave up waiting until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

/** Presses Tab until an element with this test id has the focus. */
export async function tabTo(page, testId, pressesMax = 60) {
  for (let i = 0; i < pressesMax; i += 1) {
    if ((await focused(page)) === testId) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`Tab does not reach ${testId}; the focus is on ${await focused(page)}`);
}

/** The test id of what has the focus. */
export function focused(page) {
  return page.evaluate(() => document.activeElement?.dataset?.testid);
}
