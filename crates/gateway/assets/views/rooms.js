// The list of rooms, invitations, and the tiles of those that this terminal is in.

import { byId, fromTemplate, makeButton } from '../dom.js';
import { setLabel, setText, t } from '../i18n.js';
import { errorDetail, errorWords } from '../words.js';
import { keepFresh } from './fresh.js';
import { announceNow, toast } from './notices.js';
import { RoomDialog } from './room-dialog.js';
import { RoomTile } from './room.js';

/** Nobody tells of new rooms, so the list is asked for; most are made, and end, when somebody comes or goes. */
const RELOAD_MS = 10_000;
const UNAUTHORIZED = '3401';

/** Lists rooms, and places one {@link RoomTile} per room that is entered. */
export class RoomsView {
  #client;
  #stage;
  #people;
  #show;
  #list = byId('rooms-list');
  #dialog;
  #startedBy;
  #asked = 0;
  #shown = 0;

  /**
   * @param {import('../taoyao.js').Taoyao} client
   * @param {import('./stage.js').Stage} stage
   * @param {import('./people.js').PeopleView} people
   * @param {() => void} show brings the tiles to the front on a small screen
   */
  constructor(client, stage, people, show) {
    this.#client = client;
    this.#dialog = new RoomDialog(client.media);
    this.#stage = stage;
    this.#people = people;
    this.#show = show;
    byId('room-new').addEventListener('click', () => this.#create());
    byId('rooms-refresh').addEventListener('click', () => this.load());
    client.rooms.addEventListener('room', ({ detail }) => this.#add(detail));
    client.rooms.addEventListener('invite', ({ detail }) => this.#onInvite(detail));
    keepFresh(client, () => this.load(), { everyMs: RELOAD_MS, events: ['online', 'offline'] });
  }

  /** Loads the list anew. An answer that a later one has overtaken shows nothing. */
  async load() {
    const number = ++this.#asked;
    try {
      const entries = await this.#client.rooms.list();
      if (number < this.#shown) return;
      this.#shown = number;
      this.#fill(entries);
    } catch {
      // The state chip says that the mesh is not there; the old list stays until it is back.
    }
  }

  /** Forgets the list, because this terminal signed out. */
  clear() {
    this.#list.replaceChildren();
  }

  #fill(entries) {
    const rows = new Map([...this.#list.children].map((it) => [it.dataset.roomId, it]));
    const sorted = entries.sort((a, b) => nameOf(a).localeCompare(nameOf(b)) || a.roomId.localeCompare(b.roomId));
    sorted.forEach((entry, i) => {
      const row = rows.get(entry.roomId) ?? this.#makeRow(entry);
      rows.delete(entry.roomId);
      this.#updateRow(row, entry);
      if (this.#list.children[i] !== row) this.#list.insertBefore(row, this.#list.children[i] ?? null);
    });
    for (const row of rows.values()) row.remove();
    byId('rooms-count').textContent = sorted.length;
    byId('rooms-empty').hidden = sorted.length > 0;
  }

  #makeRow({ roomId, name }) {
    const { root, slots } = fromTemplate('room-row-template');
    root.dataset.roomId = roomId;
    slots.enter.addEventListener('click', () => this.#enter({ roomId, name }));
    return root;
  }

  #updateRow(row, entry) {
    const slot = (name) => row.querySelector(`[data-slot="${name}"]`);
    const isIn = this.#client.rooms.open.has(entry.roomId);
    slot('name').textContent = nameOf(entry);
    setText(slot('size'), 'rooms.size', { n: entry.clientSize });
    setText(slot('enter'), isIn ? 'rooms.entered' : 'rooms.enter');
    setLabel(slot('enter'), isIn ? 'rooms.show.label' : 'rooms.enter.label', { name: nameOf(entry) });
    row.dataset.entered = String(isIn);
  }

  async #create() {
    this.#startedBy = byId('room-new');
    await this.#ask({ kind: 'create' }, async (values) => {
      const { roomId } = await this.#client.rooms.create(values);
      return this.#client.rooms.enter(roomId, values);
    });
  }

  /** Asks to enter the room of a link, once the list says what it is called. */
  async enterLinked(roomId) {
    await this.load();
    return this.#enter({ roomId, name: this.#listedName(roomId) ?? nameOf({ roomId }) });
  }

  async #enter({ roomId, name, pass }) {
    const tile = this.#tileOf(roomId);
    if (tile) return this.#bringUp(tile);
    this.#startedBy = document.activeElement;
    return this.#ask({ kind: 'enter', name, pass }, (values) =>
      this.#client.rooms.enter(roomId, { ...values, name }),
    );
  }

