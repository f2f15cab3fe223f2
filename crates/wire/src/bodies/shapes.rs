//! Objects that several bodies have. Those of media are named and written as mediasoup-client names them.

use super::{Field, Kind, Shape, may, must};

use Kind::{Flag, Free, List, Map, Number, Object, OneOf, Text, Whole};

pub(super) const TYPES: [&str; 6] = ["WEB", "CAMERA", "MOBILE", "MEDIA", "SERVER", "OTHER"];
pub(super) const MEDIA_KINDS: [&str; 2] = ["audio", "video"];

pub(super) const ROOM: Field = must("roomId", Text, "the room");
pub(super) const ENABLED: Field = must("enabled", Flag, "begin or end");

/// What a terminal reports of itself. What cannot be read is left out.
pub(super) const READINGS: [Field; 11] = [
    may("latitude", Number, "degrees").loose(),
    may("longitude", Number, "degrees").loose(),
    may("humidity", Number, "percent").loose(),
    may("temperature", Number, "degrees Celsius").loose(),
    may("signal", Whole, "strength of the radio signal in percent").loose(),
    may("battery", Whole, "percent; a fraction is cut off").loose(),
    may("alarming", Flag, "whether it raises an alarm").loose(),
    may("charging", Flag, "whether it is charged").loose(),
    may("clientRecording", Flag, "whether it records itself").loose(),
    may("status", Free, "free entries, merged key by key; `null` changes nothing").loose(),
    may("config", Free, "the same").loose(),
];

pub(super) const CLIENT_STATE: Shape = Shape {
    name: "ClientState",
    about: "A terminal as others see it.",
    is_open: false,
    fields: &[
        must("clientId", Text, "bare in the own partition, else `id@partition`"),
        must("proxy", Flag, "whether it is at another node"),
        must("ip", Text, "its address as its node sees it"),
        may("name", Text, "what people call it"),
        must("clientType", OneOf(&TYPES), "what it is"),
        READINGS[0],
        READINGS[1],
        READINGS[2],
        READINGS[3],
        READINGS[4],
        READINGS[5],
        READINGS[6],
        READINGS[7],
        READINGS[8],
        may("serverRecording", Flag, "whether a node records it"),
        must("status", Free, "free entries"),
        must("config", Free, "free entries"),
        must("lastHeartbeat", Text, "`yyyy-MM-dd HH:mm:ss`, in its node's time"),
        must("partition", Text, "its partition"),
        must("node", Text, "the full name of its node"),
    ],
};

pub(super) const RECORDED: Shape = Shape {
    name: "Recorded",
    about: "A recording that has begun or is over.",
    is_open: false,
    fields: &[
        must("clientId", Text, "who is recorded; the media service for the whole room"),
        must("state", OneOf(&["recording", "ended", "failed"]), "how it is"),
        may("reason", Text, "why it is over, for example `stopped`, `left` or `disk-full`"),
    ],
};

const AUDIO_QUALITY: Shape = Shape {
    name: "AudioQuality",
    about: "Sound.",
    is_open: false,
    fields: &[
        must("format", Text, "`OPUS`, `G722`, `PCMA` or `PCMU`"),
        must("bitrate", Whole, "kbit/s"),
        must("sampleSize", Whole, "bits"),
        must("sampleRate", Whole, "Hz"),
    ],
};

const VIDEO_QUALITY: Shape = Shape {
    name: "VideoQuality",
    about: "Picture.",
    is_open: false,
    fields: &[
        must("format", Text, "`H264`, `H265`, `VP8` or `VP9`"),
        must("bitrate", Whole, "kbit/s"),
        must("frameRate", Whole, "pictures a second"),
        must("resolution", Text, "`width*height`"),
        must("width", Whole, "pixels"),
        must("height", Whole, "pixels"),
    ],
};

