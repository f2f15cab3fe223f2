// A session: one call between this terminal and another, from the first signal to the last.

import { LOCAL, TaoyaoError } from './errors.js';
import { Peer } from './peer.js';
import { canShowScreen, openScreen } from './screen.js';
import { readStats } from './stats.js';

/** How long the other side may take to answer before the caller gives up; people need longer than cameras. */
const ANSWER_LIMIT_MS = 60_000;
/** How long the two terminals may search for a direct way to each other. */
const CONNECT_LIMIT_MS = 30_000;

/** Characters of one message; longer ones are cut. */
export const TEXT_MAX = 2_000;
/** The oldest messages go first. */
const MESSAGES_MAX = 500;

/** @typedef {'audio'|'video'} Kind */

/**
 * Where a session stands.
 * `calling`: the other side has not answered. `ringing`: it waits for {@link Session#accept} here.
 * `connecting`: both sides agreed, the direct connection is being made. `connected`: media flows.
 * `interrupted`: the direct connection was lost and may come back. `closed`: the end, see `closeReason`.
 *
 * @typedef {'calling'|'ringing'|'connecting'|'connected'|'interrupted'|'closed'} SessionState
 */

/**
 * Why a session ended.
 * `local`, `remote`: that side hung up (or its connection to the mesh was lost). `no-answer`: nobody answered.
 * `signal-lost`: this terminal's connection to its node was lost. `failed`: no direct way between the terminals.
 *
 * @typedef {'local'|'remote'|'no-answer'|'signal-lost'|'failed'} CloseReason
 */

/**
 * What of one kind is stopped, and by whom.
 *
 * @typedef {object} Pauses
 * @property {boolean} muted this terminal switched its own track off
 * @property {boolean} byPeer the other side asked this terminal to stop sending
 * @property {boolean} ofPeer this terminal asked the other side to stop sending
 */

/**
 * What a session needs of the client that made it. `onMute` is told what the person decides, `muted` is what was decided before.
 *
 * @typedef {object} SessionContext
 * @property {(signal: string, body: object) => void} push
 * @property {import('./media.js').LocalMedia} media
 * @property {() => RTCIceServer[]} iceServers
 * @property {() => number|undefined} videoKbps
 * @property {{audio: boolean, video: boolean}} muted
 * @property {(kind: Kind, muted: boolean) => void} onMute
 */

/**
 * Events (all plain): `state` (`state`, `closeReason`), `stream` (a remote track came), `local` (own tracks are open,
 * `missing` says what is not there), `pauses`, `screen`. And `chat`: `detail` is a new message.
 */
export class Session extends EventTarget {
  #context;
  #peer;
  #turn = Promise.resolve();
  #timer;
  #lastStats;
  /** @type {{audio?: import('./media.js').Lease, video?: import('./media.js').Lease}} */
  #leases = {};

  /**
   * Made by the client, never by an embedder.
   *
   * @param {SessionContext} context
   * @param {{id: string, direction: 'in'|'out', peer: {clientId: string, name: string}, audio: boolean, video: boolean}} call
   */
  constructor(context, call) {
    super();
    this.#context = context;
    /** @type {string} unique across the mesh */
    this.id = call.id;
    /** @type {'in'|'out'} who called */
    this.direction = call.direction;
    /** @type {{clientId: string, name: string}} the other side; `clientId@partition` when it is in another partition */
    this.peer = call.peer;
    /** @type {{audio: boolean, video: boolean}} the kinds that take part */
    this.wanted = { audio: call.audio, video: call.video };
    /** @type {SessionState} */
    this.state = call.direction === 'out' ? 'calling' : 'ringing';
    /** @type {CloseReason|undefined} */
    this.closeReason = undefined;
    /** @type {Date|undefined} when media first flowed */
    this.connectedAt = undefined;
    /** @type {MediaStream} what the other side sends */
    this.stream = new MediaStream();
    /** @type {MediaStream} what this side sends */
    this.local = new MediaStream();
    /** @type {{audio?: string, video?: string}} why a kind is not sent from here, see `Opened` in media.js */
    this.missing = {};
    /** @type {{audio: Pauses, video: Pauses}} */
    this.pauses = { audio: pausesOf(context.muted.audio), video: pausesOf(context.muted.video) };
    /** @type {MediaStreamTrack|undefined} the screen, while it is shown in the place of the camera */
    this.screen = undefined;
    /** @type {import('./room/chat.js').ChatMessage[]} */
    this.messages = [];
    this.#limit(ANSWER_LIMIT_MS, 'no-answer');
  }

