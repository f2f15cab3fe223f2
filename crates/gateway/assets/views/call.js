// One call: pictures, state, who stopped what, and the controls.

import { fromTemplate, setIcon } from '../dom.js';
import { setLabel, setText, t } from '../i18n.js';
import { durationWords } from '../words.js';
import { ChatPanel } from './chat.js';
import { DetailsPanel } from './details.js';
import { toastError } from './notices.js';
import { useSpeaker } from './speaker.js';

const KINDS = ['audio', 'video'];
const POLL_MS = 1_000;

/** The tile of one session, until it closes. */
export class CallTile {
  #session;
  #slots;
  #details;
  #timer;
  #hasPicture = false;

  /** @param {import('../taoyao.js').Session} session */
  constructor(session) {
    this.#session = session;
    const { root, slots } = fromTemplate('call-template');
    this.root = root;
    this.#slots = slots;
    this.#details = new DetailsPanel(slots.details, slots['details-toggle']);
    root.dataset.session = session.id;
    root.dataset.peer = session.peer.clientId;
    setLabel(root, 'call.label', { name: session.peer.name });
    slots.peer.textContent = session.peer.name;
    slots.peer.title = session.peer.clientId;
    new ChatPanel(session, slots, (id) => (id ? session.peer.name : t('chat.you')));
    this.#wire();
    this.#showState();
    this.#showLocal();
    this.#showPauses();
    this.#timer = setInterval(() => this.#poll(), POLL_MS);
  }

