//! The rooms of this node: members, and the feed of news to each node that has some.

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;

use taoyao_ortc::{Command, RecordCommand};
use taoyao_types::{
    Instant, NodeId, PartitionId, PartitionName, SessionEpoch, TerminalKey, TerminalName, limits,
};
use taoyao_wire::link::{ListEntry, MediaIds, Receiving, RoomEvent, RoomNews, RoomState, Welcome};
use taoyao_wire::terminal::state;

use super::media::Studio;
use crate::bucket::Bucket;

/// All rooms of this node by id.
#[derive(Debug, Default)]
pub(crate) struct Rooms {
    by_id: BTreeMap<String, Room>,
    feeds_made: u64,
}

#[derive(Debug)]
pub(crate) struct Room {
    pub(crate) id: String,
    pub(crate) partition: PartitionName,
    /// Orders the room's news on links.
    pub(crate) key: TerminalKey,
    pub(crate) name: Option<String>,
    pub(crate) media: String,
    /// Who made it.
    pub(crate) owner: TerminalName,
    /// Argon2id, as a PHC text.
    pub(crate) password: Option<String>,
    members: BTreeMap<TerminalName, Member>,
    feeds: BTreeMap<NodeId, Feed>,
    guesses: BTreeMap<TerminalName, Bucket>,
    /// Since when nobody is in it.
    empty_since: Option<Instant>,
    /// What its members send and receive; none where nobody carries it.
    pub(super) studio: Option<Studio>,
}

#[derive(Debug)]
struct Member {
    entry: ListEntry,
    /// The news of its node's feed that told of it.
    entered_at: u64,
}

/// Somebody who enters.
#[derive(Debug)]
pub(crate) struct Newcomer<'a> {
    pub(crate) entry: ListEntry,
    /// The request of its node that it waits for.
    pub(crate) tag: u64,
    pub(crate) receiving: &'a Receiving,
}

/// What one node is told of one room, in order.
#[derive(Debug)]
struct Feed {
    number: u64,
    last: u64,
    kept: VecDeque<RoomEvent>,
    heard_at: Instant,
}

/// What a room says, in the order in which it is to be said.
#[derive(Debug)]
pub(crate) enum Said {
    News(NodeId, RoomNews),
    ToMedia(Command),
    ToRecorder(RecordCommand),
}

impl Rooms {
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

    pub(crate) fn insert(&mut self, room: Room) {
        self.by_id.insert(room.id.clone(), room);
    }

    /// Makes room for one more of this owner, at the cost of an empty one, whose last words are returned; none if there is
    /// none to close.
    pub(crate) fn make_room(&mut self, owner: &TerminalName) -> Option<Vec<Said>> {
        let own = self.by_id.values().filter(|room| room.owner == *owner).count();
        let too_many_own = own >= limits::ROOMS_PER_TERMINAL_MAX;
        if !too_many_own && self.by_id.len() < limits::ROOMS_MAX {
            return Some(Vec::new());
        }
        let candidates = self.by_id.values().filter(|room| !too_many_own || room.owner == *owner);
        let empty = candidates.filter_map(|room| Some((room.empty_since?, room.id.clone())));
        let (_, oldest) = empty.min()?;
        Some(self.close(&oldest))
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
        let mut said = room.close_media();
        said.extend(room.tell_all(&RoomEvent::Closed));
        said
    }

    /// Members of nodes that have not been heard of for too long are gone.
    pub(crate) fn expire(&mut self, now: Instant) -> Vec<(TerminalKey, Vec<Said>)> {
        let mut news = Vec::new();
        for room in self.by_id.values_mut() {
            let late = |feed: &Feed| now.since(feed.heard_at) >= limits::ROOM_LEASE;
            let lost: Vec<NodeId> =
                room.feeds.iter().filter(|(_, feed)| late(feed)).map(|(node, _)| *node).collect();
            for node in lost {
                news.push((room.key, room.drop_node(now, node)));
            }
        }
        news
    }

    /// Whether any room has members, and thereby leases that may end.
    pub(crate) fn are_lived_in(&self) -> bool {
        self.by_id.values().any(|room| !room.feeds.is_empty())
    }
}

impl Room {
    pub(crate) fn new(
        now: Instant,
        id: String,
        owner: TerminalName,
        name: Option<String>,
        media: String,
        password: Option<String>,
    ) -> Self {
        let partition = owner.partition.clone();
        let key = key_of(&id, &partition);
        let (members, feeds, guesses) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        let empty_since = Some(now);
        let studio = None;
        Self {
            id,
            partition,
            key,
            name,
            media,
            owner,
            password,
            members,
            feeds,
            guesses,
            empty_since,
            studio,
        }
    }

