// Members of one room at two nodes of the mesh: they meet as at one, and are offered what each of them may do.

import assert from 'node:assert/strict';
import test from 'node:test';

import { shoot } from '../support/browser.mjs';
import { meet } from '../support/meeting.mjs';
import { NODE_A, NODE_B } from '../support/mesh.mjs';
import { heard, member, reads, room, say, shows } from '../support/room.mjs';

const OWNERS_ONLY = ['room-record', 'room-end', 'member-expel'];

test('members at two nodes meet in one room, and only its owner is offered to manage it', async (t) => {
  const { a, b, alice: owner, bob: guest, name } = await meet(t, { origins: [NODE_A, NODE_B] });
  const [guestAtA, ownerAtB] = [member(a, guest), member(b, owner)];
  await heard(guestAtA);
  await heard(ownerAtB);
  await say(a, 'how is the north?');
  await reads(b, owner, 'how is the north?');
  await say(b, 'cold');
  await reads(a, guest, 'cold');

  await a.getByTestId('room-layout').click();
  await b.getByTestId('room-layout').click();
  await guestAtA.getByTestId('member-expel').waitFor();
  await shoot(b, 'room-guest');
  for (const testId of OWNERS_ONLY) {
    assert.ok((await shown(a, testId)) > 0, `the owner is offered ${testId}`);
    assert.equal(await shown(b, testId), 0, `the guest is not offered ${testId}`);
  }

  await b.getByTestId('room-mic').click();
  await shows(guestAtA, '[data-muted="true"]');
  a.once('dialog', (dialog) => dialog.accept());
  await guestAtA.getByTestId('member-expel').click();
  await room(b, name).waitFor({ state: 'detached' });
  await guestAtA.waitFor({ state: 'detached' });
});

/** How many of the buttons can be seen. */
async function shown(page, testId) {
  const buttons = await page.getByTestId(testId).all();
  return (await Promise.all(buttons.map((it) => it.isVisible()))).filter(Boolean).length;
}
