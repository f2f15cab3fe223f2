// The message envelope: writing, reading, dropping nulls, and masking secrets for logs.

import { LOCAL, OK, TaoyaoError } from './errors.js';

/** The protocol version that every message carries. */
export const VERSION = '1.0.0';

/** A larger text message closes the connection, so it is refused before it is sent. */
export const MESSAGE_BYTES_MAX = 1024 * 1024;

const SECRET_KEY = /password|credential|secret|ticket|token/i;
const MASK = '••••••';

/**
 * @typedef {object} Header
 * @property {string} v protocol version
 * @property {number} id correlates a request and its answer
 * @property {string} signal e.g. `client::register`
 */

/**
 * @typedef {object} Message
 * @property {string} code `'0000'` on success
 * @property {string} message the code's text
 * @property {Header} header
 * @property {any} [body] an object or an array; absent when there is nothing to say
 */

/** @typedef {Message & {ordinal: number}} Received `ordinal`: the how manieth message of its connection it was */

/**
 * Writes one message as text.
 *
 * @param {string} signal
 * @param {number} id
 * @param {object} [body]
 * @returns {string}
 * @throws {TaoyaoError} `bad-message` when the text is larger than the protocol allows
 */
export function encode(signal, id, body = {}) {
  const text = JSON.stringify({ header: { v: VERSION, id, signal }, body: dropNulls(body) });
  if (new TextEncoder().encode(text).length > MESSAGE_BYTES_MAX) {
    throw new TaoyaoError(LOCAL.BAD_MESSAGE, 'The message is larger than 1 MiB.', signal);
  }
  return text;
}

/**
 * Reads one message; missing `code` and `message` mean success.
 *
 * @param {unknown} text
 * @returns {Message}
 * @throws {TaoyaoError} `bad-message` when it is not an envelope
 */
export function decode(text) {
  const message = parse(text);
  const header = message?.header;
  if (typeof header?.signal !== 'string' || !Number.isSafeInteger(header.id)) {
    throw new TaoyaoError(LOCAL.BAD_MESSAGE, 'The node sent something that is not a Taoyao message.');
  }
  return { ...message, code: message.code ?? OK, message: message.message ?? '' };
}

/**
 * Removes keys whose value is null or undefined, at any depth; elements of arrays stay.
 * Nodes do the same on relays, so both ends see one shape.
 *
 * @param {any} value
 * @returns {any} of the same shape
 */
export function dropNulls(value) {
  if (Array.isArray(value)) return value.map((item) => dropNulls(item ?? null));
  if (value === null || typeof value !== 'object') return value;
  const plain = typeof value.toJSON === 'function' ? value.toJSON() : value;
  const kept = Object.entries(plain).filter(([, item]) => item !== null && item !== undefined);
  return Object.fromEntries(kept.map(([key, item]) => [key, dropNulls(item)]));
}

/**
 * A copy that is safe to show: whatever is named like a secret is masked, at any depth.
 *
 * @param {any} value
 * @returns {any} of the same shape
 */
export function mask(value) {
  if (Array.isArray(value)) return value.map(mask);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, SECRET_KEY.test(key) ? MASK : mask(item)]),
  );
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
