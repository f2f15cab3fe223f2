// Every word of the page exists in both languages, and every word that the page asks for exists.

import assert from 'node:assert/strict';
import test from 'node:test';

import { list, load, read } from '../support/assets.mjs';

const { default: en } = await load('i18n/en.js');
const { default: zh } = await load('i18n/zh.js');

/** Forms for exactly one exist only where a language has them. */
const isForm = (key) => key.endsWith('.one');

test('both languages have the same words with the same arguments', () => {
  const keys = (book) =>
    Object.keys(book)
      .filter((key) => !isForm(key))
      .sort();
  assert.deepEqual(keys(en), keys(zh));
  const args = (text) => [...text.matchAll(/\{\w+\}/g)].map(String).sort().join();
  for (const key of keys(en)) assert.equal(args(en[key]), args(zh[key]), key);
});

test('the page asks only for words that exist', async () => {
  const html = await read('index.html');
  const scripts = await Promise.all(
    ['app.js', 'words.js', ...(await list('views')).map((it) => `views/${it}`)].map(read),
  );
  const inHtml = [...html.matchAll(/data-t(?:-label|-placeholder|-group)?="([^"]+)"/g)].map((it) => it[1]);
  const inScripts = [
    ...scripts
      .join('')
      .matchAll(/'((?:people|calls?|rooms?|chat|quality|banner|signals|status|register|error|type)(?:\.\w+)+)'/g),
  ].map((it) => it[1]);
  assert.ok(inHtml.length > 40 && inScripts.length > 40, `${inHtml.length} and ${inScripts.length} were found`);
  assert.deepEqual(
    [...inHtml, ...inScripts].filter((key) => !(key in en)),
    [],
  );
});

test('the page keeps its own content security policy: no inline script, style or handler', async () => {
  const html = await read('index.html');
  assert.doesNotMatch(html, /<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=|https?:/);
});
