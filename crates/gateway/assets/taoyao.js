// The Taoyao client module: registers a browser as a terminal of the mesh, lists the others, calls them, meets in rooms.
//
// It has no dependency and no build step: copy this file and the folder taoyao/ to your site and import it.
// The guide with examples is docs/web-terminal.md of the project.

import { delayAfter } from './taoyao/backoff.js';
import { Connection } from './taoyao/connection.js';
import { BUSY, LOCAL, TaoyaoError, UNAUTHORIZED, refusalOf } from './taoyao/errors.js';
import { LocalMedia } from './taoyao/media.js';
import { askNearest, measure } from './taoyao/nearest.js';
import { Recordings } from './taoyao/recordings.js';
import { Rooms } from './taoyao/rooms.js';
import { Session } from './taoyao/session.js';
import { Ticket } from './taoyao/ticket.js';
import { startTicker } from './taoyao/ticker.js';

export { Rooms, Session, TaoyaoError };

const HEARTBEAT_MS = 30_000;
/** Session messages that may overtake the answer to the call they belong to. */
const EARLY_MESSAGES_MAX = 64;

/**
 * Where the connection to the mesh stands. `closed` is final until the next {@link Taoyao#connect}.
 *
 * @typedef {'idle'|'connecting'|'online'|'reconnecting'|'closed'} ClientState
 */

/**
 * A terminal as the mesh describes it; absent values are unknown.
 *
 * @typedef {object} Terminal
 * @property {string} clientId bare in the own partition, `clientId@partition` elsewhere
 * @property {string} [name]
 * @property {'WEB'|'CAMERA'|'MOBILE'|'MEDIA'|'SERVER'|'OTHER'} clientType
 * @property {string} [partition] e.g. `sh.east.cn`
 * @property {string} [node] the node that it is connected to, e.g. `cn/east/sh`
 * @property {boolean} [proxy] true when it is connected to another node
 * @property {number} [battery] 0 to 100
 * @property {number} [signal] 0 to 100
 * @property {boolean} [charging]
 * @property {boolean} [alarming]
 * @property {boolean} [clientRecording]
 */

/**
 * @typedef {object} ConnectOptions
 * @property {string} clientId this terminal's id, unique in its partition, without `@`
 * @property {string} [name] shown to people; default: the id
 * @property {string} username
 * @property {string} password
 * @property {string} [url] a node's `wss://host:port/websocket.signal`; default: the nearest node
 * @property {string} [partition] with no `url`: the nearest node of this partition; default: of the first
 */

/**
 * One terminal.
 *
 * Events (`CustomEvent` unless noted):
 * - `state` (plain): `state`, `stateReason` and `retryAt` changed
 * - `config`: `detail` is the body of `client::config`
 * - `online`: `detail` is a {@link Terminal}; `offline`: `detail.clientId`
 * - `session`: `detail` is a new {@link Session}, called or calling
 * - `message`: `detail` is a push that the module does not handle itself, e.g. `client::unicast`
 * - `refused`: `detail` is a {@link TaoyaoError} about a message that has no answer, which its `signal` names
 * - `signal`: `detail` is a record of one message sent or received, secrets masked
 */
export class Taoyao extends EventTarget {
  #origin;
  #options;
  #connection;
  #urls = [];
  #failures = 0;
  #retryTimer;
  #stopHeartbeat = () => {};
  #missedHeartbeats = 0;
  /** Calls that the mesh has not answered yet, by the other side. @type {Map<string, Promise<Session>>} */
  #calling = new Map();
  #early = [];
  /** @type {Ticket|undefined} */
  #ticket;
  /** Grows with each connect and disconnect, so that an attempt that was overtaken stops by itself. */
  #attempt = 0;

