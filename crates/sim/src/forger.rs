//! A node in the place of a region that tells its parent what it may not, and answers nobody below it.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use fastrand::Rng;
use taoyao_core::Input;
use taoyao_topology::Topology;
use taoyao_types::{
    NodeEpoch, NodeId, Now, PartitionId, SessionEpoch, SignalId, TerminalKey, TerminalName, Version,
};
use taoyao_wire::Class;
use taoyao_wire::link::frame::{encode_signal, encode_sync};
use taoyao_wire::link::sync::{RefusedReason, SnapshotMark};
use taoyao_wire::link::{
    Change, Complete, Displacement, Frame, Header, Kind, Lane, Message, Payload, PresenceNews, Record, Reply,
    Sync, Target,
};

/// Stands in everything that no terminal may ever hear.
pub(crate) const MARK: &str = "forged";
/// Frames that it remembers, to say them again.
const OVERHEARD_MAX: usize = 64;
const NEWEST: Version =
    Version { session: SessionEpoch(u64::MAX), epoch: NodeEpoch(u32::MAX), seq: u64::MAX };

/// Frames for its parent.
pub(crate) type Forgeries = Vec<(Lane, Bytes)>;

/// Its certificate is good, so it has a link; what it may say over it is all that stands between it and the others.
#[derive(Debug)]
pub(crate) struct Forger {
    pub(crate) own: NodeId,
    pub(crate) parent: NodeId,
    topology: Arc<Topology>,
    /// Terminals that are none of its business.
    victims: Vec<TerminalName>,
    /// The position of its last change, once the parent waits for changes.
    told: Option<u64>,
    snapshots: u64,
    signals: u64,
    overheard: Forgeries,
    /// The newest signal of each node that came by. Ids are counted, so the next ones can be guessed.
    newest: BTreeMap<NodeId, SignalId>,
}

impl Forger {
    pub(crate) fn new(topology: Arc<Topology>, own: NodeId, parent: NodeId) -> Self {
        Self {
            own,
            parent,
            topology,
            victims: Vec::new(),
            told: None,
            snapshots: 0,
            signals: 0,
            overheard: Vec::new(),
            newest: BTreeMap::new(),
        }
    }

    /// Whether it may register terminals of this partition: then it may also take them away from others.
    pub(crate) fn may_register(&self, partition: PartitionId) -> bool {
        self.topology.may_register(self.own, partition)
    }

    pub(crate) fn aim_at(&mut self, victim: TerminalName) {
        if !self.may_register(PartitionId::of(&victim.partition)) {
            self.victims.push(victim);
        }
    }

    /// Keeps to the protocol as far as that makes the parent listen.
    pub(crate) fn hear(&mut self, input: Input) -> Forgeries {
        match input {
            Input::LinkUp { peer, .. } | Input::LinkDown { peer, .. } if peer == self.parent => {
                self.told = None;
                Vec::new()
            }
            Input::LinkFrame { peer, frame } if peer == self.parent => self.hear_parent(frame),
            _ => Vec::new(),
        }
    }

