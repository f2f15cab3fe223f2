// A headless Firefox, driven by WebDriver BiDi, and what a person does with the web terminal in it.
//
// Firefox never tries media at 127.0.0.1: the nodes' media have to be at another address of the machine.

import puppeteer from 'puppeteer-core';

import { DESKTOP, PATIENCE_MS } from './browser.mjs';
import { SMALL, useCamera } from './camera.mjs';
import { PASSWORD, USER } from './mesh.mjs';

const EXECUTABLE = process.env.TAOYAO_FIREFOX ?? '/usr/bin/firefox-esr';
const PREFERENCES = {
  'media.navigator.streams.fake': true,
  'media.navigator.permission.disabled': true,
  'media.autoplay.default': 0,
};

/** Starts a Firefox that the test closes by `t.after`. */
export async function startFirefox(t) {
  const browser = await puppeteer.launch({
    browser: 'firefox',
    executablePath: EXECUTABLE,
    headless: true,
    acceptInsecureCerts: true,
    extraPrefsFirefox: PREFERENCES,
  });
  t.after(() => browser.close());
  return browser;
}

/** Opens the page of a node and registers there. */
export async function registerInFirefox(t, browser, origin, clientId) {
  const page = await browser.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  await page.evaluateOnNewDocument(useCamera, SMALL);
  await page.setViewport(DESKTOP);
  const faults = [];
  page.on('pageerror', (error) => faults.push(error.stack ?? error.message));
  t.after(() => {
    if (faults.length > 0) throw new Error(`the page in Firefox reported errors:\n${faults.join('\n')}`);
  });
  const query = new URLSearchParams({ node: 'here', clientId, name: clientId, username: USER });
  await page.goto(`${origin}/?${query}`);
  await type(page, 'field-password', PASSWORD);
  await click(page, 'connect');
  await page.waitForSelector('html[data-state="online"]');
  return page;
}

/** Enters a room that is in the list, or will be soon. */
export async function enterInFirefox(page, name) {
  await click(page, 'rooms-refresh');
  const isListed = (wanted) => {
    const row = [...document.querySelectorAll('[data-testid="room-row"]')].find((it) =>
      it.textContent.includes(wanted),
    );
    row?.querySelector('[data-testid="room-enter"]').click();
    return row !== undefined;
  };
  await page.waitForFunction(isListed, {}, name);
  await click(page, 'room-submit');
  await page.waitForSelector('[data-testid="room"][data-state="in"]');
}

export async function click(page, testId) {
  const element = await page.waitForSelector(`[data-testid="${testId}"]`, { visible: true });
  await element.click();
}

export async function type(page, testId, text) {
  const element = await page.waitForSelector(`[data-testid="${testId}"]`, { visible: true });
  await element.type(text);
}

/** A number of a member's panel; NaN while there is none. */
export async function numberInFirefox(page, clientId, name) {
  const text = await page.evaluate(
    (id, stat) =>
      document.querySelector(
        `[data-testid="member"][data-client-id="${id}"][data-source="camera"] [data-testid="stat-${stat}"]`,
      )?.textContent ?? '',
    clientId,
    name,
  );
  return Number.parseFloat(text);
}
