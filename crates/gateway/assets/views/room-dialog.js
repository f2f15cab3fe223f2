// What is asked before a room is made or entered: its name or password, and what to send at first.

import { byId } from '../dom.js';
import { setText } from '../i18n.js';
import { writeError } from './notices.js';
import { Preview } from './preview.js';

const UNAUTHORIZED = '3401';

/** One dialog for both, because a room that is made is entered at once. */
export class RoomDialog {
  #dialog = byId('room-dialog');
  #form = byId('room-form');
  #error = byId('room-error');
  #submit = byId('room-submit');
  #go;
  #preview;
  /** What an invitation gives in the place of the password. */
  #pass;

  /** @param {import('../taoyao/media.js').LocalMedia} media */
  constructor(media) {
    this.#preview = new Preview(media, byId('room-preview'));
    this.#dialog.addEventListener('close', () => this.#preview.stop());
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#try();
    });
    byId('room-cancel').addEventListener('click', () => this.#dialog.close());
  }

  /**
   * Asks until it worked or the person gives up.
   *
   * @param {{kind: 'create'|'enter', name?: string, pass?: string, muted: {audio: boolean, video: boolean}}} question
   * @param {(values: object) => Promise<any>} go rejects when it did not work; the dialog says why
   * @returns {Promise<void>} when the dialog is closed
   */
  ask({ kind, name = '', pass, muted }, go) {
    this.#go = go;
    const fields = this.#form.elements;
    this.#dialog.dataset.kind = kind;
    byId('room-name-field').hidden = kind !== 'create';
    fields.roomName.value = '';
    fields.roomPassword.value = '';
    this.#usePass(pass);
    fields.microphone.checked = !muted.audio;
    fields.camera.checked = !muted.video;
    this.#error.hidden = true;
    setText(byId('room-dialog-title'), kind === 'create' ? 'room.dialog.create' : 'room.dialog.enter', { name });
    setText(byId('room-password-hint'), `room.password.${kind}`);
    this.#showSubmit(false);
    this.#dialog.showModal();
    this.#preview.start();
    return new Promise((resolve) => this.#dialog.addEventListener('close', () => resolve(), { once: true }));
  }

  async #try() {
    const { roomName, roomPassword, microphone, camera, simulcast } = this.#form.elements;
    this.#showSubmit(true);
    this.#error.hidden = true;
    try {
      await this.#go({
        ...(this.#dialog.dataset.kind === 'create' ? { name: roomName.value.trim() } : {}),
        password: this.#pass ?? (roomPassword.value || undefined),
        microphone: microphone.checked,
        camera: camera.checked,
        simulcast: simulcast.checked,
      });
      this.#dialog.close();
    } catch (error) {
      if (error.code === UNAUTHORIZED) this.#usePass(undefined); // It is over: the password may still be known.
      writeError(this.#error, error, 'room');
    } finally {
      this.#showSubmit(false);
    }
  }

  /** Who is invited is asked for no password. */
  #usePass(pass) {
    this.#pass = pass;
    byId('room-password-field').hidden = pass !== undefined;
  }

  #showSubmit(busy) {
    this.#submit.disabled = busy;
    this.#submit.setAttribute('aria-busy', String(busy));
    const kind = this.#dialog.dataset.kind;
    setText(this.#submit, busy ? 'room.entering' : kind === 'create' ? 'room.create' : 'rooms.enter');
  }
}
