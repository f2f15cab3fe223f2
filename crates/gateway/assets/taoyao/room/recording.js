// The recording of a room: one file for every member, made at the room's node.

/** Records everybody who is in the room while it is on. */
export class Recording {
  #options;
  isOn = false;

  /**
   * @param {object} options
   * @param {(signal: string, body: object) => Promise<any>} options.request
   * @param {() => void} options.onChange
   */
  constructor(options) {
    this.#options = options;
  }

  /** @throws the first refusal; what could be done is done */
  async set(isOn, clientIds) {
    const done = await Promise.allSettled(clientIds.map((it) => this.#ask(it, isOn)));
    const refused = done.find((it) => it.status === 'rejected');
    const isAnyDone = done.some((it) => it.status === 'fulfilled');
    this.isOn = isOn && isAnyDone;
    this.#options.onChange();
    if (refused) throw refused.reason;
  }

  /** Somebody entered. */
  async join(clientId) {
    if (this.isOn) await this.#ask(clientId, true);
  }

  #ask(clientId, enabled) {
    return this.#options.request('control::server::record', { to: clientId, enabled });
  }
}
