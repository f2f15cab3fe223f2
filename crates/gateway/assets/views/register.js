// The form that a terminal registers with.

import { byId } from '../dom.js';
import { setText } from '../i18n.js';
import { writeError } from './notices.js';

/** Shows the form and hands its values over; knows nothing of the mesh but the names of partitions. */
export class RegisterView {
  #section = byId('register');
  #form = byId('register-form');
  #error = byId('register-error');
  #submit = byId('connect');

  /**
   * @param {import('../settings.js').Settings} settings first values
   * @param {(values: object) => Promise<void>} onConnect rejects when it did not work
   */
  constructor(settings, onConnect) {
    this.onConnect = onConnect;
    this.#fill(settings);
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.submit();
    });
  }

  /** Offers the partitions to connect to; the chosen one stays chosen. */
  setPartitions(names) {
    const group = byId('field-partitions');
    const select = byId('field-node');
    const chosen = select.value;
    const all = [...new Set([...names, ...[...group.children].map((it) => it.value)])];
    group.replaceChildren(...all.map((name) => new Option(name, name)));
    select.value = chosen;
  }

  /** Tries to connect with what is in the form. */
  async submit() {
    const values = this.#values();
    const wrong = findMistake(values);
    if (wrong) return this.#showMistake(wrong);
    this.#setBusy(true);
    try {
      await this.onConnect(values);
    } catch (error) {
      this.showError(error, 'register');
    } finally {
      this.#setBusy(false);
    }
    return undefined;
  }

  show() {
    this.#section.hidden = false;
  }

  hide() {
    this.#section.hidden = true;
    this.#error.hidden = true;
  }

  /** Says why it is not connected, and moves the focus there. */
  showError(error, during) {
    writeError(this.#error, error, during);
  }

  /** Moves the focus to the first field that still needs something. */
  focus() {
    const { username, password } = this.#form.elements;
    (username.value ? password : username).focus();
  }

  #fill(settings) {
    const fields = this.#form.elements;
    for (const name of ['clientId', 'name', 'username', 'password', 'answer']) fields[name].value = settings[name];
    fields.remember.checked = settings.remember;
    setText(fields.node.querySelector('[value="here"]'), 'register.node.here', { host: location.host });
    if (settings.node && settings.node !== 'here') this.setPartitions([settings.node]);
    fields.node.value = settings.node;
  }

  #values() {
    const data = Object.fromEntries(new FormData(this.#form));
    return { ...data, clientId: data.clientId.trim(), name: data.name.trim(), remember: data.remember === 'on' };
  }

  #showMistake({ field, key }) {
    setText(this.#error, key);
    this.#error.hidden = false;
    const input = this.#form.elements[field];
    input.setAttribute('aria-invalid', 'true');
    input.addEventListener('input', () => input.removeAttribute('aria-invalid'), { once: true });
    input.focus();
  }

  #setBusy(busy) {
    if (busy) this.#error.hidden = true;
    this.#submit.setAttribute('aria-busy', String(busy));
    this.#submit.disabled = busy;
    setText(this.#submit, busy ? 'register.connecting' : 'register.connect');
  }
}

function findMistake({ clientId, username, password }) {
  if (!clientId) return { field: 'clientId', key: 'register.missing.clientId' };
  if (clientId.includes('@')) return { field: 'clientId', key: 'register.bad.clientId' };
  if (!username) return { field: 'username', key: 'register.missing.username' };
  if (!password) return { field: 'password', key: 'register.missing.password' };
  return undefined;
}
