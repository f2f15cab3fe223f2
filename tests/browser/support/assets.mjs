// Where the web terminal's files are, for tests that need no browser.

import { readFile, readdir } from 'node:fs/promises';
import { extname } from 'node:path';

const ASSETS = new URL('../../../crates/gateway/assets/', import.meta.url);
const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.webmanifest': 'application/manifest+json',
};

/** Imports a module of the web terminal, e.g. `taoyao/ids.js`. */
export function load(path) {
  return import(new URL(path, ASSETS));
}

/** The text of a file of the web terminal. */
export function read(path) {
  return readFile(new URL(path, ASSETS), 'utf8');
}

/**
 * Serves a page's files as they are in the working tree instead of those that are a part of the program, so that a change of
 * the page needs no build. The answer's headers stay the node's, with those of its policy.
 *
 * @param {import('playwright-core').Route} route
 */
export async function fromDisk(route) {
  const url = new URL(route.request().url());
  const path = url.pathname === '/' ? '/index.html' : url.pathname;
  const body = await readFile(new URL(`.${path}`, ASSETS)).catch(() => undefined);
  if (!body) return route.continue();
  const page = await route.fetch({ url: `${url.origin}/` }).catch(() => undefined);
  if (!page) return undefined; // The test is over.
  return route.fulfill({ body, headers: { ...page.headers(), 'content-type': TYPES[extname(path)] } });
}

/** The names of the files in a folder of the web terminal. */
export function list(folder) {
  return readdir(new URL(`${folder}/`, ASSETS));
}