  get isOver() {
    return this.state === 'closed';
  }

  /** Whether this browser, in this call, can show a screen. */
  get canShow() {
    return canShowScreen && this.wanted.video && this.connectedAt !== undefined;
  }

  /** Shows the screen in the place of the camera, or stops that. Resolves when the person has chosen, or has not. */
  async show(isOn) {
    this.screen?.stop();
    this.screen = undefined;
    const track = isOn ? await openScreen() : undefined;
    if (this.state === 'closed') return track?.stop();
    this.screen = track;
    track?.addEventListener('ended', () => this.screen === track && this.show(false));
    await this.#peer?.send('video', track ?? this.#leases.video?.track);
    this.#applyPauses();
    return this.dispatchEvent(new Event('screen'));
  }

  /** Whether a text would reach the other side now. */
  get canSay() {
    return this.connectedAt !== undefined && this.state !== 'closed';
  }

  /** Sends a text to the other side. @returns {boolean} false when there is no call now, or no text */
  say(text) {
    const cut = text.trim().slice(0, TEXT_MAX);
    if (!cut || !this.canSay) return false;
    this.#context.push('client::unicast', { to: this.peer.clientId, sessionId: this.id, chat: cut });
    this.#add({ clientId: undefined, text: cut, at: new Date() });
    return true;
  }

  /** Takes a text of the other side: nobody else knows this session's id. Called by the client. */
  hear(text) {
    this.#add({ clientId: this.peer.clientId, text: text.slice(0, TEXT_MAX), at: new Date() });
  }

