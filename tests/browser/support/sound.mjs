// Whether sound comes to a page, by what its browser decodes. The page has to be measurable (support/picture.mjs).

import assert from 'node:assert/strict';

import { until } from './terminal.mjs';

/** The cameras of the tests beep once a second. */
const LISTEN_MS = 2_500;
/** Sound that was sent before is played within this time, also on a machine that does other things. */
const ON_ITS_WAY_MS = 2_000;

/** Waits until sound comes in. */
export async function hears(page) {
  const before = await energy(page);
  await until('sound is decoded', async () => (await energy(page)) > before);
}

/** Fails if a sound comes in within more than two beeps. */
export async function hearsNothing(page, when) {
  await page.waitForTimeout(ON_ITS_WAY_MS);
  const before = await energy(page);
  await page.waitForTimeout(LISTEN_MS);
  assert.ok((await energy(page)) - before < 1e-6, `there is silence ${when}`);
}

function energy(page) {
  return page.evaluate(async () => {
    let sum = 0;
    for (const connection of window.connections) {
      for (const it of (await connection.getStats()).values()) {
        if (it.type === 'inbound-rtp' && it.kind === 'audio') sum += it.totalAudioEnergy ?? 0;
      }
    }
    return sum;
  });
}
