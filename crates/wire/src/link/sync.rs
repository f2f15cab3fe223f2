//! The upkeep between two neighbours: who is behind which link, and who wants to hear of whom.

use serde::{Deserialize, Serialize};
use taoyao_types::{NodeEpoch, NodeId, PartitionId, TerminalKey, Version, Wall};

/// Where a terminal is: one route record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    pub key: TerminalKey,
    /// The node that the terminal is connected to.
    pub origin: NodeId,
    pub version: Version,
}

/// One change of a directory, in the order in which it happened at the sender.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Change {
    /// The terminal is here.
    #[serde(rename = "a")]
    Add(Record),
    /// The terminal is gone; the version is the last one it had.
    #[serde(rename = "w")]
    Withdraw(Record),
    /// The way to it is lost for now; unlike a withdrawn one, the same record may come back.
    #[serde(rename = "l")]
    Lose(Record),
    /// Everything of this node's life up to `epoch` is gone: it restarted, or the way to it was lost for too long.
    #[serde(rename = "o")]
    WithdrawOrigin { origin: NodeId, epoch: NodeEpoch },
}

/// A message of the directory's upkeep.
///
/// A child's changes carry a position in the child's log; the parent says how far it got and the child goes on from
/// there, out of its journal while that reaches back far enough, by a snapshot otherwise.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Sync {
    /// Parent to child, first: what the parent still holds of this child. `last_life` is the highest life of the child that it
    /// remembers, which takes nothing of a lower one. `digest` is where a later version puts the root of its comparison tree;
    /// this version sends none and ignores what it gets.
    Resume {
        epoch: NodeEpoch,
        last_life: NodeEpoch,
        applied: u64,
        snapshot: Option<SnapshotMark>,
        #[serde(default)]
        digest: Option<u64>,
    },
    /// Parent to child, first and every [`taoyao_types::limits::CLOCK_TOLD_EVERY`]: the time by which it judges sessions.
    Clock { wall: Wall },
    /// Child to parent: the gap comes from the journal, from `applied` on.
    Journal { applied: u64 },
    /// Child to parent: a snapshot follows on the bulk connection; changes go on from position `at`.
    SnapshotBegin { mark: SnapshotMark },
    /// Child to parent: all records with keys in (`after`, `until`].
    SnapshotChunk { id: u64, after: Option<TerminalKey>, until: TerminalKey, records: Vec<Record> },
    /// Child to parent: that was all; what the snapshot did not name is gone.
    SnapshotEnd { id: u64, after: Option<TerminalKey> },
    /// Child to parent: the changes at log positions `first`, `first + 1`, …
    Changes { first: u64, changes: Vec<Change> },
    /// Parent to child: everything up to this log position is in the parent's directory.
    Applied { through: u64, complete: bool },
    /// Parent to child: a newer session of this terminal was seen; yours is over.
    Displaced(Displacement),
    /// Parent to child: this record was not taken.
    Refused { key: TerminalKey, version: Version, reason: RefusedReason },
    /// Both ways: the complete set of partitions whose presence the sender wants from the receiver. For those in
    /// `refresh` it wants the present members now.
    Interest { partitions: Vec<PartitionId>, refresh: Vec<PartitionId> },
}

/// That a terminal has, or had, a session newer than the one that was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Displacement {
    pub key: TerminalKey,
    /// Where the newer session is; none if it has ended since.
    pub origin: Option<NodeId>,
    pub version: Version,
}

/// How far a snapshot got: which one, the log position it started at, and the last key that arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotMark {
    pub id: u64,
    pub at: u64,
    pub after: Option<TerminalKey>,
}

/// Why a parent did not take a child's record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, thiserror::Error)]
pub enum RefusedReason {
    /// The topology delegates the partition to no node at or below the child.
    #[error("the partition is not delegated to it")]
    NotDelegated,
    /// The session epoch is further ahead of the parent's clock than allowed.
    #[error("its clock is too far ahead")]
    ClockAhead,
    /// The child has as many records as it may have.
    #[error("it has as many terminals as it may have")]
    TooMany,
    /// The origin is not at or below the child.
    #[error("the terminal's node is not below it")]
    ForeignOrigin,
    /// A later life of the origin is remembered: its state was restored from a backup, or another node runs under its name.
    #[error("a later life of this node is remembered")]
    PastLife,
}
