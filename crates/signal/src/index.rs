//! The numbers that terminals make their message ids with (reference sections 2.3 and 3.2).

use std::collections::BTreeSet;

const FIRST: u32 = 10_000;
const LAST: u32 = 99_999;

/// Hands out numbers that no other connected terminal of the node has.
///
/// When all 90,000 are taken numbers repeat. That harms nobody: a terminal's message id never reaches another one.
#[derive(Debug)]
pub(crate) struct Indexes {
    last: u32,
    taken: BTreeSet<u32>,
}

impl Default for Indexes {
    fn default() -> Self {
        Self { last: FIRST, taken: BTreeSet::new() }
    }
}

impl Indexes {
    pub(crate) fn take(&mut self) -> u32 {
        let all_taken = self.taken.len() > (LAST - FIRST) as usize;
        loop {
            self.last = if self.last >= LAST { FIRST } else { self.last + 1 };
            if self.taken.insert(self.last) || all_taken {
                return self.last;
            }
        }
    }

    pub(crate) fn give_back(&mut self, index: u32) {
        self.taken.remove(&index);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_is_10001_and_taken_ones_are_skipped_after_the_wrap() {
        let mut indexes = Indexes::default();
        assert_eq!(indexes.take(), 10_001);
        assert_eq!(indexes.take(), 10_002);
        indexes.last = LAST;
        assert_eq!(indexes.take(), 10_000);
        assert_eq!(indexes.take(), 10_003);
        indexes.give_back(10_001);
        indexes.last = LAST;
        assert_eq!(indexes.take(), 10_001);
    }

    #[test]
    fn with_all_taken_it_still_hands_out() {
        let mut indexes = Indexes::default();
        for _ in 0..90_000 {
            indexes.take();
        }
        assert!((FIRST..=LAST).contains(&indexes.take()));
    }
}
