// One room: everybody's tiles, the layout that follows the speaker, and the controls.

import { fromTemplate, setIcon } from '../dom.js';
import { canShowScreen } from '../taoyao/screen.js';
import { setLabel, setText, t } from '../i18n.js';
import { durationWords } from '../words.js';
import { arrange } from './arrange.js';
import { ChatPanel } from './chat.js';
import { InviteDialog } from './invite-dialog.js';
import { MemberTile } from './member.js';
import { announceNow, toast, toastError } from './notices.js';

const POLL_MS = 1_000;
const SOURCES = { mic: 'microphone', camera: 'camera', screen: 'screen' };
const ICONS = { mic: 'mic', camera: 'video', screen: 'screen' };

/** Why a recording failed, as the protocol names it and as people are told. */
const FAILURES = {
  'quota-used-up': 'room.recording.failed.quota',
  'disk-full': 'room.recording.failed.disk',
  'disk-fault': 'room.recording.failed.fault',
  'media-lost': 'room.recording.failed.lost',
};

/** The tile of one room, until it is left. */
export class RoomTile {
  #room;
  #slots;
  #people;
  #chat;
  #timer;
  /** @type {Map<string, MemberTile>} by client id and source */
  #tiles = new Map();
  #layout = 'speaker';
  /** The key of the tile that the person wants large. */
  #pinned;
  /** The index of the large tile, or -1. */
  #large = -1;
  #resizes = new ResizeObserver(() => this.#place());

  /**
   * @param {import('../taoyao/room.js').Room} room
   * @param {import('./people.js').PeopleView} people who could be invited
   */
  constructor(room, people) {
    this.#room = room;
    this.#people = people;
    const { root, slots } = fromTemplate('room-template');
    this.root = root;
    this.#slots = slots;
    root.dataset.roomId = room.id;
    slots.name.textContent = room.name || t('rooms.unnamed');
    setLabel(root, 'room.label', { name: slots.name.textContent });
    this.#chat = new ChatPanel(room, slots, (id) => this.#nameOf(id));
    this.#wire();
    this.#showState();
    this.#showMembers();
    this.#showOwn();
    this.#showStanding();
    this.#showHand();
    this.#resizes.observe(slots.tiles);
    this.#timer = setInterval(() => this.#poll(), POLL_MS);
  }

