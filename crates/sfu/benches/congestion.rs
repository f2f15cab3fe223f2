//! What congestion control costs for each packet: sent, told of, received.

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use taoyao_sfu::congestion::{Arrivals, Demand, Estimator, EstimatorConfig, NackGenerator, Pacer, allocate};
use taoyao_sfu::rtcp::{Packet, Packets, TransportFeedbackHead, Writer};
use taoyao_types::Instant;

const BYTES: usize = 1_200;
/// 2,000 packets a second.
const STEP: Duration = Duration::from_micros(500);

fn per_packet(c: &mut Criterion) {
    sent_and_told_of(c);
    c.bench_function("pacer: ask and tell", |b| {
        let mut now = Instant(1);
        let mut pacer = Pacer::new(now, 30_000_000);
        b.iter(|| {
            now = now + STEP;
            if black_box(&mut pacer).may_send(now) {
                pacer.handle_sent(now, BYTES);
            }
        });
    });
    received(c);
}

/// A hundred packets and their feedback, so that one is a hundredth of it.
fn sent_and_told_of(c: &mut Criterion) {
    const PACKETS: usize = 100;
    c.bench_function("estimator: 100 sent, one feedback", |b| {
        let mut now = Instant(1_000_000);
        let mut estimator = Estimator::new(now, EstimatorConfig::default());
        let mut buffer = [0; 1_200];
        b.iter(|| {
            let base = estimator.handle_sent(now, BYTES);
            for _ in 1..PACKETS {
                now = now + STEP;
                estimator.handle_sent(now, BYTES);
            }
            let first = now.0.cast_signed() - 30_000;
            let arrivals = (0..PACKETS as i64).map(|n| (n % 33 != 7).then_some(first + 500 * n));
            let head = TransportFeedbackHead { sender: 1, media: 2, base, number: 0 };
            let mut writer = Writer::new(&mut buffer);
            writer.transport_feedback(head, arrivals).expect("it fits");
            let len = writer.len();
            for packet in Packets::new(&buffer[..len]) {
                if let Ok(Packet::TransportFeedback(feedback)) = packet {
                    estimator.handle_feedback(now, &feedback);
                }
            }
            black_box(estimator.bitrate())
        });
    });
}

fn received(c: &mut Criterion) {
    c.bench_function("arrivals: a packet, and its part of the feedback", |b| {
        let (mut now, mut sequence) = (Instant(1), 0_u16);
        let mut arrivals = Arrivals::new(now);
        let mut buffer = [0; 1_200];
        b.iter(|| {
            now = now + STEP;
            sequence = sequence.wrapping_add(1);
            arrivals.handle_packet(now, sequence, BYTES);
            let mut writer = Writer::new(&mut buffer);
            black_box(arrivals.poll_feedback(now, 1, 2, &mut writer))
        });
    });
    c.bench_function("nack: a packet, one of 50 missing", |b| {
        let (mut now, mut sequence) = (Instant(1), 0_u16);
        let mut generator = NackGenerator::default();
        let mut out = [0; 64];
        b.iter(|| {
            now = now + STEP;
            sequence = sequence.wrapping_add(if sequence.is_multiple_of(50) { 2 } else { 1 });
            generator.handle_packet(now, sequence, false);
            black_box(generator.poll_nack(now, &mut out))
        });
    });
}

fn per_feedback(c: &mut Criterion) {
    let choices = [100_000, 150_000, 400_000, 500_000, 1_200_000, 1_500_000];
    let demands = [0, 1].map(|turn| Demand { priority: 1 + turn, choices: &choices, current: Some(2) });
    let demands: Vec<_> = demands.iter().cycle().take(20).copied().collect();
    let mut chosen = vec![None; demands.len()];
    c.bench_function("allocate: 20 consumers, six choices each", |b| {
        b.iter(|| allocate(black_box(8_000_000), &demands, &mut chosen));
    });
}

criterion_group!(benches, per_packet, per_feedback);
criterion_main!(benches);
