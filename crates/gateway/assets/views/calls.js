// All calls of this terminal: their tiles, and the banners of those that came in.

import { byId, fromTemplate, makeButton } from '../dom.js';
import { setText, t } from '../i18n.js';
import { CallTile } from './call.js';
import { announceNow, toast, toastError } from './notices.js';

/** Places one {@link CallTile} per session. */
export class CallsView {
  #client;
  #stage;
  #banners = byId('banners');
  #show;
  #startedBy;

  /**
   * @param {import('../taoyao.js').Taoyao} client
   * @param {import('./stage.js').Stage} stage
   * @param {() => void} show brings this view to the front on a small screen
   */
  constructor(client, stage, show) {
    this.#client = client;
    this.#stage = stage;
    this.#show = show;
    client.addEventListener('session', ({ detail }) => this.#add(detail));
  }

  /** Calls a terminal; what went wrong is said in words. */
  async call(clientId, kinds) {
    this.#startedBy = document.activeElement;
    try {
      await this.#client.call(clientId, kinds);
    } catch (error) {
      toastError(error, 'call');
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
    this.#stage.add(tile.root);
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
    this.#showRinging();
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
    this.#showRinging();
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
    const devices = makeButton('button quiet', 'banner-devices', () => {});
    devices.dataset.devices = '';
    setText(devices, 'banner.devices');
    return session.wanted.video ? [answer, audio, devices, decline] : [answer, devices, decline];
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

  #removeTile(tile) {
    this.#stage.remove(tile.root, () => tile.remove(), this.#startedBy);
  }

  #tileOf(session) {
    return this.#stage.find((it) => it.dataset.session === session.id);
  }

  #showRinging() {
    const asks = this.#client.answer === 'ask';
    const ringing = [...this.#client.sessions.values()].find((it) => it.state === 'ringing' && asks);
    this.#stage.ring(ringing?.peer.name);
  }
}
