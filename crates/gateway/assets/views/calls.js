// All calls of this terminal: their tiles, and the banners of those that came in.

import { byId, fromTemplate, makeButton } from '../dom.js';
import { setText, t } from '../i18n.js';
import { errorWords } from '../words.js';
import { CallTile } from './call.js';
import { announceNow, toast } from './notices.js';
import { WakeLock } from './wake.js';

/** Places one {@link CallTile} per session. */
export class CallsView {
  #client;
  #tiles = byId('tiles');
  #banners = byId('banners');
  #show;
  #startedBy;
  #wakeLock = new WakeLock();

  /**
   * @param {import('../taoyao.js').Taoyao} client
   * @param {() => void} show brings this view to the front on a small screen
   */
  constructor(client, show) {
    this.#client = client;
    this.#show = show;
    client.addEventListener('session', ({ detail }) => this.#add(detail));
  }

  /** Calls a terminal; what went wrong is said in words. */
  async call(clientId, kinds) {
    this.#startedBy = document.activeElement;
    try {
      await this.#client.call(clientId, kinds);
    } catch (error) {
      toast(errorWords(error, 'call'));
    }
  }

  #add(session) {
    const tile = session.state === 'ringing' ? undefined : this.#addTile(session);
    const banner = session.direction === 'in' ? this.#addBanner(session) : undefined;
    session.addEventListener('state', () => this.#onState(session, banner, tile));
    if (session.direction === 'out') this.#bringUp(tile);
  }

  #addTile(session) {
    const tile = new CallTile(session);
    this.#tiles.append(tile.root);
    this.#count();
    session.addEventListener('state', () => session.state === 'closed' && this.#removeTile(tile));
    return tile;
  }

  #onState(session, banner, tile) {
    const { name } = session.peer;
    if (session.state === 'connecting' && !tile && !this.#tileOf(session)) this.#bringUp(this.#addTile(session));
    if (session.state === 'connecting' && this.#client.answer === 'ask') banner?.remove();
    if (session.state === 'connected') announceNow(t('call.started', { name }));
    if (session.state === 'closed') {
      banner?.remove();
      announceNow(t(`call.end.${session.closeReason}`, { name }));
      if (session.closeReason !== 'local') toast(t(`call.end.${session.closeReason}`, { name }));
    }
    this.#count();
  }

  /** A called person sees at once who it is, and can end it with one click. */
  #addBanner(session) {
    const asks = session.state === 'ringing' && this.#client.answer === 'ask';
    const { root, slots } = fromTemplate('banner-template');
    const name = session.peer.name;
    root.dataset.kind = asks ? 'ask' : 'auto';
    setText(slots.text, asks ? 'banner.ask' : 'banner.auto', { name });
    slots.text.id = `banner-${session.id}`;
    root.setAttribute('aria-labelledby', slots.text.id);
    slots.actions.append(...(asks ? this.#askButtons(session) : this.#autoButtons(session, root)));
    this.#banners.append(root);
    this.#count();
    announceNow(t(asks ? 'banner.ask' : 'banner.auto', { name }));
    this.#show();
    if (asks) slots.actions.firstElementChild.focus();
    return root;
  }

  #askButtons(session) {
    const answer = makeButton('button answer', 'answer', () => session.accept());
    setText(answer, 'banner.answer');
    const audio = makeButton('button quiet', 'answer-audio', () => session.accept({ video: false }));
    setText(audio, 'banner.answerAudio');
    const decline = makeButton('button danger', 'decline', () => session.close());
    setText(decline, 'banner.decline');
    return session.wanted.video ? [answer, audio, decline] : [answer, decline];
  }

  #autoButtons(session, banner) {
    const hangUp = makeButton('button danger', 'banner-hang-up', () => session.close());
    setText(hangUp, 'banner.hangUp');
    const ok = makeButton('button quiet', 'banner-ok', () => banner.remove());
    setText(ok, 'banner.ok');
    return [hangUp, ok];
  }

  #bringUp(tile) {
    this.#show();
    tile.root.focus({ preventScroll: true });
  }

  /** The focus of a call that ended goes to the next call, or back to where the call was started. */
  #removeTile(tile) {
    const hadFocus = tile.root.contains(document.activeElement);
    const next = tile.root.nextElementSibling ?? tile.root.previousElementSibling;
    tile.remove();
    this.#count();
    if (!hadFocus) return;
    const back = this.#startedBy?.isConnected && this.#startedBy.checkVisibility() ? this.#startedBy : byId('calls');
    (next ?? back).focus();
  }

  #tileOf(session) {
    return [...this.#tiles.children].find((it) => it.dataset.session === session.id);
  }

  #count() {
    const open = this.#tiles.children.length;
    byId('calls').dataset.count = Math.min(open, 5);
    byId('calls-empty').hidden = open > 0;
    const badge = byId('calls-badge');
    badge.hidden = open === 0;
    badge.textContent = open;
    this.#wakeLock.hold(open > 0);
    this.#showTitle(open);
  }

  /** The title says in a hidden tab that somebody calls, and that a call is running. */
  #showTitle(open) {
    const ringing = [...this.#client.sessions.values()].find(
      (it) => it.state === 'ringing' && this.#client.answer === 'ask',
    );
    if (ringing) document.title = t('banner.ask', { name: ringing.peer.name });
    else document.title = open > 0 ? '● Taoyao' : 'Taoyao';
  }
}
