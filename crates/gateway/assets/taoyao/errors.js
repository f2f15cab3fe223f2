// The one error type of the client module: a refusal by the mesh, or a failure on this side of the wire.

/** Codes of failures that happen on this side; every other code is one of the protocol's four digits. */
export const LOCAL = Object.freeze({
  /** No answer within the time-out. */
  TIMEOUT: 'timeout',
  /** The connection closed, or was never open. */
  CLOSED: 'closed',
  /** No node of the chosen partition could be reached. */
  NO_NODE: 'no-node',
  /** A message that is no Taoyao envelope, or is larger than the protocol allows. */
  BAD_MESSAGE: 'bad-message',
  /** A camera, a microphone or the direct connection failed. */
  MEDIA: 'media',
});

/** The code of a refused login, and of the notice that a terminal is no longer logged in. */
export const UNAUTHORIZED = '3401';

/** The code of what a node had no time to look at: it says when to come back. */
export const BUSY = '3503';

/** The code of a success. */
export const OK = '0000';

/** The code of many failures, and the text by which one of them is known: there is no such room. */
const OTHER = '9999';
const NO_ROOM = '无效房间';

/** Whether a refusal means that the room is not there, so that trying again is of no use. */
export function isNoRoom({ code, message }) {
  return code === OTHER && message.startsWith(NO_ROOM);
}

/**
 * A refusal, as the mesh has written it.
 *
 * @param {import('./envelope.js').Message} message
 * @param {string} [signal] what was refused
 */
export function refusalOf({ code, message, body }, signal) {
  const { retryAfterMs } = body ?? {};
  return new TaoyaoError(code, message, signal, Number.isFinite(retryAfterMs) ? retryAfterMs : undefined);
}

/** What went wrong, with a code that a program can compare and a text that a person can read. */
export class TaoyaoError extends Error {
  /** Milliseconds after which a request that nobody has looked at should be made again; mostly undefined. */
  retryAfterMs;

  /**
   * @param {string} code one of {@link LOCAL}, or the protocol's code, e.g. `'3404'`
   * @param {string} message the text that came with it; for mesh failures it names the node and the reason
   * @param {string} [signal] the request, or the message without an answer, that failed, e.g. `'session::call'`
   * @param {number} [retryAfterMs] when the node wants to be asked again
   */
  constructor(code, message, signal, retryAfterMs) {
    super(message);
    this.name = 'TaoyaoError';
    this.code = code;
    this.signal = signal;
    this.retryAfterMs = retryAfterMs;
  }
}
