// A line between pages and a node: a relay of UDP datagrams that loses, delays and throttles them as a test wishes.

import { createSocket } from 'node:dgram';
import { once } from 'node:events';

const HOST = '127.0.0.1';
/** Of IP and UDP, which a narrow line carries as well. */
const HEADER_BYTES = 28;
/** So much may pass a narrow line at once after a silence. */
const BURST_MS = 20;
const QUEUE_MS = 300;

/**
 * What befalls the datagrams of one direction.
 *
 * @typedef {object} Weather
 * @property {number} [loss] share of the datagrams that vanish, 0 to 1
 * @property {number} [delayMs] of each
 * @property {number} [kbps] what passes; without it: everything
 * @property {number} [queueMs] how long a datagram may wait for its turn on a narrow line; what would wait longer
 *   vanishes; default: 300
 */

/** Hands a node's media port out under another number. Every socket that talks to it is a flow of its own. */
export class UdpProxy {
  #front = createSocket('udp4');
  #nodePort;
  /** @type {Map<number, Flow>} by the port of the page's socket */
  #flows = new Map();

  /**
   * Starts one that the test closes by `t.after`.
   *
   * @param {import('node:test').TestContext} t
   * @param {number} nodePort where the node is, or will be
   */
  static async start(t, nodePort) {
    const proxy = new UdpProxy();
    proxy.#nodePort = nodePort;
    proxy.#front.on('message', (datagram, from) => proxy.#flowOf(from).up.take(datagram));
    proxy.#front.bind(0, HOST);
    await once(proxy.#front, 'listening');
    t.after(() => proxy.#close());
    return proxy;
  }

  /** What pages are told instead of the node's port. */
  get port() {
    return this.#front.address().port;
  }

  /** @returns {Flow} that the node sees coming from this port, as it tells the page in its answers to checks */
  flow(port) {
    const flow = [...this.#flows.values()].find((it) => it.port === port);
    if (!flow) throw new Error(`the node sees nothing coming from port ${port}`);
    return flow;
  }

  #flowOf({ address, port }) {
    if (!this.#flows.has(port)) {
      const back = (datagram) => this.#front.send(datagram, port, address);
      this.#flows.set(port, new Flow(port, this.#nodePort, back));
    }
    return this.#flows.get(port);
  }

  #close() {
    for (const flow of this.#flows.values()) flow.close();
    this.#front.close();
  }
}

/** What one socket of a page and the node say to each other. */
class Flow {
  #socket = createSocket('udp4');
  #isOpen = true;

  constructor(seed, nodePort, back) {
    /** Towards the node. */
    this.up = new Direction(seed, (datagram) => this.#isOpen && this.#socket.send(datagram, nodePort, HOST));
    /** Towards the page. */
    this.down = new Direction(seed + 1, (datagram) => this.#isOpen && back(datagram));
    this.#socket.on('message', (datagram) => this.down.take(datagram));
    // The node has gone, or is not there yet: datagrams tell nobody.
    this.#socket.on('error', () => {});
    this.#socket.bind(0, HOST);
  }

  get port() {
    return this.#socket.address().port;
  }

  close() {
    this.#isOpen = false;
    this.#socket.close();
  }
}

/** One direction of a flow. Datagrams never overtake each other. */
class Direction {
  #send;
  #random;
  /** When the narrow line will have carried all that waits. */
  #freeAt = 0;
  #lastDue = 0;
  /** @type {Weather} */
  weather = {};
  passed = 0;
  lost = 0;

  constructor(seed, send) {
    this.#random = randomFrom(seed);
    this.#send = send;
  }

  take(datagram) {
    const now = performance.now();
    const { loss = 0, delayMs = 0 } = this.weather;
    const waitMs = this.#random() < loss ? undefined : this.#queue(datagram, now);
    if (waitMs === undefined) {
      this.lost += 1;
      return;
    }
    this.passed += 1;
    const due = Math.max(this.#lastDue, now + waitMs + delayMs);
    this.#lastDue = due;
    if (due <= now) this.#send(datagram);
    else setTimeout(this.#send, due - now, datagram);
  }

  /** A token bucket, told by when it will be full again. @returns how long the datagram waits; undefined: too long */
  #queue(datagram, now) {
    const { kbps = Infinity, queueMs = QUEUE_MS } = this.weather;
    const costMs = ((datagram.length + HEADER_BYTES) * 8) / kbps;
    const freeAt = Math.max(this.#freeAt, now - BURST_MS) + costMs;
    if (freeAt - now > queueMs) return undefined;
    this.#freeAt = freeAt;
    return Math.max(0, freeAt - now);
  }
}

/** Numbers from 0 to 1, the same for the same seed (a linear congruential generator; the upper bits are good). */
function randomFrom(seed) {
  let state = BigInt(seed);
  return () => {
    state = BigInt.asUintN(64, state * 6364136223846793005n + 1442695040888963407n);
    return Number(state >> 32n) / 2 ** 32;
  };
}
