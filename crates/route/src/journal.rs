//! The last changes of a directory in order, for a parent that missed some.

use std::collections::VecDeque;

use taoyao_types::limits;
use taoyao_wire::link::Change;

/// A bounded log of changes. Positions count from 1 and never come again in one life of the node.
#[derive(Debug, Default)]
pub struct Journal {
    changes: VecDeque<Change>,
    /// The position of the newest change; 0 before the first.
    end: u64,
}

impl Journal {
    /// The position of the newest change.
    pub fn end(&self) -> u64 {
        self.end
    }

    /// Appends a change; the oldest one falls out when the log is full.
    pub fn push(&mut self, change: Change) {
        if self.changes.len() == limits::JOURNAL_RECORDS_MAX {
            self.changes.pop_front();
        }
        self.changes.push_back(change);
        self.end += 1;
    }

    /// Whether everything behind position `applied` is still here.
    pub fn reaches(&self, applied: u64) -> bool {
        let first = self.end - self.changes.len() as u64;
        (first..=self.end).contains(&applied)
    }

    /// Up to `max` changes behind position `applied`.
    pub fn behind(&self, applied: u64, max: usize) -> Vec<Change> {
        let first = self.end - self.changes.len() as u64;
        let skip = usize::try_from(applied.saturating_sub(first)).unwrap_or(usize::MAX);
        self.changes.iter().skip(skip).take(max).copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use taoyao_types::{NodeEpoch, NodeId};

    use super::*;

    fn change(number: u32) -> Change {
        Change::WithdrawOrigin { origin: NodeId(number), epoch: NodeEpoch(0) }
    }

    #[test]
    fn it_gives_what_is_behind_a_position() {
        let mut journal = Journal::default();
        assert!(journal.reaches(0) && !journal.reaches(1));
        (1..=5).for_each(|n| journal.push(change(n)));
        assert_eq!(journal.behind(3, 10), [change(4), change(5)]);
        assert_eq!(journal.behind(0, 2), [change(1), change(2)]);
        assert!(journal.behind(5, 10).is_empty());
    }

    #[test]
    fn it_forgets_the_oldest_and_knows_it() {
        let mut journal = Journal::default();
        let max = limits::JOURNAL_RECORDS_MAX as u64;
        (0..max + 10).for_each(|n| journal.push(change(n as u32)));
        assert!(!journal.reaches(9) && journal.reaches(10) && journal.reaches(max + 10));
        assert!(!journal.reaches(max + 11));
        assert_eq!(journal.behind(10, 1), [change(10)]);
    }
}
