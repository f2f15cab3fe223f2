//! Lines of a log that anybody can cause, thinned: some at once, then one in a while that says how many were left out.

use std::time::Duration;

use taoyao_types::Instant;

/// How much is said at once after a silence, and how long until one more may be said.
const AT_ONCE: u32 = 10;
const PAUSE: Duration = Duration::from_secs(1);

/// Counts lines that were said lately, and those that were not.
#[derive(Debug)]
pub(crate) struct Thinned {
    left: u32,
    refilled: Instant,
    untold: u64,
}

impl Thinned {
    pub(crate) fn new(now: Instant) -> Self {
        Self { left: AT_ONCE, refilled: now, untold: 0 }
    }

    /// Whether the line may be said; if so, how many before it were not.
    pub(crate) fn tell(&mut self, now: Instant) -> Option<u64> {
        let pauses = now.since(self.refilled).as_micros() / PAUSE.as_micros();
        if pauses > 0 {
            self.left = self.left.saturating_add(u32::try_from(pauses).unwrap_or(AT_ONCE)).min(AT_ONCE);
            self.refilled = now;
        }
        match self.left {
            0 => {
                self.untold += 1;
                None
            }
            _ => {
                self.left -= 1;
                Some(std::mem::take(&mut self.untold))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_are_told_at_once_then_one_for_each_pause_with_the_number_of_the_others() {
        let mut thinned = Thinned::new(Instant(0));
        let told = (0..1_000).filter(|_| thinned.tell(Instant(5)).is_some()).count();
        assert_eq!(told, AT_ONCE as usize);
        assert_eq!(thinned.tell(Instant(1_000_001)), Some(990));
        assert_eq!(thinned.tell(Instant(1_000_002)), None);
        assert_eq!(thinned.tell(Instant(9_000_000)), Some(1));
    }
}
