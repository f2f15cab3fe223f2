//! Codecs and header extensions of a section.

use std::collections::BTreeSet;

use sdp_types::{Direction, ExtMap, Fmtp, FmtpParam, Media, RtcpFb, RtcpFbPt, RtpMap};
use taoyao_ortc::{Codec, Extension, Feedback, MediaKind, ParameterValue, Parameters};

/// Payload types of a section that are read; there are 128. What is listed beyond is not understood.
const FORMATS_MAX: usize = 128;

/// The codecs of a section, in the order of its payload types.
pub(crate) fn read(media: &Media, kind: MediaKind) -> Vec<Codec> {
    let maps: Vec<RtpMap> = media.attributes_typed().filter_map(Result::ok).collect();
    let mut seen = BTreeSet::new();
    let formats =
        media.fmt.split_ascii_whitespace().take(FORMATS_MAX).filter_map(|format| format.parse().ok());
    let described = |payload_type: u8| {
        let map = maps.iter().find(|map| map.payload_type == payload_type).cloned();
        map.or_else(|| well_known(payload_type))
    };
    formats
        .filter(|format| seen.insert(*format))
        .filter_map(described)
        .map(|map| codec(media, kind, &map))
        .collect()
}

/// Telephone codecs need no `a=rtpmap` (RFC 3551, section 6).
fn well_known(payload_type: u8) -> Option<RtpMap> {
    const CLOCK_RATE: u32 = 8_000;
    let name = match payload_type {
        0 => "PCMU",
        8 => "PCMA",
        _ => return None,
    };
    Some(RtpMap::new(payload_type, name, CLOCK_RATE))
}

const OPUS_CHANNELS: u8 = 2;

fn codec(media: &Media, kind: MediaKind, map: &RtpMap) -> Codec {
    let written = map.encoding_params.as_deref().and_then(|channels| channels.parse().ok());
    // It is always written with two, whatever is in it (RFC 7587, section 7); GStreamer may leave them out.
    let is_opus = map.encoding_name.eq_ignore_ascii_case("opus");
    let channels = if is_opus { written.or(Some(OPUS_CHANNELS)) } else { written };
    Codec {
        mime_type: format!("{}/{}", kind.as_str(), map.encoding_name),
        payload_type: map.payload_type,
        clock_rate: map.clock_rate,
        channels: channels.filter(|_| kind == MediaKind::Audio),
        parameters: parameters(media, map.payload_type),
        rtcp_feedback: feedback(media, map.payload_type),
    }
}

fn parameters(media: &Media, payload_type: u8) -> Parameters {
    let read = media.attributes_typed::<Fmtp>().filter_map(Result::ok);
    let params = read.filter(|fmtp| fmtp.fmt == payload_type).flat_map(|fmtp| fmtp.format_specific_params);
    // Names are the same in capital letters (RFC 4855, section 3), and some programs end the list with a semicolon.
    let named = params.map(|FmtpParam { param, val }| (param.trim().to_ascii_lowercase(), value(val)));
    named.filter(|(name, _)| !name.is_empty()).collect()
}

/// Numbers are numbers if nothing is lost by it.
fn value(text: Option<String>) -> ParameterValue {
    let text = text.unwrap_or_default().trim().to_owned();
    match text.parse::<i64>() {
        Ok(number) if number.to_string() == text => ParameterValue::Integer(number),
        _ => ParameterValue::Text(text),
    }
}

fn feedback(media: &Media, payload_type: u8) -> Vec<Feedback> {
    let read = media.attributes_typed::<RtcpFb>().filter_map(Result::ok);
    let of_codec = read.filter(|one| match one.pt {
        RtcpFbPt::Fmt(of) => of == payload_type,
        RtcpFbPt::Wildcard => true,
    });
    let named = |one: RtcpFb| {
        let text = one.val.to_string();
        let (what, parameter) = text.split_once(' ').unwrap_or((&text, ""));
        Feedback::new(what, parameter)
    };
    of_codec.map(named).collect()
}

/// The header extensions of a section, each with its direction as the peer sees it, if it is written. Of a number or a URI that
/// is there twice the first counts.
pub(crate) fn read_extensions(media: &Media) -> Vec<(Extension, Option<Direction>)> {
    let (mut ids, mut uris) = (BTreeSet::new(), BTreeSet::new());
    let read = media.attributes_typed::<ExtMap>().filter_map(Result::ok);
    let is_first =
        |map: &ExtMap| !ids.contains(&map.id) && uris.insert(map.uri.clone()) && ids.insert(map.id);
    let extension = |map: ExtMap| {
        let extension = Extension { uri: map.uri, id: map.id, encrypt: false, parameters: Parameters::new() };
        (extension, map.direction)
    };
    read.filter(is_first).map(extension).collect()
}

/// The lines of a codec: `rtpmap`, `fmtp`, `rtcp-fb`.
pub(crate) fn write(codec: &Codec, media: &mut Media) {
    let payload_type = codec.payload_type;
    let name = codec.mime_type.split_once('/').map_or(codec.mime_type.as_str(), |(_, name)| name);
    let map = match codec.channels {
        Some(channels) if channels > 1 => {
            RtpMap::with_encoding_params(payload_type, name, codec.clock_rate, channels)
        }
        _ => RtpMap::new(payload_type, name, codec.clock_rate),
    };
    media.add_attribute(map);
    if !codec.parameters.is_empty() {
        let params = codec.parameters.iter().map(|(name, value)| param(name, value));
        let mut fmtp = Fmtp::new(payload_type);
        fmtp.add_format_specific_params(params);
        media.add_attribute(fmtp);
    }
    for Feedback { what, parameter } in &codec.rtcp_feedback {
        let value = format!("{payload_type} {what} {parameter}");
        media.add_attribute_with_value("rtcp-fb", value.trim_end());
    }
}

fn param(name: &str, value: &ParameterValue) -> FmtpParam {
    match value {
        ParameterValue::Integer(number) => FmtpParam::with_value(name, number),
        ParameterValue::Number(number) => FmtpParam::with_value(name, number),
        ParameterValue::Flag(flag) => FmtpParam::with_value(name, u8::from(*flag)),
        ParameterValue::Text(text) if !text.is_empty() => FmtpParam::with_value(name, text),
        ParameterValue::Text(_) | ParameterValue::Null(()) => FmtpParam::new(name),
    }
}
