//! One node's part in the mesh: composes directory, resync, forwarding, interest and gathering.
//!
//! A pure machine: `handle_*` or one of the local verbs, then [`Router::poll_output`] until it is empty, then
//! [`Router::poll_timeout`]. What the verbs do is in the files below `router/`.

mod authority;
mod forward;
mod link;
mod local;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use taoyao_topology::Topology;
use taoyao_types::{
    Instant, NodeEpoch, NodeId, NodeName, Now, PartitionId, SessionEpoch, SignalId, TerminalKey, limits,
};
use taoyao_wire::link::sync::{Change, RefusedReason};
use taoyao_wire::link::{Failure, Lane, Sync, frame};

use crate::directory::Directory;
use crate::executions::Executions;
use crate::gather::Gathers;
use crate::interest::Interest;
use crate::journal::Journal;
use crate::neighbour::{Neighbour, NeighbourStatus, Queued, Side};
use crate::output::{Alarm, Delivery, NotTaken, Output};
use crate::pending::PendingTable;
use crate::presence::PresenceBuffer;
use crate::stats::Stats;

/// How often deadlines are looked at while something is pending.
const TICK: Duration = Duration::from_millis(100);
/// How often leases and tombstones are looked at.
const SLOW_TICK: Duration = Duration::from_secs(1);
/// Entries of ended lives that one turn frees.
const SWEEP_BUDGET: usize = 4_096;

/// The mesh's machine of one node.
#[derive(Debug)]
pub struct Router {
    topology: Arc<Topology>,
    rights: authority::Rights,
    own: NodeId,
    name: NodeName,
    home: PartitionId,
    epoch: NodeEpoch,
    /// Whether a parent remembered a higher life of this node, since it was started.
    was_outlived: bool,
    started: Instant,
    /// When the children were told the time.
    time_told_at: Instant,
    /// Set once this node's directory holds all that its children know, or they were waited for long enough.
    ready: bool,
    /// Counts this node's signals.
    count: u64,
    /// Counts the records of this node's own terminals.
    seq: u64,
    /// The newest session of any of them.
    newest: SessionEpoch,
    /// The topology: who may ever be here, fixed at the start.
    neighbours: BTreeMap<NodeId, Neighbour>,
    parent: Option<NodeId>,
    directory: Directory,
    /// Terminals of this node whose records the parent does not take.
    not_taken: BTreeMap<TerminalKey, RefusedReason>,
    journal: Journal,
    pending: PendingTable,
    executions: Executions,
    interest: Interest,
    presence: PresenceBuffer,
    gathers: Gathers,
    traces: BTreeMap<u64, local::Tracing>,
    trace_count: u64,
    tick_at: Instant,
    outputs: VecDeque<Output>,
    stats: Stats,
}

impl Router {
    /// The machine of the node `own`, which must be in the topology, in its life `epoch`.
    pub fn new(topology: Arc<Topology>, own: NodeId, epoch: NodeEpoch, now: Now) -> Option<Self> {
        let node = topology.node(own)?;
        let (name, home) = (node.name.clone(), PartitionId::of(node.home_partition()));
        let parent = node.parent();
        let mut neighbours = BTreeMap::new();
        for id in node.children.iter().chain(&parent) {
            let name = topology.node(*id)?.name.clone();
            let make = if Some(*id) == parent { Neighbour::parent } else { Neighbour::child };
            neighbours.insert(*id, make(*id, name));
        }
        Some(Self {
            own,
            name,
            home,
            epoch,
            was_outlived: false,
            started: now.mono,
            time_told_at: now.mono,
            ready: node.children.is_empty(),
            count: 0,
            seq: 0,
            newest: SessionEpoch(0),
            neighbours,
            parent,
            directory: Directory::default(),
            not_taken: BTreeMap::new(),
            journal: Journal::default(),
            pending: PendingTable::new(topology.limits().pending_max),
            executions: Executions::default(),
            interest: Interest::new(own),
            presence: PresenceBuffer::default(),
            gathers: Gathers::default(),
            traces: BTreeMap::new(),
            trace_count: 0,
            tick_at: now.mono,
            outputs: VecDeque::new(),
            stats: Stats::default(),
            rights: authority::Rights::of(&topology),
            topology,
        })
    }

    pub fn directory(&self) -> &Directory {
        &self.directory
    }

    pub fn stats(&self) -> &Stats {
        &self.stats
    }

    /// Requests on their way through or from this node.
    pub fn pending(&self) -> usize {
        self.pending.len()
    }

    /// Requests that this node's terminals are answering.
    pub fn running(&self) -> usize {
        self.executions.running()
    }

    /// The neighbours and their links, parent first.
    pub fn neighbours(&self) -> Vec<NeighbourStatus> {
        let mut all: Vec<_> = self.neighbours.values().map(Neighbour::status).collect();
        all.sort_by_key(|status| (!status.is_parent, status.name.clone()));
        all
    }

