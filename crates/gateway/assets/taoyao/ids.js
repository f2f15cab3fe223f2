// Message ids: sixteen decimal digits of local time, this terminal's index and a counter.

/** The index that a terminal uses until its registration is answered with one of its own. */
export const INDEX_UNREGISTERED = 99_999;

const COUNTER_MAX = 999;

/**
 * Makes the ids of one terminal's requests.
 *
 * Layout: day of month × 10^14 + hour × 10^12 + minute × 10^10 + second × 10^8 + index × 10^3 + counter,
 * all of it below 2^53. Node-made ids keep to lower indexes, so a push never looks like an answer.
 */
export class MessageIds {
  #counter = 0;
  #now;

  /** @param {() => Date} [now] the clock, in local time */
  constructor(now = () => new Date()) {
    this.#now = now;
    /** @type {number} this terminal's index; {@link INDEX_UNREGISTERED} until registered */
    this.index = INDEX_UNREGISTERED;
  }

  /** @returns {number} the next id */
  next() {
    this.#counter = this.#counter >= COUNTER_MAX ? 0 : this.#counter + 1;
    const now = this.#now();
    return (
      now.getDate() * 1e14 +
      now.getHours() * 1e12 +
      now.getMinutes() * 1e10 +
      now.getSeconds() * 1e8 +
      this.index * 1e3 +
      this.#counter
    );
  }
}
