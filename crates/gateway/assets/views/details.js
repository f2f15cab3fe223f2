// A panel of numbers, and those of one call: pictures, rates, path.

import { setText } from '../i18n.js';
import { rateWords } from '../words.js';

const NONE = '–';

/** What is shown, in order: key of the words, and how to read the value from the statistics. */
const ROWS = [
  ['received', ({ received }) => sizeWords(received)],
  ['fps', ({ received }) => received.fps ?? NONE],
  ['framesDecoded', ({ received }) => received.frames ?? NONE],
  ['bitrateIn', ({ received }) => rateWords(received.kbps)],
  ['lost', ({ packetsLost }) => packetsLost],
  ['sent', ({ sent }) => sizeWords(sent)],
  ['framesEncoded', ({ sent }) => sent.frames ?? NONE],
  ['bitrateOut', ({ sent }) => rateWords(sent.kbps)],
  ['rtt', ({ rttMs }) => (rttMs === undefined ? NONE : `${Math.round(rttMs)} ms`)],
  ['path', (stats) => `${stats.localCandidate ?? NONE} · ${stats.remoteCandidate ?? NONE}`],
  ['codec', ({ received, sent }) => `${received.codec ?? NONE} · ${sent.codec ?? NONE}`],
];

/** Fills the panel, also while it is hidden, so that it opens with values. */
export class DetailsPanel {
  #values = new Map();
  #rows;

  /**
   * @param {HTMLElement} list a `dl`
   * @param {HTMLElement} toggle the button that opens it
   * @param {[string, (stats: object) => string|number][]} rows
   */
  constructor(list, toggle, rows = ROWS) {
    this.#rows = rows;
    for (const [name] of rows) list.append(this.#makeRow(name));
    toggle.addEventListener('click', () => {
      list.hidden = !list.hidden;
      toggle.setAttribute('aria-expanded', String(!list.hidden));
    });
  }

  /** @param {object} stats what the rows read from */
  update(stats) {
    for (const [name, read] of this.#rows) this.#values.get(name).textContent = read(stats);
  }

  #makeRow(name) {
    const row = document.createElement('div');
    const term = document.createElement('dt');
    const value = document.createElement('dd');
    setText(term, `details.${name}`);
    value.dataset.testid = `stat-${name}`;
    value.textContent = NONE;
    this.#values.set(name, value);
    row.append(term, value);
    return row;
  }
}

function sizeWords({ width, height }) {
  return width ? `${width} × ${height}` : NONE;
}
