// The page of the REST interface: every call of the document, found and opened, light and dark, on a desktop and on a phone.

import assert from 'node:assert/strict';
import test from 'node:test';

import { checkView } from '../support/access.mjs';
import { DESKTOP, PHONE, openPage, startBrowser } from '../support/browser.mjs';
import { NODE_A } from '../support/mesh.mjs';

for (const colorScheme of ['light', 'dark']) {
  for (const [size, viewport] of Object.entries({ desktop: DESKTOP, phone: PHONE })) {
    test(`the page shows every call and has no serious accessibility fault (${colorScheme}, ${size})`, async (t) => {
      const page = await openPage(t, await startBrowser(t), { viewport, colorScheme });
      await page.goto(`${NODE_A}/swagger-ui`);
      await page.locator('.call').first().waitFor();
      const { paths } = await page.evaluate(async () => (await fetch('/v3/api-docs')).json());
      const calls = Object.values(paths).flatMap((methods) => Object.keys(methods));
      assert.equal(await page.locator('.call').count(), calls.length);
      await checkView(page, `rest-${size}-${colorScheme}`);

      await page.getByRole('searchbox', { name: 'Find a path' }).fill('post /control/ptz');
      assert.equal(await page.locator('.call:visible').count(), 1);
      await page.locator('.call:visible summary').click();
      await page.getByText('PAN | TILT | ZOOM').waitFor();
      await checkView(page, `rest-call-${size}-${colorScheme}`);
      const isWider = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
      assert.equal(isWider, false, 'nothing is wider than the screen');
    });
  }
}
