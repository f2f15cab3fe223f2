// RTP header extensions of a section (RFC 8285).

import { splitOnce } from './text.js';

/**
 * @typedef {object} Extension
 * @property {string} uri
 * @property {number} id the number on the wire
 */

/**
 * The extensions of a local section that the router knows as well, under the browser's numbers.
 *
 * @param {import('./text.js').Section} section
 * @param {{kind: string, uri: string}[]} routerExtensions
 * @param {'send'|'receive'} use what the section is for
 * @returns {Extension[]}
 */
export function commonExtensions(section, routerExtensions, use) {
  const against = use === 'send' ? 'recvonly' : 'sendonly';
  return section
    .all('extmap')
    .map(readExtension)
    .filter(({ direction, uri }) => direction !== against && direction !== 'inactive' && isKnown(uri))
    .map(({ uri, id }) => ({ uri, id }));

  function isKnown(uri) {
    return routerExtensions.some((it) => it.kind === section.kind && it.uri === uri);
  }
}

/** @param {Extension[]} extensions */
export function extensionLines(extensions) {
  return extensions.map(({ uri, id }) => `a=extmap:${id} ${uri}`);
}

/** `'8/sendonly urn:x'` → its parts; what stands behind the URI means nothing to the mesh. */
function readExtension(text) {
  const [head, rest] = splitOnce(text, ' ');
  const [id, direction] = splitOnce(head, '/');
  return { id: Number(id), direction: direction || 'sendrecv', uri: splitOnce(rest, ' ')[0] };
}