  remove() {
    clearInterval(this.#timer);
    this.#resizes.disconnect();
    for (const tile of this.#tiles.values()) tile.remove();
    this.root.remove();
  }

  #wire() {
    const room = this.#room;
    const slots = this.#slots;
    room.addEventListener('state', () => this.#showState());
    room.addEventListener('members', () => this.#showMembers());
    room.addEventListener('volume', () => this.#showVolumes());
    room.addEventListener('local', () => this.#showOwn());
    room.addEventListener('standing', () => this.#showStanding());
    room.addEventListener('recording', ({ detail }) => this.#showRecording(detail));
    room.addEventListener('hand', ({ detail }) => this.#onHand(detail));
    room.addEventListener('stopped', ({ detail }) => toast(t(`room.stopped.${detail}`)));
    room.addEventListener('trouble', ({ detail }) => toastError(detail, 'room'));
    for (const name of Object.keys(SOURCES)) slots[name].addEventListener('click', () => this.#toggle(name));
    slots.leave.addEventListener('click', () => room.leave());
    slots.end.addEventListener('click', () => confirm(t('room.end.sure')) && room.close());
    slots.layout.addEventListener('click', () => this.#switchLayout());
    slots.hand.addEventListener('click', () => room.raiseHand(!room.isHandRaised));
    slots['mute-all'].addEventListener('click', () => this.#muteAll());
    slots.link.addEventListener('click', () => this.#copyLink());
    slots.record.addEventListener('click', () => slots.record.ariaDisabled !== 'true' && this.#record());
    slots.invite.addEventListener('click', () => this.#invite());
    slots.hear.addEventListener('click', () => this.#play());
    slots.fullscreen.addEventListener('click', () => this.#toggleFullscreen());
    slots.fullscreen.hidden = !document.fullscreenEnabled;
    slots.screen.hidden = !canShowScreen;
  }

  async #toggle(name) {
    const source = SOURCES[name];
    await this.#try(() => this.#room.set(source, !this.#room.own[source].isOn));
    const reason = this.#room.own[source].missing;
    if (reason) toast(t(missingKey(source, reason)));
  }

  async #record() {
    const { record } = this.#slots;
    record.setAttribute('aria-disabled', 'true');
    await this.#try(() => this.#room.record(!this.#room.isRecording));
    record.removeAttribute('aria-disabled');
  }

  #invite() {
    const inside = new Set(this.#room.members.map((it) => it.clientId));
    const people = this.#people.callable().filter((it) => !inside.has(it.clientId));
    new InviteDialog(people, ({ clientId, name }) => {
      this.#room.invite(clientId);
      announceNow(t('room.invited', { name }));
    });
  }

  #onHand({ clientId, isRaised }) {
    const isMe = this.#room.members.some((it) => it.isMe && it.clientId === clientId);
    if (isMe) this.#showHand();
    else if (isRaised) announceNow(t('room.hand.raised', { name: this.#nameOf(clientId) }));
    for (const tile of this.#tiles.values()) tile.update();
  }

  #showHand() {
    const { isHandRaised } = this.#room;
    this.#slots.hand.setAttribute('aria-pressed', String(isHandRaised));
    setLabel(this.#slots.hand, isHandRaised ? 'room.hand.down' : 'room.hand.up');
  }

  #muteAll() {
    this.#room.muteAll();
    announceNow(t('room.muteAll.done'));
  }

  async #copyLink() {
    const link = `${location.origin}/?room=${encodeURIComponent(this.#room.id)}`;
    try {
      await navigator.clipboard.writeText(link);
      toast(t('room.link.copied'));
    } catch {
      prompt(t('room.link.here'), link); // A browser that lets no page copy lets its person do it.
    }
  }

  #switchLayout() {
    this.#layout = this.#layout === 'speaker' ? 'grid' : 'speaker';
    this.#showMembers();
  }

  #toggleFullscreen() {
    if (document.fullscreenElement) document.exitFullscreen();
    else this.root.requestFullscreen().catch(() => {}); // A refusal leaves the tile as it is.
  }

  async #try(action) {
    try {
      await action();
    } catch (error) {
      toastError(error, 'room');
    }
  }

  #showState() {
    const { state, enteredAt } = this.#room;
    this.root.dataset.state = state;
    if (state === 'in') {
      delete this.#slots.state.dataset.t;
      this.#slots.state.textContent = durationWords(Date.now() - enteredAt);
    } else if (state !== 'closed') setText(this.#slots.state, `room.state.${state}`);
  }

  /** One tile for every member, and one for every screen. */
  #showMembers() {
    const room = this.#room;
    const wanted = new Map(room.members.map((it) => [it.clientId, { member: it, source: 'camera' }]));
    for (const member of room.members.filter((it) => !it.isMe && room.received(it.clientId, 'screen'))) {
      wanted.set(`${member.clientId} screen`, { member, source: 'screen' });
    }
    for (const [key, tile] of this.#tiles) if (!wanted.has(key)) this.#drop(key, tile);
    for (const [key, { member, source }] of wanted) this.#put(key, member, source);
    setText(this.#slots.size, 'rooms.size', { n: room.members.length });
    this.#arrange();
    this.#play();
  }

  #put(key, member, source) {
    const known = this.#tiles.get(key);
    const tile = known ?? new MemberTile(this.#room, member, source, () => this.#pin(key));
    if (!known) {
      this.#tiles.set(key, tile);
      this.#slots.tiles.append(tile.root);
    }
    tile.update();
  }

  #drop(key, tile) {
    tile.remove();
    this.#tiles.delete(key);
  }

  /** What was pinned is large, else a screen, which is to be read, else, if the layout follows the speaker, who speaks. */
  #arrange() {
    const keys = [...this.#tiles.keys()];
    const speaker = this.#layout === 'speaker' ? (this.#room.speaker ?? keys[0]) : undefined;
    if (!this.#tiles.has(this.#pinned)) this.#pinned = undefined;
    const large = this.#pinned ?? keys.find((key) => key.endsWith(' screen')) ?? speaker;
    this.#large = keys.length > 1 ? keys.indexOf(large) : -1;
    this.root.dataset.layout = this.#layout;
    for (const [key, tile] of this.#tiles) {
      tile.setLarge(key === large || keys.length === 1);
      tile.setPinned(key === this.#pinned);
    }
    setIcon(this.#slots.layout, this.#layout === 'speaker' ? 'grid' : 'spotlight');
    setLabel(this.#slots.layout, `room.layout.${this.#layout === 'speaker' ? 'grid' : 'speaker'}`);
    this.#place();
  }

  #place() {
    const { clientWidth: width, clientHeight: height } = this.#slots.tiles;
    if (width === 0) return; // Another view is in front.
    const tiles = [...this.#tiles.values()];
    const arrangement = arrange({ width, height }, tiles.length, this.#large, tiles[this.#large]?.aspect);
    tiles.forEach((tile, i) => tile.place(arrangement.boxes[i]));
    this.#slots.tiles.classList.toggle('scrolled', arrangement.height > height + 1);
  }

  #pin(key) {
    this.#pinned = this.#pinned === key ? undefined : key;
    this.#arrange();
  }

  #showVolumes() {
    for (const tile of this.#tiles.values()) tile.showVolume();
  }

  #showOwn() {
    this.#showViewer(this.#room.own);
    for (const [name, source] of Object.entries(SOURCES)) {
      const { isOn, missing } = this.#room.own[source];
      const button = this.#slots[name];
      // The screen's button is pressed while it is shown, the others while they are switched off.
      button.setAttribute('aria-pressed', String(source === 'screen' ? isOn : !isOn));
      setIcon(button, (source === 'screen') === isOn ? `${ICONS[name]}-off` : ICONS[name]);
      setLabel(button, missing ? missingKey(source, missing) : `room.${source}.${isOn ? 'off' : 'on'}`);
    }
    for (const tile of this.#tiles.values()) tile.update();
  }

  /** Who sends nothing because nothing is there to send with is told so, and stays. */
  #showViewer({ microphone, camera }) {
    this.#slots.viewer.hidden = !(microphone.missing && camera.missing);
  }

  /** What this terminal may not do is not offered; that the room is recorded is told to everybody. */
  #showStanding() {
    const { isRecording, mayManage, mayRecord } = this.#room;
    const { record, end, recording } = this.#slots;
    const wasRecording = !recording.hidden;
    recording.hidden = !isRecording;
    record.hidden = !mayRecord;
    record.setAttribute('aria-pressed', String(isRecording));
    setLabel(record, isRecording ? 'room.record.stop' : 'room.record.start');
    end.hidden = !mayManage;
    this.#slots['mute-all'].hidden = !mayManage;
    for (const tile of this.#tiles.values()) tile.update();
    if (isRecording !== wasRecording) announceNow(t(isRecording ? 'room.recording' : 'room.recording.over'));
  }

  /** A page that nobody has touched may not make sound: then a button asks for the touch. */
  async #play() {
    const results = await Promise.all([...this.#tiles.values()].map((it) => it.play()));
    this.#slots.hear.hidden = !results.includes(false);
  }

  async #poll() {
    if (this.#room.state === 'in') this.#showState();
    this.#place(); // The large picture may have come, or have turned.
    for (const tile of this.#tiles.values()) tile.tellSize();
    const qualities = await this.#room.qualities();
    for (const tile of this.#tiles.values()) tile.showQuality(qualities.get(tile.clientId));
  }

  /** One that fails is told to everybody: somebody relies on it. */
  #showRecording({ clientId, state, reason }) {
    if (state !== 'failed') return;
    const name = this.#nameOf(clientId);
    toast(t(FAILURES[reason] ?? 'room.recording.failed', { name }));
  }

  #nameOf(clientId) {
    return this.#room.members.find((it) => it.clientId === clientId)?.name ?? clientId;
  }
}

function missingKey(source, reason) {
  const kind = source === 'microphone' ? 'audio' : 'video';
  const known = ['NotFoundError', 'NotAllowedError'].includes(reason);
  return `call.note.missing.${kind}${known ? `.${reason}` : ''}`;
}
