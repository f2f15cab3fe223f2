//! Waiting a moment for the rest of a frame, where so much is sent that it pays: packets that leave together cost the
//! kernel a fraction, and senders' packets of one frame come some hundred microseconds apart.

use std::time::Duration;

use taoyao_types::Instant;

/// Half of the frames of a browser are whole after a tenth of a millisecond, nine of ten after half of one.
const WINDOW: Duration = Duration::from_micros(300);
/// Datagrams sent in a second from which on it pays: a tenth of what a core can.
const RATE_MIN: f64 = 30_000.0;
/// How often the rate is looked at.
const LOOK: Duration = Duration::from_millis(100);

/// Knows how much is being sent.
#[derive(Debug)]
pub(crate) struct Gather {
    looked: Instant,
    sent: u64,
    is_worth_it: bool,
}

impl Gather {
    pub(crate) fn new(now: Instant) -> Self {
        Self { looked: now, sent: 0, is_worth_it: false }
    }

    /// `sent`: datagrams so far. Returns how long to wait before what has begun to arrive is read; zero if not at all.
    pub(crate) fn pause(&mut self, now: Instant, sent: u64) -> Duration {
        let elapsed = now.since(self.looked);
        if elapsed >= LOOK {
            let rate = (sent - self.sent) as f64 / elapsed.as_secs_f64();
            self.is_worth_it = rate >= RATE_MIN;
            (self.looked, self.sent) = (now, sent);
        }
        if self.is_worth_it { WINDOW } else { Duration::ZERO }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_waits_under_load_only() {
        let mut gather = Gather::new(Instant(0));
        assert_eq!(gather.pause(Instant(50_000), 100_000), Duration::ZERO, "nothing is known yet");
        assert_eq!(gather.pause(Instant(100_000), 100_000), WINDOW);
        assert_eq!(gather.pause(Instant(150_000), 100_000), WINDOW);
        assert_eq!(gather.pause(Instant(200_000), 102_000), Duration::ZERO);
    }
}
