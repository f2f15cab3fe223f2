// The list of terminals, grouped by partition, kept current by presence pushes.

import { byId, fromTemplate } from '../dom.js';
import { setText } from '../i18n.js';
import { keepFresh } from './fresh.js';
import { PresenceAnnouncer } from './notices.js';
import { Person } from './person.js';

const PAGE_SIZE = 200;
/** How long a terminal that left is still shown, greyed out, so that the list does not jump under a finger. */
const GONE_MS = 5_000;
/** Repairs what a lost push left behind, shows new readings of batteries, and renews the mesh's interest. */
const RELOAD_MS = 30_000;

/** Holds one {@link Person} per terminal. */
export class PeopleView {
  #client;
  #onCall;
  #groups = byId('groups');
  #search = byId('people-search');
  #more = byId('people-more');
  #empty = byId('people-empty');
  /** @type {Map<string, Person>} */
  #people = new Map();
  #announcer = new PresenceAnnouncer();
  #lastId;

  /**
   * @param {import('../taoyao.js').Taoyao} client
   * @param {(clientId: string, kinds: {audio: boolean, video: boolean}) => void} onCall
   */
  constructor(client, onCall) {
    this.#client = client;
    this.#onCall = onCall;
    this.#search.addEventListener('input', () => this.#arrange());
    this.#more.addEventListener('click', () => this.#loadPage(this.#lastId));
    byId('people-refresh').addEventListener('click', () => this.load());
    client.addEventListener('online', ({ detail }) => this.#came(detail));
    client.addEventListener('offline', ({ detail }) => this.#went(detail.clientId));
    keepFresh(client, () => this.load(), { everyMs: RELOAD_MS });
  }

  /** Loads the list from its start; terminals that are not in it any more go. */
  async load() {
    const before = new Set(this.#people.keys());
    const seen = await this.#loadPage();
    if (!seen) return;
    const complete = this.#more.hidden;
    for (const id of before) if (complete && !seen.has(id)) this.#remove(id);
    this.#arrange();
  }

  /** Forgets everybody, because this terminal signed out. */
  clear() {
    this.#people.clear();
    this.#groups.replaceChildren();
  }

  /** The name of a terminal, for sentences. */
  nameOf(clientId) {
    return this.#people.get(clientId)?.name ?? clientId;
  }

  /** Those who could be asked to come: everybody who is there and has a person or a camera, but this terminal. */
  callable() {
    return [...this.#people.values()].filter((it) => !it.gone && !it.isMe && it.isCallable).sort(comparePeople);
  }

  async #loadPage(after) {
    let terminals;
    try {
      terminals = await this.#client.list({ limit: PAGE_SIZE, after });
    } catch {
      return undefined; // The state chip says that the mesh is not there; the old list stays until it is back.
    }
    for (const terminal of terminals) this.#put(terminal);
    this.#lastId = terminals.at(-1)?.clientId;
    this.#more.hidden = terminals.length < PAGE_SIZE;
    this.#arrange();
    return new Set(terminals.map((it) => it.clientId));
  }

  #came(terminal) {
    if (!terminal.clientId) return;
    const known = this.#people.get(terminal.clientId);
    this.#put(terminal);
    if (!known || known.gone) this.#announcer.came(this.nameOf(terminal.clientId));
    this.#arrange();
  }

  #went(clientId) {
    const person = this.#people.get(clientId);
    if (!person || person.isMe) return;
    this.#announcer.went(person.name);
    person.setGone();
    setTimeout(() => {
      if (person.gone) this.#remove(clientId);
      this.#arrange();
    }, GONE_MS);
    this.#arrange();
  }

  #put(terminal) {
    const isMe = terminal.clientId === this.#client.me?.clientId;
    const known = this.#people.get(terminal.clientId);
    if (known) known.update(terminal);
    else this.#people.set(terminal.clientId, new Person(terminal, isMe, this.#onCall));
  }

  #remove(clientId) {
    this.#people.get(clientId)?.root.remove();
    this.#people.delete(clientId);
  }

  /** Puts everybody into place: groups by partition, the own one first; inside a group oneself, then by name. */
  #arrange() {
    const query = this.#search.value.trim().toLowerCase();
    const shown = [...this.#people.values()].filter((it) => it.matches(query));
    const own = this.#client.me?.partition;
    const [services, people] = [shown.filter((it) => it.isService), shown.filter((it) => !it.isService)];
    const byPartition = Map.groupBy(people, (it) => it.partition || own || '');
    const names = [...byPartition.keys()].sort((a, b) => Number(b === own) - Number(a === own) || a.localeCompare(b));
    const groups = names.map((name) => this.#group(name, name === own, byPartition.get(name).sort(comparePeople)));
    if (services.length > 0) groups.push(this.#servicesGroup(services));
    syncChildren(this.#groups, groups);
    this.#showCounts(shown, query);
  }

  #group(name, isOwn, people) {
    const id = `group-${name}`;
    const group = document.getElementById(id) ?? makeGroup(id, name);
    const slot = (slotName) => group.querySelector(`[data-slot="${slotName}"]`);
    setText(slot('tag'), 'people.here');
    slot('tag').hidden = !isOwn;
    slot('count').textContent = people.filter((it) => !it.gone).length;
    syncChildren(
      slot('list'),
      people.map((it) => it.root),
    );
    return group;
  }

  /** What is no person and no camera stands apart. */
  #servicesGroup(services) {
    const group = this.#group('services', false, services.sort(comparePeople));
    setText(group.querySelector('[data-slot="name"]'), 'people.services');
    group.dataset.partition = '';
    return group;
  }

  #showCounts(shown, query) {
    const others = shown.filter((it) => !it.isMe && !it.isService).length;
    byId('people-count').textContent = [...this.#people.values()].filter((it) => !it.gone && !it.isService).length;
    this.#empty.hidden = others > 0;
    if (others === 0) setText(this.#empty, query ? 'people.noMatch' : 'people.none', { query });
  }
}

function makeGroup(id, name) {
  const { root, slots } = fromTemplate('group-template');
  root.id = id;
  root.dataset.partition = name;
  slots.name.textContent = name;
  slots.name.id = `${id}-name`;
  root.setAttribute('aria-labelledby', slots.name.id);
  return root;
}

function comparePeople(a, b) {
  return Number(b.isMe) - Number(a.isMe) || a.name.localeCompare(b.name) || a.clientId.localeCompare(b.clientId);
}

/** Makes `parent` hold exactly these children in this order, and moves only what is out of place: focus stays. */
function syncChildren(parent, children) {
  const wanted = new Set(children);
  for (const child of [...parent.children]) if (!wanted.has(child)) child.remove();
  children.forEach((child, i) => {
    if (parent.children[i] !== child) parent.insertBefore(child, parent.children[i] ?? null);
  });
}
