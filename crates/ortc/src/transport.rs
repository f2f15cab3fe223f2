//! What two ends of a transport tell each other (reference section 5.11, steps 8 to 10).

use std::fmt;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

/// What kind of transport is wanted.
#[derive(Debug, Clone, PartialEq)]
pub enum TransportPlan {
    /// ICE-lite, DTLS, SRTP; data channels if there is `sctp`.
    WebRtc { force_tcp: bool, sctp: Option<NumStreams> },
    /// RTP and RTCP as they are, or as SRTP under given keys.
    Plain {
        rtcp_mux: bool,
        /// The remote address is the one that the first packet comes from, not one that is told.
        comedia: bool,
        /// Where the packets come from that may show it: a stranger's never do. Wanted with `comedia`.
        from: Option<IpAddr>,
        srtp: Option<SrtpSuite>,
        /// The peer's key, where it is known from the start; it is of the suite above.
        remote_srtp: Option<SrtpParameters>,
    },
}

/// The SFU's end of a new transport.
#[derive(Debug, Clone, PartialEq)]
pub enum TransportLocal {
    WebRtc {
        ice: IceParameters,
        candidates: Vec<IceCandidate>,
        dtls: DtlsParameters,
        sctp: Option<SctpParameters>,
    },
    Plain {
        ip: IpAddr,
        port: u16,
        rtcp_port: Option<u16>,
        srtp: Option<SrtpParameters>,
    },
}

/// The peer's end of a plain transport without `comedia`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PlainRemote {
    pub ip: Option<IpAddr>,
    pub port: Option<u16>,
    pub rtcp_port: Option<u16>,
    pub srtp_parameters: Option<SrtpParameters>,
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct IceParameters {
    pub username_fragment: String,
    pub password: String,
    #[serde(default)]
    pub ice_lite: bool,
}

/// The password stays out of logs.
impl fmt::Debug for IceParameters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IceParameters")
            .field("username_fragment", &self.username_fragment)
            .finish_non_exhaustive()
    }
}

/// A host candidate of the SFU (RFC 8445, section 5.1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct IceCandidate {
    pub foundation: String,
    pub priority: u32,
    /// An address or, for clients that resolve it, a host name.
    pub ip: String,
    /// `udp` or `tcp`.
    pub protocol: String,
    pub port: u16,
    /// `host`.
    #[serde(rename = "type")]
    pub kind: String,
    /// `passive`, of TCP only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tcp_type: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DtlsParameters {
    #[serde(default)]
    pub role: DtlsRole,
    pub fingerprints: Vec<Fingerprint>,
}

/// Who opens the handshake: the client does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DtlsRole {
    #[default]
    Auto,
    Client,
    Server,
}

/// A certificate's hash: `sha-256` and so on, and upper-case hexadecimal pairs with colons (RFC 8122).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprint {
    pub algorithm: String,
    pub value: String,
}

/// What a terminal says of its data channels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SctpCapabilities {
    pub num_streams: NumStreams,
}

/// How many streams at first (outgoing) and at most (incoming).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct NumStreams {
    #[serde(rename = "OS")]
    pub outgoing: u16,
    #[serde(rename = "MIS")]
    pub incoming: u16,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SctpParameters {
    pub port: u16,
    #[serde(rename = "OS")]
    pub outgoing: u16,
    #[serde(rename = "MIS")]
    pub incoming: u16,
    /// Bytes.
    pub max_message_size: u32,
}

/// One data channel. Ordered and reliable unless it says otherwise; at most one of the limits is set.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SctpStreamParameters {
    pub stream_id: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ordered: Option<bool>,
    /// Milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_packet_life_time: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_retransmits: Option<u16>,
}

/// SRTP suites by the names of SDES (RFC 4568, RFC 7714).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum SrtpSuite {
    #[serde(rename = "AEAD_AES_128_GCM")]
    AeadAes128Gcm,
    #[serde(rename = "AEAD_AES_256_GCM")]
    AeadAes256Gcm,
    #[serde(rename = "AES_CM_128_HMAC_SHA1_80")]
    AesCm128HmacSha1_80,
}

/// A suite with its key and salt in base64.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SrtpParameters {
    pub crypto_suite: SrtpSuite,
    pub key_base64: String,
}

/// The key stays out of logs.
impl fmt::Debug for SrtpParameters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SrtpParameters").field("crypto_suite", &self.crypto_suite).finish_non_exhaustive()
    }
}
