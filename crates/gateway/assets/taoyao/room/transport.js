// One of a room's two connections to its SFU: a browser's peer connection, the mesh's transport.

import { LOCAL, TaoyaoError } from '../errors.js';
import { parseSdp } from '../sdp/text.js';
import { readDtls } from '../sdp/transport.js';

/** A way that is interrupted for longer is searched anew. */
const INTERRUPTION_MS = 3_000;
/** So often in a row; after that the transport is given up. */
const RESTARTS_MAX = 3;

/**
 * @typedef {object} TransportOptions
 * @property {import('../sdp/transport.js').Remote & {transportId: string}} remote the answer that created it
 * @property {(signal: string, body: object) => Promise<any>} request
 * @property {() => void} onLost it cannot be mended; the room has to be entered anew
 */

/** What sending and receiving have in common: order, DTLS, and a new way when the old one is lost. */
export class Transport {
  #options;
  #turn = Promise.resolve();
  #isConnected = false;
  #isClosed = false;
  #timer;
  #restarts = 0;
  /** Of the next description that is written for the other side. */
  version = 0;

  /** @param {TransportOptions} options */
  constructor(options) {
    this.#options = options;
    this.remote = options.remote;
    this.id = options.remote.transportId;
    // The SFU has public addresses and learns the browser's from its checks: no other servers are needed.
    this.pc = new RTCPeerConnection({ iceServers: [], bundlePolicy: 'max-bundle', rtcpMuxPolicy: 'require' });
    this.pc.onconnectionstatechange = () => this.#onState(this.pc.connectionState);
  }

  get isClosed() {
    return this.#isClosed;
  }

  /** Runs the steps of negotiations one after another; a step that fails does not stop the next. */
  inTurn(step) {
    const done = this.#turn.then(() => {
      if (this.#isClosed) throw new TaoyaoError(LOCAL.CLOSED, 'The transport is closed.');
      return step();
    });
    this.#turn = done.catch(() => {});
    return done;
  }

  /** Tells the SFU once whose keys to accept. It answers before anything is connected. */
  async introduce() {
    if (this.#isConnected) return;
    const dtlsParameters = readDtls(parseSdp(this.pc.localDescription.sdp));
    await this.request('media::transport::webrtc::connect', { transportId: this.id, dtlsParameters });
    this.#isConnected = true;
  }

  request(signal, body) {
    return this.#options.request(signal, body);
  }

  /** @returns {Promise<RTCStatsReport>} */
  stats() {
    return this.pc.getStats();
  }

  close() {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.pc.onconnectionstatechange = null;
    this.pc.close();
  }

  /**
   * Describes the connection again, with `remote.iceParameters` that have changed. Called in turn.
   *
   * @abstract
   * @returns {Promise<void>}
   */
  async renewWay() {}

  #onState(state) {
    clearTimeout(this.#timer);
    if (state === 'connected') this.#restarts = 0;
    else if (state === 'failed') this.#restart();
    else if (state === 'disconnected') this.#timer = setTimeout(() => this.#restart(), INTERRUPTION_MS);
  }

  async #restart() {
    if (this.#isClosed) return;
    this.#restarts += 1;
    if (this.#restarts > RESTARTS_MAX) return this.#options.onLost();
    try {
      await this.inTurn(async () => {
        const { iceParameters } = await this.request('media::ice::restart', { transportId: this.id });
        this.remote = { ...this.remote, iceParameters };
        await this.renewWay();
      });
    } catch {
      // No node, or none that knows this transport: a later attempt, or the return to the room, will tell.
    }
    if (!this.#isClosed && this.pc.connectionState !== 'connected') {
      this.#timer = setTimeout(() => this.#restart(), INTERRUPTION_MS * (this.#restarts + 1));
    }
  }
}
