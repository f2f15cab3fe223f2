//! The media forwarder's metrics: of each worker, each room, and up to a bound of each transport, producer and consumer.

use taoyao_admin::Sample;
use taoyao_media::{RoomStats, WorkerStats};
use taoyao_ortc::Stat;
use taoyao_types::limits::MEDIA_METRICS_MAX;

use super::{Instrument, counter, gauge, sample};
use crate::report::RoomMedia;
use crate::rooms::{Carried, Flow, flows, summed};

/// With the label `worker`.
const WORKER: &[Instrument<WorkerStats>] = &[
    gauge("taoyao_media_rooms", "rooms that have a part at the worker", |w| w.rooms.len() as u64),
    counter("taoyao_media_worker_restarts_total", "how often it failed; its rooms were lost", |w| w.restarts),
    counter("taoyao_media_turns_total", "turns of its loop", |w| w.traffic.turns),
    counter("taoyao_media_received_datagrams_total", "datagrams of terminals", |w| w.traffic.datagrams_in),
    counter("taoyao_media_received_bytes_total", "bytes of them", |w| w.traffic.bytes_in),
    counter("taoyao_media_strangers_total", "datagrams of addresses that belong to nobody", |w| {
        w.traffic.strangers
    }),
    counter("taoyao_media_sent_datagrams_total", "datagrams to terminals", |w| w.traffic.datagrams_out),
    counter("taoyao_media_sent_bytes_total", "bytes of them", |w| w.traffic.bytes_out),
    counter("taoyao_media_send_calls_total", "calls into the kernel for them", |w| w.traffic.sends),
    counter("taoyao_media_dropped_datagrams_total", "datagrams that the kernel did not take", |w| {
        w.traffic.dropped_out
    }),
    counter("taoyao_media_piped_total", "packets passed on to other workers of their rooms", |w| {
        w.traffic.piped
    }),
    counter("taoyao_media_pipe_dropped_total", "packets that other workers were too slow for", |w| {
        w.traffic.dropped_by_pipes
    }),
];

/// With the label `room`.
const ROOM: &[Instrument<Total>] = &[
    gauge("taoyao_media_room_transports", "transports of the room", |r| r.media.transports),
    gauge("taoyao_media_room_producers", "streams that members send", |r| r.media.producers),
    gauge("taoyao_media_room_consumers", "streams that members are sent", |r| r.media.consumers),
    gauge("taoyao_media_room_received_bits_per_second", "what all members send", |r| r.media.received_bps),
    gauge("taoyao_media_room_sent_bits_per_second", "what all members are sent", |r| r.media.sent_bps),
    gauge("taoyao_media_room_recorder_dropped_packets", "packets that recorders were too slow for", |r| {
        r.recorder_dropped
    }),
];

/// With the labels `room` and `transport`.
const TRANSPORT: &[Instrument<[Stat]>] = &[
    gauge("taoyao_media_transport_received_bits_per_second", "what the terminal sends", |f| {
        sum(f, "rtpRecvBitrate")
    }),
    gauge("taoyao_media_transport_sent_bits_per_second", "what the terminal is sent", |f| {
        sum(f, "rtpSendBitrate")
    }),
    gauge(
        "taoyao_media_transport_policed_packets",
        "packets left out because the terminal sends more than bitrate_in_max",
        |f| sum(f, "rtpPacketsPoliced"),
    ),
    gauge(
        "taoyao_media_transport_available_bits_per_second",
        "what its line carries, as far as is known",
        |f| sum(f, "availableOutgoingBitrate"),
    ),
];

/// With the labels `room` and `producer`; all streams of its simulcast together.
const PRODUCER: &[Instrument<[Stat]>] = &[
    gauge("taoyao_media_producer_bits_per_second", "what comes", |f| sum(f, "bitrate")),
    gauge("taoyao_media_producer_lost_packets", "lost on the way here", |f| sum(f, "packetsLost")),
    gauge("taoyao_media_producer_score", "0 to 10, of the best stream", |f| most(f, "score")),
    gauge("taoyao_media_producer_key_frames_asked", "key frames that it was asked for", |f| {
        sum(f, "pliCount") + sum(f, "firCount")
    }),
];

