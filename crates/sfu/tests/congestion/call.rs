//! A sender of video over a link, and a receiver whose feedback comes back as real RTCP.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

use taoyao_sfu::congestion::{Arrivals, Estimator, EstimatorConfig, Pacer};
use taoyao_sfu::rtcp::{Packet, Packets, Writer};
use taoyao_types::Instant;

use crate::link::{Link, LinkConfig};

const TICK: Duration = Duration::from_millis(1);
const FRAME: Duration = Duration::from_millis(33);
/// Frames, on average.
const KEY_FRAME_EVERY: u32 = 300;
const PACKET_BYTES: usize = 1_200;

/// What was seen every 100 ms.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sample {
    pub(crate) at: Instant,
    pub(crate) estimate: f64,
    pub(crate) queue: Duration,
    /// Bits that arrived in these 100 ms, as bit/s.
    pub(crate) received: f64,
    pub(crate) share: f64,
}

pub(crate) struct Call {
    now: Instant,
    link: Rc<RefCell<Link>>,
    config: LinkConfig,
    estimator: Estimator,
    pacer: Pacer,
    arrivals: Arrivals,
    waiting: VecDeque<usize>,
    /// (arrival, sequence, bytes), and feedback on its way back.
    /// Whether nothing gets through in the other direction.
    pub(crate) is_deaf: bool,
    under_way: VecDeque<(Instant, u16, usize)>,
    feedback: VecDeque<(Instant, Vec<u8>)>,
    rng: fastrand::Rng,
    source_max: f64,
    next_frame: Instant,
    received_bits: f64,
    pub(crate) samples: Vec<Sample>,
}

impl Call {
    /// Video follows the estimate up to `source_max` bit/s.
    pub(crate) fn new(config: LinkConfig, source_max: f64, seed: u64) -> Call {
        let link = Rc::new(RefCell::new(Link::new(config.clone(), seed)));
        Call::over(link, config, source_max, seed)
    }

    /// Over a link that others use, too.
    pub(crate) fn over(link: Rc<RefCell<Link>>, config: LinkConfig, source_max: f64, seed: u64) -> Call {
        let now = Instant(0);
        let mut estimator = Estimator::new(now, EstimatorConfig::default());
        estimator.handle_demand(source_max as u64);
        Call {
            now,
            link,
            config,
            pacer: Pacer::new(now, estimator.bitrate()),
            estimator,
            arrivals: Arrivals::new(now),
            waiting: VecDeque::new(),
            is_deaf: false,
            under_way: VecDeque::new(),
            feedback: VecDeque::new(),
            rng: fastrand::Rng::with_seed(seed),
            source_max,
            next_frame: now,
            received_bits: 0.0,
            samples: Vec::new(),
        }
    }

    /// What is sent at most from now on; more may be wanted than that.
    pub(crate) fn set_source(&mut self, max: f64, wanted: f64) {
        self.source_max = max;
        self.estimator.handle_demand(wanted as u64);
    }

    pub(crate) fn handle_remb(&mut self, bitrate: u64) {
        self.estimator.handle_remb(self.now, bitrate);
    }

    pub(crate) fn run_until(&mut self, second: u64) -> &mut Call {
        while self.now < Instant(second * 1_000_000) {
            self.turn();
        }
        self
    }

    /// A millisecond in which nothing is done.
    pub(crate) fn skip(&mut self) {
        self.now = self.now + TICK;
        self.next_frame = self.now;
    }

    /// A millisecond.
    pub(crate) fn turn(&mut self) {
        let now = self.now;
        self.receive();
        self.estimator.handle_timeout(now);
        self.pacer.handle_bitrate(now, self.estimator.bitrate());
        self.make_frame();
        while !self.waiting.is_empty() && self.pacer.may_send(now) {
            let bytes = self.waiting.pop_front().expect("it is not empty");
            self.send(bytes);
        }
        while let Some(bytes) = self.estimator.poll_padding(now) {
            self.send(bytes);
        }
        if now.0.is_multiple_of(100_000) {
            self.sample();
        }
        self.now = self.now + TICK;
    }

