// Coming and going, refused logins, and a terminal whose id logs in a second time.

import assert from 'node:assert/strict';
import test from 'node:test';

import { openPage, shoot, startBrowser } from '../support/browser.mjs';
import { NODE_A, NODE_B, uniqueId } from '../support/mesh.mjs';
import { openForm, person, register } from '../support/terminal.mjs';

test('a terminal that comes and goes is seen on another node', async (t) => {
  const [watcher, guest] = [uniqueId('watcher'), uniqueId('guest')];
  const browser = await startBrowser(t);
  const a = await openPage(t, browser);
  const b = await openPage(t, browser);
  await register(a, NODE_A, watcher);
  await register(b, NODE_B, guest);
  await person(a, guest).waitFor();
  await a.getByTestId('search').fill(guest);
  assert.equal(await a.getByTestId('person').count(), 1, 'the search shows only what matches');
  await b.getByTestId('leave').click();
  await b.locator('html[data-state="idle"]').waitFor();
  await person(a, guest).waitFor({ state: 'detached' });
});

test('a wrong password is said in words, and nothing is retried', async (t) => {
  const page = await openPage(t, await startBrowser(t));
  await openForm(page, NODE_A, uniqueId('stranger'));
  await page.getByTestId('field-password').fill('certainly wrong');
  await page.getByTestId('connect').click();
  await page.getByTestId('register-error').waitFor();
  assert.match(await page.getByTestId('register-error').textContent(), /User or password is wrong/);
  assert.equal(await page.locator('html').getAttribute('data-state'), 'closed');
  await shoot(page, 'refused-desktop');
});

test('the password is nowhere in the signal log', async (t) => {
  const page = await openPage(t, await startBrowser(t));
  await register(page, NODE_A, uniqueId('careful'));
  await page.getByTestId('signals-toggle').click();
  const row = page.locator('[data-testid="signal-row"][data-signal="client::register"]').last();
  await row.locator('summary').click();
  await row.getByText('"password": "••••••"').waitFor();
});

test('the older of two logins with one id is told and stays away', async (t) => {
  const id = uniqueId('double');
  const browser = await startBrowser(t);
  const older = await openPage(t, browser);
  const newer = await openPage(t, browser);
  await register(older, NODE_A, id);
  await register(newer, NODE_A, id);
  await older.locator('html[data-state="closed"]').waitFor();
  assert.match(await older.getByTestId('register-error').textContent(), /signed in elsewhere/);
  assert.equal(await newer.locator('html').getAttribute('data-state'), 'online');
});

test('the nearest node is found, measured and used', async (t) => {
  const page = await openPage(t, await startBrowser(t));
  await openForm(page, NODE_A, uniqueId('roamer'), { node: '' });
  await page.getByTestId('connect').click();
  await page.locator('html[data-state="online"]').waitFor();
});
