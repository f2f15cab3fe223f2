// How long to wait before the next attempt to reconnect.

const FIRST_MS = 1_000;
const LONGEST_MS = 30_000;

/**
 * When to try again after a failure: as the node says, or else by {@link retryDelay}.
 *
 * @param {import('./errors.js').TaoyaoError} error
 * @param {number} failures
 * @param {() => number} [random]
 * @returns {number} milliseconds
 */
export function delayAfter({ retryAfterMs }, failures, random = Math.random) {
  if (retryAfterMs === undefined) return retryDelay(failures, random);
  return Math.round(Math.min(retryAfterMs, LONGEST_MS) * (1 + random() / 4));
}

/**
 * A delay that doubles with every failure up to 30 s, cut at random to between half and the whole of it,
 * so that the terminals of a restarted node do not return all at once.
 *
 * @param {number} failures attempts that failed since the last success, from 0
 * @param {() => number} [random] 0 ≤ value < 1
 * @returns {number} milliseconds
 */
export function retryDelay(failures, random = Math.random) {
  const whole = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(failures, 10));
  return Math.round(whole * (0.5 + random() / 2));
}