    pub(crate) fn state(&self) -> RoomState {
        let size = u32::try_from(self.members.len()).unwrap_or(u32::MAX);
        RoomState {
            room: self.id.clone(),
            name: self.name.clone(),
            size,
            media: self.media.clone(),
            is_recorded: self.is_recorded(),
        }
    }

    pub(crate) fn has(&self, name: &TerminalName) -> bool {
        self.members.contains_key(name)
    }

    pub(crate) fn is_full(&self) -> bool {
        self.members.len() >= limits::ROOM_MEMBERS_MAX
    }

    pub(crate) fn members(&self) -> Vec<ListEntry> {
        self.members.values().map(|member| member.entry.clone()).collect()
    }

    /// The address that a member signals from, as its node sees it.
    pub(super) fn address_of(&self, name: &TerminalName) -> Option<IpAddr> {
        state::address(&self.members.get(name)?.entry.state)
    }

    /// What a member sends and receives.
    pub(crate) fn ids_of(&self, name: &TerminalName) -> MediaIds {
        self.studio.as_ref().map(|studio| studio.ids_of(name)).unwrap_or_default()
    }

    /// Whether this terminal may try a password now.
    pub(crate) fn may_guess(&mut self, now: Instant, name: &TerminalName) -> bool {
        let full = self.guesses.len() >= limits::ROOM_GUESSERS_MAX && !self.guesses.contains_key(name);
        // The others share the bucket of the room's owner, who seldom guesses.
        let name = if full { &self.owner } else { name };
        let bucket = self.guesses.entry(name.clone()).or_insert_with(|| {
            Bucket::new(now, limits::ROOM_GUESSES_PER_SECOND, limits::ROOM_GUESSES_AT_ONCE)
        });
        bucket.take(now, 1)
    }

    /// The right password takes no guess away.
    pub(crate) fn guessed_right(&mut self, name: &TerminalName) {
        self.guesses.remove(name);
    }

    fn enter(&mut self, now: Instant, number: u64, newcomer: Newcomer<'_>) -> Vec<Said> {
        let Newcomer { entry, tag, receiving } = newcomer;
        let (name, home) = (entry.name.clone(), entry.origin);
        let before = self.members.get(&name).map(|member| (member.entry.origin, member.entry.session));
        let mut news = Vec::new();
        if before.is_some_and(|(_, session)| session != entry.session) {
            news.extend(self.drop_media_of(&name));
        }
        if let Some((elsewhere, _)) = before.filter(|(before, _)| *before != home) {
            self.members.remove(&name);
            self.forget_if_empty(elsewhere);
        }
        let feed = self.feeds.entry(home).or_insert_with(|| Feed::new(now, number));
        let entered_at = feed.last + 1;
        self.members.insert(name, Member { entry: entry.clone(), entered_at });
        self.empty_since = None;
        if let Some(studio) = &mut self.studio {
            studio.seat(&entry.name, receiving);
        }
        for node in self.feeds.keys().copied().collect::<Vec<_>>() {
            // Who is there is written when it is told.
            let welcome = (node == home).then(|| Welcome { entry: tag, members: Vec::new() });
            let event = RoomEvent::Entered { newcomer: Box::new(entry.clone()), welcome };
            news.extend(self.tell(node, event));
        }
        if self.is_recorded() {
            news.extend(self.tell_state_to(&entry.name));
        }
        news
    }

    /// The member is out, and the others are told. Nothing happens if a newer session of it is in.
    pub(crate) fn leave(&mut self, now: Instant, name: &TerminalName, session: SessionEpoch) -> Vec<Said> {
        let Some(member) = self.members.get(name) else { return Vec::new() };
        if member.entry.session > session {
            return Vec::new();
        }
        let node = member.entry.origin;
        self.members.remove(name);
        self.note_emptiness(now);
        self.forget_if_empty(node);
        // What it sent and received ends before it is gone (reference section 5.10).
        let mut said = self.drop_media_of(name);
        said.extend(self.tell_all(&RoomEvent::Left { who: name.clone() }));
        said
    }

    /// To every node that has members.
    pub(crate) fn tell_all(&mut self, event: &RoomEvent) -> Vec<Said> {
        let nodes: Vec<NodeId> = self.feeds.keys().copied().collect();
        nodes.into_iter().filter_map(|node| self.tell(node, event.clone())).collect()
    }