pub(super) const MEDIA_CONFIG: Shape = Shape {
    name: "MediaConfig",
    about: "Bounds of sound and picture, what to begin with, and named qualities to offer.",
    is_open: false,
    fields: &[
        must("minWidth", Whole, "pixels"),
        must("maxWidth", Whole, "pixels"),
        must("minHeight", Whole, "pixels"),
        must("maxHeight", Whole, "pixels"),
        must("minFrameRate", Whole, "pictures a second"),
        must("maxFrameRate", Whole, "pictures a second"),
        must("minVideoBitrate", Whole, "kbit/s"),
        must("maxVideoBitrate", Whole, "kbit/s"),
        must("minSampleSize", Whole, "bits"),
        must("maxSampleSize", Whole, "bits"),
        must("minSampleRate", Whole, "Hz"),
        must("maxSampleRate", Whole, "Hz"),
        must("minAudioBitrate", Whole, "kbit/s"),
        must("maxAudioBitrate", Whole, "kbit/s"),
        must("audio", Object(&AUDIO_QUALITY), "what to begin with"),
        must("video", Object(&VIDEO_QUALITY), "what to begin with"),
        must("audios", Map(&Object(&AUDIO_QUALITY)), "by name: `fd-audio` and so on"),
        must("videos", Map(&Object(&VIDEO_QUALITY)), "by name: `hd-video` and so on"),
    ],
};

const STUN: Shape = Shape {
    name: "StunServer",
    about: "A STUN server.",
    is_open: false,
    fields: &[
        must("host", Text, "name or address"),
        must("port", Whole, "its port"),
        must("address", Text, "both as a URL: `stun:host:port`"),
    ],
};

const TURN: Shape = Shape {
    name: "TurnServer",
    about: "A relay.",
    is_open: false,
    fields: &[
        must("host", Text, "name or address"),
        must("port", Whole, "its port"),
        must("username", Text, "for the relay"),
        must("password", Text, "for the relay"),
        must("address", Text, "`turn:host:port`"),
    ],
};

const ICE_SERVER: Shape = Shape {
    name: "IceServer",
    about: "The same servers as `RTCPeerConnection` takes them.",
    is_open: false,
    fields: &[
        must("urls", Text, "one URL"),
        may("username", Text, "of a relay"),
        may("credential", Text, "of a relay"),
    ],
};

pub(super) const WEBRTC_CONFIG: Shape = Shape {
    name: "WebRtcConfig",
    about: "Servers that help terminals to reach each other.",
    is_open: false,
    fields: &[
        must("encrypt", Flag, "without a meaning; false"),
        must("stun", List(&Object(&STUN)), "STUN servers"),
        must("turn", List(&Object(&TURN)), "relays"),
        must("iceServers", List(&Object(&ICE_SERVER)), "all of them, for `RTCPeerConnection`"),
    ],
};

const FEEDBACK: Shape = Shape {
    name: "RtcpFeedback",
    about: "A kind of feedback for a codec.",
    is_open: false,
    fields: &[
        must("type", Text, "`nack`, `ccm`, `goog-remb`, `transport-cc`"),
        may("parameter", Text, "`pli`, `fir` or empty"),
    ],
};

const CODEC_CAPABILITY: Shape = Shape {
    name: "RtpCodecCapability",
    about: "A codec that can be received.",
    is_open: true,
    fields: &[
        must("kind", OneOf(&MEDIA_KINDS), "what it carries"),
        must("mimeType", Text, "`audio/opus`, `video/VP8` and so on"),
        must("preferredPayloadType", Whole, "RTP payload type"),
        must("clockRate", Whole, "Hz"),
        may("channels", Whole, "of sound"),
        may("parameters", Free, "of the codec, as `a=fmtp` has them"),
        may("rtcpFeedback", List(&Object(&FEEDBACK)), "feedback that it takes"),
    ],
};

const EXTENSION_CAPABILITY: Shape = Shape {
    name: "RtpHeaderExtensionCapability",
    about: "A header extension that can be received.",
    is_open: true,
    fields: &[
        must("kind", OneOf(&MEDIA_KINDS), "where it occurs"),
        must("uri", Text, "its name"),
        must("preferredId", Whole, "its number"),
        may("preferredEncrypt", Flag, "whether it is encrypted; false"),
        may("direction", Text, "`sendrecv`, `sendonly`, `recvonly` or `inactive`, as the router sees it"),
    ],
};

pub(super) const RTP_CAPABILITIES: Shape = Shape {
    name: "RtpCapabilities",
    about: "What an end can receive.",
    is_open: true,
    fields: &[
        may("codecs", List(&Object(&CODEC_CAPABILITY)), "codecs"),
        may("headerExtensions", List(&Object(&EXTENSION_CAPABILITY)), "header extensions"),
    ],
};

