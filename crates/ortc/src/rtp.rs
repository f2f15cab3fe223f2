//! RTP parameters: what exactly a terminal sends or receives (reference section 5.11, steps 11, 12 and 16).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MediaKind {
    Audio,
    Video,
}

impl MediaKind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Audio => "audio",
            Self::Video => "video",
        }
    }
}

/// Values of a codec's `parameters` (what SDP calls `fmtp`) by name.
pub type Parameters = BTreeMap<String, ParameterValue>;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ParameterValue {
    Integer(i64),
    Number(f64),
    Text(String),
    Flag(bool),
    /// Clients write null for what they do not know.
    Null(()),
}

/// All of one producer or one consumer.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RtpParameters {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mid: Option<String>,
    /// The first is the one in use; a retransmission codec points at it by `parameters.apt`.
    pub codecs: Vec<Codec>,
    pub header_extensions: Vec<Extension>,
    pub encodings: Vec<Encoding>,
    pub rtcp: RtcpParameters,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Codec {
    /// Such as `video/VP8`; compared without regard to case.
    pub mime_type: String,
    pub payload_type: u8,
    pub clock_rate: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channels: Option<u8>,
    #[serde(default)]
    pub parameters: Parameters,
    #[serde(default)]
    pub rtcp_feedback: Vec<Feedback>,
}

/// `a=rtcp-fb` (RFC 4585, section 4.2), such as `nack` with the parameter `pli`, or without one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Feedback {
    #[serde(rename = "type")]
    pub what: String,
    #[serde(default)]
    pub parameter: String,
}

impl Feedback {
    pub fn new(what: &str, parameter: &str) -> Self {
        Self { what: what.to_owned(), parameter: parameter.to_owned() }
    }
}

/// A header extension under the number that it has on the wire.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Extension {
    pub uri: String,
    pub id: u8,
    #[serde(default)]
    pub encrypt: bool,
    #[serde(default)]
    pub parameters: Parameters,
}

/// One stream of a producer; a simulcast producer has several.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Encoding {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ssrc: Option<u32>,
    /// Names the stream where the SSRC is not signalled (RFC 8852).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rid: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rtx: Option<RtxEncoding>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dtx: Option<bool>,
    /// Such as `L1T3` (W3C, Scalable Video Coding Extension for WebRTC).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scalability_mode: Option<String>,
    /// Bits per second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_bitrate: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RtxEncoding {
    pub ssrc: u32,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RtcpParameters {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cname: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reduced_size: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mux: Option<bool>,
}

impl Codec {
    pub fn is(&self, mime_type: &str) -> bool {
        self.mime_type.eq_ignore_ascii_case(mime_type)
    }

    /// Whether it carries retransmissions (RFC 4588).
    pub fn is_rtx(&self) -> bool {
        self.mime_type.split_once('/').is_some_and(|(_, name)| name.eq_ignore_ascii_case("rtx"))
    }

    /// The whole number that a parameter has, written as a number or as text.
    pub fn integer(&self, parameter: &str) -> Option<i64> {
        integer(&self.parameters, parameter)
    }

    /// The text that a parameter has.
    pub fn text(&self, parameter: &str) -> Option<&str> {
        match self.parameters.get(parameter)? {
            ParameterValue::Text(text) => Some(text),
            _ => None,
        }
    }
}

/// The whole number that a parameter has, written as a number or as text.
pub fn integer(parameters: &Parameters, name: &str) -> Option<i64> {
    match parameters.get(name)? {
        ParameterValue::Integer(value) => Some(*value),
        ParameterValue::Text(text) => text.parse().ok(),
        ParameterValue::Number(_) | ParameterValue::Flag(_) | ParameterValue::Null(()) => None,
    }
}