    /// To the node of one member.
    pub(crate) fn tell_one(&mut self, name: &TerminalName, event: RoomEvent) -> Option<Said> {
        let node = self.members.get(name)?.entry.origin;
        self.tell(node, event)
    }

    fn tell(&mut self, node: NodeId, event: RoomEvent) -> Option<Said> {
        let feed = self.feeds.get_mut(&node)?;
        feed.last += 1;
        feed.kept.push_back(event.clone());
        if feed.kept.len() > limits::ROOM_NEWS_KEPT {
            feed.kept.pop_front();
        }
        let (feed, seq) = (feed.number, feed.last);
        let event = self.with_members(event);
        Some(Said::News(node, RoomNews { room: self.id.clone(), feed, seq, event }))
    }

    /// What is of this moment only, to every node that has members: it is told or lost.
    pub(super) fn mention(&self, event: &RoomEvent) -> Vec<Said> {
        let news = |(node, feed): (&NodeId, &Feed)| {
            let (room, event) = (self.id.clone(), event.clone());
            Said::News(*node, RoomNews { room, feed: feed.number, seq: 0, event })
        };
        self.feeds.iter().map(news).collect()
    }

    /// A welcome names those who are there when it is told: kept, it would hold all their states.
    fn with_members(&self, mut event: RoomEvent) -> RoomEvent {
        if let RoomEvent::Entered { welcome: Some(welcome), .. } = &mut event {
            welcome.members = self.members();
        }
        event
    }

    /// A node of members says how far it has heard; what it has missed is sent again. None if it has missed too much.
    pub(crate) fn catch_up(
        &mut self,
        now: Instant,
        node: NodeId,
        number: u64,
        next: u64,
    ) -> Option<Vec<Said>> {
        let feed = self.feeds.get_mut(&node).filter(|feed| feed.number == number)?;
        feed.heard_at = now;
        let missing = feed.last.checked_sub(next.checked_sub(1)?)?;
        let missing = usize::try_from(missing).ok().filter(|missing| *missing <= feed.kept.len())?;
        let skipped = feed.kept.len() - missing;
        let feed = self.feeds.get(&node)?;
        let news = |(event, seq): (&RoomEvent, u64)| {
            let (room, event) = (self.id.clone(), self.with_members(event.clone()));
            Said::News(node, RoomNews { room, feed: feed.number, seq, event })
        };
        Some(feed.kept.iter().skip(skipped).zip(next..).map(news).collect())
    }

    /// Members at `node` that it should know of, having heard the news before `next`, but does not name.
    pub(crate) fn ghosts(&self, node: NodeId, next: u64, named: &[TerminalName]) -> Vec<TerminalName> {
        let at_node = self.members.iter().filter(|(_, member)| member.entry.origin == node);
        let unknown = at_node.filter(|(name, member)| member.entered_at < next && !named.contains(name));
        unknown.map(|(name, _)| name.clone()).collect()
    }

    /// Whether the terminal is a member at that node.
    pub(crate) fn has_at(&self, name: &TerminalName, node: NodeId) -> bool {
        self.members.get(name).is_some_and(|member| member.entry.origin == node)
    }

    /// All members at `node` are out, and the others are told.
    pub(crate) fn drop_node(&mut self, now: Instant, node: NodeId) -> Vec<Said> {
        self.feeds.remove(&node);
        let lost: Vec<TerminalName> = self
            .members
            .iter()
            .filter(|(_, m)| m.entry.origin == node)
            .map(|(name, _)| name.clone())
            .collect();
        lost.iter().flat_map(|name| self.leave(now, name, SessionEpoch(u64::MAX))).collect()
    }

    fn note_emptiness(&mut self, now: Instant) {
        if self.members.is_empty() {
            self.empty_since = Some(now);
        }
    }

    fn forget_if_empty(&mut self, node: NodeId) {
        if !self.members.values().any(|member| member.entry.origin == node) {
            self.feeds.remove(&node);
        }
    }
}

/// Rooms spread over a link's streams as terminals do.
fn key_of(id: &str, partition: &PartitionName) -> TerminalKey {
    let in_partition = |client| TerminalKey::of(&TerminalName { client, partition: partition.clone() });
    id.parse().map_or_else(|_| TerminalKey::first_in(PartitionId::of(partition)), in_partition)
}

impl Feed {
    fn new(now: Instant, number: u64) -> Self {
        Self { number, last: 0, kept: VecDeque::new(), heard_at: now }
    }
}
