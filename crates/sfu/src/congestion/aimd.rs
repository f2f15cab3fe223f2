//! The bitrate that follows from over- and underuse: more while all is well, less at once when a queue grows
//! (draft-ietf-rmcat-gcc-02 section 5.5).

use std::time::Duration;

use taoyao_types::Instant;

use super::trend::Usage;

/// What is kept of the received bitrate at overuse.
const BACK_OFF: f64 = 0.85;
/// Growth a second while the capacity is unknown.
const GROWTH: f64 = 1.08;
/// The estimate stays within this of what arrives, plus a little, since beyond it nothing is known.
const AHEAD: f64 = 1.5;
const AHEAD_BPS: f64 = 10_000.0;
/// Near the capacity: one packet more for each response time, but no less than this part a second, or fast links are
/// not refilled between two key frames.
const PACKET_BITS: f64 = 9_600.0;
const GROWTH_NEAR: f64 = 0.03;
/// Weight of a new sample of the capacity, and how many deviations make it another one.
const CAPACITY_WEIGHT: f64 = 0.05;
const DEVIATIONS: f64 = 3.0;

#[derive(Debug)]
pub(super) struct Aimd {
    bitrate: f64,
    state: State,
    capacity: Capacity,
    updated: Instant,
    decreased: Option<Instant>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Hold,
    Increase,
}

impl Aimd {
    pub(super) fn new(now: Instant, bitrate: f64) -> Aimd {
        Aimd { bitrate, state: State::Hold, capacity: Capacity::default(), updated: now, decreased: None }
    }

    pub(super) fn bitrate(&self) -> f64 {
        self.bitrate
    }

    /// When a growing queue was last answered.
    pub(super) fn decreased(&self) -> Option<Instant> {
        self.decreased
    }

    /// What is known from elsewhere: a probe, or silence.
    pub(super) fn set_bitrate(&mut self, now: Instant, bitrate: f64) {
        self.bitrate = bitrate;
        self.updated = now;
    }

    /// `received`: the bitrate that arrives. `is_app_limited`: less is sent than could be, so nothing is learnt.
    pub(super) fn update(
        &mut self,
        now: Instant,
        usage: Usage,
        received: Option<f64>,
        round_trip: Duration,
        is_app_limited: bool,
    ) {
        let elapsed = now.since(self.updated).min(Duration::from_secs(1)).as_secs_f64();
        self.updated = now;
        match (usage, self.state) {
            (Usage::Over, _) => self.decrease(now, received, round_trip),
            (Usage::Under, _) => self.state = State::Hold,
            (Usage::Normal, State::Hold) => self.state = State::Increase,
            (Usage::Normal, State::Increase) if is_app_limited => {}
            (Usage::Normal, State::Increase) => self.increase(elapsed, received, round_trip),
        }
    }

    fn increase(&mut self, elapsed: f64, received: Option<f64>, round_trip: Duration) {
        let Some(received) = received else { return };
        if self.capacity.is_exceeded_by(received) {
            self.capacity = Capacity::default();
        }
        let growth = if self.capacity.is_known() {
            let response = round_trip.as_secs_f64() + 0.1;
            (PACKET_BITS / response).max(GROWTH_NEAR * self.bitrate) * elapsed
        } else {
            self.bitrate * (GROWTH.powf(elapsed) - 1.0)
        };
        let limit = self.capacity.bound(received).unwrap_or(AHEAD * received) + AHEAD_BPS;
        self.bitrate = self.bitrate.max((self.bitrate + growth).min(limit));
    }

