//! Keeps what neighbours can cause at will from filling the log.

use std::time::Duration;

use taoyao_types::Instant;

/// Lines in one [`SPAN`]: enough to see what is going on.
const LINES_MAX: u32 = 20;
const SPAN: Duration = Duration::from_secs(10);

/// Lets a number of lines through in each span of time; a counter tells how many there were.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Throttle {
    since: Instant,
    lines: u32,
}

impl Throttle {
    /// Whether one more line may be written now.
    pub(crate) fn admits(&mut self, now: Instant) -> bool {
        if now.since(self.since) >= SPAN {
            *self = Self { since: now, lines: 0 };
        }
        self.lines = self.lines.saturating_add(1);
        self.lines <= LINES_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_cut_and_the_next_span_speaks_again() {
        let mut throttle = Throttle::default();
        let admitted = (0..1_000).filter(|ms| throttle.admits(Instant(ms * 1_000))).count();
        assert_eq!(admitted, LINES_MAX as usize);
        assert!(throttle.admits(Instant(0) + SPAN));
    }
}
