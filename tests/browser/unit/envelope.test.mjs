// The envelope: what is written, what is read, what is dropped and what is masked.

import assert from 'node:assert/strict';
import test from 'node:test';

import { load } from '../support/assets.mjs';

const { decode, dropNulls, encode, mask } = await load('taoyao/envelope.js');

test('nulls vanish from objects at any depth but stay in arrays', () => {
  const body = { a: null, b: undefined, c: { d: null, e: 0, f: '' }, g: [null, { h: null, i: false }] };
  assert.deepEqual(dropNulls(body), { c: { e: 0, f: '' }, g: [null, { i: false }] });
});

test('the end of candidates becomes an absent key', () => {
  const text = encode('session::exchange', 7, { sessionId: 's', type: 'candidate', candidate: null });
  assert.deepEqual(JSON.parse(text), {
    header: { v: '1.0.0', id: 7, signal: 'session::exchange' },
    body: { sessionId: 's', type: 'candidate' },
  });
});

test('a message above the protocol limit is refused before it is sent, counted in bytes', () => {
  const fits = 'x'.repeat(1024 * 1024 - 200);
  assert.ok(encode('client::unicast', 1, { fits }));
  assert.throws(() => encode('client::unicast', 1, { big: '桃'.repeat(400_000) }), { code: 'bad-message' });
});

test('missing code and message mean success', () => {
  const message = decode('{"header":{"v":"1.0.0","id":1,"signal":"client::list"},"body":[]}');
  assert.equal(message.code, '0000');
  assert.deepEqual(message.body, []);
});

test('what is no envelope is refused', () => {
  for (const text of [
    '',
    '{',
    'null',
    '[]',
    '{"header":{}}',
    '{"header":{"id":"1","signal":"x"}}',
    '{"header":{"id":1}}',
  ]) {
    assert.throws(() => decode(text), { code: 'bad-message' }, text);
  }
});

test('secrets are masked at any depth, and the original is untouched', () => {
  const body = { username: 'u', password: 'p', webrtc: { iceServers: [{ urls: 'turn:x', credential: 'c' }] } };
  const masked = JSON.stringify(mask(body));
  assert.ok(!masked.includes('"p"') && !masked.includes('"c"') && masked.includes('"u"'));
  assert.equal(body.password, 'p');
});
