// The recordings of the node that served the page, to be played in it.

import { byId, fromTemplate } from '../dom.js';
import { setLabel, setText, t } from '../i18n.js';
import { durationWords, errorWords } from '../words.js';

/** The file is held in memory while it is played. */
const PLAYED_BYTES_MAX = 512 * 1024 * 1024;

/** Opens from the bar; plays one recording at a time. */
export class RecordingsDialog {
  #recordings;
  #dialog = byId('recordings-dialog');
  #list = byId('recordings-list');
  #video = byId('recordings-video');
  #note = byId('recordings-note');
  #loading;

  /** @param {import('../taoyao/recordings.js').Recordings} recordings */
  constructor(recordings) {
    this.#recordings = recordings;
    byId('recordings').addEventListener('click', () => this.#open());
    this.#dialog.addEventListener('close', () => this.#stop());
  }

  async #open() {
    this.#list.replaceChildren();
    this.#say('recordings.loading');
    this.#dialog.showModal();
    try {
      const entries = await this.#recordings.list();
      this.#list.replaceChildren(...entries.map((it) => this.#makeRow(it)));
      this.#say(entries.length > 0 ? undefined : 'recordings.none');
    } catch (error) {
      this.#sayError(error);
    }
  }

  #makeRow(entry) {
    const { root, slots } = fromTemplate('recording-template');
    root.dataset.recording = entry.id;
    const name = entry.member.split('@')[0];
    const started = entry.startedAt ? new Date(entry.startedAt).toLocaleString(document.documentElement.lang) : '';
    slots.name.textContent = name;
    const facts = [started, durationWords(entry.durationMs ?? 0), sizeWords(entry.bytes ?? 0)];
    slots.detail.textContent = [...facts, t(`recordings.${entry.state}`)].filter(Boolean).join(' · ');
    setText(slots.play, 'recordings.play');
    setLabel(slots.play, 'recordings.play.label', { name });
    slots.play.disabled = !entry.bytes;
    slots.play.addEventListener('click', () => this.#play(entry));
    return root;
  }

  async #play({ id, bytes }) {
    this.#stop();
    if (bytes > PLAYED_BYTES_MAX) return this.#say('recordings.large');
    const loading = (this.#loading = new AbortController());
    this.#say('recordings.loading');
    try {
      const file = await this.#recordings.file(id, loading.signal);
      if (loading !== this.#loading) return undefined;
      this.#say(undefined);
      this.#video.src = URL.createObjectURL(file);
      this.#video.hidden = false;
      this.#video.focus();
      return await this.#video.play();
    } catch (error) {
      return loading === this.#loading && error.name !== 'AbortError' && this.#sayError(error);
    }
  }

  /** Gives the file's memory back. */
  #stop() {
    this.#loading?.abort();
    this.#loading = undefined;
    this.#video.hidden = true;
    if (!this.#video.src) return;
    URL.revokeObjectURL(this.#video.src);
    this.#video.removeAttribute('src');
    this.#video.load();
  }

  #say(key) {
    this.#note.hidden = key === undefined;
    if (key) setText(this.#note, key);
  }

  #sayError(error) {
    delete this.#note.dataset.t;
    this.#note.hidden = false;
    const isMedia = error.name === 'NotSupportedError';
    this.#note.textContent = isMedia ? t('recordings.unplayable') : errorWords(error, 'recordings');
  }
}

/** `1_234_567` → `1.2 MB` */
function sizeWords(bytes) {
  return bytes >= 1e6 ? `${(bytes / 1e6).toFixed(1)} MB` : `${Math.ceil(bytes / 1e3)} kB`;
}
