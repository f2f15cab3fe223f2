// One WebSocket to one node: envelopes out and in, answers matched to requests.

import { decode, encode, mask } from './envelope.js';
import { LOCAL, TaoyaoError } from './errors.js';
import { MessageIds } from './ids.js';
import { Requests } from './requests.js';

/** How long a node may take to accept the connection. */
const OPEN_TIMEOUT_MS = 5_000;
/** Messages without an answer whose refusal is still understood. */
const PUSHED_MAX = 256;

/**
 * @typedef {object} Handlers
 * @property {(message: import('./envelope.js').Message) => void} message a push: no request waits for its id
 * @property {(event: {code: number, reason: string}) => void} closed called once, also after {@link Connection#close}
 * @property {(record: SignalRecord) => void} signal every message that was sent or received, secrets masked
 */

/**
 * @typedef {object} SignalRecord
 * @property {'in'|'out'} direction
 * @property {Date} at
 * @property {number} bytes size of the text, in UTF-16 units
 * @property {import('./envelope.js').Message} message
 */

/** A connection that lives once: it is never reopened, the owner makes a new one. */
export class Connection {
  #socket;
  #handlers;
  #requests = new Requests();
  #ids = new MessageIds();
  /** The signals of the latest messages without an answer, by id: a refusal says only which id it is about. */
  #pushed = new Map();
  /** How many messages have come so far. */
  received = 0;

  /**
   * Opens a connection.
   *
   * @param {string} url `wss://host:port/websocket.signal`
   * @param {Handlers} handlers
   * @returns {Promise<Connection>} rejects with `closed` when the node cannot be reached
   */
  static open(url, handlers) {
    return new Promise((resolve, reject) => {
      const socket = new WebSocket(url);
      const refuse = () => {
        clearTimeout(timer);
        socket.onopen = socket.onclose = null;
        socket.close();
        reject(new TaoyaoError(LOCAL.CLOSED, `The node at ${new URL(url).host} cannot be reached.`));
      };
      const timer = setTimeout(refuse, OPEN_TIMEOUT_MS);
      socket.onclose = refuse;
      socket.onopen = () => {
        clearTimeout(timer);
        resolve(new Connection(socket, handlers));
      };
    });
  }

  /**
   * @param {WebSocket} socket an open one
   * @param {Handlers} handlers
   */
  constructor(socket, handlers) {
    this.#socket = socket;
    this.#handlers = handlers;
    socket.onmessage = (event) => this.#receive(event.data);
    socket.onclose = (event) => {
      this.#requests.failAll();
      handlers.closed({ code: event.code, reason: event.reason });
    };
  }

  /** The index that the node gave this terminal; part of every later id. */
  set index(index) {
    this.#ids.index = index;
  }

  /**
   * Sends a request and waits for its answer.
   *
   * @param {import('./signals.js').RequestName|(string & {})} signal
   * @param {object} [body]
   * @param {number} [timeoutMs]
   * @returns {Promise<import('./envelope.js').Received>}
   */
  async request(signal, body, timeoutMs) {
    const id = this.#ids.next();
    const answer = this.#requests.wait(id, signal, timeoutMs);
    try {
      this.#send(signal, id, body);
    } catch (error) {
      answer.catch(() => {});
      throw error;
    }
    return answer;
  }

  /**
   * Sends a message that has no answer.
   *
   * @param {import('./signals.js').NoticeName|(string & {})} signal
   * @param {object} [body]
   */
  push(signal, body) {
    const id = this.#ids.next();
    this.#send(signal, id, body);
    this.#pushed.set(id, signal);
    if (this.#pushed.size > PUSHED_MAX) this.#pushed.delete(this.#pushed.keys().next().value);
  }

  /** @returns {string|undefined} what this terminal has pushed under an id, if that was not long ago */
  pushedAs(id) {
    return this.#pushed.get(id);
  }

  /** Sends a message back as it came, under its own id. */
  echo({ code, message, header, body }) {
    this.#transmit(JSON.stringify({ code, message, header, body }), header.signal);
  }

  /** Closes from this side; open requests fail. */
  close() {
    this.#socket.close(1000);
  }

  /** Gives a half-open connection up without waiting for the other side's closing handshake. */
  abandon() {
    this.#socket.onmessage = null;
    this.#socket.onclose = null;
    this.#socket.close();
    this.#requests.failAll();
    this.#handlers.closed({ code: 1006, reason: '' });
  }

  #send(signal, id, body) {
    this.#transmit(encode(signal, id, body), signal);
  }

  #transmit(text, signal) {
    if (this.#socket.readyState !== WebSocket.OPEN) {
      throw new TaoyaoError(LOCAL.CLOSED, 'The connection to the node is closed.', signal);
    }
    this.#socket.send(text);
    this.#record('out', text.length, JSON.parse(text));
  }

  #receive(text) {
    /** @type {any} its ordinal is still to come */
    let message;
    try {
      message = decode(text);
    } catch {
      return; // A node that talks nonsense must not stop the terminal; the next message may be fine.
    }
    this.#record('in', text.length, message);
    message.ordinal = this.received += 1;
    if (!this.#requests.settle(message)) this.#handlers.message(message);
  }

  #record(direction, bytes, message) {
    this.#handlers.signal({ direction, at: new Date(), bytes, message: mask(message) });
  }
}
