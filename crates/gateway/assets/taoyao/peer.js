// The direct connection of one session: offer, answer, and candidates in the order that WebRTC needs them.

/** Candidates kept until the other side's description is there; more than any terminal gathers. */
const EARLY_CANDIDATES_MAX = 256;

/**
 * @typedef {object} PeerOptions
 * @property {RTCIceServer[]} iceServers
 * @property {number} [videoKbps] upper bound of what is sent
 * @property {(exchange: object) => void} send carries `{type, sdp}` or `{type, candidate}` to the other side
 * @property {(track: MediaStreamTrack) => void} onTrack
 * @property {(state: RTCPeerConnectionState) => void} onState
 */

/** Wraps one `RTCPeerConnection`. The called terminal calls {@link offer}, the caller {@link answer}. */
export class Peer {
  #pc;
  #options;
  /** @type {RTCIceCandidateInit[]} */
  #early = [];
  /** @type {{audio?: RTCRtpSender, video?: RTCRtpSender}} */
  #senders = {};

  /** @param {PeerOptions} options */
  constructor(options) {
    this.#options = options;
    this.#pc = new RTCPeerConnection({ iceServers: options.iceServers });
    this.#pc.ontrack = (event) => options.onTrack(event.track);
    this.#pc.onconnectionstatechange = () => options.onState(this.#pc.connectionState);
    this.#pc.onicecandidate = ({ candidate }) => {
      options.send({ type: 'candidate', candidate: candidate?.toJSON() ?? null });
    };
  }

  /**
   * Makes and sends the offer: a kind that is wanted but missing here can still be received.
   *
   * @param {MediaStream} local
   * @param {{audio: boolean, video: boolean}} wanted
   */
  async offer(local, wanted) {
    for (const kind of ['audio', 'video'].filter((it) => wanted[it])) {
      const track = local.getTracks().find((it) => it.kind === kind);
      if (track) this.#senders[kind] = this.#pc.addTrack(track, local);
      else if (kind === 'audio') this.#pc.addTransceiver(kind, { direction: 'recvonly' });
      // Who has no camera may show its screen later, for which the other side is not asked again.
      else this.#senders.video = this.#pc.addTransceiver(kind, { direction: 'sendrecv' }).sender;
    }
    await this.#pc.setLocalDescription();
    this.#options.send({ type: 'offer', sdp: this.#pc.localDescription.sdp });
    await this.#boundVideo();
  }

  /**
   * Takes an offer and sends the answer. Only kinds that the other side offered can be sent.
   *
   * @param {string} sdp
   * @param {MediaStream} local
   */
  async answer(sdp, local) {
    await this.#pc.setRemoteDescription({ type: 'offer', sdp });
    for (const track of local.getTracks()) {
      if (this.#hasFreeSender(track)) this.#senders[track.kind] = this.#pc.addTrack(track, local);
    }
    this.#keepPlaceForScreen();
    await this.#pc.setLocalDescription();
    this.#options.send({ type: 'answer', sdp: this.#pc.localDescription.sdp });
    await this.#addEarly();
    await this.#boundVideo();
  }

  /** A section for pictures on which nothing is sent yet may carry the screen later. */
  #keepPlaceForScreen() {
    if (this.#senders.video) return;
    const place = this.#pc.getTransceivers().find((it) => it.mid !== null && it.receiver.track.kind === 'video');
    if (!place) return;
    place.direction = 'sendrecv';
    this.#senders.video = place.sender;
  }

  /** Takes the answer to {@link offer}. */
  async accept(sdp) {
    if (this.#pc.signalingState !== 'have-local-offer') return; // A repeated answer changes nothing.
    await this.#pc.setRemoteDescription({ type: 'answer', sdp });
    await this.#addEarly();
  }

  /**
   * Takes a candidate at any time; absent means the other side has no more.
   *
   * @param {RTCIceCandidateInit} [candidate]
   */
  async addCandidate(candidate) {
    if (!candidate) return;
    if (this.#pc.remoteDescription) await this.#add(candidate);
    else if (this.#early.length < EARLY_CANDIDATES_MAX) this.#early.push(candidate);
  }

  /** Sends another track in the place of the one of its kind, or nothing; the other side need not be asked. */
  async send(kind, /** @type {MediaStreamTrack|undefined} */ track) {
    const sender = this.#senders[kind];
    await sender?.replaceTrack(track ?? null).catch(() => {}); // The connection was closed meanwhile.
  }

  /** @returns {Promise<RTCStatsReport>} */
  stats() {
    return this.#pc.getStats();
  }

  close() {
    this.#pc.ontrack = this.#pc.onicecandidate = this.#pc.onconnectionstatechange = null;
    this.#pc.close();
  }

  #hasFreeSender(track) {
    return this.#pc
      .getTransceivers()
      .some((it) => it.mid !== null && it.receiver.track.kind === track.kind && it.sender.track === null);
  }

  async #addEarly() {
    for (const candidate of this.#early.splice(0)) await this.#add(candidate);
  }

  async #add(candidate) {
    try {
      await this.#pc.addIceCandidate(candidate);
    } catch {
      // One useless candidate (another address family, an unknown line) must not end the call.
    }
  }

  async #boundVideo() {
    const sender = this.#senders.video;
    if (!sender || !this.#options.videoKbps) return;
    const parameters = sender.getParameters();
    for (const encoding of parameters.encodings) encoding.maxBitrate = this.#options.videoKbps * 1_000;
    await sender.setParameters(parameters).catch(() => {}); // A wish, not a condition of the call.
  }
}
