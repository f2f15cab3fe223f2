// The connection on which a terminal sends to a room.

import { LOCAL, TaoyaoError } from '../errors.js';
import { writeAnswer } from '../sdp/answer.js';
import { readSending } from '../sdp/sending.js';
import { parseSdp } from '../sdp/text.js';
import { Transport } from './transport.js';

/**
 * Something that is sent.
 *
 * @typedef {object} Producer
 * @property {string} id
 * @property {string} mid
 * @property {RTCRtpTransceiver} transceiver
 */

/** The browser offers, the SFU's answer is written here. */
export class Sender extends Transport {
  #router;
  /** What is sent, by mid. */
  #sent = new Map();

  /**
   * @param {import('./transport.js').TransportOptions} options
   * @param {object} router its capabilities
   */
  constructor(options, router) {
    super(options);
    this.#router = router;
  }

  /**
   * Opens the data channel that the terminal sends on. Called first: its section carries the way of all others.
   *
   * @param {{label: string, protocol: string}} wish
   * @returns {Promise<{id: string, channel: RTCDataChannel}>}
   */
  produceData({ label, protocol }) {
    return this.inTurn(async () => {
      const stream = { streamId: 0, ordered: true };
      const channel = this.pc.createDataChannel(label, {
        negotiated: true,
        id: stream.streamId,
        ordered: true,
        protocol,
      });
      await this.#describe();
      const body = { transportId: this.id, label, protocol, appData: {}, sctpStreamParameters: stream };
      const { producerId } = await this.request('media::data::produce', body);
      return { id: producerId, channel };
    });
  }

  /**
   * Sends a track to the room.
   *
   * @param {MediaStreamTrack} track
   * @param {RTCRtpEncodingParameters[]} encodings
   * @param {object} appData
   * @returns {Promise<Producer>}
   */
  produce(track, encodings, appData) {
    return this.inTurn(async () => {
      const transceiver = this.pc.addTransceiver(track, { direction: 'sendonly', sendEncodings: encodings });
      try {
        const rtpParameters = await this.#describe(transceiver);
        const body = { transportId: this.id, kind: track.kind, rtpParameters, appData };
        const { producerId } = await this.request('media::produce', body);
        return { id: producerId, mid: transceiver.mid, transceiver };
      } catch (error) {
        await this.#remove(transceiver).catch(() => {}); // The first error is the one to tell.
        throw error;
      }
    });
  }

  /** Ends what is sent; the place of its section may be used again. */
  stop(/** @type {Producer} */ { transceiver }) {
    return this.inTurn(() => this.#remove(transceiver));
  }

  /** @override */
  async renewWay() {
    this.pc.restartIce();
    await this.#describe();
  }

  async #remove(transceiver) {
    this.#sent.delete(transceiver.mid);
    transceiver.stop();
    await this.#describe();
  }

  /** One round of offer and answer. @returns what is sent on the new transceiver */
  async #describe(added) {
    await this.pc.setLocalDescription();
    const offer = parseSdp(this.pc.localDescription.sdp);
    if (added) this.#sent.set(added.mid, this.#read(offer, added));
    await this.introduce();
    this.version += 1;
    const sdp = writeAnswer(offer, this.remote, this.#sent, this.version);
    await this.pc.setRemoteDescription({ type: 'answer', sdp });
    return this.#sent.get(added?.mid);
  }

  #read(offer, { mid, sender }) {
    const section = offer.media.find((it) => it.mid === mid);
    const sending = readSending(section, this.#router, sender.getParameters().encodings);
    if (!sending) throw new TaoyaoError(LOCAL.MEDIA, `The room takes none of this browser's ${section.kind} codecs.`);
    return sending;
  }
}
