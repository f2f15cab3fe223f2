// What the room's node says of the room: whether it is recorded, and what this terminal may do in it.

/** Asked anew whenever it may have changed. */
export class Standing {
  #options;
  /** Whether anybody in the room is recorded. */
  isRecorded = false;
  /** Whether this terminal may end the room and ask members to leave. */
  mayManage = false;
  /** Whether this terminal may record the members. */
  mayRecord = false;

  /**
   * @param {object} options
   * @param {(signal: string, body: object) => Promise<any>} options.request
   * @param {() => void} options.onChange
   */
  constructor(options) {
    this.#options = options;
  }

  async ask() {
    const { recording, mayManage, mayRecord } = await this.#options.request('room::status', {});
    this.tell({ isRecorded: recording, mayManage, mayRecord });
  }

  /** Takes what is known to be so; what is left out stays. */
  tell(news) {
    let isNew = false;
    for (const [name, value] of Object.entries(news)) {
      if (value === undefined || value === this[name]) continue;
      this[name] = value;
      isNew = true;
    }
    if (isNew) this.#options.onChange();
  }
}
