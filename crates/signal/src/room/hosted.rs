//! One room of this node: its members, and the feed of news to each node that has some.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use taoyao_ortc::{Command, RecordCommand};
use taoyao_types::{
    AccountTag, Instant, NodeEpoch, NodeId, PartitionId, PartitionName, SessionEpoch, TerminalKey,
    TerminalName, limits,
};
use taoyao_wire::link::{ListEntry, MediaIds, Receiving, RoomEvent, RoomNews, RoomState, Welcome};
use taoyao_wire::terminal::state;

use super::door::Door;
use super::media::Studio;
use super::shares::{Holder, Taken};

#[derive(Debug)]
pub(crate) struct Room {
    pub(crate) id: String,
    pub(crate) partition: PartitionName,
    /// Orders the room's news on links.
    pub(crate) key: TerminalKey,
    pub(crate) name: Option<String>,
    pub(crate) media: String,
    pub(crate) owner: Owner,
    /// Who is charged for it.
    pub(crate) holder: Holder,
    /// How long it stays without members.
    pub(crate) empty_kept: Duration,
    /// Argon2id, as a PHC text.
    pub(crate) password: Option<String>,
    pub(crate) door: Door,
    members: BTreeMap<TerminalName, Member>,
    feeds: BTreeMap<NodeId, Feed>,
    /// Since when nobody is in it.
    empty_since: Option<Instant>,
    /// What its members send and receive; none where nobody carries it.
    pub(super) studio: Option<Studio>,
}

#[derive(Debug)]
struct Member {
    entry: ListEntry,
    /// Its state in lists that have no place for whole ones.
    brief: String,
    account: AccountTag,
    /// The news of its node's feed that told of it.
    entered_at: u64,
}

/// Somebody who enters.
#[derive(Debug)]
pub(crate) struct Newcomer<'a> {
    pub(crate) entry: ListEntry,
    pub(crate) account: AccountTag,
    /// The request of its node that it waits for.
    pub(crate) tag: u64,
    pub(crate) receiving: &'a Receiving,
}

/// What one node is told of one room, in order.
#[derive(Debug)]
struct Feed {
    number: u64,
    last: u64,
    /// The node's life in which its members entered.
    life: NodeEpoch,
    heard_at: Instant,
}

/// Who made a room: a terminal, under its account. A namesake under another account is somebody else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Owner {
    pub(crate) name: TerminalName,
    pub(crate) account: AccountTag,
}

/// What a room says, in the order in which it is to be said.
#[derive(Debug)]
pub(crate) enum Said {
    News(NodeId, RoomNews),
    ToMedia(Command),
    ToRecorder(RecordCommand),
    /// No node asks for this feed any more.
    FeedEnds(u64),
    /// A transport is no more.
    Freed(Taken),
}

