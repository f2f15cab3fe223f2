//! How long the queue is: the delay above the least of the last minute.
//!
//! A full queue that overflows neither grows nor drains, so that its slope says nothing; and a hiccup of either end, or of
//! the way, has a slope for a while after it is over, though nothing waits any more.

/// The least delay is kept over one to two of these.
const WINDOW_US: i64 = 30_000_000;
/// Weight of the past.
const SMOOTHING: f64 = 0.9;
/// More than jitter makes, in ms.
const STANDING_MS: f64 = 80.0;
/// Less than a queue that grows has, in ms.
const EMPTY_MS: f64 = 5.0;

#[derive(Debug)]
pub(super) struct Standing {
    window_us: i64,
    least: f64,
    least_before: f64,
    /// Above the least: smoothed, and the latest.
    queue_ms: f64,
    latest_ms: f64,
}

impl Default for Standing {
    fn default() -> Self {
        Self {
            window_us: 0,
            least: f64::INFINITY,
            least_before: f64::INFINITY,
            queue_ms: 0.0,
            latest_ms: 0.0,
        }
    }
}

impl Standing {
    /// `delay_ms`: one-way, from any origin.
    pub(super) fn handle_delay(&mut self, at_us: i64, delay_ms: f64) {
        if (at_us - self.window_us).abs() > WINDOW_US {
            self.window_us = at_us;
            self.least_before = self.least;
            self.least = delay_ms;
        }
        self.least = self.least.min(delay_ms);
        let above = delay_ms - self.least.min(self.least_before);
        self.queue_ms = SMOOTHING * self.queue_ms + (1.0 - SMOOTHING) * above;
        self.latest_ms = above;
    }

    pub(super) fn is_long(&self) -> bool {
        self.queue_ms > STANDING_MS
    }

    /// Whether nothing waits now.
    pub(super) fn is_empty(&self) -> bool {
        self.latest_ms < EMPTY_MS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_queue_is_long_until_it_drains_or_a_minute_has_passed() {
        let mut standing = Standing::default();
        let mut run = |from_s: i64, seconds: i64, delay_ms: f64| {
            for n in 0..seconds * 30 {
                standing.handle_delay(from_s * 1_000_000 + n * 33_333, delay_ms);
            }
            standing.is_long()
        };
        assert!(!run(100, 5, -20.0));
        assert!(run(105, 5, 100.0));
        assert!(!run(110, 5, 10.0));
        assert!(run(115, 20, 100.0));
        assert!(!run(135, 70, 100.0), "the way is longer now");
    }

    #[test]
    fn a_queue_is_empty_as_soon_as_one_packet_comes_at_once() {
        let mut standing = Standing::default();
        [7.0, 150.0, 90.0].into_iter().for_each(|delay_ms| standing.handle_delay(0, delay_ms));
        assert!(!standing.is_empty());
        standing.handle_delay(0, 8.0);
        assert!(standing.is_empty());
    }
}
