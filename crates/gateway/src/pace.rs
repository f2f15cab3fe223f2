//! Keeps what terminals can cause at will from filling the log.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

/// Between two lines about faults of terminals; counters tell how many there were.
const LINE_EVERY: Duration = Duration::from_secs(1);

/// Lets one line through in each [`LINE_EVERY`].
#[derive(Debug)]
pub(crate) struct Pace {
    began: Instant,
    /// Milliseconds after `began` at which the next line may be written.
    next_ms: AtomicU64,
}

impl Default for Pace {
    fn default() -> Self {
        Self { began: Instant::now(), next_ms: AtomicU64::new(0) }
    }
}

impl Pace {
    /// Whether one more line may be written now.
    pub(crate) fn admits(&self) -> bool {
        self.admits_at(self.began.elapsed().as_millis() as u64)
    }

    fn admits_at(&self, now_ms: u64) -> bool {
        let next_ms = self.next_ms.load(Ordering::Relaxed);
        let after_ms = now_ms + LINE_EVERY.as_millis() as u64;
        // Of several that ask at once, one gets it.
        now_ms >= next_ms
            && self.next_ms.compare_exchange(next_ms, after_ms, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_one_line_a_second() {
        let pace = Pace::default();
        let admitted: Vec<u64> = (0..3_500).filter(|now_ms| pace.admits_at(*now_ms)).collect();
        assert_eq!(admitted, [0, 1_000, 2_000, 3_000]);
        assert!(!pace.admits_at(3_500) && pace.admits_at(4_000));
    }
}
