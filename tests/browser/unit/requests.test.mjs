// Correlation: only the id decides which request an answer belongs to.

import assert from 'node:assert/strict';
import test from 'node:test';

import { load } from '../support/assets.mjs';

const { Requests } = await load('taoyao/requests.js');

function message(id, signal, code = '0000', text = '') {
  return { code, message: text, header: { v: '1.0.0', id, signal }, body: { id } };
}

test('answers find their requests by id, in any order and under any signal', async () => {
  const requests = new Requests();
  const [first, second] = [requests.wait(1, 'client::list'), requests.wait(2, 'client::status')];
  assert.equal(requests.settle(message(2, 'something::else')), true);
  assert.equal(requests.settle(message(1, 'client::list')), true);
  assert.equal((await first).body.id, 1);
  assert.equal((await second).body.id, 2);
});

test('a message that nobody waits for is a push', () => {
  const requests = new Requests();
  assert.equal(requests.settle(message(9, 'client::online')), false);
});

test('an answer counts once', async () => {
  const requests = new Requests();
  const waiting = requests.wait(1, 'client::list');
  requests.settle(message(1, 'client::list'));
  assert.equal(requests.settle(message(1, 'client::list')), false);
  await waiting;
});

test('an error with the id of a request rejects it with code and text', async () => {
  const requests = new Requests();
  const waiting = requests.wait(5, 'session::call');
  requests.settle(message(5, 'platform::error', '3404', 'no such terminal'));
  await assert.rejects(waiting, { code: '3404', message: 'no such terminal', signal: 'session::call' });
});

test('without an answer a request times out, and a late answer is a push', async () => {
  const requests = new Requests();
  await assert.rejects(requests.wait(3, 'client::list', 5), { code: 'timeout' });
  assert.equal(requests.settle(message(3, 'client::list')), false);
});

test('nobody waits for the answer to a signal that has none', async () => {
  const requests = new Requests();
  assert.throws(() => requests.wait(1, 'room::leave'), { code: 'bad-message', signal: 'room::leave' });
  assert.equal(requests.settle(message(1, 'room::leave')), false);
  const newer = requests.wait(2, 'future::signal');
  requests.settle(message(2, 'future::signal'));
  await newer;
});

test('the loss of the connection ends every open request', async () => {
  const requests = new Requests();
  const waiting = [requests.wait(1, 'a'), requests.wait(2, 'b')];
  requests.failAll();
  for (const one of waiting) await assert.rejects(one, { code: 'closed' });
});
