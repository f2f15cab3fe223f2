// What a terminal sends to one room: microphone, camera and screen, each switched on and off by its person.

import { openScreen } from '../screen.js';
import { CAMERA_LINES_MAX, encodingsFor } from './layers.js';

/** @typedef {import('./model.js').Source} Source */

/** What the node says of an own pause that was taken back at once comes within this time. */
const SETTLE_MS = 1_000;

/** @type {Readonly<Record<Source, 'audio'|'video'>>} */
const KINDS = Object.freeze({ microphone: 'audio', camera: 'video', screen: 'video' });

const SOURCES = /** @type {Source[]} */ (Object.keys(KINDS));

/**
 * @typedef {object} Own
 * @property {boolean} isOn whether its person wants it sent
 * @property {MediaStreamTrack} [track]
 * @property {import('../media.js').Lease} [lease] of a device, to be given back
 * @property {import('./sender.js').Producer} [producer]
 * @property {string} [missing] why there is none: the browser's error name, e.g. `NotFoundError`
 * @property {number} [settling] the timer of {@link Publisher#onPause}
 */

/** Keeps its sources when the room has to be entered anew. */
export class Publisher {
  #options;
  /** @type {import('./sender.js').Sender|undefined} */
  #sender;
  #turn = Promise.resolve();
  /** @type {Record<Source, Own>} */
  own;

  /**
   * @param {object} options
   * @param {import('../media.js').LocalMedia} options.media
   * @param {(signal: string, body: object) => void} options.push
   * @param {() => number|undefined} options.videoKbps
   * @param {boolean} options.simulcast whether the camera is sent in several sizes
   * @param {{microphone: boolean, camera: boolean}} options.wanted at first
   * @param {(source: Source) => void} options.onStopped who manages the room has stopped it
   * @param {() => void} options.onChange
   */
  constructor(options) {
    this.#options = options;
    const { microphone, camera } = options.wanted;
    this.own = { microphone: { isOn: microphone }, camera: { isOn: camera }, screen: { isOn: false } };
  }

  /** Whether there is anything that the room receives from here. */
  get isSending() {
    return Object.values(this.own).some((it) => it.producer);
  }

