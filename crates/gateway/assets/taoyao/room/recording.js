// The recording of a room: one file for every member, made at the room's node.

/** Starts and stops it, and lets who comes later be recorded, too. */
export class Recording {
  #options;
  /** Whom this terminal has had recorded; undefined unless it has started the recording. */
  #asked;

  /**
   * @param {object} options
   * @param {(signal: string, body: object) => Promise<any>} options.request
   * @param {(isOn: boolean) => void} options.onChange
   */
  constructor(options) {
    this.#options = options;
  }

  /**
   * Records these members, or nobody any more.
   *
   * @throws the first refusal; what could be done is done
   */
  async set(isOn, clientIds) {
    this.#asked = isOn ? new Set(clientIds) : undefined;
    const done = await Promise.allSettled(clientIds.map((it) => this.#ask(it, isOn)));
    const refused = done.find((it) => it.status === 'rejected');
    const isAnyDone = done.some((it) => it.status === 'fulfilled');
    if (isAnyDone) this.#options.onChange(isOn);
    else this.#asked = undefined;
    if (refused) throw refused.reason;
  }

  /** A member sends something: if this terminal records the room, it is recorded from now on. */
  async follow(clientId) {
    if (!this.#asked || this.#asked.has(clientId)) return;
    this.#asked.add(clientId);
    await this.#ask(clientId, true);
  }

  /** A member is gone; should it come back, it is recorded anew. */
  forget(clientId) {
    this.#asked?.delete(clientId);
  }

  /** The recording was stopped by somebody else. */
  end() {
    this.#asked = undefined;
  }

  #ask(clientId, enabled) {
    return this.#options.request('control::server::record', { to: clientId, enabled });
  }
}
