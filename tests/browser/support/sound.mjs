// Whether sound comes to a page, by what its browser decodes. The page has to be measurable (support/picture.mjs).

import { until } from './terminal.mjs';

/** The cameras of the tests beep once a second. */
const LISTEN_MS = 2_500;

/** Waits until sound comes in. */
export async function hears(page) {
  const before = await energy(page);
  await until('sound is decoded', async () => (await energy(page)) > before);
}

/** Waits until no sound comes in for more than two beeps: what was on its way may still be heard, and no more. */
export async function hearsNothing(page, when) {
  await until(`there is silence ${when}`, async () => {
    const before = await energy(page);
    await page.waitForTimeout(LISTEN_MS);
    return (await energy(page)) - before < 1e-6;
  });
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
