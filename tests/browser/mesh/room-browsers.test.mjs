// Two pages in Chromium and one in Firefox ESR in one room: everybody sees and hears everybody.

import test from 'node:test';

import { openPage, shoot, startBrowser } from '../support/browser.mjs';
import { click, enterInFirefox, numberInFirefox, registerInFirefox, startFirefox, type } from '../support/firefox.mjs';
import { NODE_A, uniqueId } from '../support/mesh.mjs';
import { createRoom, enterRoom, heard, member, reads, say, seen, shows } from '../support/room.mjs';
import { register, until } from '../support/terminal.mjs';

test('Chromium and Firefox meet in a room', async (t) => {
  const [alice, bob, fox, name] = [uniqueId('alice'), uniqueId('bob'), uniqueId('fox'), uniqueId('meadow')];
  const browser = await startBrowser(t);
  const firefox = await startFirefox(t);
  const a = await openPage(t, browser, { smallCamera: true });
  const b = await openPage(t, browser, { smallCamera: true });
  await register(a, NODE_A, alice);
  await register(b, NODE_A, bob);
  const f = await registerInFirefox(t, firefox, NODE_A, fox);
  await createRoom(a, name);
  await enterRoom(b, name);
  await enterInFirefox(f, name);

  for (const tile of [member(a, bob), member(a, fox), member(b, alice), member(b, fox)]) {
    await seen(tile);
    await heard(tile);
  }
  for (const clientId of [alice, bob]) await seenAndHeardInFirefox(f, clientId);
  await shoot(a, 'room-three');

  await say(a, 'does the fox read this?');
  await until('the fox reads', () => f.evaluate(() => document.body.textContent.includes('does the fox read this?')));
  await click(f, 'room-chat');
  await type(f, 'chat-text', 'the fox does');
  await click(f, 'chat-send');
  await reads(b, fox, 'the fox does');

  await click(f, 'room-mic');
  await shows(member(a, fox), '[data-muted="true"]');
  await click(f, 'room-mic');
  await shows(member(a, fox), '[data-muted="false"]');

  await click(f, 'room-leave');
  await member(a, fox).waitFor({ state: 'detached' });
  await enterInFirefox(f, name);
  await seen(member(a, fox));
  await heard(member(b, fox));
  await seenAndHeardInFirefox(f, alice);
});

async function seenAndHeardInFirefox(page, clientId) {
  let first;
  await until('decoded frames grow in Firefox', async () => {
    const frames = await numberInFirefox(page, clientId, 'frames');
    if (Number.isNaN(frames)) return false;
    first ??= frames;
    return frames > first + 5;
  });
  await until('a sound level is measured in Firefox', async () => (await numberInFirefox(page, clientId, 'level')) > 0);
}
