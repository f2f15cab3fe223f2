// The dialog in which a person tries and chooses camera, microphone and speaker, at any time.

import { byId } from '../dom.js';
import { Preview } from './preview.js';

/** Opens from every button that has `data-devices`. */
export class DevicesDialog {
  #dialog = byId('devices-dialog');
  #preview;

  /** @param {import('../taoyao/media.js').LocalMedia} media */
  constructor(media) {
    this.#preview = new Preview(media, byId('devices-preview'));
    this.#dialog.addEventListener('close', () => this.#preview.stop());
    document.addEventListener('click', ({ target }) => target.closest('[data-devices]') && this.#open());
  }

  #open() {
    this.#dialog.showModal();
    this.#preview.start();
  }
}
