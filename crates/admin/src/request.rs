//! What the listener asks the node.

use serde_json::Value;
use taoyao_types::{Asks, PartitionName, Scope};
use tokio::sync::oneshot;

use crate::metrics::Sample;

/// One question to the node. A `reply` that is dropped is answered with 503.
#[derive(Debug)]
pub enum AdminRequest {
    /// What is not ready, one line each; nothing: the node is ready.
    Ready { reply: oneshot::Sender<Vec<String>> },
    /// All metrics as of now.
    Metrics { reply: oneshot::Sender<Vec<Sample>> },
    /// A question with a JSON answer.
    Api { query: AdminQuery, reply: oneshot::Sender<Result<Value, AdminFailure>> },
}

/// A question of `/api/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AdminQuery {
    Status,
    /// At most `limit` terminals (1 to `limits::LIST_ENTRIES_MAX`), of one partition or of all, behind the one named `after`.
    Terminals {
        partition: Option<PartitionName>,
        limit: usize,
        after: Option<String>,
    },
    Links,
    /// End the session of a terminal that is connected to this node.
    CloseTerminal {
        terminal: String,
    },
    /// At most `limit` alarms (1 to `limits::ALARMS_KEPT`), the newest first.
    Alarms {
        limit: usize,
    },
    /// The way between two terminals, named as terminals name each other: bare at home, else `clientId@partition`.
    Trace {
        from: String,
        to: String,
    },
    /// The rooms of this node.
    Rooms,
    /// One of them, with all that is sent and received in it.
    Room {
        id: String,
    },
    /// At most `limit` recordings (1 to `limits::LIST_ENTRIES_MAX`), the newest first: of one room or of all, begun at `since`
    /// (Unix milliseconds) or later.
    Recordings {
        room: Option<String>,
        since: u64,
        limit: usize,
    },
    /// One of them.
    Recording {
        id: String,
    },
    Drain,
}

impl AdminQuery {
    /// What policy is asked, from the node's home partition: who has the node's token sees its machine, but of other nodes'
    /// terminals only what terminals of that partition do.
    pub const fn asks(&self) -> Asks {
        match self {
            Self::Terminals { .. } | Self::Trace { .. } => Asks::Scope(Scope::See),
            Self::Status
            | Self::Links
            | Self::Alarms { .. }
            | Self::Rooms
            | Self::Room { .. }
            | Self::Recordings { .. }
            | Self::Recording { .. }
            | Self::CloseTerminal { .. }
            | Self::Drain => Asks::Nothing("the node itself, for who has its token"),
        }
    }
}

/// Why the node does not answer a question, as an HTTP status (400 to 599) and a sentence for the operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdminFailure {
    pub status: u16,
    pub message: String,
}

impl AdminFailure {
    pub fn new(status: u16, message: impl Into<String>) -> Self {
        Self { status, message: message.into() }
    }
}
