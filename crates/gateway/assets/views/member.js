// One member of a room, or the screen that a member shows: picture, sound, name, and how good the line is.

import { fromTemplate } from '../dom.js';
import { setLabel, setText, t } from '../i18n.js';
import { rateWords } from '../words.js';
import { DetailsPanel } from './details.js';
import { useSpeaker } from './speaker.js';

const NONE = '–';
/** A narrower tile has no place for all of its buttons. */
const SMALL_PX = 176;
/** Around the numbers. */
const MARGIN_PX = 8;
const ms = (value) => (value === undefined ? NONE : `${Math.round(value)} ms`);
const percent = (share) => `${(share * 100).toFixed(1)} %`;

/** What is shown, in order: key of the words, and how to read the value from picture and sound. */
const ROWS = [
  ['size', ({ picture }) => (picture?.width ? `${picture.width} × ${picture.height}` : NONE)],
  ['fps', ({ picture }) => picture?.fps ?? NONE],
  ['frames', ({ picture }) => picture?.frames ?? NONE],
  ['rate', ({ picture, sound }) => rateWords((picture?.kbps ?? 0) + (sound?.kbps ?? 0))],
  ['loss', ({ picture, sound }) => percent(Math.max(picture?.lossShare ?? 0, sound?.lossShare ?? 0))],
  ['lost', ({ picture, sound }) => (picture?.lost ?? 0) + (sound?.lost ?? 0)],
  ['jitter', ({ picture, sound }) => ms((picture ?? sound)?.jitterMs)],
  ['rtt', ({ picture, sound }) => ms((picture ?? sound)?.rttMs)],
  [
    'freezes',
    ({ picture }) => (picture?.freezes === undefined ? NONE : `${picture.freezes} · ${ms(picture.frozenMs)}`),
  ],
  ['level', ({ sound }) => sound?.audioLevel?.toFixed(3) ?? NONE],
  ['layer', ({ picture }) => layerWords(picture)],
  ['codecs', ({ picture, sound }) => `${picture?.codec ?? NONE} · ${sound?.codec ?? NONE}`],
];

/** Shows one member, until it leaves. */
export class MemberTile {
  #room;
  #member;
  #source;
  #slots;
  #details;
  #stream = new MediaStream();
  #consumerId;