    /// Every frame has what the estimate leaves to it, more or less; some are key frames.
    fn make_frame(&mut self) {
        if self.now < self.next_frame {
            return;
        }
        self.next_frame = self.next_frame + FRAME;
        let bitrate = (self.estimator.bitrate() as f64).min(self.source_max);
        let is_key_frame = self.rng.u32(..).is_multiple_of(KEY_FRAME_EVERY);
        let vary = (0.6 + 0.8 * self.rng.f64()) * if is_key_frame { 4.0 } else { 1.0 };
        let mut bytes = (bitrate * FRAME.as_secs_f64() / 8.0 * vary) as usize;
        while bytes > 0 {
            let packet = bytes.min(PACKET_BYTES);
            self.waiting.push_back(packet.max(100));
            bytes -= packet;
        }
        let waiting = self.waiting.iter().sum();
        self.pacer.handle_queue(self.now, waiting);
    }

    fn send(&mut self, bytes: usize) {
        let sequence = self.estimator.handle_sent(self.now, bytes);
        self.pacer.handle_sent(self.now, bytes);
        if let Some(arrival) = self.link.borrow_mut().send(self.now, bytes) {
            self.under_way.push_back((arrival, sequence, bytes));
        }
    }

    fn receive(&mut self) {
        let now = self.now;
        while let Some((arrival, sequence, bytes)) = self.under_way.pop_front_if(|packet| packet.0 <= now) {
            self.received_bits += (bytes * 8) as f64;
            self.arrivals.handle_packet(arrival, sequence, bytes);
        }
        let mut buffer = [0; 1_200];
        let mut writer = Writer::new(&mut buffer);
        if self.arrivals.poll_feedback(now, 1, 2, &mut writer).expect("the buffer has room") {
            let len = writer.len();
            if !self.is_deaf {
                self.feedback.push_back((now + self.config.delay, buffer[..len].to_vec()));
            }
        }
        while let Some((_, bytes)) = self.feedback.pop_front_if(|feedback| feedback.0 <= now) {
            for packet in Packets::new(&bytes) {
                let Ok(Packet::TransportFeedback(feedback)) = packet else { panic!("{packet:?}") };
                self.estimator.handle_feedback(now, &feedback);
            }
        }
    }

    fn sample(&mut self) {
        self.samples.push(Sample {
            at: self.now,
            estimate: self.estimator.bitrate() as f64,
            queue: self.link.borrow_mut().queue(self.now),
            received: std::mem::take(&mut self.received_bits) * 10.0,
            share: self.config.share_at(self.now),
        });
    }

    fn between(&self, from: u64, to: u64) -> impl Iterator<Item = &Sample> {
        let (from, to) = (Instant(from * 1_000_000), Instant(to * 1_000_000));
        self.samples.iter().filter(move |sample| (from..to).contains(&sample.at))
    }

    /// What arrived between two seconds, as a part of what others left.
    pub(crate) fn utilisation(&self, from: u64, to: u64) -> f64 {
        let sum = |of: fn(&Sample) -> f64| self.between(from, to).map(of).sum::<f64>();
        sum(|sample| sample.received) / sum(|sample| sample.share)
    }

    pub(crate) fn queue_ms(&self, from: u64, to: u64) -> (f64, f64) {
        let mut queues: Vec<_> =
            self.between(from, to).map(|sample| sample.queue.as_secs_f64() * 1e3).collect();
        queues.sort_by(f64::total_cmp);
        (queues.iter().sum::<f64>() / queues.len() as f64, queues[queues.len() * 95 / 100])
    }

    /// Seconds from `from` until the estimate is at least (or, if `above` is false, at most) this part of the share.
    pub(crate) fn seconds_until(&self, from: u64, part: f64, above: bool) -> Option<f64> {
        let reached = |sample: &&Sample| (sample.estimate >= part * sample.share) == above;
        let sample = self.between(from, u64::MAX / 1_000_000).find(reached)?;
        Some((sample.at.0 as f64 / 1e6) - from as f64)
    }

    pub(crate) fn estimate(&self, from: u64, to: u64) -> f64 {
        let samples: Vec<_> = self.between(from, to).map(|sample| sample.estimate).collect();
        samples.iter().sum::<f64>() / samples.len() as f64
    }
}
