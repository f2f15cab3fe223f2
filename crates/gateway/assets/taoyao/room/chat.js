// Texts and raised hands between the members of a room, over data channels.

/** Characters of one message; longer ones are cut. */
export const TEXT_MAX = 2_000;
/** The oldest messages go first. */
const MESSAGES_MAX = 500;
const LABEL = 'chat';
/** Who enters a full room opens many ways at once. */
const GREET_MS = 300;
/** Other clients announce no channel; they are asked once they have had time to open one. */
const ASK_AGAIN_MS = 3_000;

/**
 * @typedef {object} ChatMessage
 * @property {string} clientId
 * @property {string} text
 * @property {Date} at
 */

/**
 * What members tell each other: texts, and raised hands. Sends on one channel of its own, receives on one of every other member;
 * whose channel it is, the node says, so nobody raises another's hand.
 *
 * Messages are JSON: `{"text": "..."}`, `{"hand": true}` or `false`, and `{"hello": true}`, upon which a raised hand is told
 * again: so it is known to who came later.
 */
export class Chat {
  #options;
  #channel;
  #greeting;
  #repeating;
  #receiver;
  #dataProducerId;
  /** Producers that are received or asked for. */
  #known = new Set();
  /** @type {Map<string, {channel: RTCDataChannel, producerId: string}>} by consumer id */
  #channels = new Map();
  /** @type {ChatMessage[]} */
  messages = [];
  /** Whether the own hand is raised. */
  isHandRaised = false;

  /**
   * @param {object} options
   * @param {(signal: string, body: object) => Promise<any>} options.request
   * @param {(signal: string, body: object) => void} options.push
   * @param {() => string} options.me this terminal's client id
   * @param {(message?: ChatMessage) => void} options.onChange with the message that came
   * @param {(clientId: string, isRaised: boolean) => void} options.onHand
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
    channel.onopen = channel.onclose = () => this.#onOwnChannel();
    this.#options.push('room::broadcast', { dataProducerId: id });
    this.#options.onChange();
  }

  /** @returns {boolean} false when it could not be sent */
  say(text) {
    const cut = text.trim().slice(0, TEXT_MAX);
    if (!cut || !this.isOpen) return false;
    this.#tell({ text: cut });
    this.#add({ clientId: this.#options.me(), text: cut, at: new Date() });
    return true;
  }

  /** Raises the own hand, or takes it down. */
  raise(isRaised) {
    this.isHandRaised = isRaised;
    this.#tell({ hand: isRaised });
    this.#options.onHand(this.#options.me(), isRaised);
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
    channel.onopen = () => this.#greet();
    if (channel.readyState === 'open') this.#greet();
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
    const { text, hand, hello } = readMessage(data);
    if (hello && this.isHandRaised) this.#repeatHand();
    if (typeof hand === 'boolean') this.#options.onHand(clientId, hand);
    if (text) this.#add({ clientId, text: text.slice(0, TEXT_MAX), at: new Date() });
  }

  #onOwnChannel() {
    if (this.isOpen) this.#greet();
    this.#options.onChange();
  }

  /** A way to or from somebody has opened: both tell what the other may have missed. Many at once are one. */
  #greet() {
    this.#greeting ??= setTimeout(() => {
      this.#greeting = undefined;
      this.#tell({ hello: true, ...(this.isHandRaised ? { hand: true } : {}) });
    }, GREET_MS);
  }

  #repeatHand() {
    this.#repeating ??= setTimeout(() => {
      this.#repeating = undefined;
      if (this.isHandRaised) this.#tell({ hand: true });
    }, GREET_MS);
  }

  #tell(message) {
    if (this.isOpen) this.#channel.send(JSON.stringify(message));
  }

  #add(message) {
    this.messages.push(message);
    if (this.messages.length > MESSAGES_MAX) this.messages.shift();
    this.#options.onChange(message);
  }
}

/** Our own messages are JSON objects; other clients send plain text. */
function readMessage(data) {
  if (typeof data !== 'string') return {};
  try {
    const message = JSON.parse(data);
    if (message === null || typeof message !== 'object') return { text: data };
    return typeof message.text === 'string' ? { text: message.text } : message;
  } catch {
    return { text: data };
  }
}