/// With the labels `room` and `consumer`.
const CONSUMER: &[Instrument<[Stat]>] = &[
    gauge("taoyao_media_consumer_bits_per_second", "what leaves", |f| first(f, "bitrate")),
    gauge("taoyao_media_consumer_lost_packets", "lost on the way there", |f| first(f, "packetsLost")),
    gauge("taoyao_media_consumer_resent_packets", "sent again", |f| first(f, "packetsRetransmitted")),
    gauge("taoyao_media_consumer_round_trip_microseconds", "there and back; 0: not known yet", |f| {
        first_times(f, "roundTripTime", 1_000.0)
    }),
    gauge("taoyao_media_consumer_score", "0 to 10", |f| first(f, "score")),
    gauge("taoyao_media_consumer_spatial_layer", "the size that is sent, from 0", |f| {
        first(f, "currentSpatialLayer")
    }),
    gauge("taoyao_media_consumer_temporal_layer", "the frame rate that is sent, from 0", |f| {
        first(f, "currentTemporalLayer")
    }),
    gauge("taoyao_media_consumer_key_frames_asked", "key frames that the terminal asked for", |f| {
        first(f, "pliCount") + first(f, "firCount")
    }),
];

/// Without a label.
const LEFT_OUT: Instrument<usize> = gauge(
    "taoyao_media_left_out",
    "transports, producers and consumers beyond the bound of 2,000",
    |count| *count as u64,
);

/// A room at all its workers.
struct Total {
    media: RoomMedia,
    recorder_dropped: u64,
}

/// What the workers do, metric by metric; nothing where there is no forwarder.
pub(crate) fn samples(workers: &[WorkerStats]) -> Vec<Sample> {
    let mut samples = Vec::new();
    for worker in workers {
        add(&mut samples, WORKER, worker, &[("worker", worker.index.to_string())]);
    }
    let (mut room_for, mut left_out) = (MEDIA_METRICS_MAX, 0_usize);
    for (name, parts) in Carried::by(workers).rooms() {
        let room = ("room", name.to_owned());
        add(&mut samples, ROOM, &Total::of(parts), std::slice::from_ref(&room));
        for (flow, id, stats) in parts.iter().flat_map(|part| flows(part)) {
            if room_for == 0 {
                left_out += 1;
                continue;
            }
            room_for -= 1;
            let (instruments, label) = of_flow(flow);
            add(&mut samples, instruments, stats, &[room.clone(), (label, id)]);
        }
    }
    if !workers.is_empty() {
        samples.push(sample(&LEFT_OUT, &left_out, Vec::new()));
    }
    samples
}

