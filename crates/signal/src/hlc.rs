//! Orders the logins of a terminal across nodes whose clocks disagree: a hybrid logical clock.

use taoyao_types::{SessionEpoch, Wall, limits};

/// Issues session epochs: never the same twice, never behind one that it was shown; but never further ahead than others take,
/// even if its own clock was.
#[derive(Debug, Default)]
pub(crate) struct LoginClock {
    last: u64,
}

impl LoginClock {
    /// The epoch of a login now: above all issued before and above `seen`, the last known login of the terminal.
    pub(crate) fn issue(&mut self, wall: Wall, seen: Option<SessionEpoch>) -> SessionEpoch {
        if let Some(seen) = seen {
            self.observe(wall, seen);
        }
        if SessionEpoch(self.last).wall_ms() > latest(wall) {
            // The clock was ahead and has been put right. What was issued then is refused everywhere.
            self.last = 0;
        }
        self.last = (wall.0 << 16).max(self.last.saturating_add(1));
        SessionEpoch(self.last)
    }

    /// Takes note of an epoch from elsewhere. One too far ahead would drag this clock along, and is left alone.
    pub(crate) fn observe(&mut self, wall: Wall, seen: SessionEpoch) {
        if seen.wall_ms() <= latest(wall) {
            self.last = self.last.max(seen.0);
        }
    }
}

/// The latest time that others take for no mistake, in milliseconds.
fn latest(wall: Wall) -> u64 {
    wall.0.saturating_add(u64::try_from(limits::CLOCK_SKEW_MAX.as_millis()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn epochs_rise_even_if_the_clock_stands_or_jumps_back() {
        let mut clock = LoginClock::default();
        let first = clock.issue(Wall(1_000), None);
        let second = clock.issue(Wall(1_000), None);
        let third = clock.issue(Wall(500), None);
        assert!(first < second && second < third);
        assert_eq!(first.wall_ms(), 1_000);
    }

    #[test]
    fn a_clock_that_was_ahead_once_is_forgotten_when_it_is_right_again() {
        let mut clock = LoginClock::default();
        let hour = 3_600_000;
        assert_eq!(clock.issue(Wall(1_000 + hour), None).wall_ms(), 1_000 + hour);
        assert_eq!(clock.issue(Wall(2_000), None).wall_ms(), 2_000);
        let skew = limits::CLOCK_SKEW_MAX.as_millis() as u64;
        let ahead = clock.issue(Wall(10_000 + skew), None);
        assert!(clock.issue(Wall(10_000), None) > ahead, "as little as that is bridged");
    }

    #[test]
    fn a_login_is_newer_than_the_one_seen_unless_that_lies_in_the_future() {
        let mut clock = LoginClock::default();
        let seen = SessionEpoch(4_000 << 16);
        assert!(clock.issue(Wall(1_000), Some(seen)) > seen);
        let future = SessionEpoch(60_000 << 16);
        assert!(clock.issue(Wall(1_000), Some(future)) < future);
    }
}
