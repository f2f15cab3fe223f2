//! The rooms of this node by their ids: how they are added, and how they end.

use std::collections::BTreeMap;

use taoyao_types::{Exhausted, Instant, NodeEpoch, NodeId, Shares, TerminalKey, limits};
use taoyao_wire::link::{RoomEvent, RoomNews};

use super::hosted::{Newcomer, Owner, Room, Said};
use super::shares::{Holder, Taken};

/// All rooms of this node.
#[derive(Debug)]
pub(crate) struct Rooms {
    by_id: BTreeMap<String, Room>,
    shares: Shares<Holder>,
    feeds_made: u64,
}

/// Why there is no place for another room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoPlace {
    /// The terminal has its [`limits::ROOMS_PER_TERMINAL_MAX`], and somebody is in each.
    OfTerminal,
    Share(Exhausted),
}

impl Rooms {
    /// `each_max` rooms of one account, `all_max` of all.
    pub(crate) fn new(each_max: usize, all_max: usize) -> Self {
        let all_max = all_max.min(limits::ROOMS_MAX);
        Self { by_id: BTreeMap::new(), shares: Shares::new(each_max, all_max), feeds_made: 0 }
    }

    pub(crate) fn get(&self, id: &str) -> Option<&Room> {
        self.by_id.get(id)
    }

    pub(crate) fn get_mut(&mut self, id: &str) -> Option<&mut Room> {
        self.by_id.get_mut(id)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Room> {
        self.by_id.values()
    }

    pub(crate) fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Adds a room, at the cost of an empty one if need be, whose last words are returned.
    ///
    /// Who has its whole share pays with a room of its own. Where all rooms are taken, the one that has been empty for
    /// longest ends, of an account that has at least as many: nobody takes a room from one who has fewer.
    ///
    /// # Errors
    /// There is no place, and no empty room that may be closed.
    pub(crate) fn add(&mut self, room: Room) -> Result<Vec<Said>, NoPlace> {
        let own = self.by_id.values().filter(|other| other.owner == room.owner).count();
        let mut last_words = Vec::new();
        if own >= limits::ROOMS_PER_TERMINAL_MAX {
            let ended = self.end_oldest_empty(|other, _| other.owner == room.owner);
            last_words.extend(ended.ok_or(NoPlace::OfTerminal)?);
        }
        if let Err(full) = self.shares.take(&room.holder) {
            let ended = match full {
                Exhausted::Own { .. } => self.end_oldest_empty(|other, _| other.holder == room.holder),
                Exhausted::All { .. } => self.end_for(&room.holder, None),
            };
            last_words.extend(ended.ok_or(NoPlace::Share(full))?);
            self.shares.take(&room.holder).map_err(NoPlace::Share)?;
        }
        self.by_id.insert(room.id.clone(), room);
        Ok(last_words)
    }

    /// Ends the empty room that has to give way to one of this holder, but for the one named.
    pub(crate) fn end_for(&mut self, holder: &Holder, but: Option<&str>) -> Option<Vec<Said>> {
        let own = self.shares.held_by(holder);
        self.end_oldest_empty(|other, shares| {
            let may_end = other.holder == *holder || shares.held_by(&other.holder) >= own;
            may_end && but != Some(other.id.as_str())
        })
    }

    fn end_oldest_empty(&mut self, may_end: impl Fn(&Room, &Shares<Holder>) -> bool) -> Option<Vec<Said>> {
        let candidates = self.by_id.values().filter(|room| may_end(room, &self.shares));
        let empty = candidates.filter_map(|room| Some((room.empty_since()?, room.id.clone())));
        let (_, oldest) = empty.min()?;
        Some(self.lapse(&oldest))
    }

    /// Rooms that have been empty for as long as they may be; their last words by the keys of their news.
    pub(crate) fn end_empty(&mut self, now: Instant) -> Vec<(TerminalKey, Vec<Said>)> {
        let over = |room: &&Room| room.empty_since().is_some_and(|since| now.since(since) >= room.empty_kept);
        let over: Vec<(TerminalKey, String)> =
            self.by_id.values().filter(over).map(|room| (room.key, room.id.clone())).collect();
        over.into_iter().map(|(key, id)| (key, self.lapse(&id))).collect()
    }

    /// An empty room ends by itself: who made it is told.
    fn lapse(&mut self, id: &str) -> Vec<Said> {
        let Some(room) = self.by_id.get(id) else { return Vec::new() };
        tracing::debug!(room = id, owner = %room.owner.name, "an empty room has ended");
        let Owner { name: owner, account } = room.owner.clone();
        let (node, event) = (room.holder.node(), RoomEvent::Lapsed { owner, account });
        let news = RoomNews { room: id.to_owned(), feed: 0, seq: 0, event };
        let mut said = self.close(id);
        said.push(Said::News(node, news));
        said
    }

    /// The member is in, and everybody is told. It may have been in before.
    pub(crate) fn enter(&mut self, now: Instant, id: &str, newcomer: Newcomer<'_>) -> Vec<Said> {
        self.feeds_made += 1;
        let number = self.feeds_made;
        self.by_id.get_mut(id).map_or_else(Vec::new, |room| room.enter(now, number, newcomer))
    }

    /// The room ends: it is forgotten, and everybody is told.
    pub(crate) fn close(&mut self, id: &str) -> Vec<Said> {
        let Some(mut room) = self.by_id.remove(id) else { return Vec::new() };
        self.shares.give_back(&room.holder);
        room.end()
    }

    /// Members of nodes that have not been heard of for too long are gone; nodes that should have been heard of are asked.
    pub(crate) fn expire(&mut self, now: Instant) -> Vec<(TerminalKey, Vec<Said>)> {
        let rooms = self.by_id.values_mut();
        rooms.map(|room| (room.key, room.expire(now))).filter(|(_, said)| !said.is_empty()).collect()
    }

    /// The node has begun another life: nobody of an earlier one is there any more.
    pub(crate) fn end_lives(
        &mut self,
        now: Instant,
        node: NodeId,
        life: NodeEpoch,
    ) -> Vec<(TerminalKey, Vec<Said>)> {
        let rooms = self.by_id.values_mut().filter(|room| room.has_older_life(node, life));
        rooms.map(|room| (room.key, room.drop_node(now, node))).collect()
    }

    /// What is taken by walking through the rooms; for tests of the tally.
    pub(crate) fn walked(&self) -> (usize, usize, usize) {
        let taken: Vec<Taken> = self.by_id.values().flat_map(Room::taken).collect();
        (self.shares.total(), taken.len(), taken.iter().map(|taken| taken.plain_ports).sum())
    }
}
