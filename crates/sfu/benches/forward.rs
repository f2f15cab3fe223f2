//! What one forwarded packet costs, without encryption and without sending: one producer to 20 and to 200 consumers.

use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use taoyao_ortc::capabilities::uri;
use taoyao_ortc::{
    Codec, ConsumerId, Encoding, Extension, Feedback, MediaKind, ParameterValue, Parameters, ProducerId,
    RtpParameters, RtxEncoding, router_capabilities,
};
use taoyao_sfu::{Router, RouterConfig, TransportKey, TransportSetup};
use taoyao_types::{Instant, Now, Wall};

const PRODUCER: TransportKey = TransportKey(0);
const PACKET_BYTES: usize = 1_200;

fn forward(c: &mut Criterion) {
    let mut group = c.benchmark_group("forward");
    for consumers in [20, 200] {
        for burst in [1, 8] {
            let (mut router, mut now) = room(consumers);
            let mut sequence = 0_u16;
            group.throughput(Throughput::Elements(u64::from(consumers) * burst));
            let name = BenchmarkId::new(format!("burst {burst}"), consumers);
            let all = burst as usize * consumers as usize * PACKET_BYTES;
            group.bench_function(name, |b| {
                b.iter(|| assert!(turn(&mut router, &mut now, &mut sequence, burst) >= all));
            });
        }
    }
    group.finish();
}

/// A burst arrives and leaves.
fn turn(router: &mut Router, now: &mut Instant, sequence: &mut u16, burst: u64) -> usize {
    *now = *now + Duration::from_micros(burst * 800);
    for _ in 0..burst {
        router.handle_rtp(*now, PRODUCER, &packet(*sequence));
        *sequence = sequence.wrapping_add(1);
    }
    let both = Now { mono: *now, wall: Wall(now.0 / 1_000) };
    let mut buffer = [0; 1_500];
    let mut bytes = 0;
    while let Some(sent) = router.poll_transmit(both, &mut buffer) {
        bytes += black_box(&buffer)[..sent.len].len();
    }
    router.handle_timeout(both);
    while router.poll_event().is_some() {}
    bytes
}

fn packet(sequence: u16) -> [u8; PACKET_BYTES] {
    let mut packet = [0x55; PACKET_BYTES];
    packet[..2].copy_from_slice(&[0x90, 96 | (u8::from(sequence % 8 == 7) << 7)]);
    packet[2..4].copy_from_slice(&sequence.to_be_bytes());
    packet[4..8].copy_from_slice(&(u32::from(sequence / 8) * 900).to_be_bytes());
    packet[8..12].copy_from_slice(&10_u32.to_be_bytes());
    let [high, low] = sequence.to_be_bytes();
    packet[12..20].copy_from_slice(&[0xbe, 0xde, 0, 1, 0x31, high, low, 0]);
    let start = if sequence.is_multiple_of(8) { 0x90 } else { 0x80 };
    let is_key = sequence.is_multiple_of(1_024);
    let [high, low] = (sequence / 8).to_be_bytes();
    packet[20..25].copy_from_slice(&[start, 0x80, high | 0x80, low, u8::from(!is_key)]);
    packet
}

fn room(consumers: u32) -> (Router, Instant) {
    let now = Instant(1_000_000);
    let mut router = Router::new(1, now, RouterConfig::default());
    for key in 0..=consumers {
        let setup = TransportSetup { has_congestion_control: key > 0, ..TransportSetup::default() };
        router.add_transport(TransportKey(key), setup);
        router.set_connected(now, TransportKey(key), true);
    }
    let producer = ProducerId::of_random(1);
    let made = router.produce(now, PRODUCER, producer, MediaKind::Video, &parameters(), false);
    assert_eq!(made, Ok("simple"));
    for key in 1..=consumers {
        let id = ConsumerId::of_random(key.into());
        let consumed = router.consume(now, TransportKey(key), id, producer, &router_capabilities());
        assert!(consumed.is_ok());
        router.pause_consumer(now, id, false);
    }
    (router, now)
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
        header_extensions: vec![extension(uri::TRANSPORT_CC, 3)],
        encodings: vec![Encoding { ssrc: Some(10), rtx: rtx_ssrc, ..Encoding::default() }],
        ..RtpParameters::default()
    }
}

criterion_group!(benches, forward);
criterion_main!(benches);
