//! Who is where: one entry per terminal, ordered by version, with whole lives of a node withdrawn at once.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound;

use taoyao_types::{Instant, NodeEpoch, NodeId, TerminalKey, Version, limits};
use taoyao_wire::link::Record;

/// Where a terminal is, seen from this node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// The node that the terminal is connected to.
    pub origin: NodeId,
    /// The neighbour that leads there; this node itself for its own terminals.
    pub via: NodeId,
    pub version: Version,
    /// Which of the origin's lives the entry belongs to; older ones are as good as gone.
    life: u16,
    /// Which resync round last confirmed the entry.
    round: u16,
}

impl Entry {
    /// Whether this resync round has confirmed the entry.
    pub fn is_of_round(&self, round: u16) -> bool {
        self.round == round
    }
}

/// What became of a record that somebody added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Added {
    /// It is the newest; `replaced` is the entry that it took the place of, if that led elsewhere.
    Newest { replaced: Option<Entry> },
    /// It was known already.
    Known,
    /// A newer session is known.
    Outdated { by: Entry },
    /// It belongs to an earlier life of its origin.
    Dead,
    /// This version of the terminal, the newest there was, has left.
    Buried { last: Version },
}

/// The route table of one node.
///
/// A group withdraw costs the same for one terminal as for a million: it starts a new life of the origin, and what
/// belongs to an older life is neither found nor told; [`Directory::sweep`] frees it little by little.
#[derive(Debug, Default)]
pub struct Directory {
    entries: BTreeMap<TerminalKey, Entry>,
    lives: BTreeMap<NodeId, Life>,
    tombstones: Tombstones,
    swept: Option<TerminalKey>,
    dead: usize,
}

#[derive(Debug, Default, Clone, Copy)]
struct Life {
    number: u16,
    epoch: NodeEpoch,
    count: usize,
}

impl Directory {
    /// Finds where a terminal is.
    pub fn find(&self, key: TerminalKey) -> Option<&Entry> {
        self.entries.get(&key).filter(|entry| self.is_alive(entry))
    }

    /// Terminals known.
    pub fn len(&self) -> usize {
        self.entries.len() - self.dead
    }

    /// Whether no terminal is known.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Terminals known to be connected to `origin`.
    pub fn count_at(&self, origin: NodeId) -> usize {
        self.lives.get(&origin).map_or(0, |life| life.count)
    }

    /// The newest life of a node that any record or withdrawal spoke of.
    pub fn epoch_of(&self, origin: NodeId) -> Option<NodeEpoch> {
        self.lives.get(&origin).map(|life| life.epoch)
    }

    /// Tombstones kept.
    pub fn tombstones(&self) -> usize {
        self.tombstones.expiry.len()
    }

    /// All entries from behind `after` on, in key order.
    pub fn walk(&self, after: Option<TerminalKey>) -> impl Iterator<Item = (TerminalKey, &Entry)> {
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        let range = self.entries.range((start, Bound::Unbounded));
        range.filter(|(_, entry)| self.is_alive(entry)).map(|(key, entry)| (*key, entry))
    }

    /// Takes a record that `via` told of in resync round `round`.
    pub fn add(&mut self, record: Record, via: NodeId, round: u16) -> Added {
        let Record { key, origin, version } = record;
        if !self.enter_life(origin, version.epoch) {
            return Added::Dead;
        }
        if let Some(last) = self.tombstones.covering(key, version) {
            return Added::Buried { last };
        }
        let life = self.lives.get(&origin).map_or(0, |life| life.number);
        let fresh = Entry { origin, via, version, life, round };
        let Some(&old) = self.entries.get(&key) else {
            self.entries.insert(key, fresh);
            self.count(origin, 1);
            return Added::Newest { replaced: None };
        };
        if !self.is_alive(&old) {
            self.entries.insert(key, fresh);
            self.dead = self.dead.saturating_sub(1);
            self.count(origin, 1);
            return Added::Newest { replaced: None };
        }
        if old.version > version {
            return Added::Outdated { by: old };
        }
        self.entries.insert(key, fresh);
        self.count(old.origin, -1);
        self.count(origin, 1);
        if old.version == version && old.via == via {
            return Added::Known;
        }
        let moved = old.via != via || old.origin != origin;
        Added::Newest { replaced: moved.then_some(old) }
    }

    /// Removes a terminal that `via` says is gone, and remembers that, whether it was known or not.
    /// Returns whether there was something to remove.
    pub fn withdraw(&mut self, record: Record, via: NodeId, now: Instant) -> bool {
        self.tombstones.bury(record.key, record.version, now);
        self.lose(record, via)
    }

