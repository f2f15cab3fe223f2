//! What one forwarded packet costs, without encryption and without sending: one producer to 20 and to 200 consumers.

use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use taoyao_sfu::Router;
use taoyao_types::{Instant, Now, Wall};

#[path = "../tests/one_producer/mod.rs"]
mod one_producer;

use one_producer::{PACKET_BYTES, PRODUCER, packet, room};

fn forward(c: &mut Criterion) {
    let mut group = c.benchmark_group("forward");
    for consumers in [20, 200] {
        for burst in [1, 8] {
            let mut now = Instant(1_000_000);
            let (mut router, _) = room(now, consumers);
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
        router.handle_rtp(*now, PRODUCER, &packet(*sequence, sequence.is_multiple_of(1_024)));
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

criterion_group!(benches, forward);
criterion_main!(benches);