fn add<T: ?Sized>(
    samples: &mut Vec<Sample>,
    instruments: &[Instrument<T>],
    source: &T,
    labels: &[(&'static str, String)],
) {
    samples.extend(instruments.iter().map(|instrument| sample(instrument, source, labels.to_vec())));
}

impl Total {
    fn of(parts: &[&RoomStats]) -> Self {
        let recorder_dropped = parts.iter().map(|part| part.dropped_by_taps).sum();
        Self { media: summed(parts), recorder_dropped }
    }
}

/// Its instruments, and the label that its id has.
fn of_flow(flow: Flow) -> (&'static [Instrument<[Stat]>], &'static str) {
    match flow {
        Flow::Transport => (TRANSPORT, "transport"),
        Flow::Producer => (PRODUCER, "producer"),
        Flow::Consumer => (CONSUMER, "consumer"),
    }
}

fn sum(stats: &[Stat], name: &str) -> u64 {
    stats.iter().map(|stat| number(stat, name) as u64).sum()
}

fn most(stats: &[Stat], name: &str) -> u64 {
    stats.iter().map(|stat| number(stat, name) as u64).max().unwrap_or_default()
}

/// Of a consumer the first is what leaves; what comes stands behind it.
fn first(stats: &[Stat], name: &str) -> u64 {
    first_times(stats, name, 1.0)
}

fn first_times(stats: &[Stat], name: &str, factor: f64) -> u64 {
    stats.first().map_or(0, |stat| (number(stat, name) * factor) as u64)
}

fn number(stat: &Stat, name: &str) -> f64 {
    stat.number(name).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use taoyao_media::TransportStats;
    use taoyao_ortc::{ConsumerId, ProducerId, TransportId};

    use super::*;

    const HANDBOOKS: [&str; 2] =
        [include_str!("../../../../docs/OPERATIONS.md"), include_str!("../../../../docs/zh/OPERATIONS.md")];

    fn worker(index: usize, consumers: u128) -> WorkerStats {
        let stat = |name, value: u64| Stat::default().with(name, value);
        let outbound = stat("bitrate", 900).with("roundTripTime", 12.5).with("pliCount", 2_u64);
        let room = RoomStats {
            name: "hall".into(),
            mirrors: 0,
            transports: vec![TransportStats {
                transport: TransportId::of_random(index as u128),
                stats: vec![stat("rtpSendBitrate", 70)],
            }],
            producers: vec![(
                ProducerId::of_random(index as u128),
                vec![stat("bitrate", 5).with("score", 3_u64), stat("bitrate", 6).with("score", 9_u64)],
            )],
            consumers: (0..consumers)
                .map(|id| (ConsumerId::of_random(id), vec![outbound.clone(), stat("bitrate", 1)]))
                .collect(),
            dropped_by_taps: 0,
        };
        WorkerStats { index, rooms: vec![room], ..WorkerStats::default() }
    }

    fn value(samples: &[Sample], name: &str) -> f64 {
        samples.iter().find(|sample| sample.name == name).unwrap().value
    }

    #[test]
    fn a_room_is_summed_over_its_workers_and_each_stream_has_its_own_numbers() {
        let samples = samples(&[worker(0, 1), worker(1, 0)]);
        assert_eq!(value(&samples, "taoyao_media_room_sent_bits_per_second"), 140.0);
        assert_eq!(value(&samples, "taoyao_media_room_transports"), 2.0);
        assert_eq!(value(&samples, "taoyao_media_producer_bits_per_second"), 11.0);
        assert_eq!(value(&samples, "taoyao_media_producer_score"), 9.0);
        assert_eq!(value(&samples, "taoyao_media_consumer_bits_per_second"), 900.0);
        assert_eq!(value(&samples, "taoyao_media_consumer_round_trip_microseconds"), 12_500.0);
        assert_eq!(value(&samples, "taoyao_media_consumer_key_frames_asked"), 2.0);
        let rooms = samples.iter().filter(|sample| sample.name == "taoyao_media_room_transports");
        assert_eq!(rooms.count(), 1);
    }

    #[test]
    fn what_is_beyond_the_bound_is_left_out_and_counted() {
        let samples = samples(&[worker(0, MEDIA_METRICS_MAX as u128 + 5)]);
        assert_eq!(value(&samples, "taoyao_media_left_out"), 7.0);
        assert!(super::samples(&[]).is_empty());
    }

    #[test]
    fn the_handbook_has_a_row_for_each() {
        let given: BTreeSet<&str> = samples(&[worker(0, 1)]).iter().map(|sample| sample.name).collect();
        for handbook in HANDBOOKS {
            let rows = handbook.lines().filter_map(|line| line.strip_prefix("| `taoyao_media_"));
            let names: BTreeSet<String> =
                rows.filter_map(|row| Some(format!("taoyao_media_{}", row.split_once('`')?.0))).collect();
            assert_eq!(names.iter().map(String::as_str).collect::<BTreeSet<_>>(), given);
        }
    }
}