    /// Removes a terminal that `via` no longer leads to; the same record may come back.
    pub fn lose(&mut self, record: Record, via: NodeId) -> bool {
        match self.find(record.key) {
            Some(entry) if entry.via == via && entry.version <= record.version => self.remove(record.key),
            _ => false,
        }
    }

    /// Removes an entry because a newer session lives elsewhere.
    pub fn displace(&mut self, key: TerminalKey, by: Version, now: Instant) -> Option<Entry> {
        let entry = *self.find(key).filter(|entry| entry.version < by)?;
        self.tombstones.bury(key, entry.version, now);
        self.remove(key);
        Some(entry)
    }

    /// Removes everything of `origin` up to its life `epoch`. Returns whether anything was alive.
    pub fn withdraw_origin(&mut self, origin: NodeId, epoch: NodeEpoch) -> bool {
        match self.lives.get_mut(&origin) {
            Some(life) if life.epoch <= epoch && life.count > 0 => {
                self.dead += life.count;
                *life = Life { number: life.number.wrapping_add(1), epoch, count: 0 };
                true
            }
            _ => false,
        }
    }

    /// Removes what came by `via` and was not confirmed in `round`. Walks the whole table: after a snapshot only.
    pub fn sweep_unconfirmed(&mut self, via: NodeId, round: u16) -> Vec<Record> {
        let unconfirmed = |entry: &Entry| entry.via == via && entry.round != round && self.is_alive(entry);
        let gone = self.entries.iter().filter(|(_, entry)| unconfirmed(entry));
        let gone: Vec<Record> = gone
            .map(|(key, entry)| Record { key: *key, origin: entry.origin, version: entry.version })
            .collect();
        for record in &gone {
            self.remove(record.key);
        }
        gone
    }

    /// Frees up to `budget` visited entries of ended lives, and tombstones whose time is over.
    /// Returns whether there is more to do.
    pub fn sweep(&mut self, budget: usize, now: Instant) -> bool {
        self.tombstones.expire(now);
        if self.dead == 0 {
            self.swept = None;
            return false;
        }
        let start = self.swept.map_or(Bound::Unbounded, Bound::Excluded);
        let visited: Vec<(TerminalKey, bool)> = self
            .entries
            .range((start, Bound::Unbounded))
            .take(budget)
            .map(|(key, entry)| (*key, self.is_alive(entry)))
            .collect();
        self.swept = visited.last().map(|(key, _)| *key);
        for (key, _) in visited.into_iter().filter(|(_, alive)| !alive) {
            self.entries.remove(&key);
            self.dead = self.dead.saturating_sub(1);
        }
        self.dead > 0
    }

    fn is_alive(&self, entry: &Entry) -> bool {
        self.lives.get(&entry.origin).is_some_and(|life| life.number == entry.life)
    }

    /// Makes `epoch` the origin's life if it is newer; false if it is older than the known one.
    fn enter_life(&mut self, origin: NodeId, epoch: NodeEpoch) -> bool {
        let life = self.lives.entry(origin).or_insert(Life { epoch, ..Life::default() });
        if epoch > life.epoch {
            self.dead += life.count;
            *life = Life { number: life.number.wrapping_add(1), epoch, count: 0 };
        }
        epoch == life.epoch
    }

    fn remove(&mut self, key: TerminalKey) -> bool {
        let Some(entry) = self.entries.remove(&key) else { return false };
        self.count(entry.origin, -1);
        true
    }

    fn count(&mut self, origin: NodeId, change: isize) {
        if let Some(life) = self.lives.get_mut(&origin) {
            life.count = life.count.saturating_add_signed(change);
        }
    }
}

/// Remembers the last version of terminals that left, so that a late copy of a record cannot bring them back.
#[derive(Debug, Default)]
struct Tombstones {
    versions: BTreeMap<TerminalKey, (Version, Instant)>,
    expiry: VecDeque<(Instant, TerminalKey)>,
}

impl Tombstones {
    fn covering(&self, key: TerminalKey, version: Version) -> Option<Version> {
        if self.versions.is_empty() {
            return None;
        }
        self.versions.get(&key).map(|(last, _)| *last).filter(|last| version <= *last)
    }

    fn bury(&mut self, key: TerminalKey, version: Version, now: Instant) {
        if self.expiry.len() >= limits::TOMBSTONES_MAX {
            self.expire_first();
        }
        let due = now + limits::TOMBSTONE_KEPT;
        let (last, until) = self.versions.entry(key).or_insert((version, due));
        (*last, *until) = (version.max(*last), due);
        self.expiry.push_back((due, key));
    }

