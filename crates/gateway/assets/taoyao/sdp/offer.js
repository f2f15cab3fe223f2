// The SFU's offer to a browser that receives: one section for every consumer, in an order that never changes.

import { codecLines } from './codecs.js';
import { extensionLines } from './extensions.js';
import { joinLines } from './text.js';
import { closedLines, dataLines, sessionLines, wayLines } from './transport.js';

/** The section of the data channels; no consumer's section has this name, they are numbered. */
const DATA_MID = 'data';

/**
 * What is received under one section.
 *
 * @typedef {object} Received
 * @property {string} mid
 * @property {'audio'|'video'} kind
 * @property {object} rtpParameters of the consumer
 * @property {string} streamId what has the same is played in step
 */

/** The sections of one connection: a closed one keeps its place until a new one of its kind takes it. */
export class Sections {
  /** @type {(Received & {isClosed?: boolean})[]} */
  #places;

  /** @param {Received[]} [places] */
  constructor(places = []) {
    this.#places = places;
  }

  /** @param {Received} received its mid is that of no other section, not even of a closed one */
  add(received) {
    const free = this.#places.findIndex((it) => it.isClosed && it.kind === received.kind);
    if (free >= 0) this.#places[free] = received;
    else this.#places.push(received);
  }

  /** Closes a section; false when there is none of this name. */
  remove(mid) {
    const at = this.#places.findIndex((it) => it.mid === mid && !it.isClosed);
    if (at >= 0) this.#places[at] = { ...this.#places[at], isClosed: true };
    return at >= 0;
  }

  /** A copy that later changes leave alone. */
  copy() {
    return new Sections([...this.#places]);
  }

  /**
   * @param {import('./transport.js').Remote} remote
   * @param {number} version
   * @returns {string}
   */
  writeOffer(remote, version) {
    const open = this.#places.filter((it) => !it.isClosed);
    const { sctpParameters } = remote;
    // Data come first: the first section carries the way that all share, and this one is never closed.
    const mids = [...(sctpParameters ? [DATA_MID] : []), ...open.map((it) => it.mid)];
    return joinLines([
      ...sessionLines(remote, version, mids),
      ...(sctpParameters ? dataSection(remote) : []),
      ...this.#places.flatMap((it) => (it.isClosed ? closedSection(it) : openSection(it, remote))),
    ]);
  }
}

function dataSection(remote) {
  const section = { kind: 'application', protocol: 'UDP/DTLS/SCTP', formats: ['webrtc-datachannel'], mid: DATA_MID };
  return [...wayLines(remote, section, 'actpass'), ...dataLines(remote.sctpParameters)];
}

function closedSection({ kind, mid, rtpParameters }) {
  return closedLines({ kind, mid, formats: formatsOf(rtpParameters) });
}

function openSection({ kind, mid, rtpParameters, streamId }, remote) {
  const { codecs, headerExtensions = [], encodings, rtcp } = rtpParameters;
  return [
    ...wayLines(remote, { kind, formats: formatsOf(rtpParameters), mid }, 'actpass'),
    'a=sendonly',
    `a=msid:${streamId} ${streamId}-${mid}`,
    'a=rtcp-mux',
    'a=rtcp-rsize',
    ...codecLines(codecs),
    ...extensionLines(headerExtensions),
    ...sourceLines(encodings[0] ?? {}, rtcp?.cname ?? streamId),
  ];
}

function sourceLines({ ssrc, rtx }, cname) {
  if (!ssrc) return [];
  const own = [`a=ssrc:${ssrc} cname:${cname}`];
  return rtx ? [`a=ssrc-group:FID ${ssrc} ${rtx.ssrc}`, ...own, `a=ssrc:${rtx.ssrc} cname:${cname}`] : own;
}

function formatsOf({ codecs }) {
  return codecs.map((it) => it.payloadType);
}
