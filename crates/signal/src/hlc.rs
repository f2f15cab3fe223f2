//! Orders the logins of a terminal across nodes whose clocks disagree: a hybrid logical clock.

use taoyao_types::{SessionEpoch, Wall, limits};

/// Issues session epochs: never the same twice, never behind one that it was shown.
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
        self.last = (wall.0 << 16).max(self.last.saturating_add(1));
        SessionEpoch(self.last)
    }

    /// Takes note of an epoch from elsewhere. One too far ahead would drag this clock along, and is left alone.
    pub(crate) fn observe(&mut self, wall: Wall, seen: SessionEpoch) {
        let skew = u64::try_from(limits::CLOCK_SKEW_MAX.as_millis()).unwrap_or(u64::MAX);
        if seen.wall_ms() <= wall.0.saturating_add(skew) {
            self.last = self.last.max(seen.0);
        }
    }
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
    fn a_login_is_newer_than_the_one_seen_unless_that_lies_in_the_future() {
        let mut clock = LoginClock::default();
        let seen = SessionEpoch(4_000 << 16);
        assert!(clock.issue(Wall(1_000), Some(seen)) > seen);
        let future = SessionEpoch(60_000 << 16);
        assert!(clock.issue(Wall(1_000), Some(future)) < future);
    }
}
