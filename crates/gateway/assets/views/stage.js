// The place of everything that runs: tiles of calls and of rooms, how many there are, and the lock that keeps the screen on.

import { byId } from '../dom.js';
import { t } from '../i18n.js';
import { WakeLock } from './wake.js';

/** Arrangements of tiles are made for this many; more share one. */
const COUNTED_MAX = 5;

/** Holds the tiles in the order in which they came. */
export class Stage {
  #tiles = byId('tiles');
  #wakeLock = new WakeLock();
  #ringing;

  constructor() {
    this.#count();
  }

  add(root) {
    this.#tiles.append(root);
    this.#count();
  }

  /**
   * Takes a tile away. The focus that was in it goes to the next tile, or back to where it came from.
   *
   * @param {HTMLElement} root
   * @param {() => void} remove takes it out of the page
   * @param {HTMLElement} [startedBy]
   */
  remove(root, remove, startedBy) {
    const hadFocus = root.contains(document.activeElement);
    const next = root.nextElementSibling ?? root.previousElementSibling;
    remove();
    this.#count();
    if (!hadFocus) return;
    const back = startedBy?.isConnected && startedBy.checkVisibility() ? startedBy : byId('calls');
    (next ?? back).focus();
  }

  /** @returns {HTMLElement|undefined} the tile that a test of its own data finds */
  find(isIt) {
    return [...this.#tiles.children].find(isIt);
  }

  /** Says in the title who rings; undefined when nobody does. */
  ring(name) {
    this.#ringing = name;
    this.#showTitle();
  }

  #count() {
    const open = this.#tiles.children.length;
    byId('calls').dataset.count = Math.min(open, COUNTED_MAX);
    byId('calls-empty').hidden = open > 0;
    const badge = byId('calls-badge');
    badge.hidden = open === 0;
    badge.textContent = open;
    this.#wakeLock.hold(open > 0);
    this.#showTitle();
  }

  /** The title says in a hidden tab that somebody calls, and that something is running. */
  #showTitle() {
    if (this.#ringing) document.title = t('banner.ask', { name: this.#ringing });
    else document.title = this.#tiles.children.length > 0 ? '● Taoyao' : 'Taoyao';
  }
}