  /** The dialog gives the focus back to what opened it; who has entered wants it in the room. */
  async #ask(question, enter) {
    let room;
    await this.#dialog.ask({ ...question, muted: this.#client.muted }, async (values) => {
      room = await enter(values);
    });
    const tile = room && this.#tileOf(room.id);
    if (tile) this.#bringUp(tile);
    this.load();
  }

  #tileOf(roomId) {
    return this.#stage.find((it) => it.dataset.roomId === roomId);
  }

  #listedName(roomId) {
    const row = [...this.#list.children].find((it) => it.dataset.roomId === roomId);
    return row?.querySelector('[data-slot="name"]').textContent || undefined;
  }

  /** The node says who invites; what the room is called is said by the list, or else by who invites. */
  #onInvite({ roomId, password, name: said, inviterId }) {
    const name = this.#listedName(roomId) ?? (typeof said === 'string' && said ? said : t('rooms.unnamed'));
    const words = inviterId ? ['banner.invite.by', { name, who: this.#people.nameOf(inviterId) }] : ['banner.invite', { name }];
    const { root, slots } = fromTemplate('banner-template');
    root.dataset.kind = 'ask';
    setText(slots.text, ...words);
    const yes = makeButton('button answer', 'invite-enter', () => {
      root.remove();
      this.#enter({ roomId, name, pass: password });
    });
    setText(yes, 'rooms.enter');
    const no = makeButton('button quiet', 'invite-decline', () => root.remove());
    setText(no, 'banner.decline');
    slots.actions.append(yes, no);
    byId('banners').append(root);
    announceNow(t(...words));
    this.#show();
  }

  #add(room) {
    const tile = new RoomTile(room, this.#people);
    this.#stage.add(tile.root);
    this.#bringUp(tile.root);
    room.addEventListener('state', () => this.#onState(room, tile));
    room.addEventListener('members', () => this.#showSize(room));
  }

  /** Of the own rooms the number is known at once. */
  #showSize({ id, members }) {
    const row = [...this.#list.children].find((it) => it.dataset.roomId === id);
    if (row) setText(row.querySelector('[data-slot="size"]'), 'rooms.size', { n: members.length });
  }

  #onState(room, tile) {
    const name = room.name || t('rooms.unnamed');
    if (room.state === 'in') announceNow(t('room.entered', { name }));
    if (room.state !== 'closed') return;
    this.#stage.remove(tile.root, () => tile.remove(), this.#startedBy);
    this.load();
    if (!room.enteredAt) return; // The dialog says why.
    announceNow(t(`room.end.${room.closeReason}`, { name }));
    if (room.closeReason !== 'left') toast(endWords(room, name), room.error && errorDetail(room.error));
  }

  #bringUp(tile) {
    this.#show();
    tile.focus({ preventScroll: true });
  }
}

function endWords(room, name) {
  const words = t(`room.end.${room.closeReason}`, { name });
  const isPassword = room.error?.code === UNAUTHORIZED;
  return room.error && !isPassword ? `${words} ${errorWords(room.error, 'room')}` : words;
}

function nameOf({ name, roomId }) {
  return name || `${t('rooms.unnamed')} ${roomId.slice(-4)}`;
}