  #add(message) {
    this.messages.push(message);
    if (this.messages.length > MESSAGES_MAX) this.messages.shift();
    this.dispatchEvent(new CustomEvent('chat', { detail: message }));
  }

  /** Answers a ringing call: opens the devices and sends the offer. Resolves when the offer is sent. */
  accept({ audio = this.wanted.audio, video = this.wanted.video } = {}) {
    if (this.state !== 'ringing') return Promise.resolve();
    this.#become('connecting');
    return this.#inTurn(async () => {
      await this.#openLocal({ audio: audio && this.wanted.audio, video: video && this.wanted.video });
      if (this.state === 'closed') return;
      this.#limit(CONNECT_LIMIT_MS, 'failed');
      await this.#ensurePeer().offer(this.local, this.wanted);
    });
  }

  /** Switches this terminal's own track off (`true`) or on (`false`); the other side is not asked. */
  mute(/** @type {Kind} */ kind, muted = true) {
    this.pauses[kind].muted = muted;
    this.#context.onMute(kind, muted);
    this.#applyPauses();
  }

  /** Asks the other side to stop sending a kind. */
  pause(/** @type {Kind} */ kind) {
    this.#askPeer('session::pause', kind, true);
  }

  /** Asks the other side to send a kind again. */
  resume(/** @type {Kind} */ kind) {
    this.#askPeer('session::resume', kind, false);
  }

  /** Hangs up. Nothing happens on a closed session. */
  close() {
    this.#tell('session::close', {});
    this.end('local');
  }

  /** @returns {Promise<import('./stats.js').CallStats|undefined>} undefined before the direct connection exists */
  async stats() {
    if (!this.#peer || this.state === 'closed') return undefined;
    this.#lastStats = readStats(await this.#peer.stats(), this.#lastStats);
    return this.#lastStats;
  }

  /** Ends without telling the mesh, which knows already. Called by the client. */
  end(/** @type {CloseReason} */ reason) {
    if (this.state === 'closed') return;
    clearTimeout(this.#timer);
    this.closeReason = reason;
    this.#peer?.close();
    this.screen?.stop();
    for (const lease of Object.values(this.#leases)) lease.close();
    this.local = new MediaStream();
    this.#become('closed');
  }

  /** Takes one `session::*` push of the other side. Called by the client. */
  handle(signal, body) {
    if (signal === 'session::close') return this.end('remote');
    if (signal === 'session::exchange') return this.#inTurn(() => this.#exchange(body));
    const kind = body.type === 'voice' ? 'audio' : body.type;
    if (!(kind in this.pauses)) return undefined;
    this.pauses[kind].byPeer = signal === 'session::pause';
    return this.#applyPauses();
  }

  async #exchange(body) {
    if (this.state === 'closed') return;
    if (body.type === 'offer') await this.#answer(body.sdp);
    else if (body.type === 'answer') await this.#peer?.accept(body.sdp);
    else if (body.type === 'candidate') await this.#ensurePeer().addCandidate(body.candidate);
  }

  /** The caller's half: the offer of the called terminal is its answer to the call. */
  async #answer(sdp) {
    if (this.direction === 'in') return;
    if (this.state === 'calling') {
      this.#become('connecting');
      await this.#openLocal(this.wanted);
      if (this.isOver) return;
      this.#limit(CONNECT_LIMIT_MS, 'failed');
    }
    await this.#ensurePeer().answer(sdp, this.local);
  }

  #ensurePeer() {
    this.#peer ??= new Peer({
      iceServers: this.#context.iceServers(),
      videoKbps: this.#context.videoKbps(),
      send: (exchange) => this.#tell('session::exchange', exchange),
      onTrack: (track) => {
        this.stream.addTrack(track);
        this.dispatchEvent(new Event('stream'));
      },
      onState: (state) => this.#onPeerState(state),
    });
    return this.#peer;
  }

  #onPeerState(state) {
    if (state === 'connected') {
      clearTimeout(this.#timer);
      this.connectedAt ??= new Date();
      this.#become('connected');
    } else if (state === 'disconnected') {
      this.#become('interrupted');
    } else if (state === 'failed') {
      this.#tell('session::close', {});
      this.end('failed');
    }
  }

  async #openLocal(wanted) {
    const { leases, missing } = await this.#context.media.open(wanted);
    if (this.state === 'closed') {
      for (const lease of Object.values(leases)) lease.close(); // Hung up while the person was asked for permission.
      return;
    }
    this.#leases = leases;
    this.missing = missing;
    for (const lease of Object.values(leases)) {
      this.local.addTrack(lease.track);
      lease.onChange = (from) => this.#onDevice(lease, from);
    }
    this.#applyPauses();
    this.dispatchEvent(new Event('local'));
  }

  /** Another device, or none, is where one was. */
  #onDevice({ kind, track }, from) {
    if (from) this.local.removeTrack(from);
    if (track) this.local.addTrack(track);
    if (track) delete this.missing[kind];
    else this.missing[kind] = 'NotFoundError';
    if (kind === 'audio' || !this.screen) this.#peer?.send(kind, track);
    this.dispatchEvent(new Event('local'));
    this.dispatchEvent(new Event('pauses'));
  }

  /** A track runs only if neither side stopped it: the other side can never switch on what was switched off here. */
  #applyPauses() {
    for (const [kind, lease] of Object.entries(this.#leases)) {
      const { muted, byPeer } = this.pauses[kind];
      lease.switch(!muted && !byPeer);
    }
    if (this.screen) this.screen.enabled = !this.pauses.video.byPeer;
    this.dispatchEvent(new Event('pauses'));
  }

  #askPeer(signal, kind, paused) {
    if (this.state === 'closed') return;
    this.#tell(signal, { type: kind });
    this.pauses[kind].ofPeer = paused;
    this.dispatchEvent(new Event('pauses'));
  }

  #tell(signal, body) {
    if (this.state === 'closed') return;
    try {
      this.#context.push(signal, { sessionId: this.id, ...body });
    } catch (error) {
      if (error.code !== LOCAL.CLOSED) throw error; // The loss of the connection ends the session anyway.
    }
  }

  /** Runs the steps of the negotiation one after another; a step that fails ends the session. */
  #inTurn(step) {
    this.#turn = this.#turn.then(step).catch((error) => {
      this.#tell('session::close', {});
      this.error = new TaoyaoError(LOCAL.MEDIA, error.message, 'session::exchange');
      this.end('failed');
    });
    return this.#turn;
  }

  #limit(limitMs, reason) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#tell('session::close', {});
      this.end(reason);
    }, limitMs);
  }

  #become(state) {
    if (this.state === state) return;
    this.state = state;
    this.dispatchEvent(new Event('state'));
  }
}

function pausesOf(muted) {
  return { muted, byPeer: false, ofPeer: false };
}
