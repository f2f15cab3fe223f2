// What a terminal receives from one room: consumers as they come, acknowledged, and no more of them than is looked at.

import { layersFor } from './layers.js';

/** Receives every consumer that the node announces. */
export class Subscriber {
  #options;
  /** @type {import('./receiver.js').Receiver|undefined} */
  #receiver;
  /** @type {Map<string, {mid: string, track: MediaStreamTrack}>} by consumer id */
  #received = new Map();
  /** @type {Map<string, string>} names of what is played in step, by member */
  #streams = new Map();
  /** What the node was told of a consumer: the layers it asked for, or that nobody looks. */
  #told = new Map();

  /**
   * @param {object} options
   * @param {import('./model.js').RoomModel} options.model
   * @param {(signal: string, body: object) => void} options.push
   * @param {(message: object) => void} options.echo
   * @param {() => void} options.onChange
   */
  constructor(options) {
    this.#options = options;
  }

  start(/** @type {import('./receiver.js').Receiver} */ receiver) {
    this.#receiver = receiver;
    this.#received.clear();
    this.#told.clear();
  }

  /** Takes `media::consume`: the message goes back as it came when the browser is ready, and only then media flow. */
  async consume(message) {
    const { model, echo, onChange } = this.#options;
    const receiver = this.#receiver;
    const { consumerId, kind, rtpParameters } = message.body;
    const { clientId, source } = model.consume(message.body);
    const mid = rtpParameters.mid ?? consumerId;
    const streamId = this.#streamOf(clientId, source);
    const { track } = await receiver.consume({ mid, kind, rtpParameters, streamId });
    if (receiver !== this.#receiver || !model.consumed.has(consumerId)) return;
    this.#received.set(consumerId, { mid, track });
    echo(message);
    onChange();
  }

  /** Takes `media::consumer::close`. */
  async forget(consumerId) {
    this.#options.model.forget(consumerId);
    this.#told.delete(consumerId);
    const received = this.#received.get(consumerId);
    this.#received.delete(consumerId);
    if (received) await this.#receiver.stop(received.mid);
  }

  /** @returns {MediaStreamTrack|undefined} */
  trackOf(consumerId) {
    return this.#received.get(consumerId)?.track;
  }

  /** @returns {string|undefined} */
  midOf(consumerId) {
    return this.#received.get(consumerId)?.mid;
  }

  /** Whether this terminal asked for a pause: nobody looks. */
  isHidden(consumerId) {
    return this.#told.get(consumerId) === 'hidden';
  }

  /**
   * Says how large a picture is shown, so that no more is sent.
   *
   * @param {string} consumerId
   * @param {number} height in device pixels; 0: it is not shown
   */
  show(consumerId, height) {
    const consumed = this.#options.model.consumed.get(consumerId);
    if (!consumed || !this.#received.has(consumerId)) return;
    if (height === 0) return this.#hide(consumerId);
    if (this.isHidden(consumerId)) this.#options.push('media::consumer::resume', { consumerId });
    const layers = layersFor(height, consumed.layers);
    const text = JSON.stringify(layers ?? 'all');
    if (this.#told.get(consumerId) === text) return;
    this.#told.set(consumerId, text);
    if (layers) this.#options.push('media::consumer::set::preferred::layers', { consumerId, ...layers });
  }

  /** Sound and picture of a person are played in step, a screen on its own. */
  #streamOf(clientId, source) {
    const key = `${source === 'screen'} ${clientId}`;
    if (!this.#streams.has(key)) this.#streams.set(key, `stream${this.#streams.size}`);
    return this.#streams.get(key);
  }

  #hide(consumerId) {
    if (this.isHidden(consumerId)) return;
    this.#told.set(consumerId, 'hidden');
    this.#options.push('media::consumer::pause', { consumerId });
  }
}
