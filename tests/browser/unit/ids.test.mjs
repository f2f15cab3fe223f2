// Message ids: their decimal layout and their counter.

import assert from 'node:assert/strict';
import test from 'node:test';

import { load } from '../support/assets.mjs';

const { INDEX_UNREGISTERED, MessageIds } = await load('taoyao/ids.js');
const LAST_SECOND = new Date(2026, 0, 31, 23, 59, 58);

test('an id is day, hour, minute, second, index and counter', () => {
  const ids = new MessageIds(() => LAST_SECOND);
  ids.index = 10_001;
  assert.equal(ids.next(), 3_123_595_810_001_001);
  assert.equal(ids.next(), 3_123_595_810_001_002);
});

test('before registration the index is 99999', () => {
  const id = new MessageIds(() => LAST_SECOND).next();
  assert.equal(Math.floor(id / 1e3) % 1e5, INDEX_UNREGISTERED);
  assert.equal(INDEX_UNREGISTERED, 99_999);
});

test('the counter wraps without touching the index', () => {
  const ids = new MessageIds(() => LAST_SECOND);
  const made = Array.from({ length: 1_000 }, () => ids.next());
  assert.equal(new Set(made).size, 1_000);
  assert.ok(made.every((id) => Number.isSafeInteger(id) && Math.floor(id / 1e3) % 1e5 === INDEX_UNREGISTERED));
  assert.equal(made.at(-1) % 1e3, 0);
});
