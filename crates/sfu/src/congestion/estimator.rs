//! What can be sent to one peer: transport-wide feedback in, a bitrate out.
//!
//! The estimate from delays grows and falls with the queue; losses, a received REMB and the configuration cap it; probes
//! raise it at once. Without feedback (an old peer) a REMB is the estimate.

use std::time::Duration;

use taoyao_types::Instant;

use super::delay::DelayBased;
use super::history::{Fate, SendHistory};
use super::limited::AppLimited;
use super::loss::{Flow, LossBased};
use super::prober::{Need, Prober};
use crate::rtcp::TransportFeedback;

/// Until one is measured.
const ROUND_TRIP: Duration = Duration::from_millis(200);
/// Feedback that stays away for this long, and four round trips, means that nothing gets through.
const SILENCE: Duration = Duration::from_millis(1_000);
/// Then this part of the estimate is left, again and again after this time.
const SILENCE_KEPT: f64 = 0.8;
const SILENCE_STEP: Duration = Duration::from_millis(500);
/// A received REMB holds for this long; peers send one a second.
const REMB_HOLDS: Duration = Duration::from_secs(10);
/// After a decrease no probe is sent for this long.
const CALM_AFTER: Duration = Duration::from_millis(1_500);
/// With a long queue, losing more than this means that it overflows.
const OVERFLOW: f64 = 0.02;
/// The 24 bits of the reference time, in microseconds.
const CLOCK_WRAP_US: i64 = (1 << 24) * 64_000;

/// Bounds of the estimate, in bit/s.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EstimatorConfig {
    pub start: u64,
    pub min: u64,
    pub max: u64,
}

impl Default for EstimatorConfig {
    fn default() -> Self {
        Self { start: 600_000, min: 30_000, max: 50_000_000 }
    }
}

#[derive(Debug)]
pub struct Estimator {
    config: EstimatorConfig,
    history: SendHistory,
    delay: DelayBased,
    loss: LossBased,
    limited: AppLimited,
    prober: Prober,
    wanted: f64,
    round_trip: Option<Duration>,
    remb: Option<(f64, Instant)>,
    has_feedback: bool,
    /// Since when feedback is awaited.
    waiting: Option<Instant>,
    last_arrival_us: i64,
}

impl Estimator {
    pub fn new(now: Instant, config: EstimatorConfig) -> Estimator {
        let (start, max) = (config.start as f64, config.max as f64);
        Estimator {
            config,
            history: SendHistory::default(),
            delay: DelayBased::new(now, start),
            loss: LossBased::new(now),
            limited: AppLimited::new(now),
            prober: Prober::new(now, start, max),
            wanted: 0.0,
            round_trip: None,
            remb: None,
            has_feedback: false,
            waiting: None,
            last_arrival_us: 0,
        }
    }

    /// What can be sent now, all in all, in bit/s.
    pub fn bitrate(&self) -> u64 {
        let capped = self.uncapped().min(self.cap());
        (capped as u64).clamp(self.config.min, self.config.max)
    }

    /// What would be sent if the link had no bounds: all consumers at their best layers. Nothing beyond it is
    /// probed for, and nothing at all until this is told.
    pub fn handle_demand(&mut self, bitrate: u64) {
        self.wanted = (bitrate as f64).min(self.config.max as f64);
    }

    /// A packet goes out now, `bytes` long on the wire. Returns the transport-wide sequence number to write into it.
    pub fn handle_sent(&mut self, now: Instant, bytes: usize) -> u16 {
        self.limited.handle_sent(bytes);
        self.waiting.get_or_insert(now);
        let cluster = self.prober.handle_sent(now, bytes);
        self.history.handle_sent(now, bytes, cluster)
    }

    pub fn handle_feedback(&mut self, now: Instant, feedback: &TransportFeedback<'_>) {
        let mut newest = None;
        for status in feedback.statuses() {
            match self.history.handle_status(status) {
                Some(Fate::Arrived { sent, arrival_us, was_lost }) => {
                    newest = Some(sent.at);
                    let sent_us = sent.at.0.cast_signed();
                    let arrival_us = self.unwrap_clock(arrival_us);
                    self.loss.handle_arrived(was_lost);
                    self.delay.handle_packet(sent_us, arrival_us, sent.bytes);
                    self.prober.handle_arrival(sent.cluster, sent_us, arrival_us, sent.bytes);
                }
                Some(Fate::Lost) => self.loss.handle_lost(),
                None => {}
            }
        }
        if let Some(newest) = newest {
            self.handle_round_trip(now.since(newest));
        }
        self.has_feedback = true;
        self.waiting = self.history.has_in_flight().then_some(now);
        self.update(now);
    }

    /// The peer's own estimate: a cap, or all that is known of an old peer.
    pub fn handle_remb(&mut self, now: Instant, bitrate: u64) {
        self.remb = Some((bitrate as f64, now));
        if !self.has_feedback {
            self.delay.set_bitrate(now, bitrate as f64);
        }
    }

