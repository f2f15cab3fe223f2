// Every code that a node answers with has words of its own in both languages, and delays follow what the node says.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import test from 'node:test';

import { load } from '../support/assets.mjs';

const PROTOCOL = new URL('../../../docs/PROTOCOL.md', import.meta.url);
const { default: en } = await load('i18n/en.js');
const { default: zh } = await load('i18n/zh.js');
const { delayAfter } = await load('taoyao/backoff.js');

test('every code of the protocol has words in both languages', async () => {
  const text = await readFile(PROTOCOL, 'utf8');
  const codes = new Set([...text.matchAll(/^\| (\d{4}) \|/gm)].map((it) => it[1]));
  assert.ok(codes.size > 8, `${codes.size} were found`);
  codes.delete('9999'); // Many failures in one: told apart by their text, else in general words.
  for (const code of codes) for (const book of [en, zh]) assert.ok(book[`error.${code}`], code);
});

test('no error is told in letters of the other language', () => {
  const texts = (book) => Object.entries(book).filter(([key]) => key.startsWith('error.'));
  for (const [key, text] of texts(en)) assert.doesNotMatch(text, /[\u4e00-\u9fff]/, key);
  for (const [key, text] of texts(zh)) assert.doesNotMatch(text.replace(/\{\w+\}/g, ''), /[a-z]{5,}/, key);
});

test('a node that says when to come back is asked then, a little later at random, others ever more seldom', () => {
  assert.equal(delayAfter({ retryAfterMs: 4_000 }, 9, () => 0), 4_000);
  assert.equal(delayAfter({ retryAfterMs: 4_000 }, 9, () => 1), 5_000);
  assert.equal(delayAfter({}, 0, () => 1), 1_000);
  assert.equal(delayAfter({}, 9, () => 1), 30_000);
  assert.ok(delayAfter({ retryAfterMs: 1e12 }, 0, () => 0) <= 30_000, 'nobody is sent away for ever');
});
