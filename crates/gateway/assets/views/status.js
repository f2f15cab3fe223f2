// The chip in the bar: which node this terminal is connected to, or why it is not.

import { byId } from '../dom.js';
import { setText } from '../i18n.js';

const TICK_MS = 1_000;

/** Shows the state of the client, counting down to the next attempt while it reconnects. */
export class StatusView {
  #client;
  #text = byId('status-text');
  #retry = byId('status-retry');

  /** @param {import('../taoyao.js').Taoyao} client */
  constructor(client) {
    this.#client = client;
    client.addEventListener('state', () => this.#show());
    this.#retry.addEventListener('click', () => client.retryNow());
    setInterval(() => client.retryAt && this.#show(), TICK_MS);
    this.#show();
  }

  #show() {
    const { state, me, retryAt } = this.#client;
    document.documentElement.dataset.state = state;
    this.#retry.hidden = state !== 'reconnecting';
    const seconds = retryAt ? Math.ceil((retryAt - Date.now()) / 1_000) : 0;
    if (state === 'online' && me?.node) setText(this.#text, 'status.online', { node: me.node });
    else if (state === 'online') setText(this.#text, 'status.online.here');
    else if (state === 'connecting' && seconds > 0) setText(this.#text, 'status.busy.in', { n: seconds });
    else if (seconds > 0) setText(this.#text, 'status.reconnecting.in', { n: seconds });
    else setText(this.#text, `status.${state}`);
    byId('status').title = this.#client.url ?? '';
  }
}
