//! Somebody who watches over a link: feedback comes back as real RTCP, and what arrives is counted by the second.

use std::collections::{BTreeMap, VecDeque};

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
            self.seconds.entry(since.0 / 1_000_000).or_default().estimate = available.unwrap_or(0);
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
            second.frames[usize::from(size_of(packet.payload()))] += u32::from(packet.has_marker());
        }
    }

    /// Mean of the media that arrived between two seconds, in bit/s.
    pub(crate) fn media_bitrate(&self, from: u64, to: u64) -> f64 {
        self.between(from, to).map(|second| second.media_bits as f64).sum::<f64>() / (to - from) as f64
    }

    /// Pictures a second of each size.
    pub(crate) fn frame_rates(&self, from: u64, to: u64) -> [f64; 3] {
        let sum = |size: usize| self.between(from, to).map(|second| f64::from(second.frames[size])).sum::<f64>();
        [0, 1, 2].map(|size| sum(size) / (to - from) as f64)
    }

    /// The part of the packets that was lost.
    pub(crate) fn loss(&self, from: u64, to: u64) -> f64 {
        let sum = |of: fn(&Second) -> u32| self.between(from, to).map(|second| f64::from(of(second))).sum::<f64>();
        sum(|second| second.lost) / sum(|second| second.packets)
    }

    pub(crate) fn between(&self, from: u64, to: u64) -> impl Iterator<Item = &Second> {
        self.seconds.range(from..to).map(|(_, second)| second)
    }
}