    /// The share of lost packets (in 1/256) of a report block; counts only where there is no better feedback.
    pub fn handle_report(&mut self, now: Instant, fraction_lost: u8) {
        if !self.has_feedback {
            let uncapped = self.uncapped();
            self.loss.handle_share_of(now, f64::from(fraction_lost) / 256.0, uncapped);
        }
    }

    /// Measured by feedback, or by reports.
    pub fn handle_round_trip(&mut self, sample: Duration) {
        self.round_trip = Some(self.round_trip.map_or(sample, |known| (known * 7 + sample) / 8));
    }

    /// None until one was measured.
    pub fn round_trip(&self) -> Option<Duration> {
        self.round_trip
    }

    /// The share of packets that was last lost, from 0 to 1.
    pub fn loss(&self) -> f64 {
        self.loss.share()
    }

    /// Whether less is sent than could be.
    pub fn is_app_limited(&self) -> bool {
        self.limited.is_limited()
    }

    /// What arrives at the peer, in bit/s.
    pub fn received(&self) -> Option<u64> {
        self.delay.received().map(|bitrate| bitrate as u64)
    }

    /// Bytes of padding (or of packets sent once more) that a probe wants on the wire now. Send some, tell it by
    /// [`Self::handle_sent`], and ask again.
    pub fn poll_padding(&mut self, now: Instant) -> Option<usize> {
        if self.may_probe() { self.prober.poll_padding(now, self.need()) } else { None }
    }

    /// When [`Self::handle_timeout`] or [`Self::poll_padding`] has something to do.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let silence = self.waiting.filter(|_| self.has_feedback).map(|since| since + self.patience());
        [silence, self.poll_probe()].into_iter().flatten().min()
    }

    /// When [`Self::poll_padding`] has something to do.
    pub fn poll_probe(&self) -> Option<Instant> {
        if self.may_probe() { self.prober.poll_timeout(self.need()) } else { None }
    }

    /// Whether a probe wants a packet on the wire now, faster than the estimate allows; media is as good as padding.
    pub fn wants_packet(&self, now: Instant) -> bool {
        self.prober.wants_packet(now)
    }

    pub fn handle_timeout(&mut self, now: Instant) {
        let Some(since) = self.waiting.filter(|_| self.has_feedback) else { return };
        if now.since(since) < self.patience() {
            return;
        }
        let bitrate = (SILENCE_KEPT * self.bitrate() as f64).max(self.config.min as f64);
        self.delay.set_bitrate(now, bitrate);
        // Waits for one step more, not for the whole patience.
        self.waiting =
            Some(Instant((now + SILENCE_STEP).0.saturating_sub(self.patience().as_micros() as u64)));
    }

    fn update(&mut self, now: Instant) {
        let round_trip = self.round_trip.unwrap_or(ROUND_TRIP);
        let before = self.bitrate() as f64;
        self.limited.update(now, before);
        let flow = Flow { bitrate: self.uncapped(), received: self.delay.received() };
        if self.loss.update(now, flow, round_trip) && self.loss.share() > OVERFLOW {
            self.delay.handle_losses();
        }
        self.delay.update(now, round_trip, self.limited.is_limited());
        let found = self.prober.poll_result().filter(|_| !self.delay.is_overused());
        if let Some(found) = found.filter(|found| *found > self.delay.bitrate()) {
            self.delay.set_bitrate(now, found.min(self.config.max as f64));
        }
        self.prober.update(now, self.need(), self.is_calm(now), found);
        if self.delay.decreased() == Some(now) {
            self.prober.handle_decrease(now, before, self.need());
        }
        self.remb = self.remb.filter(|(_, since)| now.since(*since) < REMB_HOLDS);
    }

    fn may_probe(&self) -> bool {
        !self.prober.is_idle() && (self.has_feedback || self.waiting.is_some())
    }

    fn need(&self) -> Need {
        Need { bitrate: self.bitrate() as f64, wanted: self.wanted, is_limited: self.limited.is_limited() }
    }

    fn is_calm(&self, now: Instant) -> bool {
        let is_long_ago = self.delay.decreased().is_none_or(|last| now.since(last) >= CALM_AFTER);
        is_long_ago && !self.delay.is_overused() && !self.loss.is_high()
    }

    fn uncapped(&self) -> f64 {
        self.delay.bitrate().max(self.config.min as f64)
    }

    fn cap(&self) -> f64 {
        let remb = self.remb.map_or(f64::INFINITY, |(bitrate, _)| bitrate);
        self.loss.cap().unwrap_or(f64::INFINITY).min(remb)
    }

    fn patience(&self) -> Duration {
        SILENCE.max(4 * self.round_trip.unwrap_or(ROUND_TRIP))
    }

    /// The peer's clock goes round in 12 days; what comes back is as near as possible to the arrival before.
    fn unwrap_clock(&mut self, arrival_us: i64) -> i64 {
        let step = (arrival_us - self.last_arrival_us).rem_euclid(CLOCK_WRAP_US);
        let step = if step >= CLOCK_WRAP_US / 2 { step - CLOCK_WRAP_US } else { step };
        self.last_arrival_us += step;
        self.last_arrival_us
    }
}
