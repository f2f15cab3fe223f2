// How good the line of every member of a room is, from one reading to the next.

import { gradeOf, readQuality } from './quality.js';

/** @typedef {{grade?: import('./quality.js').Grade, readings: object}} Quality `readings` by source */

/** Puts the browser's numbers to the members that they are about. */
export class Qualities {
  #options;
  #came = new Map();
  #went = new Map();

  /**
   * @param {object} options
   * @param {import('./model.js').RoomModel} options.model
   * @param {import('./publisher.js').Publisher} options.publisher
   * @param {import('./subscriber.js').Subscriber} options.subscriber
   */
  constructor(options) {
    this.#options = options;
  }

  /** Forgets the reading before: there are new connections. */
  reset() {
    this.#came = new Map();
    this.#went = new Map();
  }

  /**
   * Reads the numbers now.
   *
   * @param {import('./connections.js').Connections} connections
   * @returns {Promise<Map<string, Quality>>} of every member, by client id
   */
  async read({ sender, receiver }) {
    const [came, went] = await Promise.all([receiver.stats(), sender.stats()]);
    this.#came = readQuality(came, 'in', this.#came);
    this.#went = readQuality(went, 'out', this.#went);
    const members = [...this.#options.model.members.values()];
    return new Map(members.map((it) => [it.clientId, it.isMe ? this.#own() : this.#of(it.clientId)]));
  }

  #of(clientId) {
    const { model, subscriber } = this.#options;
    const readings = {};
    for (const { source, consumerId } of model.consumed.values()) {
      const consumed = model.consumedOf(clientId, source);
      const reading = consumed?.consumerId === consumerId && this.#came.get(subscriber.midOf(consumerId));
      if (reading && !consumed.isPaused)
        readings[source] = { ...reading, score: consumed.score, layers: consumed.sent };
    }
    return { grade: gradeOf(Object.values(readings)), readings };
  }

  #own() {
    const { publisher } = this.#options;
    const readings = {};
    for (const [mid, reading] of this.#went) {
      const source = publisher.sourceOf(mid);
      if (source && publisher.own[source].isOn) readings[source] = reading;
    }
    return { grade: gradeOf(Object.values(readings)), readings };
  }
}
