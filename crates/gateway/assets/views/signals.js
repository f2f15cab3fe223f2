// The signal log: what went out and came in, with its body on demand.

import { byId, fromTemplate } from '../dom.js';
import { setLabel, t } from '../i18n.js';
import { timeWords } from '../words.js';
import { toast } from './notices.js';

/** The oldest records go first. */
const RECORDS_MAX = 500;

/** Shows the records that the client tells of; secrets are masked before they arrive here. */
export class SignalsView {
  #list = byId('records');
  #filter = byId('signals-filter');
  /** @type {{record: import('../taoyao/connection.js').SignalRecord, row: HTMLElement, text: string}[]} newest first */
  #entries = [];

  /** @param {import('../taoyao.js').Taoyao} client */
  constructor(client) {
    client.addEventListener('signal', ({ detail }) => this.#add(detail));
    this.#filter.addEventListener('input', () => this.#applyFilter());
    byId('signals-clear').addEventListener('click', () => this.#clear());
    byId('signals-copy').addEventListener('click', () => this.#copy());
  }

  #add(record) {
    const entry = { record, row: makeRow(record), text: searchText(record) };
    this.#entries.unshift(entry);
    this.#list.prepend(entry.row);
    if (this.#entries.length > RECORDS_MAX) this.#entries.pop().row.remove();
    entry.row.hidden = !entry.text.includes(this.#query());
    this.#showCount();
  }

  #applyFilter() {
    const query = this.#query();
    for (const { row, text } of this.#entries) row.hidden = !text.includes(query);
    this.#showCount();
  }

  #clear() {
    this.#entries = [];
    this.#list.replaceChildren();
    this.#showCount();
  }

  async #copy() {
    const shown = this.#entries.filter(({ row }) => !row.hidden).reverse();
    const lines = shown.map(({ record }) =>
      JSON.stringify({ at: record.at.toISOString(), direction: record.direction, ...record.message }),
    );
    try {
      await navigator.clipboard.writeText(lines.join('\n'));
      toast(t('signals.copied', { n: shown.length }));
    } catch {
      toast(t('error.copy'));
    }
  }

  #query() {
    return this.#filter.value.trim().toLowerCase();
  }

  #showCount() {
    const shown = this.#entries.filter(({ row }) => !row.hidden).length;
    byId('signals-count').textContent = shown;
    byId('signals-empty').hidden = shown > 0;
  }
}

function makeRow({ direction, at, message }) {
  const { root, slots } = fromTemplate('record-template');
  const failed = message.code !== undefined && message.code !== '0000';
  root.dataset.direction = direction;
  root.dataset.signal = message.header.signal;
  root.dataset.failed = String(failed);
  slots.time.textContent = timeWords(at);
  slots.arrow.textContent = direction === 'out' ? '↑' : '↓';
  slots.arrow.setAttribute('role', 'img');
  setLabel(slots.arrow, `signals.${direction}`);
  slots.signal.textContent = message.header.signal;
  if (typeof message.body?.type === 'string') slots.signal.append(makeType(message.body.type));
  slots.code.textContent = direction === 'in' ? message.code : '';
  slots.id.textContent = message.header.id;
  setLabel(slots.body, 'signals.title');
  slots.body.setAttribute('role', 'region');
  root.firstElementChild.addEventListener('toggle', () => {
    slots.body.textContent ||= JSON.stringify(message, null, 2);
  });
  return root;
}

/** Tells offer, answer and candidate apart without opening them. */
function makeType(type) {
  const element = document.createElement('span');
  element.className = 'record-type';
  element.textContent = ` ${type}`;
  return element;
}

function searchText({ direction, message }) {
  return `${direction} ${JSON.stringify(message)}`.toLowerCase();
}
