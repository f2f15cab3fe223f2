// A room's two connections to its SFU: the way in, and their end.

import { LOCAL, TaoyaoError } from '../errors.js';
import { SCTP_CAPABILITIES, receivable } from '../sdp/capabilities.js';
import { Receiver } from './receiver.js';
import { Sender } from './sender.js';

/** One time in a room. Whoever comes back makes new ones. */
export class Connections {
  #options;
  #isClosed = false;
  /** @type {Sender|undefined} */
  sender;
  /** @type {Receiver|undefined} */
  receiver;

  /**
   * @param {object} options
   * @param {(signal: string, body: object) => Promise<any>} options.request
   * @param {() => void} options.onLost they cannot be mended; the room has to be entered anew
   */
  constructor(options) {
    this.#options = options;
  }

  /**
   * Enters the room and makes both transports. Consumers come right behind it.
   *
   * @param {string} [password]
   * @throws {TaoyaoError} `3401`: the password is wrong; `closed`: they were closed meanwhile
   */
  async open(password) {
    const { rtpCapabilities: router } = await this.#ask('media::router::rtp::capabilities', {});
    const rtpCapabilities = receivable(await offerToReceive(), router);
    await this.#ask('room::enter', { password, rtpCapabilities, sctpCapabilities: SCTP_CAPABILITIES });
    this.sender = new Sender(await this.#create({ producing: true, consuming: false }), router);
    this.receiver = new Receiver(await this.#create({ producing: false, consuming: true }));
  }

  /** Whether one of them is this transport, and still meant to be. */
  has(transportId) {
    return [this.sender, this.receiver].some((it) => it?.id === transportId && !it.isClosed);
  }

  close() {
    this.#isClosed = true;
    this.sender?.close();
    this.receiver?.close();
  }

  async #create(direction) {
    const wish = { forceTcp: false, ...direction, sctpCapabilities: SCTP_CAPABILITIES };
    const remote = await this.#ask('media::transport::webrtc::create', wish);
    const onLost = () => this.#isClosed || this.#options.onLost();
    return { remote, request: this.#options.request, onLost };
  }

  async #ask(signal, body) {
    this.#check();
    const answer = await this.#options.request(signal, body);
    this.#check();
    return answer;
  }

  #check() {
    if (this.#isClosed) throw new TaoyaoError(LOCAL.CLOSED, 'The attempt to enter was given up.');
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
