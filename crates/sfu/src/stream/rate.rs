//! How much goes by in a second.

use taoyao_types::Instant;

const BUCKETS: usize = 10;

/// Packets and bytes, and the bits of the last ten spans of `BUCKET_US`: of the last second, unless it says otherwise.
#[derive(Debug, Clone, Default)]
pub struct Rate<const BUCKET_US: u64 = 100_000> {
    pub packets: u64,
    pub bytes: u64,
    buckets: [u32; BUCKETS],
    /// Number of the newest bucket since the clock began.
    newest: u64,
}

impl<const BUCKET_US: u64> Rate<BUCKET_US> {
    pub fn add(&mut self, now: Instant, bytes: usize) {
        self.packets += 1;
        self.bytes += bytes as u64;
        self.turn_to(now.0 / BUCKET_US);
        // A packet has fewer than 2^16 bytes.
        self.buckets[(self.newest % BUCKETS as u64) as usize] += bytes as u32;
    }

    /// Over the nine full buckets before this one and what is in it.
    pub fn bits_per_second(&self, now: Instant) -> u64 {
        8 * self.recent_bytes(now) * 1_000_000 / Self::span_us(now)
    }

    /// Of the span that [`Self::span_us`] says.
    pub fn recent_bytes(&self, now: Instant) -> u64 {
        let current = now.0 / BUCKET_US;
        let oldest = (current + 1).saturating_sub(BUCKETS as u64);
        let kept = (oldest..=self.newest).map(|bucket| self.buckets[(bucket % BUCKETS as u64) as usize]);
        kept.take(BUCKETS).map(u64::from).sum()
    }

    /// How long the nine full buckets and this one are, in microseconds.
    pub fn span_us(now: Instant) -> u64 {
        (BUCKETS as u64 - 1) * BUCKET_US + now.0 % BUCKET_US
    }

    fn turn_to(&mut self, bucket: u64) {
        let steps = bucket.saturating_sub(self.newest).min(BUCKETS as u64);
        for step in 0..steps {
            self.buckets[((bucket - step) % BUCKETS as u64) as usize] = 0;
        }
        self.newest = self.newest.max(bucket);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_steady_flow_has_its_rate_and_silence_has_none() {
        let mut rate = <Rate>::default();
        for ms in 0..5_000 {
            rate.add(Instant(ms * 1_000), 125);
        }
        let bits = rate.bits_per_second(Instant(4_999_000));
        assert!((990_000..=1_010_000).contains(&bits), "{bits}");
        assert_eq!((rate.packets, rate.bytes), (5_000, 625_000));
        assert_eq!(rate.bits_per_second(Instant(7_000_000)), 0);
    }
}
