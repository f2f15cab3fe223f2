//! Whether less is sent than could be: then growth of the estimate has nothing to stand on.

use taoyao_types::Instant;

/// The part of the estimate that counts as using it. Who uses less learns of more by probes: an estimate that grew above
/// what was ever sent would promise layers that do not fit.
const USED: f64 = 0.8;
/// Unused bits are saved up for this long, in seconds; beyond these parts of it a state begins and ends.
const WINDOW: f64 = 0.5;
const BEGIN: f64 = 0.8;
const END: f64 = 0.5;

#[derive(Debug)]
pub(super) struct AppLimited {
    saved_bits: f64,
    updated: Instant,
    is_limited: bool,
}

impl AppLimited {
    pub(super) fn new(now: Instant) -> AppLimited {
        AppLimited { saved_bits: 0.0, updated: now, is_limited: false }
    }

    pub(super) fn handle_sent(&mut self, bytes: usize) {
        self.saved_bits -= (bytes * 8) as f64;
    }

    pub(super) fn update(&mut self, now: Instant, bitrate: f64) {
        let budget = USED * bitrate;
        let room = WINDOW * budget;
        let elapsed = now.since(self.updated).as_secs_f64();
        self.updated = now;
        self.saved_bits = (self.saved_bits + budget * elapsed).clamp(-room, room);
        self.is_limited = self.saved_bits > if self.is_limited { END } else { BEGIN } * room;
    }

    pub(super) fn is_limited(&self) -> bool {
        self.is_limited
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sending_half_is_limited_and_sending_most_is_not() {
        let mut limited = AppLimited::new(Instant(0));
        let mut run = |bytes_per_10_ms: usize, from_ms: u64| {
            for n in 0..500 {
                limited.handle_sent(bytes_per_10_ms);
                limited.update(Instant(1_000 * (from_ms + 10 * n)), 1e6);
            }
            limited.is_limited()
        };
        assert!(run(625, 0));
        assert!(!run(1_100, 5_000));
    }
}
