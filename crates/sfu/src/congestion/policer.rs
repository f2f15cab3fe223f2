//! What a peer may send at most is enforced here: REMB and transport-wide feedback are advice, which cameras, other programs
//! and those who mean harm do not take.
//!
//! A bucket of bits. It is deep enough for key frames, retransmissions and the probes of estimators that heed the advice,
//! so that only those who go on sending too much ever empty it. Then pictures are left out, all of them until the bucket is
//! half full again: single packets would leave pictures that nobody can decode. Sound has the last eighth for itself.

use taoyao_types::Instant;

/// Seconds of what is allowed that may come at once.
const DEPTH_S: i64 = 2;
/// Senders that heed the advice overshoot it by less than this part of it, as a divisor.
const TOLERANCE: i64 = 4;
/// The part of the bucket that is kept for sound, as a divisor.
const FOR_SOUND: i64 = 8;
const MICROS: i64 = 1_000_000;

#[derive(Debug)]
pub struct Policer {
    /// Bits per second.
    rate: i64,
    /// In millionths of a bit, so that no part of the time between two packets is lost.
    level: i128,
    filled_at: Instant,
    is_shut: bool,
    /// Packets that were left out.
    pub dropped: u64,
}

/// What is done with a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Pass,
    /// Pictures pass again from here on: a key frame is needed.
    PassAgain,
    Drop,
}

impl Policer {
    /// `rate`: what the peer is asked to stay below, in bit/s. A quarter more is let through.
    pub fn new(now: Instant, rate: u64) -> Self {
        let rate = i64::try_from(rate).unwrap_or(i64::MAX / 1_000_000);
        let rate = rate.saturating_add(rate / TOLERANCE).clamp(1, i64::MAX / 1_000_000);
        Self { rate, level: full(rate), filled_at: now, is_shut: false, dropped: 0 }
    }

    /// Whether a packet of so many bytes may pass.
    pub fn handle_packet(&mut self, now: Instant, bytes: usize, is_picture: bool) -> Verdict {
        self.fill(now);
        let full = full(self.rate);
        let wanted = i128::try_from(bytes).unwrap_or(i128::MAX / 16_000_000) * 8 * i128::from(MICROS);
        let was_shut = is_picture && self.is_shut;
        let least = match (is_picture, was_shut) {
            (false, _) => 0,
            (true, false) => full / i128::from(FOR_SOUND),
            (true, true) => full / 2,
        };
        if self.level < least.max(wanted) {
            self.is_shut |= is_picture;
            self.dropped += 1;
            return Verdict::Drop;
        }
        self.level -= wanted;
        self.is_shut &= !is_picture;
        if was_shut { Verdict::PassAgain } else { Verdict::Pass }
    }

    fn fill(&mut self, now: Instant) {
        let elapsed =
            i128::try_from(now.since(self.filled_at).as_micros()).unwrap_or(i128::MAX / MICROS as i128);
        self.filled_at = self.filled_at.max(now);
        self.level = full(self.rate).min(self.level.saturating_add(elapsed.saturating_mul(self.rate.into())));
    }
}

fn full(rate: i64) -> i128 {
    i128::from(rate) * i128::from(DEPTH_S * MICROS)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bits per second that pass of what is sent in packets of 1,000 bytes for ten seconds, the first two left out.
    fn passed(policer: &mut Policer, bitrate: u64, is_picture: bool) -> u64 {
        let every = 8_000_000_000 / bitrate;
        let times = (0..).map(|number| number * every).take_while(|at| *at < 12_000_000);
        let pass = times.filter(|at| {
            let verdict = policer.handle_packet(Instant(*at), 1_000, is_picture);
            *at >= 2_000_000 && matches!(verdict, Verdict::Pass | Verdict::PassAgain)
        });
        pass.count() as u64 * 800
    }

    #[test]
    fn who_stays_below_loses_nothing_and_nobody_gets_more_through() {
        for is_picture in [false, true] {
            let mut calm = Policer::new(Instant(0), 1_000_000);
            assert_eq!(passed(&mut calm, 1_200_000, is_picture), 1_200_000);
            assert_eq!(calm.dropped, 0);
            for bitrate in [2_000_000, 10_000_000, 100_000_000] {
                let mut policer = Policer::new(Instant(0), 1_000_000);
                let passed = passed(&mut policer, bitrate, is_picture);
                assert!((900_000..1_500_000).contains(&passed), "{bitrate}: {passed}");
                assert!(policer.dropped > 0);
            }
        }
    }

    #[test]
    fn a_key_frame_passes_at_once() {
        let mut policer = Policer::new(Instant(0), 1_000_000);
        let burst = (0..200).map(|_| policer.handle_packet(Instant(0), 1_000, true));
        assert!(burst.into_iter().all(|verdict| verdict == Verdict::Pass));
    }

    #[test]
    fn sound_passes_while_pictures_are_left_out_in_one_piece() {
        let mut policer = Policer::new(Instant(0), 1_000_000);
        let (mut changes, mut last) = (0, true);
        for number in 0..10_000_u64 {
            let now = Instant(1_000 * number);
            if number % 20 == 0 {
                assert_eq!(policer.handle_packet(now, 160, false), Verdict::Pass, "{number}");
            }
            let verdict = policer.handle_packet(now, 1_000, true);
            let passes = matches!(verdict, Verdict::Pass | Verdict::PassAgain);
            assert_eq!(passes && !last, verdict == Verdict::PassAgain);
            changes += usize::from(passes != last);
            last = passes;
        }
        assert!((4..40).contains(&changes), "{changes} times in ten seconds");
    }
}
