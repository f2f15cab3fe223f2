// Accessibility inside a room by axe-core, light and dark, on a desktop and on a phone, and that nothing is cut off.

import assert from 'node:assert/strict';
import test from 'node:test';

import { checkView } from '../support/access.mjs';
import { DESKTOP, PHONE, openPage, startBrowser } from '../support/browser.mjs';
import { NODE_A, uniqueId } from '../support/mesh.mjs';
import { answerDialog, createRoom, enterRoom, inRoom, member, openRoomDialog, say, seen } from '../support/room.mjs';
import { register } from '../support/terminal.mjs';

for (const colorScheme of ['light', 'dark']) {
  for (const [size, viewport] of Object.entries({ desktop: DESKTOP, phone: PHONE })) {
    test(`no view of a room has a serious accessibility fault (${colorScheme}, ${size})`, async (t) => {
      const [looker, other] = [uniqueId('looker'), uniqueId('other')];
      const [name, own] = [uniqueId('a room with a rather long name'), uniqueId('own')];
      const browser = await startBrowser(t);
      const options = { viewport, colorScheme, reducedMotion: 'reduce', smallCamera: true };
      const page = await openPage(t, browser, options);
      const peer = await openPage(t, browser, { smallCamera: true });
      const check = async (view) => {
        await checkView(page, `${view}-${size}-${colorScheme}`);
        await fits(page, view);
      };
      await register(peer, NODE_A, other);
      await createRoom(peer, name);
      await register(page, NODE_A, looker);

      await openRoomDialog(page, name);
      await check('room-dialog');
      await answerDialog(page);
      await inRoom(page, name);
      await seen(member(page, other));
      await check('room-speaker');
      await page.getByTestId('room-layout').click();
      await member(page, other).getByTestId('member-quality').click();
      await check('room-grid-and-numbers');
      await page.getByTestId('room-chat').click();
      await say(page, 'a message that is long enough for more than one line of the chat');
      await check('room-chat');
      await page.getByTestId('room-leave').click();

      await createRoom(page, own);
      await enterRoom(peer, own);
      await seen(member(page, other));
      await page.getByTestId('room-record').click();
      await page.getByTestId('room-recording').waitFor();
      await page.getByTestId('room-invite').click();
      await check('room-invite');
      await page.getByTestId('invite-close').click();
      await check('room-recorded-by-owner');
    });
  }
}

/** Fails if the page is wider than the screen, or a control of the room is cut off. */
async function fits(page, view) {
  const cut = await page.evaluate(() => {
    const root = document.documentElement;
    const isOut = (it) => {
      const { left, right, top, bottom } = it.getBoundingClientRect();
      return left < 0 || top < 0 || right > root.clientWidth || bottom > root.clientHeight;
    };
    const controls = [...document.querySelectorAll('.room :is(.control, .room-actions button, .chat-form *)')];
    const names = controls.filter((it) => it.checkVisibility() && isOut(it)).map((it) => it.dataset.testid);
    return root.scrollWidth > root.clientWidth ? ['the page', ...names] : names;
  });
  assert.deepEqual(cut, [], `${view} cuts something off`);
}
