//! The pauses between dials: doubled at each failure, a random part of it, back to the start after success.

use std::time::Duration;

use taoyao_types::limits::{REDIAL_MAX, REDIAL_MIN};

/// Full jitter: each pause is drawn from the whole range up to the bound, so that a hundred children of a restarted
/// parent do not come back in waves.
#[derive(Debug)]
pub(crate) struct Backoff {
    failures: u32,
    state: u64,
}

impl Backoff {
    pub(crate) fn new(seed: u64) -> Self {
        Self { failures: 0, state: seed }
    }

    /// The next pause; each call counts as one more failure.
    pub(crate) fn pause(&mut self) -> Duration {
        let bound = REDIAL_MIN.saturating_mul(1 << self.failures.min(16)).min(REDIAL_MAX);
        self.failures = self.failures.saturating_add(1);
        let part = (self.draw() >> 32) as f64 / f64::from(u32::MAX);
        bound.mul_f64(part)
    }

    pub(crate) fn reset(&mut self) {
        self.failures = 0;
    }

    /// SplitMix64: spreads pauses, keeps no secrets.
    fn draw(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.state;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_the_maximum_and_start_again_after_success() {
        let mut backoff = Backoff::new(1);
        assert!(backoff.pause() <= REDIAL_MIN);
        let longest = (0..1000).map(|_| backoff.pause()).max().unwrap();
        assert!(longest <= REDIAL_MAX && longest > REDIAL_MAX / 2, "{longest:?}");
        backoff.reset();
        assert!(backoff.pause() <= REDIAL_MIN);
    }

    #[test]
    fn two_seeds_draw_different_pauses() {
        let (mut a, mut b) = (Backoff::new(1), Backoff::new(2));
        assert!((0..8).any(|_| a.pause() != b.pause()));
    }
}
