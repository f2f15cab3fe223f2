//! The parent's side of a directory link: what it holds of one child, and what it takes from it.

use std::collections::BTreeMap;

use taoyao_types::{NodeEpoch, TerminalKey, limits};
use taoyao_wire::link::sync::SnapshotMark;
use taoyao_wire::link::{Displacement, Sync};

/// How far the parent got with one child's log. Outlives the link, so that a child that comes back goes on.
#[derive(Debug, Default)]
pub struct Downstream {
    /// The life of the child that `applied` counts in.
    epoch: NodeEpoch,
    applied: u64,
    snapshot: Option<SnapshotMark>,
    /// Counts snapshots of this child; entries that the last one did not confirm are swept at its end.
    round: u16,
    complete: bool,
    /// Moved terminals of which the child has not confirmed that it let go. Told again with every new link.
    displaced: BTreeMap<TerminalKey, Displacement>,
}

/// The child said something that its side of the protocol never says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OutOfStep {
    #[error("changes from log position {first} on, but {expected} was next")]
    Gap { first: u64, expected: u64 },
    #[error("a part of snapshot {id}, which was not begun or does not continue behind the last part")]
    Snapshot { id: u64 },
}

impl Downstream {
    /// The link is up: forgets what belongs to an earlier life of the child and says what is held, and which life of it was the
    /// last.
    pub fn handle_up(&mut self, epoch: NodeEpoch, last_life: NodeEpoch) -> Sync {
        if epoch != self.epoch {
            self.handle_withdrawn();
            self.epoch = epoch;
        }
        self.complete = false;
        Sync::Resume { epoch, last_life, applied: self.applied, snapshot: self.snapshot, digest: None }
    }

    pub fn handle_down(&mut self) {
        self.complete = false;
    }

    /// The child's records are withdrawn, because it was away for too long: it has to tell all of them anew.
    pub fn handle_withdrawn(&mut self) {
        let displaced = std::mem::take(&mut self.displaced);
        *self = Self { round: self.round, displaced, ..Self::default() };
    }

    /// A terminal of the child's has a newer session.
    pub fn displace(&mut self, newest: Displacement) {
        if self.displaced.len() < limits::DISPLACED_MAX {
            self.displaced.insert(newest.key, newest);
        } else {
            // Too many to remember: a snapshot shows the child's outdated records again, and each is answered.
            *self = Self { round: self.round, ..Self::default() };
        }
    }

    /// The child has let go of the terminal, or has a newer session of it.
    pub fn settle(&mut self, key: TerminalKey) {
        self.displaced.remove(&key);
    }

    /// The moved terminals that the child still has to be told of.
    pub fn displaced(&self) -> impl Iterator<Item = &Displacement> {
        self.displaced.values()
    }

    /// Whether everything that the child knows is in the directory.
    pub fn is_complete(&self) -> bool {
        self.complete
    }

    /// The round that the child's records are confirmed in now.
    pub fn round(&self) -> u16 {
        self.round
    }

    /// Log position up to which the child's changes are in the directory.
    pub fn applied(&self) -> u64 {
        self.applied
    }

    pub fn handle_journal(&mut self, applied: u64) -> Result<(), OutOfStep> {
        if applied != self.applied {
            return Err(OutOfStep::Gap { first: applied, expected: self.applied });
        }
        self.complete = true;
        Ok(())
    }

    pub fn handle_snapshot_begin(&mut self, mark: SnapshotMark) {
        if self.snapshot == Some(mark) {
            return;
        }
        self.round = self.round.wrapping_add(1);
        self.applied = mark.at;
        self.snapshot = Some(mark);
        self.complete = false;
    }

    /// Checks a chunk's place; the caller then adds its records.
    pub fn handle_chunk(
        &mut self,
        id: u64,
        after: Option<TerminalKey>,
        until: TerminalKey,
    ) -> Result<(), OutOfStep> {
        match &mut self.snapshot {
            Some(mark) if mark.id == id && mark.after == after => {
                mark.after = Some(until);
                Ok(())
            }
            _ => Err(OutOfStep::Snapshot { id }),
        }
    }

