// Keeps a list as it is in the mesh: loads it anew when somebody looks at it again, when the mesh tells of a change, and by time.

/** Loads that are asked for within this time are one. */
const GATHER_MS = 1_000;

/**
 * @param {import('../taoyao.js').Taoyao} client
 * @param {() => void} load
 * @param {{everyMs: number, events?: string[]}} options `events` of the client after which the list may be another
 */
export function keepFresh(client, load, { everyMs, events = [] }) {
  let timer;
  const isLookedAt = () => client.state === 'online' && !document.hidden;
  const now = () => isLookedAt() && load();
  const soon = () => {
    timer ??= setTimeout(() => {
      timer = undefined;
      now();
    }, GATHER_MS);
  };
  setInterval(now, everyMs);
  for (const event of events) client.addEventListener(event, soon);
  document.addEventListener('visibilitychange', soon);
  document.addEventListener('viewchange', soon);
  window.addEventListener('focus', soon);
}
