// One row of the list of terminals.

import { fromTemplate, makeIcon, setIcon } from '../dom.js';
import { setLabel, setText } from '../i18n.js';

const CALLABLE = new Set(['WEB', 'CAMERA', 'MOBILE', 'OTHER']);
const SERVICES = new Set(['MEDIA', 'SERVER']);
const ICONS = { WEB: 'web', CAMERA: 'camera', MOBILE: 'mobile', MEDIA: 'media', SERVER: 'server' };

/** Shows one terminal and offers to call it. */
export class Person {
  #slots;

  /**
   * @param {import('../taoyao.js').Terminal} terminal
   * @param {boolean} isMe
   * @param {(clientId: string, kinds: {audio: boolean, video: boolean}) => void} onCall
   */
  constructor(terminal, isMe, onCall) {
    const { root, slots } = fromTemplate('person-template');
    this.root = root;
    this.#slots = slots;
    this.isMe = isMe;
    this.clientId = terminal.clientId;
    root.dataset.clientId = terminal.clientId;
    slots['call-audio'].addEventListener('click', () => onCall(this.clientId, { audio: true, video: false }));
    slots['call-video'].addEventListener('click', () => onCall(this.clientId, { audio: true, video: true }));
    this.update(terminal);
  }

  /** Shows newer facts about the same terminal. */
  update(terminal) {
    this.gone = false;
    this.name = terminal.name || terminal.clientId;
    this.partition = terminal.partition ?? terminal.clientId.split('@')[1];
    this.root.dataset.online = 'true';
    this.#showName();
    this.#showType(terminal.clientType);
    this.#showFacts(terminal);
    const detail = [this.clientId.split('@')[0], terminal.node].filter(Boolean).join(' · ');
    delete this.#slots.detail.dataset.t;
    this.#slots.detail.textContent = detail;
    this.isService = SERVICES.has(terminal.clientType);
    this.isCallable = CALLABLE.has(terminal.clientType ?? 'OTHER');
    this.#slots.actions.dataset.hidden = String(this.isMe || !this.isCallable);
    this.#setCallable(true);
  }

  /** The terminal left; its row stays for a moment. */
  setGone() {
    this.gone = true;
    this.root.dataset.online = 'false';
    setText(this.#slots.detail, 'people.gone');
    this.#setCallable(false);
  }

  /** Whether the row belongs into the result of a search. */
  matches(query) {
    return `${this.name} ${this.clientId} ${this.partition ?? ''}`.toLowerCase().includes(query);
  }

  #showName() {
    const { name } = this;
    if (this.isMe) setText(this.#slots.name, 'people.you', { name });
    else this.#slots.name.textContent = name;
    setLabel(this.#slots['call-audio'], 'people.callAudio', { name });
    setLabel(this.#slots['call-video'], 'people.callVideo', { name });
  }

  #showType(type) {
    const known = type in ICONS ? type : 'OTHER';
    setIcon(this.#slots.avatar, ICONS[known] ?? 'other');
    setLabel(this.#slots.avatar.firstElementChild, `type.${known}`);
    this.root.dataset.type = known;
  }

  #showFacts({ battery, charging, signal, alarming, clientRecording, serverRecording }) {
    const facts = [];
    if (alarming) facts.push(makeFact('alarm', 'people.alarming'));
    if (clientRecording || serverRecording) facts.push(makeFact('recording', 'people.recording'));
    if (signal > 0) facts.push(makeFact('reception', 'people.reception', { n: Math.round(signal) }));
    if (battery !== undefined) {
      const [icon, key] = charging ? ['charging', 'people.charging'] : ['battery', 'people.battery'];
      facts.push(makeFact(icon, key, { n: Math.round(battery) }));
    }
    this.#slots.facts.replaceChildren(...facts);
  }

  #setCallable(callable) {
    this.#slots['call-audio'].disabled = !callable;
    this.#slots['call-video'].disabled = !callable;
  }
}

function makeFact(icon, key, args) {
  const fact = document.createElement('span');
  fact.className = `fact ${icon}`;
  const picture = makeIcon(icon);
  picture.removeAttribute('aria-hidden');
  picture.setAttribute('role', 'img');
  setLabel(picture, key, args);
  fact.append(picture);
  if (args) fact.append(`${args.n}`);
  return fact;
}
