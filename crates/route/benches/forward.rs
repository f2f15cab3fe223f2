//! What a transit node spends on one signal, and what the root spends on a million records.
//!
//! `cargo bench -p taoyao-route`. Throughput is per core: the machine is one thread.

use std::hint::black_box;
use std::sync::Arc;

use bytes::Bytes;
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use taoyao_route::Router;
use taoyao_route::directory::Directory;
use taoyao_topology::Topology;
use taoyao_types::{
    Instant, NodeEpoch, NodeId, Now, PartitionId, SessionEpoch, SignalId, TerminalKey, Version, Wall,
};
use taoyao_wire::Class;
use taoyao_wire::link::sync::{Change, SnapshotMark};
use taoyao_wire::link::{Frame, Header, Kind, Record, Sync, Target, frame};

const CHAIN: &str = r#"
org = "bench"
[[node]]
name = "top"
terminals = { listen = "127.0.0.1:1" }
links = { listen = "127.0.0.1:2" }
[[node]]
name = "mid"
parent = "top"
terminals = { listen = "127.0.0.1:3" }
links = { listen = "127.0.0.1:4" }
[[node]]
name = "low"
parent = "mid"
terminals = { listen = "127.0.0.1:5" }
"#;

/// A signal of 300 bytes: what the header and its length leave is body.
const BODY_BYTES: usize = 245;
const LIFE: NodeEpoch = NodeEpoch(1);

struct Chain {
    mid: Router,
    top: NodeId,
    low: NodeId,
    key: TerminalKey,
    source: TerminalKey,
}

fn now() -> Now {
    Now { mono: Instant(1_000_000), wall: Wall(1_800_000_000_000) }
}

/// The middle node of a chain, with a terminal below it.
fn chain() -> Chain {
    let topology = Arc::new(Topology::parse("chain.toml", CHAIN).expect("the chain is well-formed"));
    let id = |name: &str| topology.by_name(name).expect("it is in the chain").id;
    let (top, mid, low) = (id("top"), id("mid"), id("low"));
    let partition = PartitionId::of(topology.by_name("low").expect("it is there").home_partition());
    let key = TerminalKey::synthetic(partition, 7);
    let source = TerminalKey::synthetic(PartitionId::of(topology.root().home_partition()), 9);
    let mut mid = Router::new(topology, mid, LIFE, now()).expect("it is in the chain");
    mid.handle_link_up(now(), top, LIFE);
    mid.handle_link_up(now(), low, LIFE);
    let version = Version { session: SessionEpoch(1), epoch: LIFE, seq: 1 };
    let record = Record { key, origin: low, version };
    let begin = Sync::SnapshotBegin { mark: SnapshotMark { id: 1, at: 0, after: None } };
    for sync in [begin, Sync::Changes { first: 1, changes: vec![Change::Add(record)] }] {
        mid.handle_frame(now(), low, frame::encode_sync(&sync));
    }
    while mid.poll_output().is_some() {}
    Chain { mid, top, low, key, source }
}

fn forwarding(c: &mut Criterion) {
    let mut group = c.benchmark_group("forward");
    group.throughput(Throughput::Elements(1));
    let body = vec![b'x'; BODY_BYTES];

    let Chain { mut mid, top, low, key, source } = chain();
    let id = SignalId { origin: top, epoch: LIFE, count: 1 };
    let header = Header::new(Kind::Event, Class::Event, id, Target::Terminal(key), source);
    let event = frame::encode_signal(&header, &body);
    assert_eq!(event.len(), 300, "the signal has the size that it says");
    group.bench_function("event_300_bytes", |b| {
        b.iter(|| {
            mid.handle_frame(now(), top, black_box(event.clone()));
            black_box(mid.poll_output().expect("it goes on"));
            mid.handle_queued(now(), low, taoyao_route::Queued::default());
        });
    });

    group.throughput(Throughput::Elements(2));
    let Chain { mut mid, top, low, key, source } = chain();
    let mut count = 0;
    group.bench_function("request_and_answer_300_bytes", |b| {
        b.iter_batched(
            || {
                count += 1;
                let id = SignalId { origin: top, epoch: LIFE, count };
                let request = Header::new(Kind::Request, Class::Request, id, Target::Terminal(key), source);
                let answer = Header::new(Kind::Answer, Class::Request, id, Target::Node(top), key);
                (frame::encode_signal(&request, &body), frame::encode_signal(&answer, &body))
            },
            |(request, answer)| {
                mid.handle_frame(now(), top, request);
                black_box(mid.poll_output().expect("the request goes down"));
                mid.handle_frame(now(), low, answer);
                black_box(mid.poll_output().expect("the answer goes up"));
                mid.handle_queued(now(), low, taoyao_route::Queued::default());
                mid.handle_queued(now(), top, taoyao_route::Queued::default());
            },
            BatchSize::SmallInput,
        );
    });

    group.throughput(Throughput::Elements(1));
    group.bench_function("decode_header", |b| b.iter(|| Frame::decode(black_box(event.clone()))));
    group.bench_function("encode_header", |b| b.iter(|| frame::encode_signal(black_box(&header), &body)));
    group.finish();
}

fn records(count: u64) -> Vec<Record> {
    (0..count)
        .map(|bits| {
            let version = Version { session: SessionEpoch(bits), epoch: LIFE, seq: bits };
            Record { key: TerminalKey::synthetic(PartitionId(1), bits), origin: NodeId(1), version }
        })
        .collect()
}

fn directory(c: &mut Criterion) {
    const MILLION: u64 = 1_000_000;
    let records = records(MILLION);
    let mut group = c.benchmark_group("directory");
    group.sample_size(10);
    group.throughput(Throughput::Elements(MILLION));
    let frames: Vec<Bytes> = records
        .chunks(4_000)
        .map(|part| {
            let changes = part.iter().map(|record| Change::Add(*record)).collect();
            frame::encode_sync(&Sync::Changes { first: 1, changes })
        })
        .collect();
    group.bench_function("load_a_million_records", |b| {
        b.iter_with_large_drop(|| {
            let mut directory = Directory::default();
            for frame in &frames {
                let Ok(Frame::Sync(Sync::Changes { changes, .. })) = Frame::decode(frame.clone()) else {
                    unreachable!("they were encoded above")
                };
                for change in changes {
                    if let Change::Add(record) = change {
                        directory.add(record, NodeId(1), 0);
                    }
                }
            }
            directory
        });
    });
    let mut full = Directory::default();
    records.iter().for_each(|record| {
        full.add(*record, NodeId(1), 0);
    });
    let mut next = 0;
    group.throughput(Throughput::Elements(1));
    group.bench_function("find_among_a_million", |b| {
        b.iter(|| {
            next = (next + 7_919) % records.len();
            black_box(full.find(records[next].key))
        });
    });
    group.finish();
}

criterion_group!(benches, forwarding, directory);
criterion_main!(benches);
