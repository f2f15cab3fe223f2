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

/// All scopes, in their order.
pub const SCOPES: [Scope; 7] =
    [Scope::See, Scope::Presence, Scope::Call, Scope::Broadcast, Scope::Control, Scope::Room, Scope::Record];

impl Scope {
    /// As policy is written in the topology file.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::See => "see",
            Self::Presence => "presence",
            Self::Call => "call",
            Self::Broadcast => "broadcast",
            Self::Control => "control",
            Self::Room => "room",
            Self::Record => "record",
        }
    }
}

/// The question that policy is asked before something is carried out: at the node where it begins, and again where it
/// ends. Every signal, every payload between nodes and every path of REST has one, or says why it needs none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asks {
    /// Whether the partition of the one who wants it may do this towards the other partition.
    Scope(Scope),
    /// No question, and this is why: a phrase for the tables of the protocol.
    Nothing(&'static str),
}

impl Asks {
    /// The scope that is asked for, if any.
    pub const fn scope(self) -> Option<Scope> {
        match self {
            Self::Scope(scope) => Some(scope),
            Self::Nothing(_) => None,
        }
    }

    /// Whether there is a scope, or a reason for having none.
    pub const fn is_decided(self) -> bool {
        match self {
            Self::Scope(_) => true,
            Self::Nothing(why) => !why.is_empty(),
        }
    }
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
