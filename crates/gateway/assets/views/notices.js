// Short messages: toasts for what went wrong, spoken announcements for what changed.

import { byId, fromTemplate } from '../dom.js';
import { t } from '../i18n.js';
import { errorDetail, errorWords } from '../words.js';

const TOAST_MS = 8_000;
const TOASTS_MAX = 4;
/** Presence changes are gathered this long, so that a burst is one sentence. */
const GATHER_MS = 1_000;

/** Shows what went wrong. */
export function toastError(error, during) {
  toast(errorWords(error, during), errorDetail(error));
}

/** Writes an error into a place of its own in a form, and moves the focus there. */
export function writeError(element, error, during) {
  const detail = errorDetail(error);
  element.replaceChildren(errorWords(error, during), ...(detail ? [makeDetail(detail)] : []));
  element.hidden = false;
  element.focus();
}

/** Shows a message until it is closed or some seconds are over. */
export function toast(text, detail) {
  const { root, slots } = fromTemplate('toast-template');
  slots.text.textContent = text;
  if (detail) slots.text.append(makeDetail(detail));
  slots.close.addEventListener('click', () => root.remove());
  const box = byId('toasts');
  box.append(root);
  while (box.children.length > TOASTS_MAX) box.firstElementChild.remove();
  setTimeout(() => root.remove(), TOAST_MS);
}

/** Speaks a change at once, to those who listen to the page. */
export function announceNow(text) {
  byId('announce-now').textContent = text;
}

/** Gathers presence changes and speaks them politely. */
export class PresenceAnnouncer {
  #came = [];
  #went = [];
  #timer;

  came(name) {
    this.#add(this.#came, name);
  }

  went(name) {
    this.#add(this.#went, name);
  }

  #add(names, name) {
    names.push(name);
    this.#timer ??= setTimeout(() => this.#speak(), GATHER_MS);
  }

  #speak() {
    const [came, went] = [this.#came, this.#went];
    [this.#came, this.#went, this.#timer] = [[], [], undefined];
    byId('announce-polite').textContent = sentence(came, went);
  }
}

/** Behind a word that opens it, since it is in the mesh's language and not in the reader's. */
function makeDetail(text) {
  const { root, slots } = fromTemplate('error-detail-template');
  slots.text.textContent = text;
  return root;
}

function sentence(came, went) {
  if (came.length + went.length > 2) return t('people.changes', { came: came.length, went: went.length });
  const parts = [
    ...came.map((name) => t('people.online', { name })),
    ...went.map((name) => t('people.offline', { name })),
  ];
  return parts.join(' ');
}