    fn expire(&mut self, now: Instant) {
        while self.expiry.front().is_some_and(|(due, _)| *due <= now) {
            self.expire_first();
        }
    }

    fn expire_first(&mut self) {
        let Some((due, key)) = self.expiry.pop_front() else { return };
        // A terminal that left again in the meantime is remembered from its last farewell on.
        if self.versions.get(&key).is_some_and(|(_, until)| *until == due) {
            self.versions.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use taoyao_types::{PartitionId, SessionEpoch};

    use super::*;

    const SITE: NodeId = NodeId(10);
    const OTHER: NodeId = NodeId(20);

    fn record(bits: u64, origin: NodeId, session: u64, epoch: u32, seq: u64) -> Record {
        let version = Version { session: SessionEpoch(session), epoch: NodeEpoch(epoch), seq };
        Record { key: TerminalKey::synthetic(PartitionId(1), bits), origin, version }
    }

    #[test]
    fn a_newer_session_wins_wherever_it_comes_from() {
        let mut directory = Directory::default();
        let first = record(1, SITE, 100, 1, 1);
        assert_eq!(directory.add(first, SITE, 0), Added::Newest { replaced: None });
        let moved = directory.add(record(1, OTHER, 101, 1, 1), OTHER, 0);
        assert!(matches!(moved, Added::Newest { replaced: Some(old) } if old.origin == SITE));
        assert!(matches!(directory.add(first, SITE, 0), Added::Outdated { by } if by.origin == OTHER));
        assert_eq!((directory.len(), directory.count_at(SITE), directory.count_at(OTHER)), (1, 0, 1));
    }

    #[test]
    fn a_late_copy_of_a_withdrawn_record_stays_dead() {
        let mut directory = Directory::default();
        let here = record(1, SITE, 100, 1, 1);
        directory.add(here, SITE, 0);
        assert!(directory.withdraw(here, SITE, Instant(0)));
        assert_eq!(directory.add(here, SITE, 0), Added::Buried { last: here.version });
        assert_eq!(directory.add(record(1, SITE, 101, 1, 2), SITE, 0), Added::Newest { replaced: None });
    }

    #[test]
    fn a_withdrawal_by_a_neighbour_that_does_not_lead_there_removes_nothing() {
        let mut directory = Directory::default();
        let here = record(1, SITE, 100, 1, 1);
        directory.add(here, SITE, 0);
        assert!(!directory.withdraw(here, OTHER, Instant(0)));
        assert!(directory.find(here.key).is_some());
    }

    #[test]
    fn a_new_life_ends_everything_of_the_old_one_and_the_old_one_cannot_return() {
        let mut directory = Directory::default();
        for bits in 0..100 {
            directory.add(record(bits, SITE, 100, 1, bits), SITE, 0);
        }
        directory.add(record(7, SITE, 200, 2, 1), SITE, 0);
        assert_eq!((directory.len(), directory.count_at(SITE)), (1, 1));
        assert_eq!(directory.add(record(8, SITE, 300, 1, 200), SITE, 0), Added::Dead);
        assert_eq!(directory.walk(None).count(), 1);
        while directory.sweep(10, Instant(0)) {}
        assert_eq!(directory.entries.len(), 1);
    }

    #[test]
    fn a_lost_origin_may_come_back_in_the_same_life() {
        let mut directory = Directory::default();
        let here = record(1, SITE, 100, 1, 1);
        directory.add(here, SITE, 0);
        assert!(directory.withdraw_origin(SITE, NodeEpoch(1)));
        assert!(directory.find(here.key).is_none());
        assert_eq!(directory.add(here, SITE, 0), Added::Newest { replaced: None });
        assert_eq!(directory.len(), 1);
        while directory.sweep(10, Instant(0)) {}
        assert!(directory.find(here.key).is_some());
    }

    #[test]
    fn what_a_snapshot_did_not_confirm_is_swept() {
        let mut directory = Directory::default();
        directory.add(record(1, SITE, 100, 1, 1), SITE, 0);
        directory.add(record(2, SITE, 100, 1, 2), SITE, 0);
        directory.add(record(2, SITE, 100, 1, 2), SITE, 1);
        let gone = directory.sweep_unconfirmed(SITE, 1);
        assert_eq!(gone.iter().map(|r| r.version.seq).collect::<Vec<_>>(), [1]);
        assert_eq!(directory.len(), 1);
    }
}
