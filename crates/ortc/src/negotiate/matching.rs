//! When two descriptions mean the same codec.

use super::h264;
use crate::capabilities::CodecCapability;
use crate::rtp::{Codec, ParameterValue, Parameters};

/// What identifies a codec, wherever it is described.
#[derive(Clone, Copy)]
pub(super) struct Format<'a> {
    mime_type: &'a str,
    clock_rate: u32,
    channels: u8,
    parameters: &'a Parameters,
}

/// Whether both are the same codec, so that what is sent as one can be received as the other. Retransmissions are never
/// the same: they are what they retransmit.
pub(super) fn is_same<'a>(one: impl Into<Format<'a>>, other: impl Into<Format<'a>>) -> bool {
    let (one, other) = (one.into(), other.into());
    one.mime_type.eq_ignore_ascii_case(other.mime_type)
        && one.clock_rate == other.clock_rate
        && one.channels == other.channels
        && !is_rtx(one.mime_type)
        && has_same_profile(one, other)
}

pub(super) fn is_rtx(mime_type: &str) -> bool {
    name(mime_type).eq_ignore_ascii_case("rtx")
}

/// The codec that retransmits the one with this payload type.
pub(super) fn retransmissions(codecs: &[CodecCapability], payload_type: u8) -> Option<&CodecCapability> {
    codecs.iter().find(|codec| {
        is_rtx(&codec.mime_type) && crate::rtp::integer(&codec.parameters, "apt") == Some(payload_type.into())
    })
}

/// For people: `video/H264 (profile-level-id 42e01f, packetization-mode 1)`.
pub(super) fn describe<'a>(codec: impl Into<Format<'a>>) -> String {
    let codec = codec.into();
    let marks: Vec<_> = ["profile-level-id", "packetization-mode", "profile-id", "profile"]
        .into_iter()
        .filter_map(|mark| Some(format!("{mark} {}", text(codec.parameters, mark)?)))
        .collect();
    match marks.is_empty() {
        true => format!("{}/{}", codec.mime_type, codec.clock_rate),
        false => format!("{}/{} ({})", codec.mime_type, codec.clock_rate, marks.join(", ")),
    }
}

/// A parameter's value as text: clients write `profile-level-id=640032` as a number.
pub(super) fn text(parameters: &Parameters, name: &str) -> Option<String> {
    match parameters.get(name)? {
        ParameterValue::Text(text) => Some(text.clone()),
        ParameterValue::Integer(number) => Some(number.to_string()),
        ParameterValue::Number(_) | ParameterValue::Flag(_) | ParameterValue::Null(()) => None,
    }
}

fn name(mime_type: &str) -> &str {
    mime_type.split_once('/').map_or("", |(_, name)| name)
}

/// The parameters by which streams of one codec exclude each other, with what they are where they are not written.
fn has_same_profile(one: Format<'_>, other: Format<'_>) -> bool {
    let same = |parameter, default| one.integer(parameter, default) == other.integer(parameter, default);
    match name(one.mime_type).to_ascii_lowercase().as_str() {
        // RFC 6184, section 8.1.
        "h264" => same("packetization-mode", 0) && h264::is_same_profile(one.parameters, other.parameters),
        // RFC 9628, section 6.
        "vp9" => same("profile-id", 0),
        // RTP Payload Format for AV1, section 7.2.
        "av1" => same("profile", 0),
        // RFC 7798, section 7.1.
        "h265" => same("profile-id", 1),
        _ => true,
    }
}

impl Format<'_> {
    fn integer(&self, parameter: &str, default: i64) -> i64 {
        crate::rtp::integer(self.parameters, parameter).unwrap_or(default)
    }
}

const ONE_CHANNEL: u8 = 1;

impl<'a> From<&'a Codec> for Format<'a> {
    fn from(codec: &'a Codec) -> Self {
        Self {
            mime_type: &codec.mime_type,
            clock_rate: codec.clock_rate,
            channels: codec.channels.unwrap_or(ONE_CHANNEL),
            parameters: &codec.parameters,
        }
    }
}

impl<'a> From<&'a CodecCapability> for Format<'a> {
    fn from(codec: &'a CodecCapability) -> Self {
        Self {
            mime_type: &codec.mime_type,
            clock_rate: codec.clock_rate,
            channels: codec.channels.unwrap_or(ONE_CHANNEL),
            parameters: &codec.parameters,
        }
    }
}