impl Room {
    pub(crate) fn new(now: Instant, state: RoomState, owner: Owner, holder: Holder) -> Self {
        let RoomState { room: id, name, media, .. } = state;
        let partition = owner.name.partition.clone();
        Self {
            key: key_of(&id, &partition),
            id,
            partition,
            name,
            media,
            owner,
            holder,
            empty_kept: limits::ROOM_EMPTY_KEPT,
            password: None,
            door: Door::default(),
            members: BTreeMap::new(),
            feeds: BTreeMap::new(),
            empty_since: Some(now),
            studio: None,
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

    /// Since when the room may end for want of members: none while somebody is in it, or it is still being opened.
    pub(crate) fn empty_since(&self) -> Option<Instant> {
        let is_busy = self.studio.as_ref().is_some_and(Studio::is_busy);
        self.empty_since.filter(|_| !is_busy)
    }

    pub(crate) fn has(&self, name: &TerminalName) -> bool {
        self.members.contains_key(name)
    }

    /// Whether a request of this terminal, under this account and from this node, is a member's.
    pub(crate) fn is_member(&self, name: &TerminalName, account: AccountTag, origin: NodeId) -> bool {
        let member = self.members.get(name);
        member.is_some_and(|member| member.account == account && member.entry.origin == origin)
    }

    pub(crate) fn is_owner(&self, name: &TerminalName, account: AccountTag) -> bool {
        account != AccountTag::NOBODY && self.owner.account == account && self.owner.name == *name
    }

    pub(crate) fn is_full(&self) -> bool {
        self.members.len() >= limits::ROOM_MEMBERS_MAX
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &TerminalName> {
        self.members.keys()
    }

    /// Names and nodes.
    pub(crate) fn places(&self) -> impl Iterator<Item = (&TerminalName, NodeId)> {
        self.members.iter().map(|(name, member)| (name, member.entry.origin))
    }

    /// All members, so that they fit into one frame of a link: with their whole states, or with brief ones if those are
    /// longer than [`limits::ROOM_MEMBERS_BYTES_MAX`] together.
    pub(crate) fn members(&self) -> Vec<ListEntry> {
        let bytes: usize = self.members.values().map(|member| member.entry.state.len()).sum();
        let is_whole = bytes <= limits::ROOM_MEMBERS_BYTES_MAX;
        let told = |Member { entry, brief, .. }: &Member| match is_whole {
            true => entry.clone(),
            false => ListEntry {
                name: entry.name.clone(),
                origin: entry.origin,
                life: entry.life,
                session: entry.session,
                state: brief.clone(),
            },
        };
        self.members.values().map(told).collect()
    }

    /// The address that a member signals from, as its node sees it.
    pub(super) fn address_of(&self, name: &TerminalName) -> Option<IpAddr> {
        state::address(&self.members.get(name)?.entry.state)
    }

    /// The state of a member as it was when it entered, as JSON text.
    pub(super) fn state_of(&self, name: &TerminalName) -> Option<&str> {
        self.members.get(name).map(|member| member.entry.state.as_str())
    }

    /// What a member sends and receives.
    pub(crate) fn ids_of(&self, name: &TerminalName) -> MediaIds {
        self.studio.as_ref().map(|studio| studio.ids_of(name)).unwrap_or_default()
    }

    /// What its members have taken of the node.
    pub(crate) fn taken(&self) -> Vec<Taken> {
        self.studio.iter().flat_map(Studio::taken).collect()
    }

    pub(super) fn enter(&mut self, now: Instant, number: u64, newcomer: Newcomer<'_>) -> Vec<Said> {
        let Newcomer { entry, account, tag, receiving } = newcomer;
        let (name, home) = (entry.name.clone(), entry.origin);
        let before = self.members.get(&name).map(|member| (member.entry.origin, member.entry.session));
        let mut news = Vec::new();
        if before.is_some_and(|before| before != (home, entry.session)) {
            news.extend(self.drop_media_of(&name));
        }
        if let Some((elsewhere, _)) = before.filter(|(before, _)| *before != home) {
            self.members.remove(&name);
            news.extend(self.forget_if_empty(elsewhere));
        }
        let feed = self.feeds.entry(home).or_insert_with(|| Feed::new(now, number, entry.life));
        let entered_at = feed.last + 1;
        let brief = state::brief(&entry.state);
        self.members.insert(name.clone(), Member { entry: entry.clone(), brief, account, entered_at });
        self.door.let_in(account, &name);
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

    /// The member is out, and the others are told. Nothing happens if it is in by another node, or if a newer session of
    /// it is: then the one that leaves was displaced, whatever number it took to stay.
    pub(crate) fn leave(
        &mut self,
        now: Instant,
        name: &TerminalName,
        origin: NodeId,
        session: SessionEpoch,
    ) -> Vec<Said> {
        let member = self.members.get(name);
        if member.is_none_or(|member| member.entry.origin != origin || member.entry.session > session) {
            return Vec::new();
        }
        self.remove(now, name)
    }

    fn remove(&mut self, now: Instant, name: &TerminalName) -> Vec<Said> {
        let Some(member) = self.members.remove(name) else { return Vec::new() };
        if self.members.is_empty() {
            self.empty_since = Some(now);
        }
        let mut said: Vec<Said> = self.forget_if_empty(member.entry.origin).into_iter().collect();
        // What it sent and received ends before it is gone (reference section 5.10).
        said.extend(self.drop_media_of(name));
        said.extend(self.tell_all(&RoomEvent::Left { who: name.clone() }));
        said
    }

    /// The room is no more, and everybody is told.
    pub(super) fn end(&mut self) -> Vec<Said> {
        let mut said = self.close_media();
        said.extend(self.tell_all(&RoomEvent::Closed));
        said.extend(self.feeds.values().map(|feed| Said::FeedEnds(feed.number)));
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
        let (feed, seq) = (feed.number, feed.last);
        Some(Said::News(node, RoomNews { room: self.id.clone(), feed, seq, event }))
    }

    /// What is of this moment only, to every node that has members: it is told or lost.
    pub(super) fn mention(&self, event: &RoomEvent) -> Vec<Said> {
        self.feeds.keys().filter_map(|node| self.mention_to(*node, event.clone())).collect()
    }

    fn mention_to(&self, node: NodeId, event: RoomEvent) -> Option<Said> {
        let feed = self.feeds.get(&node)?.number;
        Some(Said::News(node, RoomNews { room: self.id.clone(), feed, seq: 0, event }))
    }

    /// A node of members says which feed it hears; the number of the last news of it. None if it has another one.
    pub(crate) fn hear_of(&mut self, now: Instant, node: NodeId, number: u64) -> Option<u64> {
        let feed = self.feeds.get_mut(&node).filter(|feed| feed.number == number)?;
        feed.heard_at = now;
        Some(feed.last)
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

    /// Whether members of a life of the node that is over are here.
    pub(super) fn has_older_life(&self, node: NodeId, life: NodeEpoch) -> bool {
        self.feeds.get(&node).is_some_and(|feed| feed.life < life)
    }

    /// Nodes that have not compared for too long are dropped; those that are late are asked to.
    pub(super) fn expire(&mut self, now: Instant) -> Vec<Said> {
        let silent = |feed: &Feed| now.since(feed.heard_at);
        let is_late = |feed: &Feed| silent(feed) > limits::ROOM_CHECK;
        let late: Vec<(NodeId, u64, bool)> = self
            .feeds
            .iter()
            .filter(|(_, feed)| is_late(feed))
            .map(|(node, feed)| (*node, feed.last, silent(feed) >= limits::ROOM_LEASE))
            .collect();
        let mut said = Vec::new();
        for (node, last, is_over) in late {
            match is_over {
                true => said.extend(self.drop_node(now, node)),
                false => said.extend(self.mention_to(node, RoomEvent::Missed { last })),
            }
        }
        said
    }

    /// All members at `node` are out, and the others are told.
    pub(crate) fn drop_node(&mut self, now: Instant, node: NodeId) -> Vec<Said> {
        let feed = self.feeds.remove(&node);
        let mut said: Vec<Said> = feed.map(|feed| Said::FeedEnds(feed.number)).into_iter().collect();
        let lost = self.members.iter().filter(|(_, member)| member.entry.origin == node);
        let lost: Vec<TerminalName> = lost.map(|(name, _)| name.clone()).collect();
        said.extend(lost.iter().flat_map(|name| self.remove(now, name)));
        said
    }

    fn forget_if_empty(&mut self, node: NodeId) -> Option<Said> {
        if self.members.values().any(|member| member.entry.origin == node) {
            return None;
        }
        self.feeds.remove(&node).map(|feed| Said::FeedEnds(feed.number))
    }
}

/// Rooms spread over a link's streams as terminals do.
fn key_of(id: &str, partition: &PartitionName) -> TerminalKey {
    let in_partition = |client| TerminalKey::of(&TerminalName { client, partition: partition.clone() });
    id.parse().map_or_else(|_| TerminalKey::first_in(PartitionId::of(partition)), in_partition)
}

impl Feed {
    fn new(now: Instant, number: u64, life: NodeEpoch) -> Self {
        Self { number, last: 0, life, heard_at: now }
    }
}