  /**
   * @param {import('../taoyao/room.js').Room} room
   * @param {import('../taoyao/room/model.js').Member} member
   * @param {'camera'|'screen'} source
   * @param {() => void} onPin the person wants it large, or not any more
   */
  constructor(room, member, source, onPin) {
    this.#room = room;
    this.#member = member;
    this.#source = source;
    this.clientId = member.clientId;
    const { root, slots } = fromTemplate('member-template');
    this.root = root;
    this.#slots = slots;
    this.#details = new DetailsPanel(slots.details, slots.quality, ROWS);
    root.dataset.clientId = member.clientId;
    root.dataset.source = source;
    root.dataset.me = String(member.isMe);
    slots.video.muted = member.isMe;
    useSpeaker(slots.video);
    slots.video.srcObject = this.#stream;
    slots.video.addEventListener('resize', () => this.#showPicture());
    slots.expel.addEventListener('click', () => this.#expel());
    slots.quality.addEventListener('click', () => this.#placeDetails());
    slots.pin.addEventListener('click', onPin);
  }

  remove() {
    this.#slots.video.srcObject = null;
    this.root.remove();
  }

  /** Shows what there is now. */
  update() {
    const { name, isMe } = this.#member;
    if (this.#source === 'screen') setText(this.#slots.name, 'room.screenOf', { name });
    else if (isMe) setText(this.#slots.name, 'people.you', { name });
    else this.#slots.name.textContent = name;
    this.#slots.initial.textContent = [...name][0]?.toUpperCase() ?? '';
    setLabel(this.#slots.expel, 'room.expel', { name });
    this.#slots.expel.hidden = isMe || this.#source === 'screen' || !this.#room.mayManage;
    setLabel(this.root, 'room.member', { name: this.#slots.name.textContent });
    this.#slots.hand.toggleAttribute('hidden', !this.#member.isHandRaised || this.#source === 'screen');
    const { picture, sound } = isMe ? this.#own() : this.#received();
    this.#setTracks([picture.track, sound.track]);
    this.#consumerId = picture.consumerId;
    this.root.dataset.muted = String(!sound.track || sound.isPaused);
    this.root.dataset.picture = String(Boolean(picture.track) && !picture.isPaused);
    this.#slots.muted.toggleAttribute('hidden', this.#source === 'screen' || this.root.dataset.muted === 'false');
    this.#showPicture();
  }

  /** @param {boolean} isLarge whether the layout shows it above all others */
  setLarge(isLarge) {
    this.root.dataset.large = String(isLarge);
  }

  setPinned(isPinned) {
    this.#slots.pin.setAttribute('aria-pressed', String(isPinned));
    setLabel(this.#slots.pin, isPinned ? 'room.unpin' : 'room.pin', { name: this.#slots.name.textContent });
  }

  /** Width by height of what it shows; undefined while it shows nothing. */
  get aspect() {
    const { videoWidth, videoHeight } = this.#slots.video;
    return videoHeight > 0 && this.root.dataset.picture === 'true' ? videoWidth / videoHeight : undefined;
  }

  /** @param {import('./arrange.js').Box} [box] none: there is no place for it, and it is not sent either */
  place(box) {
    this.root.toggleAttribute('data-out', !box);
    if (!box) return;
    this.root.dataset.small = String(box.width < SMALL_PX);
    const { style } = this.root;
    style.transform = `translate(${box.x}px, ${box.y}px)`;
    style.width = `${box.width}px`;
    style.height = `${box.height}px`;
  }

  showVolume() {
    const isSpeaking = this.#source === 'camera' && (this.#member.volume ?? 0) > 0;
    this.root.dataset.speaking = String(isSpeaking);
  }

  /** @returns {Promise<boolean>} false when the browser wants to be touched first */
  async play() {
    if (this.#stream.getTracks().length === 0) return true;
    try {
      await this.#slots.video.play();
      return true;
    } catch (error) {
      return error.name !== 'NotAllowedError';
    }
  }

  /** Tells the room how large the picture is, so that no more is sent than can be seen. */
  tellSize() {
    if (!this.#consumerId) return;
    const isSeen = document.visibilityState === 'visible' && this.root.checkVisibility() && this.#isInPlace();
    this.#room.show(this.#consumerId, isSeen ? Math.round(this.root.clientHeight * devicePixelRatio) : 0);
  }

  /** Whether it is where the place of the tiles is scrolled to. */
  #isInPlace() {
    const { top, bottom } = this.root.getBoundingClientRect();
    const place = this.root.parentElement.getBoundingClientRect();
    return bottom > place.top && top < place.bottom;
  }

  /** @param {{grade?: string, readings: object}} [quality] */
  showQuality({ grade, readings = {} } = {}) {
    const value = {
      picture: readings[this.#source],
      sound: this.#source === 'camera' ? readings.microphone : undefined,
    };
    this.#slots.quality.dataset.grade = grade ?? 'none';
    setLabel(this.#slots.quality, `quality.${grade ?? 'none'}`, { name: this.#member.name });
    this.#details.update(value);
    this.#placeDetails();
  }

  /** Below the button that opens the numbers, or as near to that as they fit among the tiles. */
  #placeDetails() {
    const { details, quality } = this.#slots;
    if (details.hidden || !this.root.isConnected) return; // A reading may come when the room is gone.
    const button = quality.getBoundingClientRect();
    const space = this.root.parentElement.getBoundingClientRect();
    details.style.maxHeight = `${space.height - 2 * MARGIN_PX}px`;
    const fit = (wanted, from, to) => `${Math.max(from + MARGIN_PX, Math.min(wanted, to - MARGIN_PX))}px`;
    details.style.left = fit(button.right - details.offsetWidth, space.left, space.right - details.offsetWidth);
    details.style.top = fit(button.bottom + MARGIN_PX, space.top, space.bottom - details.offsetHeight);
  }

  #expel() {
    const { name, clientId } = this.#member;
    if (confirm(t('room.expel.sure', { name }))) this.#room.expel(clientId);
  }

  #own() {
    const { camera, microphone } = this.#room.own;
    return {
      picture: { track: camera.track, isPaused: !camera.isOn },
      sound: { track: microphone.track, isPaused: !microphone.isOn },
    };
  }

  #received() {
    const nothing = { isPaused: false };
    const picture = this.#room.received(this.clientId, this.#source) ?? nothing;
    const sound = this.#source === 'camera' ? this.#room.received(this.clientId, 'microphone') : undefined;
    return { picture, sound: sound ?? nothing };
  }

  #setTracks(tracks) {
    const wanted = new Set(tracks.filter(Boolean));
    for (const track of this.#stream.getTracks()) if (!wanted.has(track)) this.#stream.removeTrack(track);
    for (const track of wanted) this.#stream.addTrack(track);
  }

  #showPicture() {
    const hasPicture = this.root.dataset.picture === 'true' && this.#slots.video.videoWidth > 0;
    this.#slots.placeholder.hidden = hasPicture;
  }
}

/** Which of the layers comes, or how many of them go. */
function layerWords(picture) {
  if (picture?.layers) return `${picture.layers.spatial ?? NONE} / ${picture.layers.temporal ?? NONE}`;
  return picture?.streams ?? NONE;
}
