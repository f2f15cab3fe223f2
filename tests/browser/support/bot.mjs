// A terminal without a person, driven by its test: the client module in a page of its own, and messages as other clients send them.

import { PASSWORD, USER } from './mesh.mjs';

/**
 * Registers a terminal that answers by itself; the page has it as `window.bot`.
 *
 * @param {import('playwright-core').Page} page
 * @param {string} origin of a node
 * @param {string} clientId
 */
export async function startBot(page, origin, clientId) {
  await page.goto(origin);
  await page.mouse.click(1, 1); // Browsers play nothing on a page that nobody has touched.
  const url = `${origin.replace('https', 'wss')}/websocket.signal`;
  const login = { clientId, name: clientId, username: USER, password: PASSWORD, url };
  await page.evaluate(async (options) => {
    const { Taoyao } = await import('/taoyao.js');
    window.bot = new Taoyao({ answer: 'auto' });
    window.heard = [];
    window.bot.addEventListener('signal', ({ detail }) => detail.direction === 'in' && window.heard.push(detail.message));
    // Sound that nobody plays is not decoded.
    const player = new Audio();
    window.bot.addEventListener('session', ({ detail: session }) =>
      session.addEventListener('stream', () => {
        player.srcObject = session.stream;
        player.play().catch(() => {}); // Replaced by that of the next call.
      }),
    );
    await window.bot.connect(options);
  }, login);
}

/** Lets the bot call, and waits until media flow. */
export async function botCalls(page, clientId) {
  await page.evaluate(async (id) => {
    const session = await window.bot.call(id);
    while (session.state !== 'connected') await new Promise((resolve) => session.addEventListener('state', resolve, { once: true }));
  }, clientId);
}

/** The bodies of a signal that the bot has got so far. */
export function heardBy(page, signal) {
  return page.evaluate((name) => window.heard.filter((it) => it.header.signal === name).map((it) => it.body), signal);
}
