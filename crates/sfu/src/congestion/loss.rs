//! The estimate that follows from losses (draft-ietf-rmcat-gcc-02 section 6): a cap while much is lost.

use std::time::Duration;

use taoyao_types::Instant;

/// Below this share of lost packets the cap rises, above the other it falls. The draft's lower bound is 2 %; wireless
/// links lose more than that all day, and retransmissions repair it.
const LOW: f64 = 0.06;
const HIGH: f64 = 0.10;
/// Deviations by which a share must exceed the bound: a few losses among few packets are chance.
const CERTAINTY: f64 = 2.0;
/// Growth a second while little is lost.
const GROWTH: f64 = 1.08;
/// A share is taken over at least so many packets and so long; in less, a short disturbance looks like congestion.
const PACKETS_MIN: u32 = 20;
const SPAN_MIN: Duration = Duration::from_secs(1);

/// What arrives can be carried: the cap does not fall below this part of it.
const FLOOR: f64 = 0.85;

/// What is known besides: the estimate without this cap, and what arrives.
#[derive(Debug, Clone, Copy)]
pub(super) struct Flow {
    pub(super) bitrate: f64,
    pub(super) received: Option<f64>,
}

#[derive(Debug)]
pub(super) struct LossBased {
    cap: Option<f64>,
    lost: u32,
    arrived: u32,
    since: Instant,
    share: f64,
    is_high: bool,
}

impl LossBased {
    pub(super) fn new(now: Instant) -> LossBased {
        LossBased { cap: None, lost: 0, arrived: 0, since: now, share: 0.0, is_high: false }
    }

    pub(super) fn handle_lost(&mut self) {
        self.lost += 1;
    }

    pub(super) fn handle_arrived(&mut self, was_lost: bool) {
        self.arrived += 1;
        self.lost = self.lost.saturating_sub(u32::from(was_lost));
    }

    /// Whether a share was taken, so that there is news.
    pub(super) fn update(&mut self, now: Instant, flow: Flow, round_trip: Duration) -> bool {
        let packets = self.lost + self.arrived;
        let span = now.since(self.since);
        if packets < PACKETS_MIN || span < SPAN_MIN.max(round_trip) {
            return false;
        }
        self.handle_share(f64::from(self.lost) / f64::from(packets), f64::from(packets), span, flow);
        (self.lost, self.arrived, self.since) = (0, 0, now);
        true
    }

    /// A share that the receiver itself took over `span`.
    pub(super) fn handle_share_of(&mut self, now: Instant, share: f64, bitrate: f64) {
        /// Reports do not say how many packets they are about; this many come in a second of slow video.
        const PACKETS: f64 = 100.0;
        let span = now.since(self.since);
        self.since = now;
        self.handle_share(share, PACKETS, span, Flow { bitrate, received: None });
    }

    pub(super) fn cap(&self) -> Option<f64> {
        self.cap
    }

    /// The share of packets that was last lost, from 0 to 1.
    pub(super) fn share(&self) -> f64 {
        self.share
    }

    /// Whether so much is lost that the link must be full.
    pub(super) fn is_high(&self) -> bool {
        self.is_high
    }

    fn handle_share(&mut self, share: f64, packets: f64, span: Duration, flow: Flow) {
        let deviation = (share * (1.0 - share) / packets).sqrt();
        self.share = share;
        self.is_high = share - CERTAINTY * deviation > HIGH;
        if self.is_high {
            let current = self.cap.map_or(flow.bitrate, |cap| cap.min(flow.bitrate));
            let carried = FLOOR * flow.received.unwrap_or(0.0);
            self.cap = Some((current * (1.0 - 0.5 * share)).max(carried.min(current)));
        } else if share < LOW {
            let grown = self.cap.map(|cap| cap * GROWTH.powf(span.as_secs_f64().min(2.0)));
            self.cap = grown.filter(|cap| *cap < flow.bitrate);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FLOW: Flow = Flow { bitrate: 1e6, received: None };

    /// A second in which so many of 200 packets are lost.
    fn run(loss: &mut LossBased, second: u64, lost: u32) -> Option<f64> {
        for n in 0..200 {
            if n < lost { loss.handle_lost() } else { loss.handle_arrived(false) }
        }
        loss.update(Instant(1_000_000 * second), FLOW, Duration::from_millis(50));
        loss.cap()
    }

    #[test]
    fn much_loss_caps_some_holds_and_little_frees() {
        let mut loss = LossBased::new(Instant(0));
        assert_eq!(run(&mut loss, 1, 10), None, "5 % is no sign of congestion");
        assert_eq!(run(&mut loss, 2, 40), Some(900_000.0));
        assert_eq!(run(&mut loss, 3, 16), Some(900_000.0));
        assert!(run(&mut loss, 4, 0) > Some(960_000.0));
        assert_eq!(run(&mut loss, 6, 0), None, "as if it had never been");
    }

    #[test]
    fn what_arrives_can_be_carried() {
        let mut loss = LossBased::new(Instant(0));
        (0..90).for_each(|_| loss.handle_lost());
        (0..10).for_each(|_| loss.handle_arrived(false));
        let flow = Flow { bitrate: 1e6, received: Some(800_000.0) };
        assert!(loss.update(Instant(1_000_000), flow, Duration::from_millis(50)));
        assert_eq!(loss.cap(), Some(680_000.0));
    }

    #[test]
    fn chance_is_not_congestion() {
        let mut loss = LossBased::new(Instant(0));
        for n in 0..20 {
            if n < 4 { loss.handle_lost() } else { loss.handle_arrived(false) }
        }
        loss.update(Instant(2_000_000), FLOW, Duration::from_millis(50));
        assert_eq!((loss.cap(), loss.share()), (None, 0.2));
    }

    #[test]
    fn what_came_late_was_not_lost() {
        let mut loss = LossBased::new(Instant(0));
        loss.handle_lost();
        loss.handle_arrived(true);
        run(&mut loss, 1, 0);
        assert_eq!(loss.share(), 0.0);
    }
}