const CODEC: Shape = Shape {
    name: "RtpCodecParameters",
    about: "A codec that is sent.",
    is_open: true,
    fields: &[
        must("mimeType", Text, "`audio/opus`, `video/VP8`, `video/rtx` and so on"),
        must("payloadType", Whole, "RTP payload type"),
        must("clockRate", Whole, "Hz"),
        may("channels", Whole, "of sound"),
        may("parameters", Free, "as `a=fmtp` has them"),
        may("rtcpFeedback", List(&Object(&FEEDBACK)), "feedback that it takes"),
    ],
};

const EXTENSION: Shape = Shape {
    name: "RtpHeaderExtensionParameters",
    about: "A header extension that is sent.",
    is_open: true,
    fields: &[
        must("uri", Text, "its name"),
        must("id", Whole, "its number"),
        may("encrypt", Flag, "whether it is encrypted"),
        may("parameters", Free, "of the extension"),
    ],
};

const RTX: Shape = Shape {
    name: "RtxEncoding",
    about: "Where retransmissions are.",
    is_open: true,
    fields: &[must("ssrc", Whole, "their SSRC")],
};

const ENCODING: Shape = Shape {
    name: "RtpEncodingParameters",
    about: "One stream of a producer or consumer; several of a producer are simulcast.",
    is_open: true,
    fields: &[
        may("ssrc", Whole, "its SSRC"),
        may("rid", Text, "its name where there is no SSRC"),
        may("rtx", Object(&RTX), "retransmissions"),
        may("dtx", Flag, "whether silence is not sent"),
        may("scalabilityMode", Text, "`L1T3`, `L3T3_KEY` and so on"),
        may("maxBitrate", Whole, "bit/s"),
    ],
};

const RTCP: Shape = Shape {
    name: "RtcpParameters",
    about: "RTCP of a producer or consumer.",
    is_open: true,
    fields: &[
        may("cname", Text, "who sends"),
        may("reducedSize", Flag, "RFC 5506"),
        may("mux", Flag, "RTCP on the port of RTP"),
    ],
};

pub(super) const RTP_PARAMETERS: Shape = Shape {
    name: "RtpParameters",
    about: "What is sent.",
    is_open: true,
    fields: &[
        may("mid", Text, "the section of the SDP that it belongs to"),
        may("codecs", List(&Object(&CODEC)), "the codec, and RTX beside it"),
        may("headerExtensions", List(&Object(&EXTENSION)), "header extensions"),
        may("encodings", List(&Object(&ENCODING)), "streams"),
        may("rtcp", Object(&RTCP), "RTCP"),
    ],
};

pub(super) const NUM_STREAMS: Shape = Shape {
    name: "NumSctpStreams",
    about: "How many data channels.",
    is_open: true,
    fields: &[may("OS", Whole, "outgoing; 1024").loose(), may("MIS", Whole, "incoming; 1024").loose()],
};

pub(super) const SCTP_CAPABILITIES: Shape = Shape {
    name: "SctpCapabilities",
    about: "That an end can do data channels.",
    is_open: true,
    fields: &[may("numStreams", Object(&NUM_STREAMS), "how many")],
};

pub(super) const SCTP_PARAMETERS: Shape = Shape {
    name: "SctpParameters",
    about: "The SFU's end of the SCTP association.",
    is_open: false,
    fields: &[
        must("port", Whole, "SCTP port"),
        must("OS", Whole, "outgoing streams"),
        must("MIS", Whole, "incoming streams"),
        must("maxMessageSize", Whole, "bytes"),
    ],
};

pub(super) const SCTP_STREAM: Shape = Shape {
    name: "SctpStreamParameters",
    about: "A data channel.",
    is_open: true,
    fields: &[
        may("streamId", Whole, "its number; 0"),
        may("ordered", Flag, "true"),
        may("maxPacketLifeTime", Whole, "milliseconds after which it is not sent again"),
        may("maxRetransmits", Whole, "how often it is sent again"),
    ],
};

pub(super) const ICE_PARAMETERS: Shape = Shape {
    name: "IceParameters",
    about: "ICE credentials of the SFU, which is ICE-lite.",
    is_open: false,
    fields: &[
        must("usernameFragment", Text, "`a=ice-ufrag`"),
        must("password", Text, "`a=ice-pwd`"),
        must("iceLite", Flag, "true"),
    ],
};