    /// At most once a round trip, since only then the last answer can show.
    fn decrease(&mut self, now: Instant, received: Option<f64>, round_trip: Duration) {
        let pause = round_trip.clamp(Duration::from_millis(10), Duration::from_millis(200));
        let collapsed = received.is_some_and(|received| received < 0.5 * self.bitrate);
        if !collapsed && self.decreased.is_some_and(|last| now.since(last) < pause) {
            return;
        }
        let target = match received {
            Some(received) => BACK_OFF * received,
            None => self.bitrate / 2.0,
        };
        if let Some(received) = received {
            self.capacity.handle_sample(received);
        }
        self.bitrate = self.bitrate.min(target);
        self.state = State::Hold;
        self.decreased = Some(now);
    }
}

/// What arrived when the queue grew: about what the link can carry. In kbit/s.
#[derive(Debug, Default)]
struct Capacity {
    estimate: Option<f64>,
    /// Of the samples, relative to the estimate.
    variance: f64,
}

impl Capacity {
    fn is_known(&self) -> bool {
        self.estimate.is_some()
    }

    fn handle_sample(&mut self, received: f64) {
        if self.is_left_by(received) {
            *self = Capacity::default();
        }
        let sample = received / 1_000.0;
        let estimate = self.estimate.map_or(sample, |known| known + CAPACITY_WEIGHT * (sample - known));
        let error = estimate - sample;
        let variance = error * error / estimate.max(1.0);
        self.variance = (1.0 - CAPACITY_WEIGHT) * self.variance + CAPACITY_WEIGHT * variance;
        self.variance = self.variance.clamp(0.4, 2.5);
        self.estimate = Some(estimate);
    }

    /// How far the estimate may go, in bit/s, while so much arrives: little beyond what was the most a while ago.
    fn bound(&self, received: f64) -> Option<f64> {
        let known = self.estimate?;
        Some(received.max(1_000.0 * (known + self.spread(known))))
    }

    fn is_exceeded_by(&self, received: f64) -> bool {
        self.estimate.is_some_and(|known| received / 1_000.0 > known + self.spread(known))
    }

    fn is_left_by(&self, received: f64) -> bool {
        self.estimate.is_some_and(|known| (received / 1_000.0 - known).abs() > self.spread(known))
    }

    fn spread(&self, known: f64) -> f64 {
        DEVIATIONS * (self.variance * known).sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROUND_TRIP: Duration = Duration::from_millis(50);

    fn at(ms: u64) -> Instant {
        Instant(1_000 * ms)
    }

    #[test]
    fn it_grows_until_it_is_well_ahead_of_what_arrives() {
        let mut aimd = Aimd::new(at(0), 500_000.0);
        for n in 1..200 {
            aimd.update(at(100 * n), Usage::Normal, Some(500_000.0), ROUND_TRIP, false);
        }
        assert!((aimd.bitrate() - 760_000.0).abs() < 1.0, "{}", aimd.bitrate());
    }

    #[test]
    fn overuse_takes_it_below_what_arrives_once_a_round_trip() {
        let mut aimd = Aimd::new(at(0), 2_000_000.0);
        aimd.update(at(100), Usage::Over, Some(1_000_000.0), ROUND_TRIP, false);
        assert_eq!(aimd.bitrate(), 850_000.0);
        aimd.update(at(120), Usage::Over, Some(900_000.0), ROUND_TRIP, false);
        assert_eq!(aimd.bitrate(), 850_000.0);
        aimd.update(at(160), Usage::Over, Some(900_000.0), ROUND_TRIP, false);
        assert_eq!(aimd.bitrate(), 765_000.0);
    }

    #[test]
    fn it_holds_while_the_queue_drains_and_while_little_is_sent() {
        let mut aimd = Aimd::new(at(0), 1_000_000.0);
        aimd.update(at(100), Usage::Under, Some(1_000_000.0), ROUND_TRIP, false);
        aimd.update(at(200), Usage::Normal, Some(1_000_000.0), ROUND_TRIP, false);
        for n in 3..50 {
            aimd.update(at(100 * n), Usage::Normal, Some(1_000_000.0), ROUND_TRIP, true);
        }
        assert_eq!(aimd.bitrate(), 1_000_000.0);
    }
}
