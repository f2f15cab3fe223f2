// All rooms that a terminal is in, and those that it could enter.

import { Room } from './room.js';

/** Rooms of one page: as many as fit into one message whatever they are called. */
const PAGE = 250;
/** More than a person reads. */
const ROOMS_MAX = 5_000;

/**
 * A room as the mesh lists it.
 *
 * @typedef {object} RoomEntry
 * @property {string} roomId
 * @property {string} [name]
 * @property {number} clientSize how many are in it
 * @property {string} mediaClientId
 */

/**
 * Events: `room`: `detail` is a {@link Room} that this terminal is entering; `invite`: `detail` is `{roomId, password,
 * name, inviterId}`: a pass in the place of the password, to be handed to {@link Rooms#enter} if the person wants, what the
 * room is called, and by whom the node says that it was sent.
 */
export class Rooms extends EventTarget {
  #context;
  /** @type {Map<string, Room>} by id */
  open = new Map();

  /** @param {import('./room.js').RoomContext} context */
  constructor(context) {
    super();
    this.#context = context;
  }

  /** @returns {Promise<RoomEntry[]>} the rooms that this terminal may see, read page by page */
  async list() {
    const rooms = [];
    while (rooms.length < ROOMS_MAX) {
      const after = rooms.at(-1)?.roomId;
      const page = await this.#context.request('room::list', { after, limit: PAGE });
      if (!Array.isArray(page)) break;
      rooms.push(...page);
      // A node that does not know pages gives all at once, and the same again.
      if (page.length !== PAGE) break;
    }
    return rooms;
  }

  /**
   * Makes a room in the own partition, without entering it.
   *
   * @param {{name?: string, password?: string}} wish
   * @returns {Promise<RoomEntry>}
   */
  create({ name, password } = {}) {
    return this.#context.request('room::create', { name, password });
  }

  /**
   * Enters a room, or gives back the one that this terminal is in already.
   *
   * @param {string} roomId
   * @param {import('./room.js').EnterOptions} [options]
   * @returns {Promise<Room>}
   * @throws {import('./errors.js').TaoyaoError} `3401`: a password is needed, or this one is wrong
   */
  async enter(roomId, options = {}) {
    const known = this.open.get(roomId);
    if (known) return known;
    const room = new Room(this.#context, roomId, options);
    this.open.set(roomId, room);
    room.addEventListener('state', () => room.state === 'closed' && this.open.delete(roomId));
    this.dispatchEvent(new CustomEvent('room', { detail: room }));
    await room.enter();
    return room;
  }

  /** Takes a push; false when it is about no room here, or for an embedder as well. Called by the client. */
  handle(message) {
    const { body } = message;
    const { signal } = message.header;
    const room = this.open.get(body?.roomId);
    if (signal === 'room::invite' && !room) this.dispatchEvent(new CustomEvent('invite', { detail: body }));
    room?.handle(message);
    return signal === 'room::invite' || (room !== undefined && signal !== 'room::broadcast');
  }

  /** The node has forgotten this terminal. Called by the client. */
  lose() {
    for (const room of this.open.values()) room.lose();
  }

  /** There is a node again. Called by the client. */
  restore() {
    for (const room of this.open.values()) room.restore();
  }

  /** There will be no node any more. Called by the client. */
  giveUp(error) {
    for (const room of [...this.open.values()]) room.giveUp(error);
  }

  /** Leaves all rooms. */
  leave() {
    for (const room of [...this.open.values()]) room.leave();
  }
}
