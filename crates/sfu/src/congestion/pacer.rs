//! How fast packets leave: bursts pass as they are, what is larger is spread, so that a key frame does not fill the queue
//! of somebody's access line.

use std::time::Duration;

use taoyao_types::Instant;

/// Media leaves at this multiple of the estimate.
const FACTOR: f64 = 2.5;
/// What may leave at once, as time at the pace: most frames go out in one call.
const BURST: f64 = 0.040;
/// What waits leaves within this time, in seconds, whatever the estimate says.
const DRAIN: f64 = 0.5;

/// A leaky bucket. Audio is sent without asking; everything that is sent is told.
#[derive(Debug)]
pub struct Pacer {
    bitrate: f64,
    /// Of what is to be sent, whatever the estimate says.
    chosen: f64,
    pace: f64,
    debt_bits: f64,
    updated: Instant,
}

impl Pacer {
    /// `bitrate`: of the estimate, in bit/s.
    pub fn new(now: Instant, bitrate: u64) -> Pacer {
        let bitrate = bitrate as f64;
        Pacer { bitrate, chosen: 0.0, pace: FACTOR * bitrate, debt_bits: 0.0, updated: now }
    }

    pub fn handle_bitrate(&mut self, now: Instant, bitrate: u64) {
        self.pay(now);
        self.bitrate = bitrate as f64;
        self.pace = self.normal_pace();
    }

    /// The media that goes this way has so many bit/s. A stream without layers is sent even where the estimate is below it;
    /// to hold it back would only make it late.
    pub fn handle_chosen(&mut self, now: Instant, bitrate: u64) {
        self.pay(now);
        self.chosen = bitrate as f64;
        self.pace = self.normal_pace();
    }

    /// `bytes` of media wait: if they would wait too long, the pace rises until the next [`Self::handle_bitrate`].
    pub fn handle_queue(&mut self, now: Instant, bytes: usize) {
        self.pay(now);
        self.pace = self.normal_pace().max((bytes * 8) as f64 / DRAIN);
    }

    pub fn handle_sent(&mut self, now: Instant, bytes: usize) {
        self.pay(now);
        self.debt_bits += (bytes * 8) as f64;
    }

    pub fn may_send(&mut self, now: Instant) -> bool {
        self.pay(now);
        self.debt_bits <= BURST * self.pace
    }

    /// When [`Self::may_send`] becomes true, at the present pace.
    pub fn poll_timeout(&self) -> Instant {
        let over_bits = (self.debt_bits - BURST * self.pace).max(0.0);
        self.updated + Duration::from_secs_f64((over_bits / self.pace.max(1.0)).min(1.0))
    }

    fn normal_pace(&self) -> f64 {
        FACTOR * self.bitrate.max(self.chosen)
    }

    fn pay(&mut self, now: Instant) {
        // Packets of one turn leave at one moment.
        if now <= self.updated {
            return;
        }
        let elapsed = now.since(self.updated).as_secs_f64();
        self.debt_bits = (self.debt_bits - self.pace * elapsed).max(0.0);
        self.updated = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sends `packets` of 1,000 bytes as soon as may be; the time of the last in ms.
    fn send(pacer: &mut Pacer, from_ms: u64, packets: usize) -> u64 {
        let mut now = Instant(1_000 * from_ms);
        for _ in 0..packets {
            while !pacer.may_send(now) {
                now = pacer.poll_timeout().max(now + Duration::from_micros(1));
            }
            pacer.handle_sent(now, 1_000);
        }
        now.0 / 1_000
    }

    #[test]
    fn frames_leave_at_once_and_key_frames_are_spread() {
        let mut pacer = Pacer::new(Instant(0), 2_000_000);
        assert_eq!(send(&mut pacer, 0, 8), 0, "33 ms of media");
        let took = send(&mut pacer, 1_000, 125) - 1_000;
        assert!((140..=170).contains(&took), "a megabit at 5 Mbit/s with a burst of 0.2 Mbit: {took} ms");
    }

    #[test]
    fn a_stream_above_the_estimate_is_not_late() {
        let mut pacer = Pacer::new(Instant(0), 400_000);
        pacer.handle_chosen(Instant(0), 4_000_000);
        pacer.handle_bitrate(Instant(0), 300_000);
        let late = (0..1_000).filter(|at| send(&mut pacer, 16 * at, 8) > 16 * at).count();
        assert_eq!(late, 0, "frames of 8 kB, 4 Mbit/s");
    }

    #[test]
    fn what_waits_leaves_in_time() {
        let mut pacer = Pacer::new(Instant(0), 30_000);
        pacer.handle_queue(Instant(0), 100_000);
        let took = send(&mut pacer, 0, 100);
        assert!(took <= 500, "{took} ms");
    }
}