  remove() {
    clearInterval(this.#timer);
    this.#slots.remote.srcObject = null;
    this.#slots.own.srcObject = null;
    this.root.remove();
  }

  #wire() {
    const session = this.#session;
    const slots = this.#slots;
    session.addEventListener('state', () => this.#showState());
    session.addEventListener('stream', () => this.#showRemote());
    session.addEventListener('local', () => this.#showLocal());
    session.addEventListener('pauses', () => this.#showPauses());
    session.addEventListener('screen', () => this.#showLocal());
    slots.screen.addEventListener('click', () => this.#toggleScreen());
    slots.mic.addEventListener('click', () => session.mute('audio', !session.pauses.audio.muted));
    slots.camera.addEventListener('click', () => session.mute('video', !session.pauses.video.muted));
    slots['pause-audio'].addEventListener('click', () => this.#togglePeer('audio'));
    slots['pause-video'].addEventListener('click', () => this.#togglePeer('video'));
    slots['hang-up'].addEventListener('click', () => session.close());
    slots.hear.addEventListener('click', () => this.#play());
    slots.fullscreen.addEventListener('click', () => this.#toggleFullscreen());
    slots.fullscreen.hidden = !document.fullscreenEnabled;
    useSpeaker(slots.remote);
    slots.remote.addEventListener('resize', () => this.#showPlaceholder());
  }

  async #toggleScreen() {
    try {
      await this.#session.show(!this.#session.screen);
    } catch (error) {
      toastError(error, 'call');
    }
  }

  #togglePeer(kind) {
    if (this.#session.pauses[kind].ofPeer) this.#session.resume(kind);
    else this.#session.pause(kind);
  }

  #toggleFullscreen() {
    if (document.fullscreenElement) document.exitFullscreen();
    else this.root.requestFullscreen().catch(() => {}); // A refusal leaves the tile as it is.
  }

  #showState() {
    const { state, connectedAt, wanted } = this.#session;
    this.root.dataset.state = state;
    if (state === 'connected') {
      delete this.#slots.state.dataset.t;
      this.#slots.state.textContent = durationWords(Date.now() - connectedAt);
    } else {
      setText(this.#slots.state, `call.state.${state}`);
    }
    this.root.dataset.video = String(wanted.video);
    this.#slots.screen.hidden = !this.#session.canShow;
    this.#slots['chat-toggle'].hidden = !this.#session.canSay;
    this.#showPlaceholder();
  }

  #showRemote() {
    if (this.#slots.remote.srcObject !== this.#session.stream) this.#slots.remote.srcObject = this.#session.stream;
    this.#play();
  }

  /** A page that nobody has touched may not make sound: then a button asks for the touch. */
  async #play() {
    try {
      await this.#slots.remote.play();
      this.#slots.hear.hidden = true;
    } catch (error) {
      this.#slots.hear.hidden = error.name !== 'NotAllowedError';
    }
  }

  #showLocal() {
    const { local, screen } = this.#session;
    const shown = screen ? new MediaStream([screen]) : local;
    const hasVideo = shown.getVideoTracks().length > 0;
    this.#slots.own.hidden = !hasVideo;
    this.#slots.own.srcObject = hasVideo ? shown : null;
    this.#slots.own.dataset.screen = String(Boolean(screen));
    this.#slots.screen.setAttribute('aria-pressed', String(Boolean(screen)));
    setIcon(this.#slots.screen, screen ? 'screen-off' : 'screen');
    setLabel(this.#slots.screen, `room.screen.${screen ? 'off' : 'on'}`);
    this.#showPauses();
  }

  #showPauses() {
    const { pauses, local, wanted } = this.#session;
    const has = { audio: local.getAudioTracks().length > 0, video: local.getVideoTracks().length > 0 };
    showOwn(this.#slots.mic, 'mic', has.audio, pauses.audio.muted, 'mic');
    showOwn(this.#slots.camera, 'camera', has.video, pauses.video.muted, 'video');
    showTheirs(this.#slots['pause-audio'], 'Audio', pauses.audio.ofPeer, 'hear');
    showTheirs(this.#slots['pause-video'], 'Video', pauses.video.ofPeer, 'see');
    this.#slots.camera.hidden = !wanted.video;
    this.#slots['pause-video'].hidden = !wanted.video;
    this.#slots.own.dataset.stopped = String((pauses.video.muted && !this.#session.screen) || pauses.video.byPeer);
    this.#showNotes();
    this.#showPlaceholder();
  }

  #showNotes() {
    const { pauses, missing } = this.#session;
    const keys = KINDS.flatMap((kind) => [
      ...['byPeer', 'ofPeer', 'muted'].filter((who) => pauses[kind][who]).map((who) => `call.note.${who}.${kind}`),
      ...(missing[kind] ? [missingKey(kind, missing[kind])] : []),
    ]);
    const shown = [...this.#slots.notes.children].map((it) => it.dataset.t);
    if (keys.join() === shown.join()) return; // An unchanged list is not read out again.
    this.#slots.notes.replaceChildren(...keys.map(makeNote));
  }

  /** Says why there is no picture while there is none. */
  #showPlaceholder() {
    const { state, wanted, pauses } = this.#session;
    this.#hasPicture = this.#slots.remote.videoWidth > 0 && !pauses.video.ofPeer && wanted.video;
    this.#slots.placeholder.hidden = this.#hasPicture && state !== 'interrupted';
    setText(this.#slots['placeholder-text'], placeholderKey(state, wanted, pauses));
  }

  async #poll() {
    if (this.#session.state === 'connected') this.#showState();
    const stats = await this.#session.stats();
    if (stats) this.#details.update(stats);
  }
}

function showOwn(button, name, exists, muted, icon) {
  button.disabled = !exists;
  button.setAttribute('aria-pressed', String(muted));
  setIcon(button, muted || !exists ? `${icon}-off` : icon);
  setLabel(button, `call.${name}.${!exists ? 'none' : muted ? 'on' : 'off'}`);
}

function showTheirs(button, name, paused, icon) {
  button.setAttribute('aria-pressed', String(paused));
  setIcon(button, paused ? `${icon}-off` : icon);
  setLabel(button, `call.${paused ? 'resume' : 'pause'}${name}`);
}

function placeholderKey(state, wanted, pauses) {
  if (state !== 'connected') return `call.state.${state}`;
  if (!wanted.video) return 'call.audioOnly';
  return pauses.video.ofPeer ? 'call.paused' : 'call.waiting';
}

function missingKey(kind, reason) {
  const known = ['NotFoundError', 'NotAllowedError'].includes(reason);
  return `call.note.missing.${kind}${known ? `.${reason}` : ''}`;
}

function makeNote(key) {
  const note = document.createElement('li');
  note.className = 'note';
  note.dataset.testid = 'note';
  note.dataset.note = key.replace('call.note.', '');
  setText(note, key);
  return note;
}
