//! What can be received from a peer that has no transport-wide feedback: an estimate from absolute send times, told by
//! REMB (draft-alvestrand-rmcat-remb-03).

use std::time::Duration;

use taoyao_types::Instant;

use super::delay::DelayBased;

/// A REMB is sent this often, and at once where the estimate fell by more than this part.
const INTERVAL: Duration = Duration::from_secs(1);
const FALL: f64 = 0.97;
/// The estimate is looked at this often.
const UPDATE: Duration = Duration::from_millis(50);
/// Only the sender could measure it.
const ROUND_TRIP: Duration = Duration::from_millis(200);
const START: f64 = 600_000.0;
const MIN: f64 = 30_000.0;

#[derive(Debug)]
pub struct ReceiveEstimator {
    delay: DelayBased,
    max: f64,
    send_time: Option<SendTime>,
    updated: Instant,
    told: Option<(f64, Instant)>,
    has_news: bool,
}

/// The 24 bits of the header extension (6.18 bits of seconds), and what they were unwrapped to.
#[derive(Debug, Clone, Copy)]
struct SendTime {
    raw: u32,
    ticks: i64,
}

impl ReceiveEstimator {
    /// `max`: what the peer may send at all, in bit/s.
    pub fn new(now: Instant, max: u64) -> ReceiveEstimator {
        ReceiveEstimator {
            delay: DelayBased::new(now, START),
            max: max as f64,
            send_time: None,
            updated: now,
            told: None,
            has_news: false,
        }
    }

    /// `abs_send_time`: the header extension as it stands, of any stream of the peer; `bytes` of the whole packet.
    pub fn handle_packet(&mut self, now: Instant, abs_send_time: u32, bytes: usize) {
        let ticks = self.unwrap_time(abs_send_time & 0x00ff_ffff);
        let sent_us = (ticks * 1_000_000) >> 18;
        self.delay.handle_packet(sent_us, now.0.cast_signed(), u32::try_from(bytes).unwrap_or(u32::MAX));
        self.has_news = true;
        if now.since(self.updated) >= UPDATE {
            self.updated = now;
            self.delay.update(now, ROUND_TRIP, false);
        }
    }

    /// The bitrate to tell the peer now.
    pub fn poll_remb(&mut self, now: Instant) -> Option<u64> {
        let bitrate = self.delay.bitrate().clamp(MIN, self.max.max(MIN));
        let is_due = self.told.is_none_or(|(told, at)| bitrate < FALL * told || now.since(at) >= INTERVAL);
        if !is_due || !std::mem::take(&mut self.has_news) {
            return None;
        }
        self.told = Some((bitrate, now));
        Some(bitrate as u64)
    }

    /// When [`Self::poll_remb`] has something to say, unless the estimate falls before.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.has_news.then(|| self.told.map_or(Instant(0), |(_, at)| at + INTERVAL))
    }

    fn unwrap_time(&mut self, raw: u32) -> i64 {
        let before = self.send_time.unwrap_or(SendTime { raw, ticks: i64::from(raw) });
        // The difference of 24 bits, with its sign.
        let step = (raw.wrapping_sub(before.raw) << 8).cast_signed() >> 8;
        let ticks = before.ticks + i64::from(step);
        self.send_time = Some(SendTime { raw, ticks });
        ticks
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sends 1,000-byte packets at `bitrate` over a link of `capacity` for `seconds`; the last REMB.
    fn run(
        estimator: &mut ReceiveEstimator,
        from_s: u64,
        seconds: u64,
        bitrate: u64,
        capacity: u64,
    ) -> Option<u64> {
        let (mut sent_us, mut free_us, mut remb) = (from_s * 1_000_000, 0, None);
        while sent_us < (from_s + seconds) * 1_000_000 {
            free_us = sent_us.max(free_us) + 8_000_000_000 / capacity;
            let arrival = Instant(free_us + 20_000);
            let abs_send_time = ((u128::from(sent_us) << 18) / 1_000_000) as u32;
            estimator.handle_packet(arrival, abs_send_time, 1_000);
            remb = estimator.poll_remb(arrival).or(remb);
            sent_us += 8_000_000_000 / bitrate;
        }
        remb
    }

    #[test]
    fn the_estimate_grows_in_calm_and_falls_when_the_queue_grows() {
        let mut estimator = ReceiveEstimator::new(Instant(0), 10_000_000);
        let calm = run(&mut estimator, 58, 20, 1_000_000, 5_000_000);
        assert!(calm.is_some_and(|bitrate| bitrate > 1_300_000), "{calm:?}");
        let full = run(&mut estimator, 78, 2, 1_000_000, 700_000);
        assert!(full.is_some_and(|bitrate| bitrate < 700_000), "{full:?}");
    }

    #[test]
    fn a_remb_is_sent_once_a_second_and_not_without_news() {
        let mut estimator = ReceiveEstimator::new(Instant(0), 10_000_000);
        assert_eq!(estimator.poll_remb(Instant(0)), None);
        estimator.handle_packet(Instant(1), 5, 100);
        assert!(estimator.poll_remb(Instant(2)).is_some());
        estimator.handle_packet(Instant(3), 6, 100);
        assert_eq!(estimator.poll_remb(Instant(4)), None);
        assert!(estimator.poll_remb(Instant(1_000_002)).is_some());
        assert_eq!(estimator.poll_timeout(), None);
    }
}
