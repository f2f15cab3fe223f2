// What a router of the mesh speaks, as `media::router::rtp::capabilities` answers it, and the SFU's end of a transport.

const FEEDBACK = ['nack', 'nack pli', 'ccm fir', 'goog-remb', 'transport-cc'].map((it) => {
  const [type, parameter = ''] = it.split(' ');
  return { type, parameter };
});
const SDES = 'urn:ietf:params:rtp-hdrext:sdes';
const WEBRTC = 'http://www.webrtc.org/experiments/rtp-hdrext';
const TRANSPORT_CC = 'http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01';
const H264 = { 'packetization-mode': 1, 'level-asymmetry-allowed': 1 };

export const ROUTER = {
  codecs: [
    audio('opus', 100, 48_000, { channels: 2 }),
    audio('PCMU', 0, 8_000),
    ...video('VP8', 101),
    ...video('VP9', 103, { 'profile-id': 2 }),
    ...video('H264', 105, { ...H264, 'profile-level-id': '42e01f' }),
    ...video('H264', 107, { ...H264, 'profile-level-id': '4d0032' }),
    ...video('VP9', 109, { 'profile-id': 0 }),
    ...video('AV1', 111),
  ],
  headerExtensions: [
    extension('audio', `${SDES}:mid`, 1),
    extension('video', `${SDES}:mid`, 1),
    extension('video', `${SDES}:rtp-stream-id`, 2, 'recvonly'),
    extension('video', `${SDES}:repaired-rtp-stream-id`, 3, 'recvonly'),
    extension('audio', `${WEBRTC}/abs-send-time`, 4),
    extension('video', `${WEBRTC}/abs-send-time`, 4),
    extension('audio', TRANSPORT_CC, 5, 'recvonly'),
    extension('video', TRANSPORT_CC, 5),
    extension('audio', 'urn:ietf:params:rtp-hdrext:ssrc-audio-level', 10),
    extension('video', 'urn:3gpp:video-orientation', 11),
  ],
};

/** The address is of a network that is for documents. */
export const REMOTE = {
  iceParameters: { usernameFragment: 'sfuufrag', password: 'a-password-of-the-sfu-with-22', iceLite: true },
  iceCandidates: [
    { foundation: 'udp', priority: 1076302079, ip: '192.0.2.1', protocol: 'udp', port: 44444, type: 'host' },
    {
      foundation: 'tcp',
      priority: 1076276479,
      ip: '192.0.2.1',
      protocol: 'tcp',
      port: 44444,
      type: 'host',
      tcpType: 'passive',
    },
  ],
  dtlsParameters: { role: 'auto', fingerprints: [{ algorithm: 'sha-256', value: Array(32).fill('A5').join(':') }] },
  sctpParameters: { port: 5000, OS: 1024, MIS: 1024, maxMessageSize: 262144 },
};

/** What the SFU sends of one producer to one consumer. */
export function consumed(kind, mid, ssrc) {
  const codecs = kind === 'audio' ? ROUTER.codecs.slice(0, 1) : ROUTER.codecs.slice(2, 4);
  return {
    mid,
    codecs: codecs.map(({ preferredPayloadType, ...it }) => ({ ...it, payloadType: preferredPayloadType })),
    headerExtensions: ROUTER.headerExtensions
      .filter((it) => it.kind === kind && it.direction === 'sendrecv')
      .map(({ uri, preferredId }) => ({ uri, id: preferredId, encrypt: false, parameters: {} })),
    encodings: [{ ssrc, ...(kind === 'video' ? { rtx: { ssrc: ssrc + 1 } } : {}) }],
    rtcp: { cname: 'someone', reducedSize: true, mux: true },
  };
}

function audio(name, preferredPayloadType, clockRate, more = {}) {
  const rtcpFeedback = [{ type: 'transport-cc', parameter: '' }];
  return {
    kind: 'audio',
    mimeType: `audio/${name}`,
    preferredPayloadType,
    clockRate,
    ...more,
    parameters: {},
    rtcpFeedback,
  };
}

function video(name, preferredPayloadType, parameters = {}) {
  const entry = (mimeType, payloadType, values, rtcpFeedback) => ({
    kind: 'video',
    mimeType,
    preferredPayloadType: payloadType,
    clockRate: 90_000,
    parameters: values,
    rtcpFeedback,
  });
  return [
    entry(`video/${name}`, preferredPayloadType, { ...parameters, 'x-google-start-bitrate': 400 }, FEEDBACK),
    entry('video/rtx', preferredPayloadType + 1, { apt: preferredPayloadType }, []),
  ];
}

function extension(kind, uri, preferredId, direction = 'sendrecv') {
  return { kind, uri, preferredId, preferredEncrypt: false, direction };
}
