// This terminal's camera and microphone: opened once, shared by all calls, given back when the last call ends.

/**
 * @typedef {object} Opened
 * @property {MediaStream} stream this call's own copies of the tracks; may be empty
 * @property {{audio?: string, video?: string}} missing why a wanted kind is not there: the browser's error name,
 *   e.g. `NotFoundError` (no device) or `NotAllowedError` (not permitted)
 */

/** Hands out copies of one camera and one microphone, because some systems allow each to be opened only once. */
export class LocalMedia {
  /** @type {Map<string, Promise<MediaStreamTrack>>} */
  #sources = new Map();
  #copies = { audio: 0, video: 0 };

  /** @param {() => object|undefined} readConfig the `media` part of `client::config` */
  constructor(readConfig) {
    this.readConfig = readConfig;
  }

  /**
   * Opens what is wanted and there; a missing device is no error, the call goes on without it.
   *
   * @param {{audio: boolean, video: boolean}} wanted
   * @param {{heightMax?: number}} [bounds] a larger picture is not asked for; a camera that is open already stays as it is
   * @returns {Promise<Opened>}
   */
  async open(wanted, { heightMax = Infinity } = {}) {
    const stream = new MediaStream();
    const missing = {};
    const kinds = ['audio', 'video'].filter((kind) => wanted[kind]);
    this.#openTogether(kinds, heightMax);
    for (const kind of kinds) {
      try {
        const source = await this.#source(kind, heightMax);
        this.#copies[kind] += 1;
        stream.addTrack(source.clone());
      } catch (error) {
        missing[kind] = error.name;
      }
    }
    return { stream, missing };
  }

  /** Gives a call's copies back; the device is switched off with the last copy. */
  close(stream) {
    for (const track of stream.getTracks()) {
      track.stop();
      stream.removeTrack(track);
      this.#copies[track.kind] -= 1;
      if (this.#copies[track.kind] === 0) this.#switchOff(track.kind);
    }
  }

  /** One question for both devices: the browser then asks the person only once. */
  #openTogether(kinds, heightMax) {
    if (kinds.length < 2 || kinds.some((kind) => this.#sources.has(kind))) return;
    const both = openDevice({ audio: this.#constraints('audio'), video: this.#constraints('video', heightMax) });
    for (const kind of kinds) {
      const track = both
        .then((stream) => stream.getTracks().find((it) => it.kind === kind))
        .catch(() => this.#openAlone(kind, heightMax));
      this.#remember(kind, track);
    }
  }

  #source(kind, heightMax) {
    if (!this.#sources.has(kind)) this.#remember(kind, this.#openAlone(kind, heightMax));
    return this.#sources.get(kind);
  }

  async #openAlone(kind, heightMax) {
    const stream = await openDevice({ [kind]: this.#constraints(kind, heightMax) });
    return stream.getTracks()[0];
  }

  #remember(kind, opening) {
    this.#sources.set(kind, opening);
    opening.then(
      (track) => track.addEventListener('ended', () => this.#sources.delete(kind)),
      () => this.#sources.delete(kind),
    );
  }

  #switchOff(kind) {
    const source = this.#sources.get(kind);
    this.#sources.delete(kind);
    source?.then(
      (track) => track.stop(),
      () => {},
    );
  }

  #constraints(kind, heightMax) {
    const wish = this.readConfig()?.[kind] ?? {};
    if (kind === 'audio') return { echoCancellation: true, noiseSuppression: true, autoGainControl: true };
    const share = Math.min(1, heightMax / wish.height || 1);
    return dropUndefined({
      width: ideal(Math.round(wish.width * share)),
      height: ideal(Math.round(wish.height * share)),
      frameRate: ideal(wish.frameRate),
      facingMode: 'user',
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