  /** Sends all that is wanted on this connection. What was sent on another one is over. */
  start(/** @type {import('./sender.js').Sender} */ sender) {
    return this.#inTurn(async () => {
      this.#sender = sender;
      for (const own of Object.values(this.own)) own.producer = undefined;
      await this.#openWanted();
      for (const source of SOURCES) if (this.own[source].isOn) await this.#produce(source);
    });
  }

  /** Switches a source; a screen is chosen anew each time. */
  set(/** @type {Source} */ source, isOn) {
    return this.#inTurn(async () => {
      if (this.own[source].isOn === isOn && (this.own[source].track || !isOn)) return;
      this.own[source].isOn = isOn;
      if (source === 'screen') await (isOn ? this.#share() : this.#unshare());
      else if (isOn) await this.#switchOn(source);
      else await this.#switchOff(source);
    });
  }

  /** The node closed a producer. */
  forget(producerId) {
    const source = SOURCES.find((it) => this.own[it].producer?.id === producerId);
    if (!source) return;
    this.own[source].producer = undefined;
    this.own[source].isOn = false;
    this.#giveBack(source);
    this.#options.onChange();
  }

  /**
   * The node says that a producer was paused. If its person wants it sent, and has not switched it to and fro just now, who
   * manages the room has stopped it: it stays so until the person switches it on again.
   */
  onPause(producerId) {
    const own = this.#ownOf(producerId);
    if (!own) return;
    clearTimeout(own.settling);
    own.settling = setTimeout(() => this.#stoppedByOther(own), SETTLE_MS);
  }

  /** The node says that a producer was resumed. Nobody but its person may do that. */
  onResume(producerId) {
    const own = this.#ownOf(producerId);
    clearTimeout(own?.settling);
    if (own && !own.isOn) this.#tell('media::producer::pause', own.producer);
  }

  /** @returns {Source|undefined} what is sent under a mid */
  sourceOf(mid) {
    return SOURCES.find((it) => this.own[it].producer?.mid === mid);
  }

  /** Ends everything. */
  stop() {
    this.#sender = undefined;
    for (const source of SOURCES) {
      this.own[source].isOn = false;
      this.#giveBack(source);
    }
  }

  /** Both devices at once, so that the browser asks the person once. */
  async #openWanted() {
    const lacking = ['microphone', 'camera'].filter((it) => this.own[it].isOn && !this.own[it].track);
    if (lacking.length === 0) return;
    const wanted = { audio: lacking.includes('microphone'), video: lacking.includes('camera') };
    const { leases, missing } = await this.#options.media.open(wanted, { heightMax: CAMERA_LINES_MAX });
    for (const source of lacking) this.#take(source, leases[KINDS[source]], missing[KINDS[source]]);
  }

  #take(source, lease, missing) {
    const own = this.own[source];
    own.missing = missing;
    own.lease?.close(); // Its device was pulled out.
    own.lease = lease;
    own.track = lease?.track;
    if (lease) lease.onChange = () => this.#onDevice(source, lease);
    else own.isOn = false;
  }

  /** Another device, or none, is where one was; whether it is sent is the person's decision and stays. */
  #onDevice(source, { track }) {
    const own = this.own[source];
    own.track = track;
    own.missing = track ? undefined : 'NotFoundError';
    own.producer?.transceiver.sender.replaceTrack(track ?? null).catch(() => {}); // The room was left meanwhile.
    this.#inTurn(() => own.isOn && this.#produce(source)).catch(() => {}); // It stays silent, and its tile says so.
  }

  async #produce(source) {
    const { track, producer } = this.own[source];
    if (!track || producer || !this.#sender) return;
    const { simulcast, videoKbps } = this.#options;
    const { width, height } = track.getSettings();
    const wishes = { simulcast, videoKbps: videoKbps(), lines: Math.min(width, height) };
    const encodings = track.kind === 'video' ? encodingsFor(source, wishes) : [];
    const appData = { videoSource: source === 'screen' ? 'screen' : 'camera' };
    this.own[source].producer = await this.#sender.produce(track, encodings, appData);
  }

  async #switchOn(source) {
    const own = this.own[source];
    await this.#openWanted();
    if (!own.track) return;
    own.lease.switch(true);
    if (!own.producer) return this.#produce(source);
    await own.producer.transceiver.sender.replaceTrack(own.track);
    this.#tell('media::producer::resume', own.producer);
  }

  /** A muted microphone stays open, so that speaking begins at once; a camera's lamp goes out. */
  async #switchOff(source) {
    const own = this.own[source];
    own.lease?.switch(false);
    if (own.producer) this.#tell('media::producer::pause', own.producer);
    if (source !== 'camera') return;
    await own.producer?.transceiver.sender.replaceTrack(null);
    this.#giveBack(source);
  }

  async #share() {
    const own = this.own.screen;
    own.isOn = false;
    own.track = await openScreen();
    own.isOn = own.track !== undefined;
    own.track?.addEventListener('ended', () => this.set('screen', false));
    await this.#produce('screen');
  }

  async #unshare() {
    const { producer } = this.own.screen;
    this.#giveBack('screen');
    this.own.screen.producer = undefined;
    if (!producer) return;
    this.#tell('media::producer::close', producer);
    await this.#sender?.stop(producer);
  }

  #stoppedByOther(own) {
    if (!own.isOn || !own.producer) return;
    const source = SOURCES.find((it) => this.own[it] === own);
    if (source === 'screen') this.set(source, false).catch(() => {}); // It is not seen any more in any case.
    else own.isOn = false;
    own.lease?.switch(false);
    this.#options.onStopped(source);
    this.#options.onChange();
  }

  #ownOf(producerId) {
    return Object.values(this.own).find((it) => it.producer?.id === producerId);
  }

  #giveBack(source) {
    const own = this.own[source];
    if (source === 'screen') own.track?.stop();
    else own.lease?.close();
    own.track = own.lease = undefined;
  }

  #tell(signal, { id }) {
    this.#options.push(signal, { producerId: id });
  }

  #inTurn(step) {
    const done = this.#turn.then(step).finally(() => this.#options.onChange());
    this.#turn = done.catch(() => {});
    return done;
  }
}
