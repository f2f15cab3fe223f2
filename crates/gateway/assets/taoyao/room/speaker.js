// Who speaks: follows the loudest, but not every cough.

/** A voice has to be the loudest for this long before the picture changes to it. */
const TAKE_OVER_MS = 900;
/** A picture stays for at least this long. */
const STAY_MS = 2_000;

/** Decides whom a layout shows large. */
export class Speaker {
  /** @type {string|undefined} the client id of who speaks, or spoke last */
  current;
  #since = -Infinity;
  #rival;
  #rivalSince = 0;

  /**
   * Takes one reading.
   *
   * @param {{clientId: string, volume?: number}[]} members those who may be shown large
   * @param {number} nowMs
   * @returns {boolean} whether the speaker changed
   */
  hear(members, nowMs) {
    if (!members.some((it) => it.clientId === this.current)) return this.#become(members[0]?.clientId, nowMs);
    const loudest = members.filter((it) => it.volume > 0).sort((a, b) => b.volume - a.volume)[0]?.clientId;
    if (loudest !== this.#rival) [this.#rival, this.#rivalSince] = [loudest, nowMs];
    if (!loudest || loudest === this.current) return false;
    const isHeardLong = nowMs - this.#rivalSince >= TAKE_OVER_MS;
    const isShownLong = nowMs - this.#since >= STAY_MS;
    return isHeardLong && isShownLong && this.#become(loudest, nowMs);
  }

  #become(clientId, nowMs) {
    if (clientId === this.current) return false;
    this.current = clientId;
    this.#since = nowMs;
    return true;
  }
}
