// This terminal's camera and microphone: opened once, shared by all calls and rooms, given back with the last of them.

/** @typedef {'audio'|'video'} Kind */

/**
 * @typedef {object} Opened
 * @property {{audio?: Lease, video?: Lease}} leases what could be opened
 * @property {{audio?: string, video?: string}} missing why a wanted kind is not there: the browser's error name,
 *   e.g. `NotFoundError` (no device) or `NotAllowedError` (not permitted)
 */

/** A copy of a device's track for one call or room. The device may be changed below it, or be pulled out. */
export class Lease {
  #giveBack;
  #isOn = true;
  /** @type {Kind} */
  kind;
  /** @type {MediaStreamTrack|undefined} undefined while there is no device */
  track;
  /** @type {(from: MediaStreamTrack|undefined) => void} called when `track` has become another, or none */
  onChange = () => {};

  constructor(kind, track, giveBack) {
    this.kind = kind;
    this.track = track;
    this.#giveBack = giveBack;
  }

  /** Mutes it, or not. Whatever device comes later is muted as well. */
  switch(isOn) {
    this.#isOn = isOn;
    if (this.track) this.track.enabled = isOn;
  }

  /** Takes the track of another device, or none. Called by the media. */
  exchange(track) {
    const from = this.track;
    if (track) track.enabled = this.#isOn;
    from?.stop();
    this.track = track;
    this.onChange(from);
  }

  /** The device is switched off with the last lease. */
  close() {
    this.#giveBack(this);
  }
}

/**
 * Hands out copies of one camera and one microphone, because some systems allow each to be opened only once.
 *
 * Event: `device`: a device was pulled out, or came back, below what is open; `detail` is `{kind, label}`, without a label when
 * there is none any more.
 */
export class LocalMedia extends EventTarget {
  /** @type {Map<Kind, Promise<MediaStreamTrack>>} */
  #sources = new Map();
  /** @type {Record<Kind, Set<Lease>>} */
  #leases = { audio: new Set(), video: new Set() };
  /** How large the picture was asked for by the first who opened it. */
  #heightMax = Infinity;
  #turn = Promise.resolve();
  /** @type {{audio?: string, video?: string}} ids of the devices that the person wants; what is not there is replaced */
  chosen = {};

