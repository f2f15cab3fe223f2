// A room: everybody in it sends to its SFU and receives the others from there.

import { LOCAL } from './errors.js';
import { Chat } from './room/chat.js';
import { RoomModel } from './room/model.js';
import { Publisher } from './room/publisher.js';
import { Qualities } from './room/qualities.js';
import { Recording } from './room/recording.js';
import { Speaker } from './room/speaker.js';
import { Standing } from './room/standing.js';
import { Stay } from './room/stay.js';
import { Subscriber } from './room/subscriber.js';

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
 * @property {{audio: boolean, video: boolean}} muted what the person decided last
 */

/**
 * @typedef {object} EnterOptions
 * @property {string} [name] of the room, for people
 * @property {string} [password]
 * @property {boolean} [microphone] send sound at once; default: true, unless the person muted it last
 * @property {boolean} [camera] send a picture at once; default: true, unless the person switched it off last
 * @property {boolean} [simulcast] send the picture in three sizes, so that everybody gets one that suits; default: true
 */

/**
 * Events (plain unless noted): `state` (`state`, `closeReason`, `error`), `members` (who is there, what comes from them,
 * who speaks), `local` (own sources), `volume`, `standing` (`isRecording`, `mayManage`, `mayRecord`); `chat`: `detail` is a new
 * message, if there is one; `hand`: `detail` is `{clientId, isRaised}`; `stopped`: `detail` is the
 * own source that who manages the room has switched off; `recording`: `detail` is whose recording (`clientId`) has
 * begun, ended or failed (`state`), and why (`reason`); `trouble`: `detail` is an error that the room survives.
 */
export class Room extends EventTarget {
  #context;
  #stay;
  #model;
  #publisher;
  #subscriber;
  #chat;
  #standing;
  #recording;
  #qualities;
  #speaker = new Speaker();

  /**
   * Made by the client, never by an embedder.
   *
   * @param {RoomContext} context
   * @param {string} id
   * @param {EnterOptions} options
   */
  constructor(context, id, { name = '', password, microphone, camera, simulcast = true }) {
    super();
    this.#context = context;
    const { audio, video } = context.muted;
    /** @type {string} */
    this.id = id;
    /** @type {string} */
    this.name = name;
    this.#makeParts({ microphone: microphone ?? !audio, camera: camera ?? !video }, simulcast);
    this.#stay = this.#makeStay(password);
  }

  #makeParts(wanted, simulcast) {
    const { media, videoKbps, echo, me } = this.#context;
    const request = (signal, body) => this.#request(signal, body);
    const push = (signal, body) => this.#push(signal, body);
    const model = (this.#model = new RoomModel(me()));
    const onChange = () => this.#tell('local');
    const onStopped = (source) => this.#onStopped(source);
    this.#publisher = new Publisher({ media, push, videoKbps, simulcast, wanted, onStopped, onChange });
    this.#subscriber = new Subscriber({ model, push, echo, onChange: () => this.#tell('members') });
    const onHand = (clientId, isRaised) => model.setHand(clientId, isRaised) && this.#tell('hand', { clientId, isRaised });
    this.#chat = new Chat({ request, push, me, onHand, onChange: (message) => this.#tell('chat', message) });
    this.#standing = new Standing({ request, onChange: () => this.#tell('standing') });
    this.#recording = new Recording({ request, onChange: (isRecorded) => this.#standing.tell({ isRecorded }) });
    this.#qualities = new Qualities({ model, publisher: this.#publisher, subscriber: this.#subscriber });
  }

