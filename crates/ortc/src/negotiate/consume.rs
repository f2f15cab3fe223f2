//! What another terminal receives of a producer.

use super::produce::Consumable;
use super::{check, layers, matching};
use crate::bounds;
use crate::capabilities::{CodecCapability, RtpCapabilities, uri};
use crate::control::Refused;
use crate::rtp::{Codec, Encoding, Extension, Feedback, RtcpParameters, RtpParameters, RtxEncoding};

/// The parameters of a consumer of `consumable` at a terminal with these capabilities: one encoding with `ssrc` and, where
/// the terminal can receive retransmissions, `ssrc + 1` for them. Its payload types and extension ids are those of the
/// capabilities, which are the router's wherever the terminal has loaded the router's capabilities.
///
/// # Errors
/// The capabilities are not well formed, or the terminal cannot receive the codec.
pub fn consume(
    consumable: &Consumable,
    capabilities: &RtpCapabilities,
    mid: &str,
    ssrc: u32,
) -> Result<RtpParameters, Refused> {
    check::capabilities(capabilities)?;
    let header_extensions = extensions(consumable, capabilities);
    let estimates = Estimates::of(&header_extensions);
    let codecs: Vec<_> = codecs(consumable, capabilities)?
        .into_iter()
        .map(|mut codec| {
            codec.rtcp_feedback.retain(|feedback| estimates.want(feedback));
            codec
        })
        .collect();
    let rtx = codecs.iter().any(Codec::is_rtx).then(|| RtxEncoding { ssrc: ssrc.wrapping_add(1) });
    Ok(RtpParameters {
        mid: Some(mid.to_owned()),
        codecs,
        header_extensions,
        encodings: vec![Encoding { ssrc: Some(ssrc), rtx, ..encoding(&consumable.rtp.encodings) }],
        rtcp: RtcpParameters {
            cname: consumable.rtp.rtcp.cname.clone(),
            reduced_size: Some(true),
            mux: Some(true),
        },
    })
}

/// The producer's codec and, if the terminal knows how, that of its retransmissions.
fn codecs(consumable: &Consumable, capabilities: &RtpCapabilities) -> Result<Vec<Codec>, Refused> {
    let (media, again): (Vec<_>, Vec<_>) = consumable.rtp.codecs.iter().partition(|codec| !codec.is_rtx());
    let found = media.into_iter().find_map(|codec| {
        let capability = matching::best(&capabilities.codecs, codec)?;
        Some((codec, capability))
    });
    let (codec, capability) = found.ok_or_else(|| cannot_receive(consumable))?;
    let again = again
        .into_iter()
        .next()
        .zip(matching::retransmissions(&capabilities.codecs, capability.preferred_payload_type));
    let again = again.map(|(codec, capability)| {
        // It points at the codec under the terminal's number, which its own capability says.
        Codec { parameters: capability.parameters.clone(), ..received(codec, capability) }
    });
    Ok(std::iter::once(received(codec, capability)).chain(again).collect())
}

fn cannot_receive(consumable: &Consumable) -> Refused {
    let codec = consumable.rtp.codecs.first().map(matching::describe).unwrap_or_default();
    Refused::Unsupported(format!("the terminal's capabilities do not say that it can receive {codec}"))
}

fn received(codec: &Codec, capability: &CodecCapability) -> Codec {
    let both = |feedback: &&Feedback| capability.rtcp_feedback.contains(feedback);
    let mut received = Codec {
        payload_type: capability.preferred_payload_type,
        rtcp_feedback: codec.rtcp_feedback.iter().filter(both).cloned().collect(),
        ..codec.clone()
    };
    matching::describe_to(capability, &mut received);
    received
}

/// The extensions of which the terminal says that it knows them. Clients list an extension that both kinds of media have
/// under one kind only, with the router's number.
fn extensions(consumable: &Consumable, capabilities: &RtpCapabilities) -> Vec<Extension> {
    let numbered = |extension: &Extension| {
        let known = || capabilities.header_extensions.iter().filter(|theirs| theirs.uri == extension.uri);
        let theirs = known()
            .find(|theirs| theirs.kind == consumable.kind)
            .or_else(|| known().find(|theirs| theirs.preferred_id == extension.id))?;
        let is_usable = (1..=bounds::EXTENSION_ID_MAX).contains(&theirs.preferred_id);
        is_usable.then(|| Extension { id: theirs.preferred_id, ..extension.clone() })
    };
    consumable.rtp.header_extensions.iter().filter_map(numbered).collect()
}

/// How the terminal lets the available bitrate be estimated. There is one way at a time: transport-wide feedback, else
/// the receiver's own estimate, which needs to know when a packet was sent, else none.
enum Estimates {
    TransportWide,
    ByReceiver,
    None,
}

impl Estimates {
    fn of(extensions: &[Extension]) -> Self {
        let has = |uri| extensions.iter().any(|extension| extension.uri == uri);
        match (has(uri::TRANSPORT_CC), has(uri::ABS_SEND_TIME)) {
            (true, _) => Self::TransportWide,
            (false, true) => Self::ByReceiver,
            (false, false) => Self::None,
        }
    }

    fn want(&self, feedback: &Feedback) -> bool {
        match feedback.what.as_str() {
            "transport-cc" => matches!(self, Self::TransportWide),
            "goog-remb" => matches!(self, Self::ByReceiver),
            _ => true,
        }
    }
}

/// All streams of the producer as the one that a consumer sees.
fn encoding(encodings: &[Encoding]) -> Encoding {
    Encoding {
        scalability_mode: layers::consumer_mode(encodings),
        max_bitrate: encodings.iter().filter_map(|encoding| encoding.max_bitrate).max(),
        ..Encoding::default()
    }
}
