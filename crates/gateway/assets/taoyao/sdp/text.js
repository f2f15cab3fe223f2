// SDP as text: its sections and their attributes (RFC 8866).

/** The session part or one media section of a description. */
export class Section {
  #attributes;

  /** @param {string[]} lines a media section begins with its `m=` line */
  constructor(lines) {
    const media = lines.find((it) => it.startsWith('m='));
    const [kind, port, protocol, ...formats] = /** @type {any[]} */ (media ? media.slice(2).split(' ') : []);
    /** @type {'audio'|'video'|'application'|undefined} undefined in the session part */
    this.kind = kind;
    /** @type {number|undefined} */
    this.port = media && Number(port);
    /** @type {string|undefined} */
    this.protocol = protocol;
    /** @type {string[]} payload types, as text */
    this.formats = formats;
    this.#attributes = lines.filter((it) => it.startsWith('a=')).map((it) => splitOnce(it.slice(2), ':'));
  }

  /** @returns {string|undefined} the value of the first attribute of this name; `''` for one without a value */
  first(name) {
    return this.#attributes.find(([it]) => it === name)?.[1];
  }

  /** @returns {string[]} the values of all attributes of this name */
  all(name) {
    return this.#attributes.filter(([it]) => it === name).map(([, value]) => value);
  }

  /** @returns {string} the media stream identification (RFC 5888) */
  get mid() {
    return this.first('mid') ?? '';
  }

  /** Port 0 closes a section, unless it says that it only has no way of its own (RFC 9143, section 6). */
  get isClosed() {
    return this.port === 0 && this.first('bundle-only') === undefined;
  }
}

/**
 * @param {string} text
 * @returns {{session: Section, media: Section[]}}
 */
export function parseSdp(text) {
  const [session, ...media] = text
    .trim()
    .split(/\r?\n(?=m=)/)
    .map((part) => new Section(part.split(/\r?\n/)));
  return { session, media };
}

/** Lines as a description ends them. */
export function joinLines(lines) {
  return `${lines.join('\r\n')}\r\n`;
}

/**
 * `'96 apt=97'` → `['96', 'apt=97']`; the second is `''` where there is no separator.
 *
 * @returns {[string, string]}
 */
export function splitOnce(text, separator) {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + separator.length)];
}
