// The connection on which a terminal receives from a room.

import { Sections } from '../sdp/offer.js';
import { Transport } from './transport.js';

/** The SFU's offers are written here, the browser answers. */
export class Receiver extends Transport {
  /** What browser and SFU have agreed on. */
  #sections = new Sections();
  /** @type {((sections: Sections) => void)[]} what the next round changes */
  #changes = [];
  #round;

  /** Connects without waiting for the first consumer. */
  open() {
    return this.#describe(() => {});
  }

  /**
   * Makes room for a consumer. Many that come at once are one round; if the browser takes it not, nothing has changed.
   *
   * @param {import('../sdp/offer.js').Received} received
   * @returns {Promise<RTCRtpReceiver>}
   */
  async consume(received) {
    await this.#describe((sections) => sections.add(received));
    return this.pc.getTransceivers().find((it) => it.mid === received.mid).receiver;
  }

  /** Closes a consumer's section. */
  stop(mid) {
    return this.#describe((sections) => sections.remove(mid));
  }

  /** Opens the channel of a data consumer; it is there as soon as the connection is. */
  consumeData({ label, protocol, sctpStreamParameters }) {
    const { streamId, ordered = true, maxPacketLifeTime, maxRetransmits } = sctpStreamParameters;
    const limits = maxRetransmits === undefined ? { maxPacketLifeTime } : { maxRetransmits };
    return this.pc.createDataChannel(label, { negotiated: true, id: streamId, ordered, protocol, ...limits });
  }

  /** @override */
  renewWay() {
    return this.#exchange(this.#sections);
  }

  #describe(change) {
    this.#changes.push(change);
    this.#round ??= this.inTurn(async () => {
      this.#round = undefined; // What comes from here on belongs to the next round.
      const sections = this.#sections.copy();
      for (const apply of this.#changes.splice(0)) apply(sections);
      await this.#exchange(sections);
      this.#sections = sections;
    });
    return this.#round;
  }

  async #exchange(sections) {
    this.version += 1;
    const sdp = sections.writeOffer(this.remote, this.version);
    await this.pc.setRemoteDescription({ type: 'offer', sdp });
    await this.pc.setLocalDescription();
    await this.introduce();
  }
}
