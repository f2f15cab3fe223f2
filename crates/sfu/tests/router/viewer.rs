//! Somebody who watches over a link: feedback comes back as real RTCP, and what arrives is counted by the second.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use taoyao_sfu::congestion::Arrivals;
use taoyao_sfu::rtcp::Writer;
use taoyao_sfu::{TransmitKind, TransportKey};
use taoyao_types::Instant;

use crate::camera::size_of;
use crate::link::{Link, LinkConfig};
use crate::world::{Left, World};

/// The router's number of the transport-wide extension.
const TRANSPORT_CC: u8 = 5;
const VP8: u8 = 101;

pub(crate) struct Viewer {
    key: u32,
    link: Link,
    config: LinkConfig,
    arrivals: Arrivals,
    under_way: VecDeque<(Instant, Vec<u8>)>,
    feedback: VecDeque<(Instant, Vec<u8>)>,
    began: Instant,
    size: Option<u8>,
    last_picture: Instant,
    pub(crate) seconds: BTreeMap<u64, Second>,
}

/// What arrived in one second.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Second {
    /// Of media and padding.
    pub(crate) bits: u64,
    pub(crate) media_bits: u64,
    /// Whole pictures of each size.
    pub(crate) frames: [u32; 3],
    pub(crate) lost: u32,
    pub(crate) packets: u32,
    pub(crate) estimate: u64,
    /// How often the size became another.
    pub(crate) switches: u32,
    /// The longest time without a picture that ended in it.
    pub(crate) longest: Duration,
    /// How long the line's queue was at its end.
    pub(crate) queue: Duration,
}

impl Viewer {
    pub(crate) fn new(key: u32, now: Instant, config: LinkConfig, seed: u64) -> Self {
        Self {
            key,
            link: Link::new(config.clone(), seed),
            config,
            arrivals: Arrivals::new(now),
            under_way: VecDeque::new(),
            feedback: VecDeque::new(),
            began: now,
            size: None,
            last_picture: Instant(0),
            seconds: BTreeMap::new(),
        }
    }

    /// Takes what left the router for it, and answers what has arrived.
    pub(crate) fn turn(&mut self, world: &mut World, left: &[Left]) {
        let since = self.since(world.now);
        for left in left.iter().filter(|left| left.to == self.key && left.kind == TransmitKind::Rtp) {
            let second = self.seconds.entry(since.0 / 1_000_000).or_default();
            second.packets += 1;
            match self.link.send(since, left.bytes.len()) {
                Some(arrival) => self.under_way.push_back((arrival, left.bytes.clone())),
                None => second.lost += 1,
            }
        }
        while let Some((arrival, bytes)) = self.under_way.pop_front_if(|packet| packet.0 <= since) {
            self.receive(arrival, &bytes);
        }
        let mut buffer = [0; 1_200];
        let mut writer = Writer::new(&mut buffer);
        if self.arrivals.poll_feedback(since, 1, 2, &mut writer).expect("the buffer has room") {
            let length = writer.len();
            self.feedback.push_back((since + self.config.delay, buffer[..length].to_vec()));
        }
        while let Some((_, bytes)) = self.feedback.pop_front_if(|feedback| feedback.0 <= since) {
            world.router.handle_rtcp(world.now(), TransportKey(self.key), &bytes);
        }
        if since.0.is_multiple_of(1_000_000) {
            let stats = world.router.transport_stats(world.now(), TransportKey(self.key)).unwrap_or_default();
            let available = stats[0].get("availableOutgoingBitrate").expect("it is estimated");
            let available = serde_json::to_value(available).expect("it is a number").as_u64();
            let queue = self.link.queue(since);
            let second = self.seconds.entry(since.0 / 1_000_000 - 1).or_default();
            (second.estimate, second.queue) = (available.unwrap_or(0), queue);
        }
    }

    fn since(&self, now: Instant) -> Instant {
        Instant(now.0 - self.began.0)
    }

    fn receive(&mut self, arrival: Instant, bytes: &[u8]) {
        let packet = taoyao_sfu::packet::Packet::parse(bytes).expect("the router sends whole packets");
        let number = packet.element(TRANSPORT_CC).expect("it was negotiated");
        self.arrivals.handle_packet(arrival, u16::from_be_bytes([number[0], number[1]]), bytes.len());
        let second = self.seconds.entry(arrival.0 / 1_000_000).or_default();
        second.bits += 8 * bytes.len() as u64;
        if packet.payload_type() == VP8 {
            second.media_bits += 8 * bytes.len() as u64;
            let size = size_of(packet.payload());
            if packet.has_marker() {
                second.frames[usize::from(size)] += 1;
                second.longest = second.longest.max(arrival.since(self.last_picture));
                self.last_picture = arrival;
            }
            let before = self.size.replace(size);
            second.switches += u32::from(before.is_some_and(|before| before != size));
        }
    }

    /// Mean of the media that arrived between two seconds, in bit/s.
    pub(crate) fn media_bitrate(&self, from: u64, to: u64) -> f64 {
        self.between(from, to).map(|second| second.media_bits as f64).sum::<f64>() / (to - from) as f64
    }

    /// Pictures a second of each size.
    pub(crate) fn frame_rates(&self, from: u64, to: u64) -> [f64; 3] {
        let sum =
            |size: usize| self.between(from, to).map(|second| f64::from(second.frames[size])).sum::<f64>();
        [0, 1, 2].map(|size| sum(size) / (to - from) as f64)
    }

    /// The part of the packets that was lost.
    pub(crate) fn loss(&self, from: u64, to: u64) -> f64 {
        let sum =
            |of: fn(&Second) -> u32| self.between(from, to).map(|second| f64::from(of(second))).sum::<f64>();
        sum(|second| second.lost) / sum(|second| second.packets)
    }

    pub(crate) fn longest(&self, from: u64, to: u64) -> Duration {
        self.between(from, to).map(|second| second.longest).max().unwrap_or_default()
    }

    pub(crate) fn mean_queue(&self, from: u64, to: u64) -> Duration {
        self.between(from, to).map(|second| second.queue).sum::<Duration>() / (to - from) as u32
    }

    pub(crate) fn switches(&self, from: u64, to: u64) -> u32 {
        self.between(from, to).map(|second| second.switches).sum()
    }

    /// The first second from this one on in which all pictures are of this size.
    pub(crate) fn second_of(&self, from: u64, size: usize) -> Option<u64> {
        let is_full = |second: &Second| second.frames[size] >= 29 && second.frames.iter().sum::<u32>() <= 31;
        self.seconds.range(from..).find(|(_, second)| is_full(second)).map(|(at, _)| *at)
    }

    fn between(&self, from: u64, to: u64) -> impl Iterator<Item = &Second> {
        self.seconds.range(from..to).map(|(_, second)| second)
    }
}