    fn hear_parent(&mut self, frame: Bytes) -> Forgeries {
        match Frame::decode(frame.clone()) {
            Ok(Frame::Sync(Sync::Resume { .. })) => {
                self.snapshots += 1;
                let mark = SnapshotMark { id: self.snapshots, at: 0, after: None };
                vec![(Lane::Directory, encode_sync(&Sync::SnapshotBegin { mark }))]
            }
            Ok(Frame::Sync(Sync::Applied { .. })) if self.told.is_none() => {
                self.told = Some(0);
                self.snapshot()
            }
            Ok(Frame::Signal(header, _)) => {
                self.newest.insert(header.id.origin, header.id);
                if self.overheard.len() == OVERHEARD_MAX {
                    self.overheard.remove(0);
                }
                self.overheard.push((Lane::Shard(header.shard()), frame));
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    /// A snapshot of terminals that are all somewhere else.
    fn snapshot(&self) -> Forgeries {
        let record = |name| Record { key: TerminalKey::of(name), origin: self.own, version: NEWEST };
        let mut records: Vec<Record> = self.victims.iter().map(record).collect();
        records.sort_by_key(|record| record.key);
        let (id, until) = (self.snapshots, records.last().map(|record| record.key));
        let chunk = until.map(|until| Sync::SnapshotChunk { id, after: None, until, records });
        let messages = chunk.into_iter().chain([Sync::SnapshotEnd { id, after: until }]);
        messages.map(|message| (Lane::Bulk, encode_sync(&message))).collect()
    }

    /// One thing that it may not say.
    pub(crate) fn forge(&mut self, now: Now, rng: &mut Rng) -> Forgeries {
        if self.told.is_none() || self.victims.is_empty() {
            return Vec::new();
        }
        match rng.u32(0..100) {
            0..40 => self.forge_change(now, rng),
            40..80 => self.forge_signal(rng),
            80..95 => self.repeat(rng),
            _ => self.talk_nonsense(rng),
        }
    }

    fn forge_change(&mut self, now: Now, rng: &mut Rng) -> Forgeries {
        let victim = self.victim(rng);
        let there = self.home_of(&victim);
        let key = TerminalKey::of(&victim);
        let own_key = TerminalKey::first_in(self.home());
        let fresh = Version { session: SessionEpoch(now.wall.0 << 16), epoch: NodeEpoch(1), seq: 1 };
        let bygone = Version { session: SessionEpoch(1 << 16), epoch: NodeEpoch(rng.u32(0..3)), seq: 1 };
        let future = Version { session: SessionEpoch((now.wall.0 + 60_000) << 16), ..fresh };
        let record = |key, origin, version| Record { key, origin, version };
        let change = match rng.u32(0..11) {
            0 => Change::Add(record(key, self.own, fresh)),
            1 => Change::Add(record(key, there, fresh)),
            2 => Change::Add(record(own_key, there, fresh)),
            3 => Change::Add(record(key, there, bygone)),
            4 => Change::Add(record(own_key, self.own, future)),
            5 => Change::Withdraw(record(key, there, NEWEST)),
            6 => Change::Withdraw(record(key, self.own, fresh)),
            7 => Change::Withdraw(record(own_key, there, fresh)),
            8 => Change::Lose(record(key, there, NEWEST)),
            9 => Change::WithdrawOrigin { origin: there, epoch: NodeEpoch(u32::MAX) },
            _ => Change::WithdrawOrigin { origin: self.parent, epoch: NodeEpoch(u32::MAX) },
        };
        let first = self.told.unwrap_or_default() + 1;
        self.told = Some(first);
        vec![(Lane::Directory, encode_sync(&Sync::Changes { first, changes: vec![change] }))]
    }

    fn forge_signal(&mut self, rng: &mut Rng) -> Forgeries {
        let (from, to) = (self.victim(rng), self.victim(rng));
        let (source, target) = (TerminalKey::of(&from), Target::Terminal(TerminalKey::of(&to)));
        let own_key = TerminalKey::first_in(self.home());
        let partition = PartitionId::of(&from.partition);
        let message = || Payload::Message { from: from.clone(), message: unicast() };
        let broadcast = || Payload::Broadcast { from: from.clone(), client_type: None, message: unicast() };
        let call = Payload::Call {
            from: from.clone(),
            account: taoyao_types::AccountTag::NOBODY,
            name: Some(MARK.to_owned()),
            session: MARK.to_owned(),
            audio: true,
            video: true,
        };
        let own_id = self.own_id();
        let foreign_id = SignalId { origin: self.home_of(&to), epoch: NodeEpoch(1), count: rng.u64(1..500) };
        let (kind, id, target, source, payload) = match rng.u32(0..11) {
            0 => (Kind::Event, own_id, target, source, message()),
            1 => (Kind::Event, own_id, target, own_key, message()),
            2 => (Kind::Event, foreign_id, target, source, message()),
            3 => (Kind::Request, own_id, target, source, call),
            4 => (Kind::Request, own_id, target, own_key, call),
            5 => (Kind::Multicast, own_id, Target::Members(partition), source, broadcast()),
            6 => (Kind::Multicast, own_id, Target::Members(self.home()), own_key, broadcast()),
            7 => (Kind::Multicast, own_id, Target::Watchers(partition), source, self.farewell(&from, rng)),
            8 => {
                (Kind::Multicast, own_id, Target::Watchers(self.shared()), own_key, self.farewell(&from, rng))
            }
            _ => return self.forge_answer(&to, rng),
        };
        let header = Header::new(kind, Class::Request, id, target, source);
        vec![(Lane::Shard(header.shard()), encode_signal(&header, &payload.encode()))]
    }

    /// Answers to requests that somebody else is being asked, as likely as not by a name it has no right to.
    fn forge_answer(&self, victim: &TerminalName, rng: &mut Rng) -> Forgeries {
        let Some(newest) = self.newest.values().nth(rng.usize(..self.newest.len().max(1))) else {
            return Vec::new();
        };
        let source = if rng.bool() { TerminalKey::of(victim) } else { TerminalKey::first_in(self.home()) };
        let state = format!("{{\"name\":\"{MARK}\"}}");
        let reply = match rng.bool() {
            true => Reply::Called { name: Some(MARK.to_owned()) },
            false => Reply::Status { state },
        };
        let ids = (1..=30).map(|ahead| SignalId { count: newest.count + ahead, ..*newest });
        ids.map(|id| {
            let header = Header::new(Kind::Answer, Class::Request, id, Target::Node(id.origin), source);
            (Lane::Shard(header.shard()), encode_signal(&header, &reply.encode()))
        })
        .collect()
    }

    /// News that all of the victim's partition have gone, in the name of their node.
    fn farewell(&self, victim: &TerminalName, rng: &mut Rng) -> Payload {
        let origin = if rng.bool() { self.home_of(victim) } else { self.own };
        let (partition, complete) = (victim.partition.clone(), Some(Complete::lost()));
        Payload::Presence(PresenceNews { partition, origin, complete, changes: Vec::new() })
    }

    /// What it has heard, as if it came from here.
    fn repeat(&self, rng: &mut Rng) -> Forgeries {
        let count = self.overheard.len();
        if count == 0 { Vec::new() } else { vec![self.overheard[rng.usize(..count)].clone()] }
    }

    /// What a child never says; its link is closed for it.
    fn talk_nonsense(&self, rng: &mut Rng) -> Forgeries {
        let victim = self.victim(rng);
        let (key, version) = (TerminalKey::of(&victim), NEWEST);
        let first = self.told.unwrap_or_default() + 7;
        let message = match rng.u32(0..4) {
            0 => Sync::Displaced(Displacement { key, origin: Some(self.own), version }),
            1 => Sync::Refused { key, version, reason: RefusedReason::TooMany },
            2 => Sync::Changes { first, changes: Vec::new() },
            _ => return vec![(Lane::Control, Bytes::from_static(b"\xff forged"))],
        };
        vec![(Lane::Directory, encode_sync(&message))]
    }

    fn victim(&self, rng: &mut Rng) -> TerminalName {
        self.victims[rng.usize(..self.victims.len())].clone()
    }

    fn own_id(&mut self) -> SignalId {
        self.signals += 1;
        SignalId { origin: self.own, epoch: NodeEpoch(1), count: self.signals }
    }

    fn home_of(&self, name: &TerminalName) -> NodeId {
        self.topology.partition(PartitionId::of(&name.partition)).map_or(self.parent, |there| there.owner)
    }

    /// Its own partition.
    fn home(&self) -> PartitionId {
        let node = self.topology.node(self.own).expect("it has a place in the topology");
        PartitionId::of(node.home_partition())
    }

    /// A partition that is served on both sides of its link, if there is one.
    fn shared(&self) -> PartitionId {
        let mut all = self.topology.partitions().filter(|partition| self.may_register(partition.id));
        let is_shared = |server: &NodeId| !self.topology.is_below(*server, self.own);
        all.find(|partition| partition.servers.iter().any(is_shared)).map_or(self.home(), |shared| shared.id)
    }
}

fn unicast() -> Message {
    Message {
        signal: "client::unicast".to_owned(),
        v: "1.0.0".to_owned(),
        code: "0000".to_owned(),
        text: MARK.to_owned(),
        body: Some(format!("{{\"for\":\"{MARK}\"}}")),
    }
}
