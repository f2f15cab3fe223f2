// The ticket keeps count of what was received, over any number of connections.

import assert from 'node:assert/strict';
import test from 'node:test';

import { Ticket } from '../../../crates/gateway/assets/taoyao/ticket.js';

const answer = (ordinal) => ({ ordinal, body: { index: 1, ticket: `t${ordinal}`, resumeSeconds: 30 } });

test('messages count from the answer to the registration on', () => {
  const connection = { received: 2 };
  const ticket = new Ticket('wss://a', connection, answer(2));
  connection.received = 7;
  ticket.lose(1_000);
  assert.deepEqual(ticket.claim('cam'), { clientId: 'cam', ticket: 't2', received: 5 });

  const next = { received: 1, push: () => {} };
  ticket.redeem(next, answer(1));
  next.received = 4;
  ticket.lose(2_000);
  assert.equal(ticket.claim('cam').received, 8);
});

test('it is away for as long as the node keeps the terminal, and urgent at first', () => {
  const ticket = new Ticket('wss://a', { received: 1 }, answer(1));
  assert.equal(ticket.isAway(), false);
  ticket.lose(0);
  ticket.lose(5_000);
  assert.deepEqual([ticket.isUrgent(7_999), ticket.isUrgent(8_000)], [true, false]);
  assert.deepEqual([ticket.isAway(29_999), ticket.isAway(30_000)], [true, false]);
});

test('what is said meanwhile is sent when it is back, in order and in bounds', () => {
  const ticket = new Ticket('wss://a', { received: 1 }, answer(1));
  ticket.lose(0);
  for (let number = 0; number < 300; number += 1) ticket.hold('s', number);
  const sent = [];
  ticket.redeem({ received: 1, push: (_, body) => sent.push(body) }, answer(1));
  assert.deepEqual([sent.length, sent[0], sent.at(-1)], [256, 0, 255]);
});
