// Looks for accessibility faults of a page by axe-core.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';

import { shoot } from './browser.mjs';

const AXE = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** Fails if what the page shows now has a serious fault; `name` says in the failure, and in the picture, what it shows. */
export async function checkView(page, name) {
  await shoot(page, name);
  await page.evaluate(AXE);
  const { violations } = await page.evaluate(() => globalThis.axe.run());
  const serious = violations.filter((it) => ['serious', 'critical'].includes(it.impact));
  const lines = serious.flatMap((it) => it.nodes.map((node) => `${it.id}: ${node.html}\n  ${node.failureSummary}`));
  assert.equal(lines.length, 0, `${name} has serious faults:\n${lines.join('\n')}`);
}
