//! A token bucket: so many at once after a silence, so many in a second.

use taoyao_types::Instant;

/// Parts of a token: at a rate of one token a second, one part flows in per microsecond.
const TOKEN: i64 = 1_000_000;

#[derive(Debug, Clone)]
pub(crate) struct Bucket {
    per_second: u32,
    at_once: u32,
    level: i64,
    filled: Instant,
}

impl Bucket {
    /// A full bucket.
    pub(crate) fn new(now: Instant, per_second: u32, at_once: u32) -> Self {
        Self { per_second, at_once, level: i64::from(at_once) * TOKEN, filled: now }
    }

    /// Takes `cost` tokens if there is at least one. The bucket may go into debt, so that a cost above its size is
    /// paid for afterwards.
    pub(crate) fn take(&mut self, now: Instant, cost: u32) -> bool {
        self.fill(now);
        let enough = self.level >= TOKEN;
        if enough {
            self.level -= i64::from(cost) * TOKEN;
        }
        enough
    }

    /// Takes `cost` tokens, whether they are there or not: what has been had already is paid for afterwards.
    pub(crate) fn charge(&mut self, now: Instant, cost: u32) {
        self.fill(now);
        self.level = self.level.saturating_sub(i64::from(cost) * TOKEN);
    }

    /// When the next [`Bucket::take`] succeeds.
    pub(crate) fn ready_at(&self) -> Instant {
        let missing = u64::try_from(TOKEN - self.level).unwrap_or(0);
        Instant(self.filled.0.saturating_add(missing.div_ceil(u64::from(self.per_second.max(1)))))
    }

    pub(crate) fn is_full(&mut self, now: Instant) -> bool {
        self.fill(now);
        self.level >= i64::from(self.at_once) * TOKEN
    }

    fn fill(&mut self, now: Instant) {
        let elapsed = i64::try_from(now.0.saturating_sub(self.filled.0)).unwrap_or(i64::MAX);
        let inflow = elapsed.saturating_mul(i64::from(self.per_second));
        self.level = self.level.saturating_add(inflow).min(i64::from(self.at_once) * TOKEN);
        self.filled = self.filled.max(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_and_then_the_rate_rules() {
        let mut bucket = Bucket::new(Instant(0), 20, 40);
        assert_eq!((0..100).filter(|_| bucket.take(Instant(0), 1)).count(), 40);
        assert_eq!(bucket.ready_at(), Instant(50_000));
        assert!(!bucket.take(Instant(49_999), 1));
        assert!(bucket.take(Instant(50_000), 1));
        assert_eq!((0..100).filter(|_| bucket.take(Instant(1_050_000), 1)).count(), 20);
    }

    #[test]
    fn a_cost_above_its_size_is_paid_for_afterwards() {
        let mut bucket = Bucket::new(Instant(0), 10, 5);
        assert!(bucket.take(Instant(0), 25));
        assert_eq!(bucket.ready_at(), Instant(2_100_000));
        assert!(!bucket.take(Instant(2_000_000), 1));
        assert!(bucket.take(Instant(2_100_000), 1));
    }
}
