// Where the web terminal's files are, for tests that need no browser.

import { readFile, readdir } from 'node:fs/promises';

const ASSETS = new URL('../../../crates/gateway/assets/', import.meta.url);

/** Imports a module of the web terminal, e.g. `taoyao/ids.js`. */
export function load(path) {
  return import(new URL(path, ASSETS));
}

/** The text of a file of the web terminal. */
export function read(path) {
  return readFile(new URL(path, ASSETS), 'utf8');
}

/** The names of the files in a folder of the web terminal. */
export function list(folder) {
  return readdir(new URL(`${folder}/`, ASSETS));
}