    /// The snapshot is whole; the caller then sweeps what this round did not confirm.
    pub fn handle_snapshot_end(&mut self, id: u64, after: Option<TerminalKey>) -> Result<(), OutOfStep> {
        match self.snapshot {
            Some(mark) if mark.id == id && mark.after == after => {
                self.snapshot = None;
                self.complete = true;
                Ok(())
            }
            _ => Err(OutOfStep::Snapshot { id }),
        }
    }

    /// Checks that `count` changes from `first` on are the next ones.
    pub fn handle_changes(&mut self, first: u64, count: usize) -> Result<(), OutOfStep> {
        let expected = self.applied + 1;
        if first != expected {
            return Err(OutOfStep::Gap { first, expected });
        }
        self.applied += count as u64;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use taoyao_types::PartitionId;

    use super::*;

    #[test]
    fn it_resumes_where_it_was_unless_the_child_lives_anew() {
        let mut down = Downstream::default();
        down.handle_up(NodeEpoch(4), NodeEpoch(4));
        down.handle_snapshot_begin(SnapshotMark { id: 1, at: 10, after: None });
        down.handle_snapshot_end(1, None).unwrap();
        down.handle_changes(11, 5).unwrap();
        down.handle_down();
        let same = down.handle_up(NodeEpoch(4), NodeEpoch(4));
        assert_eq!(
            same,
            Sync::Resume {
                epoch: NodeEpoch(4),
                last_life: NodeEpoch(4),
                applied: 15,
                snapshot: None,
                digest: None
            }
        );
        let anew = down.handle_up(NodeEpoch(5), NodeEpoch(5));
        assert_eq!(
            anew,
            Sync::Resume {
                epoch: NodeEpoch(5),
                last_life: NodeEpoch(5),
                applied: 0,
                snapshot: None,
                digest: None
            }
        );
    }

    #[test]
    fn after_its_records_were_withdrawn_it_asks_for_everything() {
        let mut down = Downstream::default();
        down.handle_up(NodeEpoch(4), NodeEpoch(4));
        down.handle_changes(1, 5).unwrap();
        down.handle_down();
        down.handle_withdrawn();
        let resume = down.handle_up(NodeEpoch(4), NodeEpoch(4));
        assert_eq!(
            resume,
            Sync::Resume {
                epoch: NodeEpoch(4),
                last_life: NodeEpoch(4),
                applied: 0,
                snapshot: None,
                digest: None
            }
        );
    }

    #[test]
    fn gaps_and_foreign_snapshots_are_out_of_step() {
        let mut down = Downstream::default();
        down.handle_up(NodeEpoch(1), NodeEpoch(1));
        assert_eq!(down.handle_changes(3, 1), Err(OutOfStep::Gap { first: 3, expected: 1 }));
        let key = TerminalKey::synthetic(PartitionId(1), 1);
        assert_eq!(down.handle_chunk(9, None, key), Err(OutOfStep::Snapshot { id: 9 }));
    }

    #[test]
    fn a_snapshot_that_broke_off_is_asked_for_behind_its_last_key() {
        let mut down = Downstream::default();
        let key = TerminalKey::synthetic(PartitionId(1), 1);
        down.handle_up(NodeEpoch(1), NodeEpoch(1));
        down.handle_snapshot_begin(SnapshotMark { id: 1, at: 10, after: None });
        down.handle_chunk(1, None, key).unwrap();
        let mark = SnapshotMark { id: 1, at: 10, after: Some(key) };
        let resume = down.handle_up(NodeEpoch(1), NodeEpoch(1));
        assert_eq!(
            resume,
            Sync::Resume {
                epoch: NodeEpoch(1),
                last_life: NodeEpoch(1),
                applied: 10,
                snapshot: Some(mark),
                digest: None
            }
        );
        down.handle_snapshot_begin(mark);
        assert_eq!(down.round(), 1, "the same snapshot goes on in the same round");
    }
}
