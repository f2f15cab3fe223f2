//! One probe: packets sent faster than the estimate, and what their arrivals say.

use taoyao_types::Instant;

/// A probe lasts this long, and has at least so many packets.
const SPAN_US: u64 = 15_000;
const PACKETS_MIN: u32 = 5;
const PACKET_BYTES_MIN: usize = 200;
const PACKET_BYTES_MAX: usize = 1_200;
/// Given up when it could not be sent within this.
const EXPIRES_US: u64 = 1_000_000;
/// The part that must have arrived.
const ARRIVED: f64 = 0.8;
/// Faster arrival than this times the sending is an accident of the network.
const RATIO_MAX: f64 = 2.0;
/// Slower arrival than this part of the sending means that the link is full; some room is left then.
const FULL: f64 = 0.9;
const ROOM: f64 = 0.95;
const INTERVAL_MAX_US: i64 = 1_000_000;

/// A probe that is being sent.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cluster {
    pub(super) id: u32,
    pub(super) bitrate: f64,
    asked: Instant,
    started: Option<Instant>,
    bytes: u64,
    packets: u32,
}

impl Cluster {
    pub(super) fn new(now: Instant, id: u32, bitrate: f64) -> Cluster {
        Cluster { id, bitrate, asked: now, started: None, bytes: 0, packets: 0 }
    }

    pub(super) fn bytes_min(&self) -> u64 {
        (self.bitrate * SPAN_US as f64 / 8e6) as u64
    }

    /// The size of packet of which it takes no more than it needs.
    pub(super) fn packet_bytes(&self) -> usize {
        (self.bytes_min() as usize / PACKETS_MIN as usize).clamp(PACKET_BYTES_MIN, PACKET_BYTES_MAX)
    }

    /// When the next packet belongs on the wire.
    pub(super) fn due(&self) -> Instant {
        let sent_us = (self.bytes * 8) as f64 * 1e6 / self.bitrate.max(1.0);
        self.started.map_or(self.asked, |started| Instant(started.0 + sent_us as u64))
    }

    pub(super) fn handle_sent(&mut self, now: Instant, bytes: usize) {
        self.started.get_or_insert(now);
        self.bytes += bytes as u64;
        self.packets += 1;
    }

    /// Sent as a whole. Not before its time, even if something big went out at once.
    pub(super) fn is_complete(&self, now: Instant) -> bool {
        let is_long =
            self.started.is_some_and(|started| now.since(started).as_micros() as u64 >= SPAN_US / 2);
        is_long && self.packets >= PACKETS_MIN && self.bytes >= self.bytes_min()
    }

    pub(super) fn is_expired(&self, now: Instant) -> bool {
        now.since(self.asked).as_micros() as u64 > EXPIRES_US
    }
}

/// What is known of the arrivals of one probe.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Measure {
    pub(super) id: u32,
    bytes_min: u64,
    packets: u32,
    bytes: u64,
    first_sent: Option<(i64, u32)>,
    last_sent: (i64, u32),
    first_arrival: (i64, u32),
    last_arrival_us: i64,
}

impl Measure {
    pub(super) fn of(cluster: &Cluster) -> Measure {
        Measure { id: cluster.id, bytes_min: cluster.bytes_min(), ..Measure::default() }
    }

    /// The bitrate that the link carried, as soon as enough has arrived.
    pub(super) fn handle_arrival(&mut self, sent_us: i64, arrival_us: i64, bytes: u32) -> Option<f64> {
        let first = *self.first_sent.get_or_insert_with(|| {
            self.first_arrival = (arrival_us, bytes);
            self.last_arrival_us = arrival_us;
            (sent_us, bytes)
        });
        if sent_us >= self.last_sent.0 {
            self.last_sent = (sent_us, bytes);
        }
        if arrival_us < self.first_arrival.0 {
            self.first_arrival = (arrival_us, bytes);
        }
        self.last_arrival_us = self.last_arrival_us.max(arrival_us);
        self.packets += 1;
        self.bytes += u64::from(bytes);
        let is_enough = f64::from(self.packets) >= ARRIVED * f64::from(PACKETS_MIN)
            && self.bytes as f64 >= ARRIVED * self.bytes_min as f64;
        if is_enough { self.bitrate(first.0) } else { None }
    }

    fn bitrate(&self, first_sent_us: i64) -> Option<f64> {
        let per_second = |bytes: u64, interval_us: i64| {
            (1..=INTERVAL_MAX_US)
                .contains(&interval_us)
                .then(|| (bytes * 8) as f64 * 1e6 / interval_us as f64)
        };
        let sent = per_second(self.bytes - u64::from(self.last_sent.1), self.last_sent.0 - first_sent_us)?;
        let arrived = self.bytes - u64::from(self.first_arrival.1);
        let arrived = per_second(arrived, self.last_arrival_us - self.first_arrival.0)?;
        if arrived > RATIO_MAX * sent {
            return None;
        }
        Some(if arrived < FULL * sent { ROOM * arrived } else { sent.min(arrived) })
    }
}
