// The recordings of one node, by its REST interface: the list, and the files to be played.

import { LOCAL, OK, TaoyaoError } from './errors.js';

/**
 * @typedef {object} RecordingEntry
 * @property {string} id
 * @property {string} room its id
 * @property {string} member whose sound and picture it is, as `clientId@partition`
 * @property {'recording'|'finished'|'interrupted'|'failed'} state
 * @property {number} [startedAt] milliseconds since 1970
 * @property {number} [durationMs]
 * @property {number} [bytes]
 */

/** Takes an account with the role `operator`. */
export class Recordings {
  #origin;
  #login;

  /**
   * Made by the client, never by an embedder.
   *
   * @param {string} origin of the node
   * @param {() => {username: string, password: string}} login
   */
  constructor(origin, login) {
    this.#origin = origin;
    this.#login = login;
  }

  /**
   * The newest first.
   *
   * @returns {Promise<RecordingEntry[]>}
   * @throws {TaoyaoError} `3403`: this account may not see recordings
   */
  async list() {
    const { body } = await (await this.#get('/recordings/list')).json();
    return Array.isArray(body) ? body : [];
  }

  /**
   * The whole file, because a media element cannot be given the account's name and password.
   *
   * @param {string} id
   * @param {AbortSignal} [signal] gives it up
   * @returns {Promise<Blob>}
   */
  async file(id, signal) {
    return (await this.#get(`/recordings/media/${encodeURIComponent(id)}`, signal)).blob();
  }

  async #get(path, signal) {
    const { username, password } = this.#login();
    const bytes = new TextEncoder().encode(`${username}:${password}`);
    const headers = { authorization: `Basic ${btoa(String.fromCharCode(...bytes))}` };
    // Without credentials of the browser's own: it would ask the person for them when these are refused.
    const answer = await fetch(`${this.#origin}${path}`, { headers, signal, credentials: 'omit', cache: 'no-store' });
    if (answer.ok) return answer;
    const { code, message } = await answer.json().catch(() => ({}));
    const isCode = typeof code === 'string' && code !== OK;
    throw new TaoyaoError(isCode ? code : CODES[answer.status] ?? LOCAL.CLOSED, message ?? answer.statusText, path);
  }
}

/** Answers without a body. */
const CODES = { 401: '3401', 403: '3403', 404: '3404', 503: '3503' };
