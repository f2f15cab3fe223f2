//! What one partition may do with another: the words that policy is written in.

use serde::{Deserialize, Serialize};

use crate::name::PartitionName;

/// One thing that a terminal of a partition may do towards another partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// Find its terminals in lists and ask for their state.
    See,
    /// Be told when its terminals come and go.
    Presence,
    /// Start a peer-to-peer session with, or send a unicast to, one of its terminals.
    Call,
    /// Reach its terminals by `client::broadcast`.
    Broadcast,
    /// Send `control::*` to one of its terminals: turn its camera, change its picture, have it record.
    Control,
    /// Enter one of its rooms, or invite one of its terminals into a room.
    Room,
    /// Have a node record one of its terminals in a room.
    Record,
}

/// Whether a rule lets through or stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    Allow,
    Deny,
}

/// One line of policy between partitions of one organisation; a partition stands for all that lie within it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyRule {
    /// What logs, metrics and refusals call this rule.
    pub id: String,
    pub verdict: Verdict,
    pub from: PartitionName,
    pub to: PartitionName,
    pub scopes: Vec<Scope>,
}
