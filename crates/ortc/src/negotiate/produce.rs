//! What a terminal sends, in the router's numbers.

use super::{check, h264, layers, matching};
use crate::capabilities::{
    CodecCapability, Direction, ExtensionCapability, RtpCapabilities, router_capabilities,
};
use crate::control::Refused;
use crate::rtp::{Codec, Extension, MediaKind, Parameters, RtcpParameters, RtpParameters};

/// A producer in the router's numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct Consumable {
    pub kind: MediaKind,
    /// What its consumers will say of themselves: `simple`, `simulcast` or `svc`.
    pub consumer_type: &'static str,
    /// With the router's payload types and extension ids: the producer's first codec and, of video, the router's codec for
    /// retransmissions of it. The encodings are the producer's.
    pub rtp: RtpParameters,
    /// (the producer's payload type, the router's), retransmission codecs too.
    pub payload_types: Vec<(u8, u8)>,
    /// (the producer's extension id, the router's), of the extensions that the router knows.
    pub extensions: Vec<(u8, u8)>,
}

/// What the producer sends, in the router's numbers. Only the first codec is in use; what a terminal lists behind it
/// (comfort noise, tones) is not forwarded.
///
/// # Errors
/// The parameters contradict themselves, or the router does not speak the codec.
pub fn produce(kind: MediaKind, rtp: &RtpParameters) -> Result<Consumable, Refused> {
    let codec = check::parameters(kind, rtp)?;
    let router = router_capabilities();
    let capability = spoken(&router, codec)?;
    let retransmissions = retransmissions(&router, capability);
    let codecs = [Some(consumable_codec(codec, capability)), retransmissions.map(retransmission_codec)];
    let rtcp = RtcpParameters { cname: rtp.rtcp.cname.clone(), reduced_size: Some(true), mux: None };
    Ok(Consumable {
        kind,
        consumer_type: layers::consumer_type(codec, &rtp.encodings),
        payload_types: payload_types(rtp, codec, capability, retransmissions),
        extensions: extension_ids(kind, rtp, &router),
        rtp: RtpParameters {
            mid: None,
            codecs: codecs.into_iter().flatten().collect(),
            header_extensions: sent_extensions(kind, &router),
            encodings: rtp.encodings.clone(),
            rtcp,
        },
    })
}

fn spoken<'a>(router: &'a RtpCapabilities, codec: &Codec) -> Result<&'a CodecCapability, Refused> {
    matching::best(&router.codecs, codec).ok_or_else(|| {
        let spoken: Vec<_> = router
            .codecs
            .iter()
            .filter(|capability| !matching::is_rtx(&capability.mime_type))
            .map(matching::describe)
            .collect();
        Refused::Unsupported(format!(
            "the router does not speak {}; it speaks {}",
            matching::describe(codec),
            spoken.join(", ")
        ))
    })
}

/// The router's codec for retransmissions of another.
fn retransmissions<'a>(
    router: &'a RtpCapabilities,
    capability: &CodecCapability,
) -> Option<&'a CodecCapability> {
    matching::retransmissions(&router.codecs, capability.preferred_payload_type)
}

/// The producer's own parameters under the router's name and number, with the feedback that the router gives. Nothing is
/// decoded here, so that the stream's profile and level are what its sender says of them.
fn consumable_codec(codec: &Codec, capability: &CodecCapability) -> Codec {
    let mut parameters = codec.parameters.clone();
    if codec.is("video/H264") {
        h264::normalize(&mut parameters);
    }
    Codec { parameters, channels: codec.channels, ..retransmission_codec(capability) }
}

fn retransmission_codec(capability: &CodecCapability) -> Codec {
    Codec {
        mime_type: capability.mime_type.clone(),
        payload_type: capability.preferred_payload_type,
        clock_rate: capability.clock_rate,
        channels: capability.channels,
        parameters: capability.parameters.clone(),
        rtcp_feedback: capability.rtcp_feedback.clone(),
    }
}

fn payload_types(
    rtp: &RtpParameters,
    codec: &Codec,
    capability: &CodecCapability,
    retransmissions: Option<&CodecCapability>,
) -> Vec<(u8, u8)> {
    let own = (codec.payload_type, capability.preferred_payload_type);
    let again = rtp
        .codecs
        .iter()
        .find(|other| other.is_rtx() && other.integer("apt") == Some(codec.payload_type.into()))
        .zip(retransmissions)
        .map(|(theirs, ours)| (theirs.payload_type, ours.preferred_payload_type));
    std::iter::once(own).chain(again).collect()
}

fn extension_ids(kind: MediaKind, rtp: &RtpParameters, router: &RtpCapabilities) -> Vec<(u8, u8)> {
    let known = |extension: &Extension| {
        of_kind(kind, router)
            .find(|known| known.uri == extension.uri)
            .map(|known| (extension.id, known.preferred_id))
    };
    rtp.header_extensions.iter().filter_map(known).collect()
}

/// The extensions that the router sends: also those that are made anew on each transport, whatever the producer sends.
fn sent_extensions(kind: MediaKind, router: &RtpCapabilities) -> Vec<Extension> {
    of_kind(kind, router)
        .filter(|known| matches!(known.direction, Direction::Sendrecv | Direction::Sendonly))
        .map(|known| Extension {
            uri: known.uri.clone(),
            id: known.preferred_id,
            encrypt: known.preferred_encrypt,
            parameters: Parameters::new(),
        })
        .collect()
}

fn of_kind(kind: MediaKind, router: &RtpCapabilities) -> impl Iterator<Item = &ExtensionCapability> {
    router.header_extensions.iter().filter(move |extension| extension.kind == kind)
}
