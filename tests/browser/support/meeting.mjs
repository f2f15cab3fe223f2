// Two terminals in one room, who see each other: how most tests of rooms begin.

import { openPage, startBrowser } from './browser.mjs';
import { NODE_A, uniqueId } from './mesh.mjs';
import { createRoom, enterRoom, member, seen } from './room.mjs';
import { register } from './terminal.mjs';

/**
 * Alice makes a room and Bob enters it, each on a page of its own.
 *
 * @param {import('node:test').TestContext} t
 * @param {object} [options]
 * @param {import('playwright-core').Browser} [options.browser] default: a new one
 * @param {string[]} [options.origins] the nodes of Alice and Bob; default: both at the first
 * @param {RegExp} [options.expected] errors of the pages that are none
 * @param {(page: import('playwright-core').Page) => Promise<void>} [options.prepare] what Bob's page needs before it is loaded
 * @param {(page: import('playwright-core').Page) => Promise<void>} [options.prepareBoth] what both need
 * @returns {Promise<{a, b, alice: string, bob: string, name: string}>} pages, client ids, and the room's name
 */
export async function meet(t, { browser, origins = [NODE_A, NODE_A], expected, prepare, prepareBoth } = {}) {
  const [alice, bob, name] = [uniqueId('alice'), uniqueId('bob'), uniqueId('meadow')];
  browser ??= await startBrowser(t);
  const a = await openPage(t, browser, { smallCamera: true, expected });
  const b = await openPage(t, browser, { smallCamera: true, expected });
  for (const page of [a, b]) await prepareBoth?.(page);
  await prepare?.(b);
  await register(a, origins[0], alice);
  await register(b, origins[1], bob);
  await createRoom(a, name);
  await enterRoom(b, name);
  await seen(member(a, bob));
  await seen(member(b, alice));
  return { a, b, alice, bob, name };
}
