// What others will see and hear: the own picture, a level of the own sound, and the choice of devices, before anything is sent.

import { fromTemplate } from '../dom.js';
import { setText, t } from '../i18n.js';
import { loadDevices, saveDevices } from '../settings.js';
import { canChooseSpeaker, chooseSpeaker } from './speaker.js';

/** What can be chosen: the list, the kind of device that it holds, and where the choice is remembered. */
const LISTS = [
  ['camera', 'videoinput', 'video'],
  ['microphone', 'audioinput', 'audio'],
  ['speaker', 'audiooutput', 'speaker'],
];
/** Speech is far from full scale. */
const LEVEL_GAIN = 4;

/** Devices are open from {@link Preview#start} to {@link Preview#stop}. */
export class Preview {
  #media;
  #slots;
  #leases = {};
  #sound;
  /** Another one for each start, so that one that was overtaken gives back what it opened. */
  #turn;
  #refresh = () => this.#showDevices();

  /**
   * @param {import('../taoyao/media.js').LocalMedia} media
   * @param {HTMLElement} place
   */
  constructor(media, place) {
    this.#media = media;
    const { root, slots } = fromTemplate('preview-template');
    this.#slots = slots;
    place.append(root);
    slots['speaker-field'].hidden = !canChooseSpeaker;
    for (const [name, , key] of LISTS) {
      slots[name].addEventListener('change', () => this.#choose(key, slots[name].value || undefined));
    }
  }

  /** Opens the devices. A page may show only one preview at a time. */
  async start() {
    const turn = (this.#turn = Symbol('turn'));
    navigator.mediaDevices?.addEventListener('devicechange', this.#refresh);
    this.#showMissing({});
    const { leases, missing } = await this.#media.open({ audio: true, video: true });
    if (turn !== this.#turn) return Object.values(leases).forEach((it) => it.close());
    this.#leases = leases;
    for (const lease of Object.values(leases)) lease.onChange = () => this.#show();
    this.#showMissing(missing);
    this.#show();
    return this.#showDevices();
  }

  stop() {
    this.#turn = undefined;
    navigator.mediaDevices?.removeEventListener('devicechange', this.#refresh);
    for (const lease of Object.values(this.#leases)) lease.close();
    this.#leases = {};
    this.#slots.video.srcObject = null;
    this.#sound?.close();
    this.#sound = undefined;
  }

  #choose(key, deviceId) {
    saveDevices({ ...loadDevices(), [key]: deviceId });
    if (key === 'speaker') chooseSpeaker(deviceId);
    else this.#media.choose(key, deviceId);
  }

  #show() {
    const { audio, video } = this.#leases;
    this.#slots.video.srcObject = video?.track ? new MediaStream([video.track]) : null;
    this.#slots.none.hidden = Boolean(video?.track);
    this.#sound?.close();
    this.#sound = audio?.track ? meter(audio.track, (level) => this.#showLevel(level)) : undefined;
  }

  #showLevel(level) {
    this.#slots.level.value = Math.min(1, level * LEVEL_GAIN);
  }

  #showMissing({ audio, video }) {
    const keys = [video && reasonKey('video', video), audio && reasonKey('audio', audio)].filter(Boolean);
    const isViewer = audio && video;
    this.#slots.missing.hidden = keys.length === 0;
    this.#slots.missing.textContent = [...keys.map((key) => t(key)), isViewer ? t('room.viewer') : ''].join(' ').trim();
    if (video) setText(this.#slots.none, 'preview.none');
    else setText(this.#slots.none, 'preview.opening');
  }

  async #showDevices() {
    const devices = (await navigator.mediaDevices?.enumerateDevices().catch(() => [])) ?? [];
    const chosen = loadDevices();
    for (const [name, kind, key] of LISTS) {
      // The browser's own entries for "whatever the system says" are what no choice means here.
      const known = devices.filter((it) => it.kind === kind && it.deviceId && !ALIASES.has(it.deviceId));
      const options = known.map((it, i) => new Option(it.label || t(`preview.${name}.n`, { n: i + 1 }), it.deviceId));
      this.#slots[name].replaceChildren(new Option(t('preview.default'), ''), ...options);
      this.#slots[name].value = known.some((it) => it.deviceId === chosen[key]) ? chosen[key] : '';
    }
  }
}

const ALIASES = new Set(['default', 'communications']);

function reasonKey(kind, reason) {
  const known = ['NotFoundError', 'NotAllowedError'].includes(reason);
  return `call.note.missing.${kind}${known ? `.${reason}` : ''}`;
}

/** Measures a track until it is closed. */
function meter(track, onLevel) {
  const context = new AudioContext();
  const analyser = context.createAnalyser();
  const samples = new Float32Array(analyser.fftSize);
  context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
  let frame = requestAnimationFrame(function read() {
    analyser.getFloatTimeDomainData(samples);
    onLevel(Math.sqrt(samples.reduce((sum, it) => sum + it * it, 0) / samples.length));
    frame = requestAnimationFrame(read);
  });
  return {
    close() {
      cancelAnimationFrame(frame);
      onLevel(0);
      context.close();
    },
  };
}
