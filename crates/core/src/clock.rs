//! Which time a node goes by: its own as long as it agrees with its parent's, else the parent's.
//!
//! Sessions are ordered and judged by wall clocks all the way up. A node whose clock is wrong would be deaf, or shut out by its
//! own past, until somebody notices; so the tree agrees with the clock of its root.

use std::time::Duration;

use taoyao_types::{Instant, Now, Wall, limits};

/// The parent's clock as it was last told, carried on by this node's own steady one.
#[derive(Debug, Default)]
pub(crate) struct ParentClock {
    told: Option<(Instant, Wall)>,
}

impl ParentClock {
    /// The parent's clock shows `wall` now. What the message was under way for is not counted: it is far below what matters.
    pub(crate) fn hear(&mut self, now: Instant, wall: Wall) {
        self.told = Some((now, wall));
    }

    /// The time to go by.
    pub(crate) fn correct(&self, now: Now) -> Now {
        self.better(now).map_or(now, |wall| Now { wall, ..now })
    }

    /// Milliseconds that this node's own clock is ahead of the parent's; 0 if they agree.
    pub(crate) fn ahead_ms(&self, now: Now) -> i64 {
        let ahead = |wall: Wall| i128::from(now.wall.0) - i128::from(wall.0);
        self.better(now).map_or(0, |wall| i64::try_from(ahead(wall)).unwrap_or(i64::MAX))
    }

    /// The parent's time, if this node's own is too far from it.
    fn better(&self, now: Now) -> Option<Wall> {
        let (at, Wall(told)) = self.told?;
        let parents = told.saturating_add(millis(now.mono.since(at)));
        (now.wall.0.abs_diff(parents) > millis(limits::CLOCK_OWN_WITHIN)).then_some(Wall(parents))
    }
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000;

    fn at(seconds: u64, wall_ms: u64) -> Now {
        Now { mono: Instant(seconds * SECOND), wall: Wall(wall_ms) }
    }

    #[test]
    fn a_clock_that_agrees_is_left_alone() {
        let mut clock = ParentClock::default();
        assert_eq!(clock.correct(at(5, 77)), at(5, 77), "the root has nobody to ask");
        clock.hear(Instant(5 * SECOND), Wall(1_000_000));
        for off in [-1_000, 0, 1_000] {
            let own = at(7, 1_002_000u64.saturating_add_signed(off));
            assert_eq!((clock.correct(own), clock.ahead_ms(own)), (own, 0));
        }
    }

    #[test]
    fn a_wrong_clock_gives_way_and_is_gone_by_again_when_it_is_right() {
        let mut clock = ParentClock::default();
        clock.hear(Instant(5 * SECOND), Wall(10_000_000));
        let (ahead, behind) = (at(7, 13_602_000), at(7, 1_000));
        assert_eq!((clock.correct(ahead), clock.ahead_ms(ahead)), (at(7, 10_002_000), 3_600_000));
        assert_eq!((clock.correct(behind), clock.ahead_ms(behind)), (at(7, 10_002_000), -10_001_000));
        let right = at(8, 10_003_100);
        assert_eq!((clock.correct(right), clock.ahead_ms(right)), (right, 0));
        // It was the parent's that was wrong.
        clock.hear(Instant(9 * SECOND), Wall(13_604_000));
        assert_eq!(clock.correct(at(9, 13_604_000)), at(9, 13_604_000));
    }
}
