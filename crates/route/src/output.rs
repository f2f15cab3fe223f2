//! What the router wants done: frames for its neighbours, deliveries for this node's terminals, answers for people.

use bytes::Bytes;
use taoyao_types::{NodeEpoch, NodeId, PartitionId, SessionEpoch, SignalId, TerminalKey, Wall};
use taoyao_wire::link::sync::RefusedReason;
use taoyao_wire::link::{Failure, Lane, ListPage, ListQuery, Payload, PresenceNews, Reply, Trace};

/// One thing to do, in order.
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// Give the frame to the link.
    ToLink { peer: NodeId, lane: Lane, frame: Bytes },
    /// The neighbour broke the protocol: close its link and tell it why.
    CloseLink { peer: NodeId, reason: String },
    /// Something for this node's terminals.
    Deliver(Delivery),
    /// A list needs this node's own terminals: answer by `handle_local_list`.
    ListWanted { gather: u64, query: ListQuery },
    /// A trace that was asked for by number has ended.
    Traced { number: u64, result: Result<Trace, Failure> },
    /// A fact that an operator has to know.
    Alarm(Alarm),
    /// The parent's clock shows this time.
    ParentClock { wall: Wall },
    /// A parent remembers this higher life of this node: count on from there, and answer by `handle_new_life`.
    Outlived { last: NodeEpoch },
}

/// What the mesh brings to this node's terminals.
#[derive(Debug, Clone, PartialEq)]
pub enum Delivery {
    /// To be answered once by `reply` with this id.
    Request {
        id: SignalId,
        target: TerminalKey,
        payload: Payload,
        remaining_ms: u32,
    },
    /// The same for this node itself; `origin` is the node that asks.
    NodeRequest {
        id: SignalId,
        origin: NodeId,
        payload: Payload,
        remaining_ms: u32,
    },
    /// The end of an `ask`.
    Reply {
        ask: u64,
        reply: Reply,
    },
    /// The end of a `gather`.
    Gathered {
        ask: u64,
        page: ListPage,
    },
    /// Unanswered, for one terminal.
    Event {
        target: TerminalKey,
        payload: Payload,
    },
    /// Unanswered, for this node itself; `origin` is the node that tells.
    NodeEvent {
        origin: NodeId,
        payload: Payload,
    },
    /// For all of this node's terminals of the partition.
    Broadcast {
        partition: PartitionId,
        payload: Payload,
    },
    Presence(PresenceNews),
    /// Somebody wants to know who is here of these partitions.
    Refresh {
        partitions: Vec<PartitionId>,
    },
    /// The mesh above does not take this session of a terminal of this node, because it lies in the future.
    Refused {
        key: TerminalKey,
        session: SessionEpoch,
    },
    /// A newer session of this terminal lives at `origin`, or has lived and ended; `outbid` would beat it.
    Displaced {
        key: TerminalKey,
        origin: Option<NodeId>,
        outbid: SessionEpoch,
    },
}

/// What this node's parent does not take of its own terminals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotTaken {
    pub terminals: usize,
    /// Of one of them.
    pub reason: RefusedReason,
}

/// What only an operator can mend. Shown in the log at WARN and counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Alarm {
    /// A neighbour sent what its place in the topology does not allow.
    Authority { peer: NodeId, what: String },
    /// Policy does not let somebody see what it asked for, here or at another node.
    Denied { what: String },
    /// A parent did not take a record of this node's subtree.
    Refused { key: TerminalKey, reason: String },
    /// This node's clock is so many milliseconds ahead of its parent's, or behind if negative; it goes by the parent's.
    Clock { ahead_ms: i64 },
}
