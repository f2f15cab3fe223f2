// Text between the members of a room, over data channels.

/** Characters of one message; longer ones are cut. */
export const TEXT_MAX = 2_000;
/** The oldest messages go first. */
const MESSAGES_MAX = 500;
const LABEL = 'chat';
/** Other clients announce no channel; they are asked once they have had time to open one. */
const ASK_AGAIN_MS = 3_000;

/**
 * @typedef {object} ChatMessage
 * @property {string} clientId
 * @property {string} text
 * @property {Date} at
 */

/** Sends on one channel of its own, receives on one of every other member. */
export class Chat {
  #options;
  #channel;
  #receiver;
  #dataProducerId;
  /** Producers that are received or asked for. */
  #known = new Set();
  /** @type {Map<string, {channel: RTCDataChannel, producerId: string}>} by consumer id */
  #channels = new Map();
  /** @type {ChatMessage[]} */
  messages = [];

  /**
   * @param {object} options
   * @param {(signal: string, body: object) => Promise<any>} options.request
   * @param {(signal: string, body: object) => void} options.push
   * @param {() => string} options.me this terminal's client id
   * @param {(message?: ChatMessage) => void} options.onChange with the message that came
   */
  constructor(options) {
    this.#options = options;
  }

  /** Whether a message can be sent now. */
  get isOpen() {
    return this.#channel?.readyState === 'open';
  }

  /** Opens the own channel, and tells those who are there already that it is open. */
  async start(sender, receiver) {
    this.#receiver = receiver;
    this.#known.clear();
    this.#channels.clear();
    const { id, channel } = await sender.produceData({ label: LABEL, protocol: '' });
    this.#channel = channel;
    this.#dataProducerId = id;
    channel.onopen = channel.onclose = () => this.#options.onChange();
    this.#options.push('room::broadcast', { dataProducerId: id });
    this.#options.onChange();
  }

  /** @returns {boolean} false when it could not be sent */
  say(text) {
    const cut = text.trim().slice(0, TEXT_MAX);
    if (!cut || !this.isOpen) return false;
    this.#channel.send(JSON.stringify({ text: cut }));
    this.#add({ clientId: this.#options.me(), text: cut, at: new Date() });
    return true;
  }

  /** Looks for the channels of a member, now and once more. */
  async discover(clientId) {
    await this.#ask(clientId);
    setTimeout(() => this.#ask(clientId), ASK_AGAIN_MS);
  }

  /** A member says that it has opened its channel. Who it is, the node will say. */
  hint({ dataProducerId }) {
    if (typeof dataProducerId === 'string') this.#consume(dataProducerId);
  }

  /** Takes `media::data::consume`. */
  receive({ consumerId, producerId, sourceId, label, protocol, sctpStreamParameters }) {
    if (this.#channels.has(consumerId)) return;
    const channel = this.#receiver.consumeData({ label, protocol, sctpStreamParameters });
    this.#channels.set(consumerId, { channel, producerId });
    channel.onmessage = ({ data }) => this.#hear(sourceId, data);
  }

  /** Takes `media::data::consumer::close`. */
  forget(consumerId) {
    const { channel, producerId } = this.#channels.get(consumerId) ?? {};
    channel?.close();
    this.#channels.delete(consumerId);
    this.#known.delete(producerId);
  }

  async #ask(clientId) {
    if (!this.#receiver || this.#receiver.isClosed) return;
    try {
      const { dataProducers = [] } = await this.#options.request('room::client::list::id', { clientId });
      for (const producerId of dataProducers) this.#consume(producerId);
    } catch {
      // It has left, or the node is away: whoever comes back is asked again.
    }
  }

  #consume(producerId) {
    if (this.#known.has(producerId) || producerId === this.#dataProducerId || !this.#receiver) return;
    this.#known.add(producerId);
    this.#options.push('media::data::consume', { producerId });
  }

  #hear(clientId, data) {
    const text = readText(data);
    if (text) this.#add({ clientId, text: text.slice(0, TEXT_MAX), at: new Date() });
  }

  #add(message) {
    this.messages.push(message);
    if (this.messages.length > MESSAGES_MAX) this.messages.shift();
    this.#options.onChange(message);
  }
}

/** Our own messages are JSON with a text; other clients send plain text. */
function readText(data) {
  if (typeof data !== 'string') return undefined;
  try {
    const { text } = JSON.parse(data);
    return typeof text === 'string' ? text : data;
  } catch {
    return data;
  }
}
