// A terminal's stay in a room: its way in, its way back when that is lost, and its end.

import { delayAfter } from '../backoff.js';
import { LOCAL, UNAUTHORIZED, isNoRoom } from '../errors.js';
import { Connections } from './connections.js';

/** So often a terminal tries to come back into a room before it gives up. */
const RETURNS_MAX = 6;
/** What ends is told from the outside in: the transports of a room just before the room. */
const END_IS_TOLD_MS = 1_000;

/**
 * Where it stands. `entering`: for the first time. `in`: there. `returning`: the way to it was lost and is searched.
 * `closed`: the end, see `closeReason`.
 *
 * @typedef {'entering'|'in'|'returning'|'closed'} RoomState
 */

/**
 * Why a terminal is not in a room any more. `left`: by its own wish. `ended`: the room was closed. `expelled`: it was asked
 * to go. `failed`: the way back was not found; see `error`.
 *
 * @typedef {'left'|'ended'|'expelled'|'failed'} RoomCloseReason
 */

/** Keeps the connections to the room's SFU, and makes new ones as long as the person wants to be there. */
export class Stay {
  #options;
  #password;
  #timer;
  /** @type {RoomState} */
  state = 'entering';
  /** @type {RoomCloseReason|undefined} */
  closeReason;
  /** @type {import('../errors.js').TaoyaoError|undefined} */
  error;
  /** @type {Date|undefined} */
  enteredAt;
  /** @type {Connections|undefined} those of now; older ones have nothing to say any more */
  connections;

  /**
   * @param {object} options
   * @param {(signal: string, body: object) => Promise<any>} options.request
   * @param {(signal: string, body: object) => void} options.push
   * @param {() => boolean} options.isOnline
   * @param {string} [options.password]
   * @param {(connections: Connections) => void} options.onConnected comes before anything is received
   * @param {() => void} options.onDisconnected what was sent and received on the connections is over
   * @param {() => void} options.onState
   */
  constructor(options) {
    this.#options = options;
    this.#password = options.password;
  }

  get isOver() {
    return this.state === 'closed';
  }

  /**
   * Enters, or fails for good.
   *
   * @throws {import('../errors.js').TaoyaoError}
   */
  async enter() {
    const connections = this.#renew();
    try {
      await this.#connect(connections);
    } catch (error) {
      if (connections === this.connections) this.end('failed', error);
      throw error;
    }
  }

  /** The node has forgotten this terminal. */
  lose() {
    if (this.isOver) return;
    this.#disconnect();
    this.#become('returning');
  }

  /** There is a node again. */
  async restore() {
    if (this.state === 'returning') await this.#return(0);
  }

  /** The room's node has put everybody out, to let them in again; what it gives for a password then is a pass. */
  rebuild(password) {
    this.#password = password ?? this.#password;
    this.#comeBack();
  }

  /** A transport was closed from outside. If the room ends, or this terminal is put out, it will be told in a moment. */
  reenterSoon() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.reenter(), END_IS_TOLD_MS);
  }

  /** Comes in again on new connections. */
  reenter() {
    if (this.isOver) return;
    if (this.#options.isOnline()) this.#options.push('room::leave', {});
    this.#comeBack();
  }

  end(/** @type {RoomCloseReason} */ reason, error) {
    if (this.isOver) return;
    this.#disconnect();
    this.closeReason = reason;
    this.error = error;
    this.#become('closed');
  }

  #comeBack() {
    this.lose();
    if (this.#options.isOnline()) this.restore();
  }

  async #return(failures) {
    const connections = this.#renew();
    try {
      await this.#connect(connections);
    } catch (error) {
      if (connections !== this.connections || error.code === LOCAL.CLOSED) return;
      this.#disconnect();
      if (isNoRoom(error)) this.end('ended');
      else if (error.code === UNAUTHORIZED || failures + 1 >= RETURNS_MAX) this.end('failed', error);
      else this.#timer = setTimeout(() => this.#return(failures + 1), delayAfter(error, failures));
    }
  }

  #renew() {
    this.#disconnect();
    this.connections = new Connections({ request: this.#options.request, onLost: () => this.reenter() });
    return this.connections;
  }

  async #connect(connections) {
    await connections.open(this.#password);
    this.enteredAt ??= new Date();
    this.#options.onConnected(connections);
    this.#become('in');
  }

  #disconnect() {
    clearTimeout(this.#timer);
    this.connections?.close();
    this.connections = undefined;
    this.#options.onDisconnected();
  }

  #become(state) {
    if (this.state === state) return;
    this.state = state;
    this.#options.onState();
  }
}
