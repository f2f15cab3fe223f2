// Coming back after a lost connection without ending calls: the node keeps the terminal for a while, this keeps count.

/** How long only the same node is tried; later any node will do, and the calls are given up. */
const PATIENCE_MS = 8_000;
/** Messages that wait for the connection to come back; further ones are lost, as on any bad line. */
const WAITING_MAX = 256;

/** A node's promise to take this terminal back as it was. */
export class Ticket {
  #text;
  #keptMs;
  #connection;
  /** Messages that the connection had received when it was registered: they do not count. */
  #base;
  #before = 0;
  #lostAt;
  #waiting = [];

  /**
   * @param {string} url the node's
   * @param {import('./connection.js').Connection} connection
   * @param {import('./envelope.js').Message & {ordinal: number}} answer to `client::register`, with a ticket in it
   */
  constructor(url, connection, answer) {
    this.url = url;
    this.#keep(connection, answer);
  }

  /** What a registration shows. */
  get text() {
    return this.#text;
  }

  /** Whether the connection is lost and may still come back. */
  isAway(now = Date.now()) {
    return this.#lostAt !== undefined && now - this.#lostAt < this.#keptMs;
  }

  /** Whether no other node shall be tried yet. */
  isUrgent(now = Date.now()) {
    return this.isAway(now) && now - this.#lostAt < PATIENCE_MS;
  }

  /** The connection is lost. */
  lose(now = Date.now()) {
    if (this.#connection) this.#before += this.#connection.received - this.#base;
    this.#connection = undefined;
    this.#lostAt ??= now;
  }

  /** The body of `client::register` that shows the ticket. */
  claim(clientId) {
    return { clientId, ticket: this.#text, received: this.#before };
  }

  /** Keeps a message until the connection is back. */
  hold(signal, body) {
    if (this.#waiting.length < WAITING_MAX) this.#waiting.push([signal, body]);
  }

  /** The node has taken the terminal back on this connection: what waited is sent. */
  redeem(connection, answer) {
    this.#keep(connection, answer);
    for (const [signal, body] of this.#waiting.splice(0)) connection.push(signal, body);
  }

  #keep(connection, answer) {
    this.#connection = connection;
    this.#base = answer.ordinal;
    this.#text = answer.body.ticket;
    this.#keptMs = answer.body.resumeSeconds * 1_000;
    this.#lostAt = undefined;
  }
}
