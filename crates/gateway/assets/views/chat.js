// The text chat of one room or call: what was said, and the line to write on.

import { setLabel } from '../i18n.js';
import { announceNow } from './notices.js';

/** Opens beside the pictures, and counts what was not read while it is closed. */
export class ChatPanel {
  #room;
  #slots;
  #nameOf;
  #unread = 0;

  /**
   * @param {import('../taoyao/room.js').Room|import('../taoyao/session.js').Session} room or call
   * @param {Record<string, HTMLElement>} slots of its tile
   * @param {(clientId: string) => string} nameOf
   */
  constructor(room, slots, nameOf) {
    this.#room = room;
    this.#slots = slots;
    this.#nameOf = nameOf;
    room.addEventListener('chat', ({ detail }) => this.#onChat(detail));
    slots['chat-toggle'].addEventListener('click', () => this.#toggle());
    slots.chat.addEventListener('keydown', ({ key }) => key === 'Escape' && this.#toggle());
    slots['chat-form'].addEventListener('submit', (event) => {
      event.preventDefault();
      this.#say();
    });
    room.addEventListener('state', () => this.#showOpen());
    this.#showOpen();
  }

  #toggle() {
    const { chat } = this.#slots;
    chat.hidden = !chat.hidden;
    this.#slots['chat-toggle'].setAttribute('aria-expanded', String(!chat.hidden));
    if (chat.hidden) return this.#slots['chat-toggle'].focus();
    this.#unread = 0;
    this.#showUnread();
    this.#scrollDown();
    return this.#slots['chat-text'].focus();
  }

  #say() {
    const field = this.#slots['chat-text'];
    if (this.#room.say(field.value)) field.value = '';
  }

  #onChat(message) {
    this.#showOpen();
    if (!message) return;
    const name = this.#nameOf(message.clientId);
    this.#slots['chat-list'].append(makeLine(message, name));
    this.#scrollDown();
    if (!this.#slots.chat.hidden) return;
    this.#unread += 1;
    this.#showUnread();
    announceNow(`${name}: ${message.text}`);
  }

  #showOpen() {
    this.#slots['chat-send'].disabled = !this.#room.canSay;
  }

  #showUnread() {
    const { unread } = this.#slots;
    unread.hidden = this.#unread === 0;
    unread.textContent = this.#unread;
    setLabel(this.#slots['chat-toggle'], this.#unread > 0 ? 'chat.toggle.unread' : 'chat.toggle', { n: this.#unread });
  }

  #scrollDown() {
    this.#slots['chat-list'].scrollTop = this.#slots['chat-list'].scrollHeight;
  }
}

function makeLine({ clientId, text, at }, name) {
  const line = document.createElement('li');
  line.className = 'chat-line';
  line.dataset.testid = 'chat-message';
  line.dataset.clientId = clientId;
  const who = document.createElement('span');
  who.className = 'chat-who';
  who.textContent = name;
  const when = document.createElement('time');
  when.dateTime = at.toISOString();
  when.textContent = at.toTimeString().slice(0, 5);
  const words = document.createElement('p');
  words.textContent = text;
  line.append(who, when, words);
  return line;
}
