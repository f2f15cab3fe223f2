// A room: everybody in it sends to its SFU and receives the others from there.

import { retryDelay } from './backoff.js';
import { LOCAL, TaoyaoError, UNAUTHORIZED } from './errors.js';
import { Chat } from './room/chat.js';
import { RoomModel } from './room/model.js';
import { Publisher } from './room/publisher.js';
import { gradeOf, readQuality } from './room/quality.js';
import { Receiver } from './room/receiver.js';
import { Recording } from './room/recording.js';
import { Sender } from './room/sender.js';
import { Speaker } from './room/speaker.js';
import { Subscriber } from './room/subscriber.js';
import { SCTP_CAPABILITIES, receivable } from './sdp/capabilities.js';

/** So often a terminal tries to come back into a room before it gives up. */
const RETURNS_MAX = 6;

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

/**
 * What a room needs of the client that made it.
 *
 * @typedef {object} RoomContext
 * @property {(signal: string, body: object) => Promise<any>} request
 * @property {(signal: string, body: object) => void} push
 * @property {(message: object) => void} echo
 * @property {() => string} me this terminal's client id
 * @property {() => boolean} isOnline
 * @property {import('./media.js').LocalMedia} media
 * @property {() => number|undefined} videoKbps
 */

/**
 * @typedef {object} EnterOptions
 * @property {string} [name] of the room, for people
 * @property {string} [password]
 * @property {boolean} [microphone] send sound at once; default: true
 * @property {boolean} [camera] send a picture at once; default: true
 * @property {boolean} [simulcast] send the picture in three sizes, so that everybody gets one that suits; default: true
 */

/**
 * Events (plain unless noted): `state` (`state`, `closeReason`, `error`), `members` (who is there, what comes from them,
 * who speaks), `local` (own sources), `volume`, `recording`; `chat`: `detail` is a new message, if there is one;
 * `trouble`: `detail` is an error that the room survives.
 */
export class Room extends EventTarget {
  #context;
  #password;
  #model;
  #publisher;
  #subscriber;
  #chat;
  #recording;
  #speaker = new Speaker();
  #sender;
  #receiver;
  #attempt = 0;
  #timer;
  #readings = { in: new Map(), out: new Map() };

  /**
   * Made by the client, never by an embedder.
   *
   * @param {RoomContext} context
   * @param {string} id
   * @param {EnterOptions} options
   */
  constructor(context, id, { name = '', password, microphone = true, camera = true, simulcast = true }) {
    super();
    this.#context = context;
    this.#password = password;
    /** @type {string} */
    this.id = id;
    /** @type {string} */
    this.name = name;
    /** @type {RoomState} */
    this.state = 'entering';
    /** @type {RoomCloseReason|undefined} */
    this.closeReason = undefined;
    /** @type {TaoyaoError|undefined} */
    this.error = undefined;
    /** @type {Date|undefined} */
    this.enteredAt = undefined;
    this.#makeParts({ microphone, camera }, simulcast);
  }