  #makeStay(password) {
    return new Stay({
      request: (signal, body) => this.#request(signal, body),
      push: (signal, body) => this.#push(signal, body),
      isOnline: this.#context.isOnline,
      password,
      onConnected: (connections) => this.#start(connections),
      onDisconnected: () => this.#stop(),
      onState: () => this.#onState(),
    });
  }

  /** @returns {import('./room/stay.js').RoomState} */
  get state() {
    return this.#stay.state;
  }

  /** @returns {import('./room/stay.js').RoomCloseReason|undefined} */
  get closeReason() {
    return this.#stay.closeReason;
  }

  /** @returns {import('./errors.js').TaoyaoError|undefined} why there was no way in, or back */
  get error() {
    return this.#stay.error;
  }

  /** @returns {Date|undefined} for the first time */
  get enteredAt() {
    return this.#stay.enteredAt;
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

  /** Whether anybody in it is recorded, whoever has started that. */
  get isRecording() {
    return this.#standing.isRecorded;
  }

  /** Whether this terminal may end the room and ask members to leave: it has made the room, or is an operator's. */
  get mayManage() {
    return this.#standing.mayManage;
  }

  /** Whether this terminal may record the members. */
  get mayRecord() {
    return this.#standing.mayRecord;
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
   * @throws {import('./errors.js').TaoyaoError} `3401`: the password is wrong
   */
  enter() {
    return this.#stay.enter();
  }

  /** Leaves; the others are told. */
  leave() {
    if (this.state === 'closed') return;
    this.#push('room::leave', {});
    this.#stay.end('left');
  }

  /** Ends the room for everybody. Refused without `mayManage`. */
  close() {
    this.#push('room::close', {});
  }

  /** Asks a terminal to enter. */
  invite(clientId) {
    this.#push('room::invite', { clientId, name: this.name });
  }

  /** Asks a member to leave. Refused without `mayManage`. */
  expel(clientId) {
    this.#push('room::expel', { clientId });
  }

  /** Switches one of the own sources, as its person wishes. Rejects when it cannot be sent. */
  async set(/** @type {import('./room/model.js').Source} */ source, isOn) {
    if (source === 'microphone') this.#context.muted.audio = !isOn;
    if (source === 'camera') this.#context.muted.video = !isOn;
    await this.#publisher.set(source, isOn);
  }

  /** Sends a text to everybody. @returns {boolean} false when there is no channel now */
  say(text) {
    return this.#chat.say(text);
  }

  /** Raises the own hand, or takes it down. */
  raiseHand(isRaised) {
    this.#chat.raise(isRaised);
  }

  /** Whether the own hand is raised. */
  get isHandRaised() {
    return this.#chat.isHandRaised;
  }

  /** Mutes everybody else; each may switch the own microphone on again. Refused without `mayManage`. */
  muteAll() {
    for (const producerId of this.#model.openMicrophones()) this.#push('media::producer::pause', { producerId });
  }

  /**
   * Starts or stops the recording, at the room's node, of every member that sends something. Rejects with the first refusal;
   * without `mayRecord` everything is refused.
   */
  record(isOn) {
    const sends = ({ clientId, isMe }) => (isMe ? this.#publisher.isSending : this.#model.isSending(clientId));
    const concerned = this.members.filter((it) => !isOn || sends(it));
    return this.#recording.set(
      isOn,
      concerned.map((it) => it.clientId),
    );
  }

  /**
   * The real numbers of every member, since the reading before.
   *
   * @returns {Promise<Map<string, import('./room/qualities.js').Quality>>} by client id
   */
  async qualities() {
    return this.state === 'in' ? this.#qualities.read(this.#stay.connections) : new Map();
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
    else if (signal === 'room::create') this.#stay.rebuild(body.password);
    else if (signal === 'room::status') this.#onStatus(body);
    else if (signal === 'room::close') this.#stay.end('ended');
    else if (signal === 'room::expel') this.#onExpel();
  }

  /** The node has forgotten this terminal: everything of the room is gone but what it sends. Called by the client. */
  lose() {
    this.#stay.lose();
  }

  /** There is a node again. Called by the client. */
  async restore() {
    await this.#stay.restore();
  }

  /** There will be no node any more. Called by the client. */
  giveUp(/** @type {import('./errors.js').TaoyaoError} */ error) {
    this.#stay.end('failed', error);
  }

  /** Nothing of this keeps the terminal from being in the room. */
  #start(connections) {
    const { sender, receiver } = connections;
    this.#subscriber.start(receiver);
    const parts = [
      receiver.open(),
      this.#chat.start(sender, receiver).then(() => this.#discover(this.#model.others())),
      this.#publisher.start(sender),
      this.#standing.ask(),
    ];
    for (const part of parts) part.catch((error) => connections === this.#stay.connections && this.#trouble(error));
  }

  #stop() {
    this.#model.consumed.clear();
    this.#qualities.reset();
  }

  #onState() {
    if (this.state === 'closed') this.#publisher.stop();
    this.#tell('state');
  }

  #onMembers(clients) {
    this.#model.setMembers(clients);
    this.#follow();
  }

  #onEnter({ clientId, status }) {
    const isNew = this.#model.enter(clientId, status);
    this.#follow();
    if (isNew && clientId !== this.#context.me()) this.#discover([{ clientId }]);
  }

  #onLeave({ clientId }) {
    if (clientId === this.#context.me()) return; // The news of an own leave that was followed by an own return.
    this.#model.leave(clientId);
    this.#recording.forget(clientId);
    this.#follow();
  }

  /** Told when the room begins or ceases to be recorded. */
  #onStatus({ recording, recorded }) {
    this.#standing.tell({ isRecorded: recording });
    if (recording === false) this.#recording.end();
    if (!recorded) return;
    if (recorded.state !== 'recording') this.#recording.forget(recorded.clientId);
    this.#tell('recording', recorded);
  }

  #onExpel() {
    this.#push('room::leave', {});
    this.#stay.end('expelled');
  }

  #onMedia(signal, message) {
    const { body } = message;
    if (signal === 'media::consume') this.#onConsume(message);
    else if (signal === 'media::data::consume') this.#chat.receive(body);
    else if (signal === 'media::data::consumer::close') this.#chat.forget(body.consumerId);
    else if (signal === 'media::consumer::close') this.#onConsumerClose(body.consumerId);
    else if (signal === 'media::producer::pause') this.#publisher.onPause(body.producerId);
    else if (signal === 'media::producer::resume') this.#publisher.onResume(body.producerId);
    else if (signal === 'media::producer::close') this.#publisher.forget(body.producerId);
    else if (signal === 'media::transport::close') this.#onTransportClose(body.transportId);
    else if (signal === 'media::audio::volume') this.#onVolumes(body.volumes);
    else if (this.#model.tell(signal, body)) this.#tell('members');
  }

  /** Who manages the room has muted this terminal: that counts until its person decides otherwise. */
  #onStopped(source) {
    if (source === 'microphone') this.#context.muted.audio = true;
    this.#tell('stopped', source);
  }

  #onConsume(message) {
    this.#subscriber.consume(message).catch((error) => this.#trouble(error));
    this.#recording.follow(message.body.sourceId).catch((error) => this.#trouble(error));
  }

  #onConsumerClose(consumerId) {
    this.#subscriber.forget(consumerId).catch((error) => this.#trouble(error));
    this.#tell('members');
  }

  #onTransportClose(transportId) {
    if (this.#stay.connections?.has(transportId)) this.#stay.reenterSoon();
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

  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
