// Requests that wait for their answer: correlation by header.id, each with its own time-out.

import { LOCAL, OK, TaoyaoError, refusalOf } from './errors.js';
import { SIGNALS } from './signals.js';

/** How long a request waits, as in every Taoyao terminal. */
export const REQUEST_TIMEOUT_MS = 5_000;

/** The table of one connection's open requests. */
export class Requests {
  /** @type {Map<number, {signal: string, timer: any, resolve: Function, reject: Function}>} */
  #open = new Map();

  /**
   * Waits for the answer with this id.
   *
   * @param {number} id
   * @param {import('./signals.js').RequestName|(string & {})} signal one that a newer node knows and this module does not may have an
   *   answer as well
   * @param {number} [timeoutMs]
   * @returns {Promise<import('./envelope.js').Received>} rejects with a {@link TaoyaoError}
   * @throws {TaoyaoError} `bad-message` for a signal that is never answered: waiting would only end in a time-out
   */
  wait(id, signal, timeoutMs = REQUEST_TIMEOUT_MS) {
    if (SIGNALS[signal]?.answered === false) {
      throw new TaoyaoError(LOCAL.BAD_MESSAGE, `${signal} has no answer; push it.`, signal);
    }
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#open.delete(id);
        reject(new TaoyaoError(LOCAL.TIMEOUT, `No answer to ${signal} within ${timeoutMs} ms.`, signal));
      }, timeoutMs);
      this.#open.set(id, { signal, timer, resolve, reject });
    });
  }

  /**
   * Gives a message to the request that waits for its id. Only the id counts: an error comes as `platform::error`.
   *
   * @param {import('./envelope.js').Message} message
   * @returns {boolean} false when nobody waits, so the message is a push
   */
  settle(message) {
    const waiting = this.#open.get(message.header.id);
    if (!waiting) return false;
    this.#forget(message.header.id, waiting);
    if (message.code === OK) waiting.resolve(message);
    else waiting.reject(refusalOf(message, waiting.signal));
    return true;
  }

  /** Ends every open request, because the connection is gone. */
  failAll() {
    for (const [id, waiting] of this.#open) {
      this.#forget(id, waiting);
      waiting.reject(new TaoyaoError(LOCAL.CLOSED, `The connection closed during ${waiting.signal}.`, waiting.signal));
    }
  }

  #forget(id, waiting) {
    clearTimeout(waiting.timer);
    this.#open.delete(id);
  }
}
