//! The child's side of a directory link: tells one parent everything, from wherever the parent left off.

use taoyao_types::{Instant, NodeEpoch, TerminalKey, limits};
use taoyao_wire::link::sync::SnapshotMark;
use taoyao_wire::link::{Record, Sync};

use crate::directory::Directory;
use crate::journal::Journal;

/// Records in one snapshot chunk: small enough that live changes never wait long behind one.
const CHUNK_RECORDS: usize = 2_000;

/// How far one parent is. States: down, then waiting for its [`Sync::Resume`], then told the gap, then live.
#[derive(Debug, Default)]
pub struct Upstream {
    state: State,
    snapshots: u64,
    complete: bool,
    /// The parent has heard that a snapshot comes, so that its chunks (on another connection) cannot be early.
    expected: bool,
    flush_at: Option<Instant>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    #[default]
    Down,
    AwaitResume,
    /// The parent was sent everything up to this position of the journal.
    Live {
        sent: u64,
        snapshot: Option<SnapshotMark>,
    },
}

/// A message and whether it goes on the bulk connection.
pub type Outgoing = (Sync, bool);

impl Upstream {
    pub fn handle_up(&mut self) {
        *self = Self { state: State::AwaitResume, snapshots: self.snapshots, ..Self::default() };
    }

    pub fn handle_down(&mut self) {
        *self = Self { state: State::Down, snapshots: self.snapshots, ..Self::default() };
    }

    /// Whether the parent has confirmed that it holds all of this node's directory.
    pub fn is_complete(&self) -> bool {
        self.complete
    }

    /// The parent says what it holds; the answer says how the gap will be closed.
    pub fn handle_resume(
        &mut self,
        held: (NodeEpoch, u64, Option<SnapshotMark>),
        own: NodeEpoch,
        journal: &Journal,
    ) -> Sync {
        let (epoch, applied, snapshot) = held;
        let known = epoch == own && journal.reaches(applied);
        match snapshot {
            None if known && applied > 0 => {
                self.state = State::Live { sent: applied, snapshot: None };
                Sync::Journal { applied }
            }
            Some(mark) if known => {
                self.state = State::Live { sent: applied, snapshot: Some(mark) };
                Sync::SnapshotBegin { mark }
            }
            _ => self.begin_snapshot(journal),
        }
    }

    fn begin_snapshot(&mut self, journal: &Journal) -> Sync {
        self.snapshots += 1;
        self.expected = false;
        let mark = SnapshotMark { id: self.snapshots, at: journal.end(), after: None };
        self.state = State::Live { sent: mark.at, snapshot: Some(mark) };
        Sync::SnapshotBegin { mark }
    }

    /// The parent confirms. Completeness ends only with the link.
    pub fn handle_applied(&mut self, through: u64, complete: bool) {
        self.complete |= complete;
        if let State::Live { snapshot: Some(mark), .. } = self.state {
            self.expected |= through >= mark.at;
        }
    }

    /// The next message for the parent, if its time has come. `ready` says that this node's own directory is
    /// complete, which a snapshot's end has to promise.
    pub fn poll(
        &mut self,
        now: Instant,
        directory: &Directory,
        journal: &Journal,
        ready: bool,
    ) -> Option<Outgoing> {
        let State::Live { sent, snapshot } = &mut self.state else { return None };
        if !journal.reaches(*sent) {
            // The link was so slow that the log ran away from it.
            return Some((self.begin_snapshot(journal), false));
        }
        if journal.end() > *sent && self.flush_at.is_none() {
            self.flush_at = Some(now + limits::BATCH_DELAY);
        }
        let full = journal.end() - *sent >= limits::BATCH_RECORDS_MAX as u64;
        if full || self.flush_at.is_some_and(|due| due <= now) {
            let changes = journal.behind(*sent, limits::BATCH_RECORDS_MAX);
            let first = *sent + 1;
            *sent += changes.len() as u64;
            self.flush_at = None;
            return (!changes.is_empty()).then_some((Sync::Changes { first, changes }, false));
        }
        let mark = snapshot.as_mut().filter(|_| self.expected)?;
        match next_chunk(mark, directory) {
            Some(chunk) => Some((chunk, true)),
            None if ready => {
                let end = Sync::SnapshotEnd { id: mark.id, after: mark.after };
                *snapshot = None;
                Some((end, true))
            }
            None => None,
        }
    }

