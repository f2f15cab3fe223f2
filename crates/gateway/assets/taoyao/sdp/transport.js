// What a description says of the way between browser and SFU: addresses, keys, and which sections share it.

/**
 * The SFU's end of a transport, as `media::transport::webrtc::create` answers it.
 *
 * @typedef {object} Remote
 * @property {{usernameFragment: string, password: string}} iceParameters
 * @property {object[]} iceCandidates
 * @property {{fingerprints: {algorithm: string, value: string}[]}} dtlsParameters
 * @property {{port: number, maxMessageSize: number}} [sctpParameters] absent: no data channels
 */

/** Port of a section in use; the real ports are those of the candidates. */
const PORT = 9;

/**
 * The lines before the first section.
 *
 * @param {Remote} remote
 * @param {number} version grows with every description of one connection
 * @param {string[]} mids of the sections that are in use; all of them share one way (RFC 9143)
 */
export function sessionLines(remote, version, mids) {
  const { algorithm, value } = bestFingerprint(remote.dtlsParameters.fingerprints);
  return [
    'v=0',
    `o=taoyao 1 ${version} IN IP4 127.0.0.1`,
    's=-',
    't=0 0',
    ...(mids.length > 0 ? [`a=group:BUNDLE ${mids.join(' ')}`] : []),
    'a=msid-semantic: WMS *',
    'a=ice-lite',
    `a=fingerprint:${algorithm} ${value}`,
  ];
}

/**
 * The first lines of a media section.
 *
 * @param {Remote} remote
 * @param {{kind: string, protocol?: string, formats: (string|number)[], mid: string}} section
 * @param {'actpass'|'passive'} setup who may begin the handshake; an answer of `passive` makes the browser begin it
 */
export function wayLines(remote, { kind, protocol = 'UDP/TLS/RTP/SAVPF', formats, mid }, setup) {
  const { usernameFragment, password } = remote.iceParameters;
  return [
    `m=${kind} ${PORT} ${protocol} ${formats.join(' ')}`,
    'c=IN IP4 0.0.0.0',
    `a=mid:${mid}`,
    `a=setup:${setup}`,
    `a=ice-ufrag:${usernameFragment}`,
    `a=ice-pwd:${password}`,
    ...remote.iceCandidates.map(candidateLine),
    'a=end-of-candidates',
  ];
}

/** The rest of the section of all data channels. */
export function dataLines({ port, maxMessageSize }) {
  return [`a=sctp-port:${port}`, `a=max-message-size:${maxMessageSize}`];
}

/** A section that is not in use; its place in the order stays taken. */
export function closedLines({ kind, protocol = 'UDP/TLS/RTP/SAVPF', formats, mid }) {
  return [`m=${kind} 0 ${protocol} ${formats[0] ?? 0}`, 'c=IN IP4 0.0.0.0', `a=mid:${mid}`, 'a=inactive'];
}

/**
 * This browser's end, from its own description. It is always the one that begins the handshake.
 *
 * @param {{session: import('./text.js').Section, media: import('./text.js').Section[]}} description
 */
export function readDtls({ session, media }) {
  const lines = [session, ...media].flatMap((it) => it.all('fingerprint'));
  const fingerprints = [...new Set(lines)].map((it) => {
    const [algorithm, value] = it.split(' ');
    return { algorithm: algorithm.toLowerCase(), value: value.toUpperCase() };
  });
  return { role: 'client', fingerprints };
}

function candidateLine({ foundation, protocol, priority, ip, address, port, type, tcpType }) {
  const tail = tcpType ? ` tcptype ${tcpType}` : '';
  return `a=candidate:${foundation} 1 ${protocol} ${priority} ${address ?? ip} ${port} typ ${type}${tail}`;
}

function bestFingerprint(fingerprints) {
  return fingerprints.find((it) => it.algorithm === 'sha-256') ?? fingerprints.at(-1);
}