  #makeParts(wanted, simulcast) {
    const { media, videoKbps, echo, me } = this.#context;
    const request = (signal, body) => this.#request(signal, body);
    const push = (signal, body) => this.#push(signal, body);
    this.#model = new RoomModel(me());
    const onChange = () => this.#tell('local');
    this.#publisher = new Publisher({ media, push, videoKbps, simulcast, wanted, onChange });
    this.#subscriber = new Subscriber({ model: this.#model, push, echo, onChange: () => this.#tell('members') });
    this.#chat = new Chat({ request, push, me, onChange: (message) => this.#tell('chat', message) });
    this.#recording = new Recording({ request, onChange: () => this.#tell('recording') });
  }

  /** @returns {import('./room/model.js').Member[]} everybody in it, this terminal included */
  get members() {
    return [...this.#model.members.values()];
  }

  /** @returns {string|undefined} the client id of who speaks, or spoke last; never this terminal */
  get speaker() {
    return this.#speaker.current;
  }

  /** @returns {Record<import('./room/model.js').Source, import('./room/publisher.js').Own>} what is sent from here */
  get own() {
    return this.#publisher.own;
  }

  /** @returns {import('./room/chat.js').ChatMessage[]} */
  get messages() {
    return this.#chat.messages;
  }

  get canSay() {
    return this.#chat.isOpen;
  }

  get isRecording() {
    return this.#recording.isOn;
  }

  /**
   * What of one source comes from a member.
   *
   * @returns {{consumerId: string, track?: MediaStreamTrack, isPaused: boolean, score?: number, sent?: object}|undefined}
   */
  received(clientId, source) {
    const consumed = this.#model.consumedOf(clientId, source);
    if (!consumed) return undefined;
    const { consumerId } = consumed;
    const isPaused = consumed.isPaused && !this.#subscriber.isHidden(consumerId);
    return { ...consumed, isPaused, track: this.#subscriber.trackOf(consumerId) };
  }

  /** Says how large something is shown, in device pixels; 0: not at all. What is not looked at is not sent. */
  show(consumerId, height) {
    this.#subscriber.show(consumerId, height);
  }

  /**
   * Enters, or fails for good. Called by the client.
   *
   * @throws {TaoyaoError} `3401`: the password is wrong
   */
  async enter() {
    const attempt = ++this.#attempt;
    try {
      await this.#connect(attempt);
    } catch (error) {
      if (attempt === this.#attempt) this.#end('failed', error);
      throw error;
    }
  }

  /** Leaves; the others are told. */
  leave() {
    if (this.state === 'closed') return;
    this.#push('room::leave', {});
    this.#end('left');
  }

  /** Ends the room for everybody. Only who made it, or an operator, may. */
  close() {
    this.#push('room::close', {});
  }

  /** Asks a terminal to enter. */
  invite(clientId) {
    this.#push('room::invite', { clientId });
  }

  /** Asks a member to leave. Only who made the room, or an operator, may. */
  expel(clientId) {
    this.#push('room::expel', { clientId });
  }

  /** Switches one of the own sources. Rejects when it cannot be sent. */
  async set(/** @type {import('./room/model.js').Source} */ source, isOn) {
    await this.#publisher.set(source, isOn);
  }

  /** Sends a text to everybody. @returns {boolean} false when there is no channel now */
  say(text) {
    return this.#chat.say(text);
  }

  /** Starts or stops the recording of every member at the room's node. Rejects with the first refusal. */
  record(isOn) {
    return this.#recording.set(
      isOn,
      this.members.map((it) => it.clientId),
    );
  }

  /**
   * The real numbers of every member, since the reading before.
   *
   * @returns {Promise<Map<string, {grade?: import('./room/quality.js').Grade, readings: object}>>} by client id
   */
  async qualities() {
    if (this.state !== 'in') return new Map();
    const [came, went] = await Promise.all([this.#receiver.stats(), this.#sender.stats()]);
    this.#readings = {
      in: readQuality(came, 'in', this.#readings.in),
      out: readQuality(went, 'out', this.#readings.out),
    };
    return new Map(this.members.map((it) => [it.clientId, it.isMe ? this.#ownQuality() : this.#qualityOf(it)]));
  }

  /** Takes a push that names this room. Called by the client. */
  handle(message) {
    const { signal } = message.header;
    const { body } = message;
    if (this.state === 'closed') return;
    if (signal.startsWith('media::')) this.#onMedia(signal, message);
    else if (signal === 'room::client::list') this.#onMembers(body.clients ?? []);
    else if (signal === 'room::enter') this.#onEnter(body);
    else if (signal === 'room::leave') this.#onLeave(body);
    else if (signal === 'room::broadcast') this.#chat.hint(body);
    else if (signal === 'room::create') this.#onRebuild(body);
    else if (signal === 'room::close') this.#end('ended');
    else if (signal === 'room::expel') this.#onExpel();
  }

  /** The node has forgotten this terminal: everything of the room is gone but what it sends. Called by the client. */
  lose() {
    if (this.state === 'closed') return;
    this.#attempt += 1;
    this.#disconnect();
    this.#become('returning');
  }

  /** There is a node again. Called by the client. */
  async restore() {
    if (this.state === 'returning') await this.#return(0);
  }

  /** There will be no node any more. Called by the client. */
  giveUp(/** @type {TaoyaoError} */ error) {
    this.#end('failed', error);
  }

  async #connect(attempt) {
    const check = () => {
      if (attempt !== this.#attempt) throw new TaoyaoError(LOCAL.CLOSED, 'The attempt to enter was given up.');
    };
    const { rtpCapabilities: router } = await this.#request('media::router::rtp::capabilities', {});
    const rtpCapabilities = receivable(await offerToReceive(), router);
    check();
    const password = this.#password;
    const sctpCapabilities = SCTP_CAPABILITIES;
    await this.#request('room::enter', { password, rtpCapabilities, sctpCapabilities });
    check();
    await this.#open(router, attempt, check);
    this.enteredAt ??= new Date();
    this.#become('in');
    this.#start(attempt);
  }

  async #open(router, attempt, check) {
    const sender = await this.#create(true);
    check();
    this.#sender = new Sender(this.#transport(sender, attempt), router);
    // Consumers come right behind the answer that creates the receiving transport.
    const receiver = await this.#create(false);
    check();
    this.#receiver = new Receiver(this.#transport(receiver, attempt));
    this.#subscriber.start(this.#receiver);
  }

  /** Nothing of this keeps the terminal from being in the room. */
  #start(attempt) {
    const [sender, receiver] = [this.#sender, this.#receiver];
    const parts = [
      receiver.open(),
      this.#chat.start(sender, receiver).then(() => this.#discover(this.#model.others())),
      this.#publisher.start(sender),
    ];
    for (const part of parts) part.catch((error) => attempt === this.#attempt && this.#trouble(error));
  }

  #create(producing) {
    const wish = { forceTcp: false, producing, consuming: !producing, sctpCapabilities: SCTP_CAPABILITIES };
    return this.#request('media::transport::webrtc::create', wish);
  }

  #transport(remote, attempt) {
    return {
      remote,
      request: (signal, body) => this.#request(signal, body),
      onLost: () => attempt === this.#attempt && this.#reenter(),
    };
  }

  #onMembers(clients) {
    this.#model.setMembers(clients);
    this.#follow();
  }

  #onEnter({ clientId, status }) {
    const isNew = this.#model.enter(clientId, status);
    this.#follow();
    if (!isNew || clientId === this.#context.me()) return;
    this.#discover([{ clientId }]);
    this.#recording.join(clientId).catch((error) => this.#trouble(error));
  }

  #onLeave({ clientId }) {
    if (clientId === this.#context.me()) return; // The news of an own leave that was followed by an own return.
    this.#model.leave(clientId);
    this.#follow();
  }

  #onRebuild({ password }) {
    this.#password = password ?? this.#password;
    this.#reenter({ isOut: true });
  }

  #onExpel() {
    this.#push('room::leave', {});
    this.#end('expelled');
  }

  #onMedia(signal, message) {
    const { body } = message;
    if (signal === 'media::consume') this.#subscriber.consume(message).catch((error) => this.#trouble(error));
    else if (signal === 'media::data::consume') this.#chat.receive(body);
    else if (signal === 'media::data::consumer::close') this.#chat.forget(body.consumerId);
    else if (signal === 'media::consumer::close') this.#onConsumerClose(body.consumerId);
    else if (signal === 'media::producer::close') this.#publisher.forget(body.producerId);
    else if (signal === 'media::transport::close') this.#onTransportClose(body.transportId);
    else if (signal === 'media::audio::volume') this.#onVolumes(body.volumes);
    else if (this.#model.tell(signal, body)) this.#tell('members');
  }

  #onConsumerClose(consumerId) {
    this.#subscriber.forget(consumerId).catch((error) => this.#trouble(error));
    this.#tell('members');
  }

  #onTransportClose(transportId) {
    if ([this.#sender, this.#receiver].some((it) => it?.id === transportId && !it.isClosed)) this.#reenter();
  }

  #onVolumes(volumes) {
    this.#model.setVolumes(volumes);
    if (this.#speaker.hear(this.#model.others(), performance.now())) this.#tell('members');
    this.#tell('volume');
  }

  /** Somebody came or went: the speaker may be another. */
  #follow() {
    this.#speaker.hear(this.#model.others(), performance.now());
    this.#tell('members');
  }

  #discover(members) {
    for (const { clientId } of members) this.#chat.discover(clientId);
  }

  /** Comes in again on new transports; `isOut`: the room's node has put everybody out already. */
  #reenter({ isOut = false } = {}) {
    if (this.state === 'closed') return;
    if (!isOut && this.#context.isOnline()) this.#push('room::leave', {});
    this.lose();
    if (this.#context.isOnline()) this.#return(0);
  }

  async #return(failures) {
    const attempt = ++this.#attempt;
    try {
      await this.#connect(attempt);
    } catch (error) {
      if (attempt !== this.#attempt || error.code === LOCAL.CLOSED) return;
      this.#disconnect();
      if (error.code === UNAUTHORIZED || failures + 1 >= RETURNS_MAX) this.#end('failed', error);
      else
        this.#timer = setTimeout(() => attempt === this.#attempt && this.#return(failures + 1), retryDelay(failures));
    }
  }

  #disconnect() {
    clearTimeout(this.#timer);
    this.#sender?.close();
    this.#receiver?.close();
    this.#model.consumed.clear();
    this.#readings = { in: new Map(), out: new Map() };
  }

  #end(reason, error) {
    if (this.state === 'closed') return;
    this.#attempt += 1;
    this.#disconnect();
    this.#publisher.stop();
    this.closeReason = reason;
    this.error = error;
    this.#become('closed');
  }

  #qualityOf({ clientId }) {
    const readings = {};
    for (const { source, consumerId } of this.#model.consumed.values()) {
      const consumed = this.#model.consumedOf(clientId, source);
      const reading = consumed?.consumerId === consumerId && this.#readings.in.get(this.#subscriber.midOf(consumerId));
      if (reading && !consumed.isPaused)
        readings[source] = { ...reading, score: consumed.score, layers: consumed.sent };
    }
    return { grade: gradeOf(Object.values(readings)), readings };
  }

  #ownQuality() {
    const readings = {};
    for (const [mid, reading] of this.#readings.out) {
      const source = this.#publisher.sourceOf(mid);
      if (source && this.own[source].isOn) readings[source] = reading;
    }
    return { grade: gradeOf(Object.values(readings)), readings };
  }

  #request(signal, body) {
    return this.#context.request(signal, { roomId: this.id, ...body });
  }

  #push(signal, body) {
    try {
      this.#context.push(signal, { roomId: this.id, ...body });
    } catch (error) {
      if (error.code !== LOCAL.CLOSED) throw error; // Without a node there is no room either; it comes back with it.
    }
  }

  #trouble(error) {
    if (error.code !== LOCAL.CLOSED && this.state !== 'closed') this.#tell('trouble', error);
  }

  #become(state) {
    if (this.state === state) return;
    this.state = state;
    this.#tell('state');
  }

  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

/** What this browser could receive, in its own words. */
async function offerToReceive() {
  const pc = new RTCPeerConnection();
  try {
    for (const kind of ['audio', 'video']) pc.addTransceiver(kind, { direction: 'recvonly' });
    return (await pc.createOffer()).sdp;
  } finally {
    pc.close();
  }
}
