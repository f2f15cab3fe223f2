// A headless Chromium and the pages that the tests open in it.

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

import { chromium } from 'playwright-core';

import { fromDisk } from './assets.mjs';
import { SMALL, useCamera } from './camera.mjs';

const EXECUTABLE = process.env.TAOYAO_CHROMIUM ?? '/usr/bin/chromium';
const FLAGS = [
  '--headless=new',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-background-networking',
  '--ignore-certificate-errors',
  '--use-fake-ui-for-media-stream',
];
/** Chromium's second fake camera has a format that it cannot encode; the third can be sent. */
const FAKE_DEVICES = '--use-fake-device-for-media-stream=device-count=3';
/** Whether pages have the files of the working tree: a page that the test serves is then no page of the local network. */
const IS_FROM_DISK = process.env.TAOYAO_ASSETS === 'disk';
const FROM_DISK = '--disable-features=LocalNetworkAccessChecks';

export const DESKTOP = { width: 1280, height: 800 };
export const PHONE = { width: 390, height: 844 };
export const LANDSCAPE = { width: 844, height: 390 };
/** A desktop at 200 %: half as many pixels of the page's own. */
export const ZOOMED = { width: 640, height: 400 };

/** Generous: the machine may be busy. A test that passes is much faster. */
export const PATIENCE_MS = 30_000;

/**
 * Starts a browser that the test closes by `t.after`.
 *
 * @param {import('node:test').TestContext} t
 * @param {{devices?: boolean}} [options] without devices there is no camera and no microphone
 */
export async function startBrowser(t, { devices = true } = {}) {
  const args = [...FLAGS, ...(devices ? [FAKE_DEVICES] : []), ...(IS_FROM_DISK ? [FROM_DISK] : [])];
  const browser = await chromium.launch({ executablePath: EXECUTABLE, args });
  t.after(() => browser.close());
  return browser;
}

/**
 * A page with a storage of its own. An error in the page fails the test, unless it is one that the test expects.
 *
 * @param {import('node:test').TestContext} t
 * @param {import('playwright-core').Browser} browser
 * @param {object} [options] `smallCamera` or `camera` (a size to film in), `expected` (errors that are none), and those of the
 *   browser context, e.g. `viewport`, `colorScheme`
 */
export async function openPage(t, browser, options = {}) {
  const { smallCamera = false, camera = smallCamera && SMALL, expected, ...others } = options;
  const context = await browser.newContext({ ignoreHTTPSErrors: true, viewport: DESKTOP, locale: 'en-US', ...others });
  context.setDefaultTimeout(PATIENCE_MS);
  if (IS_FROM_DISK) await context.route(/^https:/, fromDisk);
  if (camera) await context.addInitScript(useCamera, camera);
  const page = await context.newPage();
  const faults = [];
  page.on('pageerror', (error) => faults.push(error.stack));
  page.on('console', (message) => message.type() === 'error' && faults.push(message.text()));
  const unexpected = () => faults.filter((it) => !expected?.test(it));
  t.after(() => {
    if (unexpected().length > 0) throw new Error(`the page reported errors:\n${unexpected().join('\n')}`);
  });
  return page;
}

/** Saves a picture of the page if the environment names a directory for them. */
export async function shoot(page, name) {
  const directory = process.env.TAOYAO_SHOTS;
  if (!directory) return;
  await mkdir(directory, { recursive: true });
  await page.screenshot({ path: join(directory, `${name}.png`) });
}