pub(super) const ICE_CANDIDATE: Shape = Shape {
    name: "IceCandidate",
    about: "An address of the SFU.",
    is_open: false,
    fields: &[
        must("foundation", Text, "`a=candidate`, first field"),
        must("priority", Whole, "of the candidate"),
        must("ip", Text, "address"),
        must("protocol", OneOf(&["udp", "tcp"]), "transport"),
        must("port", Whole, "port"),
        must("type", OneOf(&["host"]), "always host"),
        may("tcpType", OneOf(&["passive"]), "of TCP"),
    ],
};

const FINGERPRINT: Shape = Shape {
    name: "DtlsFingerprint",
    about: "The hash of a certificate.",
    is_open: true,
    fields: &[
        must("algorithm", Text, "`sha-256`"),
        must("value", Text, "hexadecimal bytes in capitals, colons between them"),
    ],
};

pub(super) const DTLS_PARAMETERS: Shape = Shape {
    name: "DtlsParameters",
    about: "An end's certificate and role.",
    is_open: true,
    fields: &[
        may("role", OneOf(&["auto", "client", "server"]), "auto"),
        must("fingerprints", List(&Object(&FINGERPRINT)), "its certificate's hashes"),
    ],
};

pub(super) const SRTP_PARAMETERS: Shape = Shape {
    name: "SrtpParameters",
    about: "A key of plain RTP.",
    is_open: false,
    fields: &[
        must(
            "cryptoSuite",
            OneOf(&["AEAD_AES_128_GCM", "AEAD_AES_256_GCM", "AES_CM_128_HMAC_SHA1_80"]),
            "its suite",
        ),
        must("keyBase64", Text, "key and salt in base64"),
    ],
};

pub(super) const CONSUMER_SCORE: Shape = Shape {
    name: "ConsumerScore",
    about: "How well a consumer receives, from 0 to 10.",
    is_open: true,
    fields: &[
        must("score", Whole, "of the consumer"),
        must("producerScore", Whole, "of the stream that it gets"),
        must("producerScores", List(&Whole), "of all streams of its producer"),
    ],
};

pub(super) const PRODUCER_SCORE: Shape = Shape {
    name: "ProducerScore",
    about: "How well a stream arrives, from 0 to 10.",
    is_open: true,
    fields: &[
        may("encodingIdx", Whole, "its place among the encodings"),
        may("ssrc", Whole, "its SSRC"),
        may("rid", Text, "its name"),
        must("score", Whole, "10 is without loss"),
    ],
};

pub(super) const VOLUME: Shape = Shape {
    name: "Volume",
    about: "How loud somebody is.",
    is_open: false,
    fields: &[must("volume", Whole, "dBov, from -127 to 0"), must("clientId", Text, "who")],
};

pub(super) const STATISTICS: Shape = Shape {
    name: "Statistics",
    about: "Statistics of one transport or stream; members as mediasoup has them.",
    is_open: true,
    fields: &[must("type", Text, "`webrtc-transport`, `inbound-rtp`, `outbound-rtp` and so on")],
};

pub(super) const ROOM_STATE: Shape = Shape {
    name: "RoomState",
    about: "A room.",
    is_open: false,
    fields: &[
        ROOM,
        may("name", Text, "what people call it"),
        must("clientSize", Whole, "members"),
        must("mediaClientId", Text, "the media service"),
    ],
};

pub(super) const CANDIDATE: Shape = Shape {
    name: "RTCIceCandidateInit",
    about: "A candidate as browsers make it.",
    is_open: true,
    fields: &[
        may("candidate", Text, "`candidate:…`; empty at the end").loose(),
        may("sdpMid", Text, "its section").loose(),
        may("sdpMLineIndex", Whole, "its section's place").loose(),
        may("usernameFragment", Text, "its ICE session").loose(),
    ],
};

pub(super) const DISK: Shape = Shape {
    name: "Disk",
    about: "A file system of the node's machine.",
    is_open: false,
    fields: &[
        must("path", Text, "where it is mounted"),
        must("free", Whole, "bytes"),
        must("total", Whole, "bytes"),
        must("freeGracefully", Text, "for people: `12.00GB`"),
        must("totalGracefully", Text, "for people"),
    ],
};
