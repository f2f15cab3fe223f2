//! The estimate that follows from losses (draft-ietf-rmcat-gcc-02 section 6): a cap while much is lost.

use std::time::Duration;

use taoyao_types::Instant;

/// Below this share of lost packets the cap rises, above the other it falls.
const LOW: f64 = 0.02;
const HIGH: f64 = 0.10;
/// Growth a second while little is lost.
const GROWTH: f64 = 1.08;
/// A share is taken over at least so many packets and so long.
const PACKETS_MIN: u32 = 20;
const SPAN_MIN: Duration = Duration::from_millis(250);

#[derive(Debug)]
pub(super) struct LossBased {
    cap: Option<f64>,
    lost: u32,
    arrived: u32,
    since: Instant,
    share: f64,
}

impl LossBased {
    pub(super) fn new(now: Instant) -> LossBased {
        LossBased { cap: None, lost: 0, arrived: 0, since: now, share: 0.0 }
    }

    pub(super) fn handle_lost(&mut self) {
        self.lost += 1;
    }

    pub(super) fn handle_arrived(&mut self, was_lost: bool) {
        self.arrived += 1;
        self.lost = self.lost.saturating_sub(u32::from(was_lost));
    }

    /// `bitrate`: the estimate without this cap.
    pub(super) fn update(&mut self, now: Instant, bitrate: f64, round_trip: Duration) {
        let packets = self.lost + self.arrived;
        let span = now.since(self.since);
        if packets < PACKETS_MIN || span < SPAN_MIN.max(round_trip) {
            return;
        }
        self.share = f64::from(self.lost) / f64::from(packets);
        (self.lost, self.arrived, self.since) = (0, 0, now);
        self.handle_share(span, bitrate);
    }

    /// A share that the receiver itself took over `span`.
    pub(super) fn handle_share_of(&mut self, now: Instant, share: f64, bitrate: f64) {
        self.share = share;
        let span = now.since(self.since);
        self.since = now;
        self.handle_share(span, bitrate);
    }

    pub(super) fn cap(&self) -> Option<f64> {
        self.cap
    }

    /// The share of packets that was last lost, from 0 to 1.
    pub(super) fn share(&self) -> f64 {
        self.share
    }

    fn handle_share(&mut self, span: Duration, bitrate: f64) {
        let current = self.cap.map_or(bitrate, |cap| cap.min(bitrate));
        if self.share > HIGH {
            self.cap = Some(current * (1.0 - 0.5 * self.share));
        } else if self.share < LOW {
            let grown = self.cap.map(|cap| cap * GROWTH.powf(span.as_secs_f64().min(1.0)));
            self.cap = grown.filter(|cap| *cap < bitrate);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(loss: &mut LossBased, from_ms: u64, lost_of_100: u32) -> Option<f64> {
        for n in 0..100 {
            if n < lost_of_100 { loss.handle_lost() } else { loss.handle_arrived(false) }
        }
        loss.update(Instant(1_000 * from_ms), 1e6, Duration::from_millis(50));
        loss.cap()
    }

    #[test]
    fn much_loss_caps_some_holds_and_little_frees() {
        let mut loss = LossBased::new(Instant(0));
        assert_eq!(run(&mut loss, 500, 5), None, "5 % is no sign of congestion");
        assert_eq!(run(&mut loss, 1_000, 20), Some(900_000.0));
        assert_eq!(run(&mut loss, 1_500, 5), Some(900_000.0));
        assert!(run(&mut loss, 2_500, 0) > Some(960_000.0));
        assert_eq!(run(&mut loss, 3_500, 0), None, "as if it had never been");
    }
}