    /// When [`Upstream::poll`] may have something that it has not now.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.flush_at
    }
}

fn next_chunk(mark: &mut SnapshotMark, directory: &Directory) -> Option<Sync> {
    let records: Vec<Record> = directory
        .walk(mark.after)
        .take(CHUNK_RECORDS)
        .map(|(key, entry)| Record { key, origin: entry.origin, version: entry.version })
        .collect();
    let until: TerminalKey = records.last()?.key;
    let after = mark.after.replace(until);
    Some(Sync::SnapshotChunk { id: mark.id, after, until, records })
}

#[cfg(test)]
mod tests {
    use taoyao_types::{NodeId, PartitionId, SessionEpoch, Version};
    use taoyao_wire::link::Change;

    use super::*;

    const OWN: NodeEpoch = NodeEpoch(3);

    fn fill(count: u64) -> (Directory, Journal) {
        let (mut directory, mut journal) = (Directory::default(), Journal::default());
        for seq in 1..=count {
            let version = Version { session: SessionEpoch(1), epoch: OWN, seq };
            let record =
                Record { key: TerminalKey::synthetic(PartitionId(1), seq), origin: NodeId(1), version };
            directory.add(record, NodeId(1), 0);
            journal.push(Change::Add(record));
        }
        (directory, journal)
    }

    #[test]
    fn a_parent_that_knows_nothing_gets_a_snapshot_in_chunks_then_its_end() {
        let (directory, journal) = fill(4_500);
        let mut up = Upstream::default();
        up.handle_up();
        let begin = up.handle_resume((NodeEpoch(0), 0, None), OWN, &journal);
        assert!(matches!(begin, Sync::SnapshotBegin { mark } if mark.at == 4_500));
        assert_eq!(
            up.poll(Instant(0), &directory, &journal, true),
            None,
            "the parent has not heard of it yet"
        );
        up.handle_applied(4_500, false);
        let mut sizes = Vec::new();
        while let Some((Sync::SnapshotChunk { records, .. }, true)) =
            up.poll(Instant(0), &directory, &journal, false)
        {
            sizes.push(records.len());
        }
        assert_eq!(sizes, [2_000, 2_000, 500]);
        assert_eq!(up.poll(Instant(0), &directory, &journal, false), None, "not ready, so no end");
        let end = up.poll(Instant(0), &directory, &journal, true);
        assert!(matches!(end, Some((Sync::SnapshotEnd { .. }, true))));
    }

    #[test]
    fn a_parent_that_missed_a_little_gets_the_journal() {
        let (directory, journal) = fill(10);
        let mut up = Upstream::default();
        up.handle_up();
        assert_eq!(up.handle_resume((OWN, 7, None), OWN, &journal), Sync::Journal { applied: 7 });
        assert_eq!(up.poll(Instant(0), &directory, &journal, true), None, "changes wait for company");
        let due = up.poll_timeout().unwrap();
        let Some((Sync::Changes { first, changes }, false)) = up.poll(due, &directory, &journal, true) else {
            panic!("the gap is due");
        };
        assert_eq!((first, changes.len()), (8, 3));
    }

    #[test]
    fn a_broken_snapshot_goes_on_behind_the_last_key() {
        let (directory, journal) = fill(4_500);
        let mut up = Upstream::default();
        up.handle_up();
        up.handle_resume((NodeEpoch(0), 0, None), OWN, &journal);
        up.handle_applied(4_500, false);
        let Some((Sync::SnapshotChunk { id, until, .. }, _)) =
            up.poll(Instant(0), &directory, &journal, true)
        else {
            panic!("a chunk comes first");
        };
        up.handle_down();
        up.handle_up();
        let mark = SnapshotMark { id, at: 4_500, after: Some(until) };
        up.handle_resume((OWN, 4_500, Some(mark)), OWN, &journal);
        up.handle_applied(4_500, false);
        let next = up.poll(Instant(0), &directory, &journal, true);
        assert!(matches!(next, Some((Sync::SnapshotChunk { after, .. }, _)) if after == Some(until)));
    }

    #[test]
    fn a_parent_of_an_earlier_life_gets_a_snapshot() {
        let (_, journal) = fill(10);
        let mut up = Upstream::default();
        up.handle_up();
        let answer = up.handle_resume((NodeEpoch(2), 10, None), OWN, &journal);
        assert!(matches!(answer, Sync::SnapshotBegin { .. }));
    }
}