  /** @param {() => object|undefined} readConfig the `media` part of `client::config` */
  constructor(readConfig) {
    super();
    this.readConfig = readConfig;
    globalThis.navigator?.mediaDevices?.addEventListener?.('devicechange', () => this.#refill());
  }

  /**
   * Opens what is wanted and there; a missing device is no error, the call goes on without it.
   *
   * @param {{audio: boolean, video: boolean}} wanted
   * @param {{heightMax?: number}} [bounds] a larger picture is not asked for; a camera that is open already stays as it is
   * @returns {Promise<Opened>}
   */
  async open(wanted, { heightMax = Infinity } = {}) {
    const kinds = ['audio', 'video'].filter((kind) => wanted[kind]);
    if (!this.#sources.has('video')) this.#heightMax = heightMax;
    this.#openTogether(kinds);
    const [leases, missing] = [{}, {}];
    for (const kind of kinds) {
      try {
        leases[kind] = this.#lease(kind, await this.#source(kind));
      } catch (error) {
        missing[kind] = error.name;
      }
    }
    return { leases, missing };
  }

  /**
   * Takes another device, at once where one is open. Whatever is muted stays muted.
   *
   * @param {Kind} kind
   * @param {string} [deviceId] none: the browser chooses
   */
  choose(kind, deviceId) {
    if (this.chosen[kind] === deviceId) return this.#turn;
    this.chosen[kind] = deviceId;
    return this.#leases[kind].size > 0 ? this.#change(kind, true) : this.#turn;
  }

  #lease(kind, source) {
    const lease = new Lease(kind, source.clone(), (it) => this.#take(it));
    this.#leases[kind].add(lease);
    return lease;
  }

  #take(lease) {
    const { kind } = lease;
    if (!this.#leases[kind].delete(lease)) return;
    lease.track?.stop();
    lease.track = undefined;
    if (this.#leases[kind].size === 0) this.#switchOff(kind);
  }

  /** One question for both devices: the browser then asks the person only once. */
  #openTogether(kinds) {
    if (kinds.length < 2 || kinds.some((kind) => this.#sources.has(kind))) return;
    const { audio, video } = this.chosen;
    const both = openDevice({ audio: this.#constraints('audio', audio), video: this.#constraints('video', video) });
    for (const kind of kinds) {
      const track = both
        .then((stream) => stream.getTracks().find((it) => it.kind === kind))
        .catch(() => this.#openAlone(kind));
      this.#remember(kind, track);
    }
  }

  #source(kind) {
    if (!this.#sources.has(kind)) this.#remember(kind, this.#openAlone(kind));
    return this.#sources.get(kind);
  }

  /** The device that is wanted, or any other if that one is not there. */
  async #openAlone(kind) {
    const open = (deviceId) => openDevice({ [kind]: this.#constraints(kind, deviceId) });
    const chosen = this.chosen[kind];
    const stream = await (chosen ? open(chosen).catch(() => open()) : open());
    return stream.getTracks()[0];
  }

  #remember(kind, opening) {
    this.#sources.set(kind, opening);
    opening.then(
      (track) => track.addEventListener('ended', () => this.#onEnded(kind, opening)),
      () => this.#forget(kind, opening),
    );
  }

  #forget(kind, opening) {
    if (this.#sources.get(kind) === opening) this.#sources.delete(kind);
  }

  /** The device was pulled out, or taken away by the system: another one goes on in its place. */
  #onEnded(kind, opening) {
    if (this.#sources.get(kind) === opening) this.#change(kind);
  }

  /** A device has come: whoever lost one, and found no other, gets it; the one that the person wants is taken again. */
  async #refill() {
    const devices = await navigator.mediaDevices.enumerateDevices().catch(() => []);
    const there = new Set(devices.map((it) => it.deviceId));
    for (const kind of ['audio', 'video']) {
      const tracks = [...this.#leases[kind]].map((it) => it.track);
      const chosen = this.chosen[kind];
      const isOther = (track) => there.has(chosen) && track.getSettings().deviceId !== chosen;
      if (tracks.some((it) => !it || isOther(it))) this.#change(kind);
    }
  }

  /** The old one is switched off first: telephones open only one of their cameras at a time. */
  #change(kind, isWanted = false) {
    this.#turn = this.#turn.then(async () => {
      this.#switchOff(kind);
      const source = await this.#source(kind).catch(() => undefined);
      for (const lease of [...this.#leases[kind]]) lease.exchange(source?.clone());
      if (this.#leases[kind].size === 0) this.#switchOff(kind); // The last one was closed meanwhile.
      const detail = { kind, label: source?.label };
      if (!isWanted) this.dispatchEvent(new CustomEvent('device', { detail }));
    });
    return this.#turn;
  }

  #switchOff(kind) {
    const source = this.#sources.get(kind);
    this.#sources.delete(kind);
    source?.then(
      (track) => track.stop(),
      () => {},
    );
  }

  /** Browsers pass over an id that is only a wish. */
  #constraints(kind, chosen) {
    const deviceId = chosen ? { exact: chosen } : undefined;
    if (kind === 'audio') {
      return dropUndefined({ deviceId, echoCancellation: true, noiseSuppression: true, autoGainControl: true });
    }
    const wish = this.readConfig()?.video ?? {};
    const share = Math.min(1, this.#heightMax / wish.height || 1);
    return dropUndefined({
      deviceId,
      width: ideal(Math.round(wish.width * share)),
      height: ideal(Math.round(wish.height * share)),
      frameRate: ideal(wish.frameRate),
      facingMode: deviceId ? undefined : 'user',
    });
  }
}

async function openDevice(constraints) {
  if (!navigator.mediaDevices) {
    // Browsers hide the devices from pages that did not come over HTTPS.
    throw new DOMException('The page is not a secure context.', 'SecurityError');
  }
  return navigator.mediaDevices.getUserMedia(constraints);
}

function ideal(value) {
  return Number.isFinite(value) && value > 0 ? { ideal: value } : undefined;
}

function dropUndefined(object) {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));
}
