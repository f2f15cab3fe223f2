//! What reading and writing a terminal's JSON costs: a signal of 300 bytes, as most are, and one of 5 KB, as offers are.
//!
//! `cargo bench -p taoyao-wire`. Throughput is per core.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use taoyao_wire::terminal::{Fields, Incoming, Outgoing};

const SIZES: [usize; 2] = [300, 5_000];

/// A `client::unicast` of exactly so many bytes, shaped like an offer: a long text with line ends, and a null.
fn signal(bytes: usize) -> String {
    let make = |sdp: &str| {
        format!(
            r#"{{"header":{{"v":"1.0.0","id":2151500200000001,"signal":"client::unicast"}},"body":{{"to":"cam-7@sh.east.cn","type":"offer","none":null,"sdp":"{sdp}"}}}}"#
        )
    };
    const LINE: &str = r"a=candidate:1 1 udp 2130706431 192.0.2.1 9 typ host\r\n";
    let room = bytes - make("").len();
    let mut sdp = LINE.repeat(room / LINE.len());
    sdp.push_str(&"x".repeat(room % LINE.len()));
    make(&sdp)
}

fn decode(c: &mut Criterion) {
    let mut group = c.benchmark_group("decode");
    for bytes in SIZES {
        let text = signal(bytes);
        assert_eq!(text.len(), bytes, "the signal has the size that it says");
        group.throughput(Throughput::Bytes(bytes as u64));
        group.bench_with_input(BenchmarkId::new("envelope", bytes), &text, |b, text| {
            b.iter(|| Incoming::decode(black_box(text)).map(|message| message.id));
        });
        // What a node does with a message for another terminal.
        group.bench_with_input(BenchmarkId::new("envelope_and_relay", bytes), &text, |b, text| {
            b.iter(|| {
                let message = Incoming::decode(black_box(text)).expect("it is a message");
                let body = Fields::of(message.body).without("to");
                message.relayed_with(Some(body))
            });
        });
    }
    group.finish();
}

fn encode(c: &mut Criterion) {
    let mut group = c.benchmark_group("encode");
    for bytes in SIZES {
        let text = signal(bytes);
        let message = Incoming::decode(&text).expect("it is a message").relayed();
        group.throughput(Throughput::Bytes(bytes as u64));
        group.bench_with_input(BenchmarkId::new("answer", bytes), &message, |b, message| {
            let body = message.body.as_deref();
            b.iter(|| Outgoing::success("1.0.0", black_box(7), "client::unicast", black_box(body)).encode());
        });
        // What comes from another node is checked before it is written.
        group.bench_with_input(BenchmarkId::new("relayed", bytes), &message, |b, message| {
            b.iter(|| Outgoing::relayed(black_box(message), 7).map(|outgoing| outgoing.encode()));
        });
    }
    group.finish();
}

criterion_group!(benches, decode, encode);
criterion_main!(benches);