  /**
   * @param {object} [options]
   * @param {string} [options.origin] `https://host:port` of the node that is asked for the nearest one; default: the page's
   * @param {'ask'|'auto'} [options.answer] `ask`: a call rings until `session.accept()` or `session.close()`; `auto`: it is
   *   answered at once, as a monitor does
   */
  constructor({ origin = globalThis.location?.origin, answer = 'ask' } = {}) {
    super();
    this.#origin = origin;
    /** @type {'ask'|'auto'} may be changed at any time; counts for later calls */
    this.answer = answer;
    /** @type {ClientState} */
    this.state = 'idle';
    /** @type {TaoyaoError|undefined} why it is not online */
    this.stateReason = undefined;
    /** @type {Date|undefined} when the next attempt to reconnect starts */
    this.retryAt = undefined;
    /** @type {Terminal|undefined} this terminal, as the mesh describes it */
    this.me = undefined;
    /** @type {object|undefined} the body of `client::config` */
    this.config = undefined;
    /** @type {number|undefined} round trip of the last heartbeat */
    this.heartbeatRttMs = undefined;
    /** @type {Map<string, Session>} open sessions by id; no more than one with each other terminal */
    this.sessions = new Map();
    /** Camera and microphone: which of them, and what they show before anybody else sees it. */
    this.media = new LocalMedia(() => this.config?.media);
    /** @type {{audio: boolean, video: boolean}} what the person muted last, in whichever call or room: new ones begin so */
    this.muted = { audio: false, video: false };
    /** @type {Recordings} those of the node at `origin`, for accounts that may see them */
    this.recordings = new Recordings(origin, () => this.#options);
    /** @type {Rooms} the rooms of this terminal */
    this.rooms = this.#makeRooms();
  }

  /**
   * Partitions and the nodes that serve them, best first, as the mesh sees them from here. Nothing is measured.
   *
   * @param {string} [partition] only this one
   */
  nearest(partition) {
    return askNearest(this.#origin, partition);
  }

  /**
   * Connects and registers. Later losses are repaired without being asked. For a few seconds the same node is tried, which
   * has kept this terminal as it was: calls go on, and what was missed comes then. After that calls end, and the next
   * nearest node will do, with growing, jittered delays.
   *
   * @param {ConnectOptions} options
   * @returns {Promise<Terminal>} this terminal, as the mesh describes it
   * @throws {TaoyaoError} `3401` wrong name or password; `no-node`, `closed`, `timeout` when no node can be reached. A node
   *   that is too busy to look at the password is asked again when it says, until {@link Taoyao#disconnect}
   */
  async connect(options) {
    await this.disconnect();
    this.#options = options;
    const attempt = ++this.#attempt;
    this.#become('connecting');
    for (let failures = 0; ; failures += 1) {
      try {
        this.#urls = options.url ? [options.url] : await this.#nearestUrls();
        await this.#register(attempt);
        return this.me;
      } catch (error) {
        if (attempt === this.#attempt && error.code === BUSY) await this.#wait(error, failures);
        else if (attempt === this.#attempt) this.#shut(error);
        if (attempt !== this.#attempt || error.code !== BUSY) throw error;
      }
    }
  }

  /** The node had no time to look at the login, and says when it will have. */
  async #wait(error, failures) {
    const delayMs = delayAfter(error, failures);
    this.#become('connecting', error, new Date(Date.now() + delayMs));
    await new Promise((resolve) => setTimeout(resolve, delayMs));
  }

  /** Takes leave: sessions end, the node is told, nothing is retried. */
  async disconnect() {
    this.#attempt += 1;
    clearTimeout(this.#retryTimer);
    for (const session of [...this.sessions.values()]) session.close();
    this.rooms.leave();
    const connection = this.#connection;
    this.#ticket = undefined;
    if (connection) {
      this.#lose('local');
      await connection.request('client::close', {}, 1_000).catch(() => {});
      connection.close();
    }
    if (this.state !== 'idle') this.#become('idle');
  }

  /**
   * Terminals that this one may see: its own partition first, then the others.
   *
   * @param {object} [filter]
   * @param {string} [filter.partition] only this partition
   * @param {number} [filter.limit] most entries to return; default: the node's cap
   * @param {string} [filter.after] continue behind this `clientId`, the last of the previous answer
   * @param {string} [filter.clientType] only this type
   * @returns {Promise<Terminal[]>}
   */
  async list(filter = {}) {
    const answer = await this.request('client::list', filter);
    return Array.isArray(answer) ? answer : [];
  }

  /**
   * @param {string} [clientId] default: this terminal
   * @returns {Promise<Terminal|undefined>} undefined when there is no such terminal
   */
  status(clientId) {
    return this.request('client::status', { clientId });
  }

  /**
   * Calls a terminal. The session is `calling` until the other side answers. A terminal with which there is a session already
   * is not called again: that session is given back, and answered if it rings.
   *
   * @param {string} clientId
   * @param {{audio?: boolean, video?: boolean}} [kinds] what takes part, in both directions; default: both
   * @returns {Promise<Session>}
   * @throws {TaoyaoError} `3404` no such terminal; another code when the mesh cannot reach it or may not
   */
  async call(clientId, kinds = {}) {
    const known = this.#sessionWith(clientId);
    known?.accept();
    if (known) return known;
    if (!this.#calling.has(clientId)) this.#calling.set(clientId, this.#call(clientId, kinds));
    return this.#calling.get(clientId);
  }

  async #call(clientId, { audio = true, video = true }) {
    try {
      const body = await this.request('session::call', { clientId, audio, video });
      const peer = { clientId: body.clientId ?? clientId, name: body.name || body.clientId || clientId };
      return this.#placeCall({ id: body.sessionId, direction: 'out', peer, audio, video });
    } finally {
      this.#calling.delete(clientId);
      if (this.#calling.size === 0) this.#early = [];
      this.#sessionWith(clientId)?.accept();
    }
  }

  /** Sends a free-form body to one terminal; it does not learn who sent it, and an unknown one is no error. */
  unicast(clientId, body) {
    this.push('client::unicast', { ...body, to: clientId });
  }

  /** Sends a free-form body to all others that this terminal may reach, or to those of one type. */
  broadcast(body, clientType) {
    this.push('client::broadcast', { ...body, clientType });
  }

  /**
   * Sends any request of the protocol.
   *
   * @param {import('./taoyao/signals.js').RequestName|(string & {})} signal e.g. `room::list`
   * @param {object} [body]
   * @returns {Promise<any>} the answer's body
   * @throws {TaoyaoError}
   */
  async request(signal, body) {
    return (await this.#connected(signal).request(signal, body)).body;
  }

  /**
   * Sends any message of the protocol that has no answer.
   *
   * @param {import('./taoyao/signals.js').NoticeName|(string & {})} signal e.g. `room::broadcast`
   * @param {object} [body]
   */
  push(signal, body) {
    if (!this.#connection && this.#ticket?.isAway()) return this.#ticket.hold(signal, body);
    this.#connected(signal).push(signal, body);
  }

  #connected(signal) {
    if (!this.#connection) throw new TaoyaoError(LOCAL.CLOSED, 'This terminal is not connected.', signal);
    return this.#connection;
  }

  async #nearestUrls() {
    const partitions = await askNearest(this.#origin, this.#options.partition);
    const wanted = partitions.find((it) => it.partition === this.#options.partition) ?? partitions[0];
    return (await measure(wanted.nodes)).map((it) => it.url);
  }

  /** One attempt: tries the nodes in order; a refused login is final, an unreachable node is not. */
  async #register(attempt) {
    let last;
    let busy;
    const urls = this.#ticket?.isUrgent() ? [this.#ticket.url] : this.#urls;
    for (const url of urls) {
      try {
        return await this.#registerAt(url, attempt);
      } catch (error) {
        if (error.code === UNAUTHORIZED || attempt !== this.#attempt) throw error;
        last = error;
        if (error.code === BUSY) busy ??= error;
      }
    }
    throw busy ?? last;
  }

  async #registerAt(url, attempt) {
    let connection;
    const opened = await Connection.open(url, {
      message: (message) => this.#onPush(message),
      closed: (event) => connection && connection === this.#connection && this.#onLoss(event),
      signal: (record) => this.#emit('signal', record),
    });
    try {
      await this.#login(opened, url);
      if (attempt !== this.#attempt) throw new TaoyaoError(LOCAL.CLOSED, 'The attempt to connect was given up.');
    } catch (error) {
      opened.close();
      throw error;
    }
    connection = this.#connection = opened;
    this.url = url;
    this.#failures = 0;
    this.#startHeartbeat();
    this.me = await this.status().catch(() => undefined);
    this.me ??= { clientId: this.#options.clientId, name: this.#options.name, clientType: 'WEB' };
    if (connection !== this.#connection) return;
    this.#become('online');
    this.rooms.restore();
  }

  async #login(connection, url) {
    if (this.#ticket?.url === url && this.#ticket.isAway() && (await this.#comeBack(connection))) return;
    // The node may have started anew: then the ticket spares it a look at the password.
    const ticket = this.#ticket?.url === url ? this.#ticket.text : undefined;
    this.#giveUpTicket();
    const { clientId, name = clientId, username, password } = this.#options;
    const proof = { username, password, ...(ticket && { ticket }) };
    const body = { clientId, name, clientType: 'WEB', ...proof, resume: true, ...(await readBattery()) };
    const answer = await connection.request('client::register', body);
    if (Number.isInteger(answer.body?.index)) connection.index = answer.body.index;
    if (answer.body?.ticket) this.#ticket = new Ticket(url, connection, answer);
  }

  /** Shows the ticket; false if the node does not know it any more. */
  async #comeBack(connection) {
    try {
      const answer = await connection.request('client::register', this.#ticket.claim(this.#options.clientId));
      connection.index = answer.body.index;
      this.#ticket.redeem(connection, answer);
      return true;
    } catch (error) {
      if (error.code === LOCAL.CLOSED || error.code === LOCAL.TIMEOUT) throw error;
      return false;
    }
  }

  /** The node will not take this terminal back as it was: its calls are over. */
  #giveUpTicket() {
    if (!this.#ticket) return;
    this.#ticket = undefined;
    for (const session of [...this.sessions.values()]) session.end('signal-lost');
    this.rooms.lose();
  }

  #startHeartbeat() {
    this.#missedHeartbeats = 0;
    this.#stopHeartbeat();
    this.#stopHeartbeat = startTicker(HEARTBEAT_MS, () => this.#heartbeat());
  }

  /** A node that misses two heartbeats in a row is gone, even if the socket has not noticed. */
  async #heartbeat() {
    const connection = this.#connection;
    const start = performance.now();
    try {
      await connection.request('client::heartbeat', await readBattery());
      this.heartbeatRttMs = performance.now() - start;
      this.#missedHeartbeats = 0;
    } catch {
      if (connection !== this.#connection) return;
      this.#missedHeartbeats += 1;
      if (this.#missedHeartbeats >= 2) connection.abandon();
    }
  }

  #onPush(message) {
    const { signal } = message.header;
    const body = message.body ?? {};
    if (signal === 'client::config') {
      this.config = body;
      this.#emit('config', body);
    } else if (signal === 'client::online') this.#emit('online', body);
    else if (signal === 'client::offline') this.#emit('offline', body);
    else if (signal === 'session::call') this.#onCall(body);
    else if (signal.startsWith('session::')) this.#onSession(signal, body);
    else if (signal === 'client::unicast' && this.#onChat(body)) return;
    else if (signal === 'platform::error') this.#onRefusal(message);
    else if (!this.rooms.handle(message) && signal !== 'client::heartbeat') this.#emit('message', message);
  }

  #onCall({ clientId, name, sessionId, audio = true, video = true }) {
    const peer = { clientId, name: name || clientId };
    const call = { id: sessionId, direction: 'in', peer, audio, video };
    const known = this.#sessionWith(clientId);
    if (known && precedes(known, call)) return this.push('session::close', { sessionId });
    known?.close();
    const session = this.#openSession(call);
    // If both call at the same moment, nobody is asked; what the mesh answers to the own call decides which one is taken.
    if (!this.#calling.has(clientId) && (this.answer === 'auto' || known?.direction === 'out')) session.accept();
    return undefined;
  }

  /** A call that was answered by the mesh; the other side may have called meanwhile, and then both take the same one. */
  #placeCall(call) {
    const known = this.#sessionWith(call.peer.clientId);
    if (!known) return this.#openSession(call);
    if (known.state === 'ringing' && known.id > call.id) {
      known.close();
      return this.#openSession(call);
    }
    this.push('session::close', { sessionId: call.id });
    known.accept();
    return known;
  }

  #sessionWith(clientId) {
    return [...this.sessions.values()].find((it) => it.peer.clientId === clientId);
  }

  /** @returns {boolean} whether it was a text of an open call */
  #onChat({ sessionId, chat }) {
    const session = this.sessions.get(sessionId);
    if (!session || typeof chat !== 'string') return false;
    session.hear(chat);
    return true;
  }

  #onSession(signal, body) {
    const session = this.sessions.get(body.sessionId);
    if (session) session.handle(signal, body);
    else if (this.#calling.size > 0 && this.#early.length < EARLY_MESSAGES_MAX) this.#early.push([signal, body]);
  }

  #makeRooms() {
    return new Rooms({
      request: (signal, body) => this.request(signal, body),
      push: (signal, body) => this.push(signal, body),
      echo: (message) => this.#echo(message),
      me: () => this.me?.clientId ?? this.#options.clientId,
      isOnline: () => this.#connection !== undefined,
      media: this.media,
      videoKbps: () => this.config?.media?.video?.bitrate,
      muted: this.muted,
    });
  }

  /** Sends a message back as it came: so a node learns that a consumer is ready. */
  #echo(message) {
    if (this.#connection) this.#connection.echo(message);
    else this.#ticket?.hold(message.header.signal, message.body);
  }

  #openSession(call) {
    const session = new Session(
      {
        push: (signal, body) => this.push(signal, body),
        media: this.media,
        iceServers: () => this.config?.webrtc?.iceServers ?? [],
        videoKbps: () => this.config?.media?.video?.bitrate,
        muted: this.muted,
        onMute: (kind, muted) => (this.muted[kind] = muted),
      },
      call,
    );
    this.sessions.set(session.id, session);
    session.addEventListener('state', () => {
      if (session.state === 'closed') this.sessions.delete(session.id);
    });
    this.#emit('session', session);
    const early = this.#early.filter(([, body]) => body.sessionId === session.id);
    for (const [signal, body] of early) session.handle(signal, body);
    return session;
  }

  /** An unasked refusal with 3401 means: no longer logged in, for instance because the id logged in elsewhere. */
  #onRefusal(message) {
    const connection = this.#connection;
    const error = refusalOf(message, connection?.pushedAs(message.header.id));
    if (error.code !== UNAUTHORIZED) return this.#emit('refused', error);
    if (error.signal) return connection.abandon(); // The node has forgotten this terminal: it logs in again.
    this.#attempt += 1;
    this.#ticket = undefined;
    this.#lose('signal-lost');
    connection?.close();
    return this.#shut(error);
  }

  #onLoss({ reason }) {
    if (this.#ticket) this.#stepAway();
    else this.#lose('signal-lost');
    this.#retryLater(new TaoyaoError(LOCAL.CLOSED, reason || 'The connection to the node was lost.'));
  }

  #lose(sessionsEndAs) {
    this.#stopHeartbeat();
    this.#connection = undefined;
    for (const session of [...this.sessions.values()]) session.end(sessionsEndAs);
    this.rooms.lose();
  }

  /** The connection is gone, the calls are not: the node keeps this terminal for a while. */
  #stepAway() {
    this.#stopHeartbeat();
    this.#connection = undefined;
    this.#ticket.lose();
  }

  #retryLater(error) {
    const delayMs = delayAfter(error, this.#failures);
    this.#failures += 1;
    this.#become('reconnecting', error, new Date(Date.now() + delayMs));
    this.#retryTimer = setTimeout(() => this.retryNow(), delayMs);
  }

  /** Ends the wait for the next attempt to reconnect, e.g. when the browser says that the network is back. */
  async retryNow() {
    if (this.state !== 'reconnecting') return;
    clearTimeout(this.#retryTimer);
    const attempt = ++this.#attempt;
    try {
      if (!this.#options.url && !this.#ticket?.isUrgent())
        this.#urls = await this.#nearestUrls().catch(() => this.#urls);
      await this.#register(attempt);
    } catch (error) {
      if (attempt !== this.#attempt) return;
      if (error.code === UNAUTHORIZED) this.#shut(error);
      else this.#retryLater(error);
    }
  }

  #shut(error) {
    this.#giveUpTicket();
    this.rooms.giveUp(error);
    this.#become('closed', error);
  }

  #become(state, reason, retryAt) {
    this.state = state;
    this.stateReason = reason;
    this.retryAt = retryAt;
    this.dispatchEvent(new Event('state'));
  }

  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

/**
 * Whether a session goes on although the same terminal calls again: it does once both sides are in it. If both called at the
 * same moment, both keep the session with the smaller id. One that only rings makes room for the newer one.
 */
function precedes(known, call) {
  if (known.state === 'calling') return known.id < call.id;
  return known.state !== 'ringing';
}

/** Battery state in percent where the browser tells it; nodes take any number. */
async function readBattery() {
  /** @type {any} not every browser has it */
  const { navigator } = globalThis;
  const battery = await navigator?.getBattery?.().catch(() => undefined);
  return battery ? { battery: Math.round(battery.level * 100), charging: battery.charging } : {};
}
