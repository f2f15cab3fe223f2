// A screen that is shown to a room: it is the large picture, beside its person's camera, and goes when it is stopped.

import test from 'node:test';

import { shoot } from '../support/browser.mjs';
import { meet } from '../support/meeting.mjs';
import { member, number, seen, shows } from '../support/room.mjs';
import { until } from '../support/terminal.mjs';

test('a screen is shown to the others until it is stopped', async (t) => {
  const { a, b, alice } = await meet(t);
  const button = a.getByTestId('room-screen');
  await button.click();
  const screen = member(b, alice, 'screen');
  await seen(screen);
  await shows(screen, '[data-large="true"]');
  await until('it has the size of a screen', async () => (await number(screen, 'size')) > 320);
  await shows(button, '[aria-pressed="true"]');
  await seen(member(b, alice));
  await shoot(b, 'room-screen');

  await button.click();
  await screen.waitFor({ state: 'detached' });
  await shows(button, '[aria-pressed="false"]');
  await button.click();
  await seen(screen);
  await a.getByTestId('room-leave').click();
  await screen.waitFor({ state: 'detached' });
  await member(b, alice).waitFor({ state: 'detached' });
});
