// Accessibility of every view by axe-core, light and dark, on a desktop and on a phone.

import assert from 'node:assert/strict';
import test from 'node:test';

import { checkView } from '../support/access.mjs';
import { DESKTOP, PHONE, openPage, startBrowser } from '../support/browser.mjs';
import { NODE_A, NODE_B, uniqueId } from '../support/mesh.mjs';
import { callWith, inState, online, openForm, person, register } from '../support/terminal.mjs';

for (const colorScheme of ['light', 'dark']) {
  for (const [size, viewport] of Object.entries({ desktop: DESKTOP, phone: PHONE })) {
    test(`no view has a serious accessibility fault (${colorScheme}, ${size})`, async (t) => {
      const [looker, other] = [uniqueId('looker'), uniqueId('other')];
      const browser = await startBrowser(t);
      const page = await openPage(t, browser, { viewport, colorScheme, reducedMotion: 'reduce' });
      const peer = await openPage(t, browser);
      const check = (view) => checkView(page, `${view}-${size}-${colorScheme}`);
      await register(peer, NODE_B, other);

      await openForm(page, NODE_A, looker);
      await check('register');
      await page.getByTestId('connect').click();
      await online(page);
      await person(page, other).waitFor();
      await check('people');
      await person(peer, looker).getByTestId('call-video').click();
      await inState(callWith(page, other), 'connected');
      await check('called');
      await page.getByTestId('banner-ok').click();
      await callWith(page, other).getByTestId('details').click();
      await callWith(page, other).getByTestId('toggle-mic').click();
      await openSignals(page, size);
      await page.getByTestId('signal-row').first().locator('summary').click();
      await check('call-and-signals');
      if (size === 'phone') await page.getByTestId('tab-calls').click();
      await check('call');
    });
  }
}

test('the page in Chinese has no serious accessibility fault', async (t) => {
  const page = await openPage(t, await startBrowser(t), { locale: 'zh-CN' });
  await openForm(page, NODE_A, uniqueId('looker'));
  assert.equal(await page.getByTestId('connect').textContent(), '连接');
  await checkView(page, 'register-desktop-zh');
  await page.getByTestId('language').click();
  assert.equal(await page.getByTestId('connect').textContent(), 'Connect');
});

async function openSignals(page, size) {
  await page.getByTestId(size === 'phone' ? 'tab-signals' : 'signals-toggle').click();
}
