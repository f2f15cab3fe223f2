// The recording of a room as one page sees it: whom it asks for, who comes later, and what the room's node says.

import assert from 'node:assert/strict';
import test from 'node:test';

import { load } from '../support/assets.mjs';

const { Recording } = await load('taoyao/room/recording.js');
const { Standing } = await load('taoyao/room/standing.js');

const REFUSAL = new Error('refused');

/** A recording whose node refuses to record some, and what was asked of it. */
function make({ refused = [] } = {}) {
  const asked = [];
  const told = [];
  const request = async (signal, { to, enabled }) => {
    asked.push([to, enabled]);
    if (refused.includes(to)) throw REFUSAL;
  };
  return { recording: new Recording({ request, onChange: (isOn) => told.push(isOn) }), asked, told };
}

test('who comes later is recorded once, by the page that has started it', async () => {
  const { recording, asked, told } = make();
  await recording.follow('early');
  assert.deepEqual(asked, [], 'nothing is recorded yet');
  await recording.set(true, ['alice']);
  assert.deepEqual(told, [true]);
  await recording.follow('alice');
  await recording.follow('late');
  await recording.follow('late');
  assert.deepEqual(asked.slice(1), [['late', true]]);
  recording.forget('late');
  await recording.follow('late');
  assert.deepEqual(asked.slice(2), [['late', true]], 'it has come back');
});

test('after the end nobody is recorded any more', async () => {
  const { recording, asked, told } = make();
  await recording.set(true, ['alice']);
  await recording.set(false, ['alice', 'bob']);
  await recording.follow('late');
  assert.deepEqual(told, [true, false]);
  assert.deepEqual(asked.at(-1), ['bob', false]);
});

test('one refusal is told, and the others are recorded all the same', async () => {
  const { recording, told } = make({ refused: ['bob'] });
  await assert.rejects(recording.set(true, ['alice', 'bob']), REFUSAL);
  assert.deepEqual(told, [true]);
  const { recording: other, told: nothing } = make({ refused: ['bob'] });
  await assert.rejects(other.set(true, ['bob']), REFUSAL);
  assert.deepEqual(nothing, []);
});

test('what the node does not say stays as it was, and only changes are told', async () => {
  let changes = 0;
  const request = async () => ({ roomId: 'r', mayManage: true });
  const standing = new Standing({ request, onChange: () => (changes += 1) });
  standing.tell({ isRecorded: true });
  await standing.ask();
  await standing.ask();
  assert.equal(changes, 2);
  assert.deepEqual(
    [standing.isRecorded, standing.mayManage, standing.mayRecord],
    [true, true, false],
    'a node that says nothing of recording gives no right to it',
  );
});
