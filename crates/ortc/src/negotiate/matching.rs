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

/// How well a stream fits what a receiver says that it takes; the best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fit {
    /// Both describe the same.
    Same,
    /// The receiver takes more than the stream needs.
    Within,
    /// The receiver does not say that it takes all that the stream may hold, but what is ever in such streams.
    InPractice,
}

/// The capability that suits a stream best, the first one of several.
pub(super) fn best<'a>(capabilities: &'a [CodecCapability], stream: &Codec) -> Option<&'a CodecCapability> {
    let fits = capabilities.iter().filter_map(|capability| Some((fit(capability, stream)?, capability)));
    fits.min_by_key(|(fit, _)| *fit).map(|(_, capability)| capability)
}

/// How well what is sent as the one can be received as the other. Retransmissions never fit: they are what they
/// retransmit.
pub(super) fn fit(receiver: &CodecCapability, stream: &Codec) -> Option<Fit> {
    let (receiver, stream) = (Format::from(receiver), Format::from(stream));
    let is_codec = receiver.mime_type.eq_ignore_ascii_case(stream.mime_type)
        && receiver.clock_rate == stream.clock_rate
        && receiver.channels == stream.channels
        && !is_rtx(receiver.mime_type);
    if is_codec { profile_fit(receiver, stream) } else { None }
}

/// Writes into a stream's parameters, as which of its profiles the receiver takes it.
pub(super) fn describe_to(receiver: &CodecCapability, stream: &mut Codec) {
    if stream.is("video/H264") {
        return h264::describe_to(&receiver.parameters, &mut stream.parameters);
    }
    for name in ["profile-id", "profile"] {
        match receiver.parameters.get(name) {
            Some(value) => drop(stream.parameters.insert(name.to_owned(), value.clone())),
            None => drop(stream.parameters.remove(name)),
        }
    }
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

/// By the parameters that exclude streams of one codec from receivers of it, with what they are where they are not written.
fn profile_fit(receiver: Format<'_>, stream: Format<'_>) -> Option<Fit> {
    let numbers =
        |parameter, default| (receiver.integer(parameter, default), stream.integer(parameter, default));
    let same = |(takes, sent): (i64, i64)| (takes == sent).then_some(Fit::Same);
    let upwards = |(takes, sent): (i64, i64), highest: i64| match takes {
        _ if takes == sent => Some(Fit::Same),
        _ if (sent..=highest).contains(&takes) => Some(Fit::Within),
        _ => None,
    };
    match name(receiver.mime_type).to_ascii_lowercase().as_str() {
        "h264" => h264::fit(receiver.parameters, stream.parameters),
        // RFC 9628, section 6: depths and ways to sample colours, none of which holds another.
        "vp9" => same(numbers("profile-id", 0)),
        // RTP Payload Format for AV1, section 7.2; each profile of the AV1 specification holds those below it.
        "av1" => upwards(numbers("profile", 0), 2),
        // RFC 7798, section 7.1; decoders of Main 10 decode Main (ITU-T H.265, annex A.3.3).
        "h265" => upwards(numbers("profile-id", 1), 2),
        _ => Some(Fit::Same),
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