    /// Whether all links of the topology are up and both sides agree on what is behind them.
    pub fn is_synced(&self) -> bool {
        self.neighbours.values().all(Neighbour::is_synced)
    }

    /// What the parent does not take of this node's own terminals, so that nobody elsewhere finds them.
    pub fn not_taken(&self) -> Option<NotTaken> {
        let reason = self.not_taken.values().max().copied()?;
        Some(NotTaken { terminals: self.not_taken.len(), reason })
    }

    /// The next thing to do; drain it after every `handle_*`.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When to call [`Router::handle_timeout`] at the latest.
    pub fn poll_timeout(&self) -> Instant {
        let upstream = self.parent.and_then(|parent| match &self.neighbours.get(&parent)?.side {
            Side::Parent(upstream) => upstream.poll_timeout(),
            Side::Child(_) => None,
        });
        let busy = !self.pending.is_empty() || !self.gathers.is_empty();
        let tick = if busy { self.tick_at + TICK } else { self.tick_at + SLOW_TICK };
        [upstream, self.presence.poll_timeout()].into_iter().flatten().fold(tick, Instant::min)
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Now) {
        self.flush_presence(now);
        if now.mono >= self.tick_at + TICK {
            self.tick_at = now.mono;
            self.expire_requests(now);
            self.expire_leases(now);
            self.tell_time(now);
            self.executions.expire(now.mono);
            self.stats.answers_kept_bytes = self.executions.bytes() as u64;
            self.directory.sweep(SWEEP_BUDGET, now.mono);
        }
        self.poll_upstream(now);
    }

    /// The link's own count of what it has not sent, which replaces the router's estimate.
    pub fn handle_queued(&mut self, now: Now, peer: NodeId, queued: Queued) {
        let Some(neighbour) = self.neighbours.get_mut(&peer) else { return };
        neighbour.queued = queued;
        if neighbour.is_parent() {
            self.poll_upstream(now);
        }
    }

    /// A new name for a signal of this node.
    fn next_id(&mut self) -> SignalId {
        self.count += 1;
        SignalId { origin: self.own, epoch: self.epoch, count: self.count }
    }

    /// What stands for this node itself where a signal's source is a terminal.
    fn own_source(&self) -> TerminalKey {
        TerminalKey::first_in(self.home)
    }

    /// Notes a change for the parent, if there is one.
    fn tell_upward(&mut self, change: Change) {
        if self.parent.is_some() {
            self.journal.push(change);
        }
    }

    /// Sends the parent what is due, as far as its link has room.
    fn poll_upstream(&mut self, now: Now) {
        self.ready = self.ready || self.children_are_read(now);
        let Some(parent) = self.parent else { return };
        loop {
            let Some(Neighbour { side: Side::Parent(upstream), queued, .. }) =
                self.neighbours.get_mut(&parent)
            else {
                return;
            };
            let full = queued.directory.max(queued.bulk) >= limits::DIRECTORY_QUEUE_BYTES_MAX;
            if full {
                return;
            }
            let next = upstream.poll(now.mono, &self.directory, &self.journal, self.ready);
            let Some((message, bulk)) = next else { return };
            if matches!(message, Sync::SnapshotEnd { .. }) {
                self.stats.snapshots_sent += 1;
            }
            self.send(parent, if bulk { Lane::Bulk } else { Lane::Directory }, frame::encode_sync(&message));
        }
    }

    fn children_are_read(&self, now: Now) -> bool {
        let mut children = self.neighbours.values().filter(|neighbour| !neighbour.is_parent());
        now.mono.since(self.started) >= limits::START_GRACE || children.all(Neighbour::is_synced)
    }

    fn send_sync(&mut self, peer: NodeId, lane: Lane, message: &Sync) {
        self.send(peer, lane, frame::encode_sync(message));
    }

    fn send(&mut self, peer: NodeId, lane: Lane, frame: Bytes) {
        let Some(neighbour) = self.neighbours.get_mut(&peer).filter(|n| n.is_up()) else { return };
        if let Some(queued) = neighbour.queued.on(lane) {
            *queued += frame.len();
        }
        self.outputs.push_back(Output::ToLink { peer, lane, frame });
    }

    fn deliver(&mut self, delivery: Delivery) {
        self.outputs.push_back(Output::Deliver(delivery));
    }

    fn alarm(&mut self, alarm: Alarm) {
        self.outputs.push_back(Output::Alarm(alarm));
    }

    /// A node's name; its hex digits if another generation of the topology has it.
    fn name_of(&self, node: NodeId) -> String {
        self.topology.node(node).map_or_else(|| node.hex(), |node| node.name.to_string())
    }

    /// The same of a partition.
    fn name_of_partition(&self, id: PartitionId) -> String {
        self.topology.partition(id).map_or_else(|| id.hex(), |partition| partition.name.to_string())
    }

    fn unreachable(&self, reason: impl Into<String>) -> Failure {
        Failure::Unreachable { node: self.name.clone(), reason: reason.into() }
    }
}
