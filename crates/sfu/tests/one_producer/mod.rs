//! One producer of VP8 and many consumers, for what counts allocations and for what measures.

use taoyao_ortc::capabilities::uri;
use taoyao_ortc::{
    Codec, ConsumerId, Encoding, Extension, Feedback, MediaKind, ParameterValue, Parameters, ProducerId,
    RtpParameters, RtxEncoding, router_capabilities,
};
use taoyao_sfu::{Router, RouterConfig, TransportKey, TransportSetup};
use taoyao_types::Instant;

pub(crate) const PRODUCER: TransportKey = TransportKey(0);
pub(crate) const PACKET_BYTES: usize = 1_200;

/// A router with consumers that run, on the transports from 1 on, and their SSRCs.
pub(crate) fn room(now: Instant, consumers: u32) -> (Router, Vec<u32>) {
    let mut router = Router::new(1, now, RouterConfig::default());
    for key in 0..=consumers {
        let setup = TransportSetup { has_congestion_control: key > 0, ..TransportSetup::default() };
        router.add_transport(TransportKey(key), setup);
        router.set_connected(now, TransportKey(key), true);
    }
    let producer = ProducerId::of_random(1);
    let made = router.produce(now, PRODUCER, producer, MediaKind::Video, &parameters(), false);
    assert_eq!(made, Ok("simple"));
    let mut ssrcs = Vec::new();
    for key in 1..=consumers {
        let id = ConsumerId::of_random(key.into());
        let consumed = router
            .consume(now, TransportKey(key), id, producer, &router_capabilities())
            .expect("it can be consumed");
        router.pause_consumer(now, id, false);
        ssrcs.push(consumed.rtp.encodings[0].ssrc.expect("every consumer has one"));
    }
    (router, ssrcs)
}

/// A packet of frames of eight packets each.
pub(crate) fn packet(sequence: u16, is_key: bool) -> [u8; PACKET_BYTES] {
    let mut packet = [0x55; PACKET_BYTES];
    packet[..2].copy_from_slice(&[0x90, 96 | (u8::from(sequence % 8 == 7) << 7)]);
    packet[2..4].copy_from_slice(&sequence.to_be_bytes());
    packet[4..8].copy_from_slice(&(u32::from(sequence / 8) * 900).to_be_bytes());
    packet[8..12].copy_from_slice(&10_u32.to_be_bytes());
    let [high, low] = sequence.to_be_bytes();
    packet[12..20].copy_from_slice(&[0xbe, 0xde, 0, 1, 0x31, high, low, 0]);
    let start = if sequence.is_multiple_of(8) { 0x90 } else { 0x80 };
    let [high, low] = (sequence / 8).to_be_bytes();
    packet[20..25].copy_from_slice(&[start, 0x80, high | 0x80, low, u8::from(!is_key)]);
    packet
}

fn parameters() -> RtpParameters {
    let codec = |mime_type: &str, payload_type, feedback: &[(&str, &str)]| Codec {
        mime_type: mime_type.to_owned(),
        payload_type,
        clock_rate: 90_000,
        channels: None,
        parameters: Parameters::new(),
        rtcp_feedback: feedback.iter().map(|(what, parameter)| Feedback::new(what, parameter)).collect(),
    };
    let mut rtx = codec("video/rtx", 97, &[]);
    rtx.parameters.insert("apt".to_owned(), ParameterValue::Integer(96));
    let extension =
        |uri: &str, id| Extension { uri: uri.to_owned(), id, encrypt: false, parameters: Parameters::new() };
    let rtx_ssrc = Some(RtxEncoding { ssrc: 11 });
    RtpParameters {
        codecs: vec![codec("video/VP8", 96, &[("nack", ""), ("nack", "pli"), ("transport-cc", "")]), rtx],
        header_extensions: vec![extension(uri::TRANSPORT_CC, 3), extension(uri::ABS_SEND_TIME, 2)],
        encodings: vec![Encoding { ssrc: Some(10), rtx: rtx_ssrc, ..Encoding::default() }],
        ..RtpParameters::default()
    }
}
