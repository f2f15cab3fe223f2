//! The body of a signal between nodes: opaque on the way, read only where it ends.

use serde::{Deserialize, Serialize};
use taoyao_types::{AccountTag, NodeEpoch, NodeId, NodeName, PartitionName, SessionEpoch, TerminalName};

use super::frame::{BadFrame, Hop};
use super::presence::PresenceNews;
use super::room::{RoomAct, RoomCheck, RoomChecked, RoomNews, RoomReply, RoomRequest};
use crate::signals::Signal;

/// What one node's terminals or the node itself asks or tells another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Payload {
    /// A terminal's message, to be handed to the target terminal under an id of the target node's choosing.
    /// As a request it wants the terminal's own answer; as an event none.
    Message { from: TerminalName, message: Message },
    /// `session::call`: open the callee's half of a session. Answer: [`Reply::Called`].
    /// The account behind the caller is charged for it until the call is answered.
    Call {
        from: TerminalName,
        account: AccountTag,
        name: Option<String>,
        session: String,
        audio: bool,
        video: bool,
    },
    /// `session::exchange`, `pause`, `resume`, `close` for the other half. Answer: [`Reply::Done`].
    Session { from: TerminalName, session: String, message: Message },
    /// `client::status`. Answer: [`Reply::Status`].
    Status { from: TerminalName },
    /// Answered by the target's node at once; for measuring the way. Answer: [`Reply::Pong`].
    Ping,
    /// Trace the way from the target terminal to `to`. Answer: [`Reply::Traced`].
    Trace { to: TerminalName },
    /// A part of `client::list`. Answer: [`Reply::List`].
    List(ListQuery),
    /// `client::broadcast` within the partition.
    Broadcast { from: TerminalName, client_type: Option<String>, message: Message },
    /// Who came and went; to the watchers of the partition.
    Presence(PresenceNews),
    /// To the node of a room. Answer: [`Reply::Room`].
    Room(Box<RoomRequest>),
    /// From the node of a room to a node of members, unanswered.
    RoomNews(RoomNews),
    /// From a node of members to the node of rooms. Answer: [`Reply::RoomChecked`].
    RoomCheck(RoomCheck),
    /// An alarm on its way to the owner of the terminal's partition. Answer: [`Reply::Done`].
    Alarm(AlarmReport),
}

/// `client::alarm` (reference section 4.1), as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlarmReport {
    pub from: TerminalName,
    /// The account behind the terminal: an account's alarms make way for its own newer ones only.
    pub account: AccountTag,
    /// The reporting node, its life, and a count: the same alarm told twice is stored once.
    pub node: NodeName,
    pub epoch: NodeEpoch,
    pub number: u64,
    /// Milliseconds since 1970 at the terminal's node.
    pub at: u64,
    /// The terminal's words.
    pub message: String,
    /// The terminal's own date, `yyyyMMddHHmmss`, as it wrote it.
    pub datetime: Option<String>,
}

/// A terminal's message without its id, which every node chooses anew.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Message {
    pub signal: String,
    pub v: String,
    pub code: String,
    pub text: String,
    /// The body as JSON text without null entries; absent where the envelope has none.
    pub body: Option<String>,
}

/// How a request ended: it was carried out, or it was not and this is why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Reply {
    Done,
    /// The callee's display name.
    Called {
        name: Option<String>,
    },
    /// The terminal's state object as JSON text (reference section 3.4), as `terminal::ClientState::to_json` makes it.
    Status {
        state: String,
    },
    /// The terminal's own answer to a forwarded message.
    Message(Message),
    /// The node that answered and the way the request took to it.
    Pong {
        node: NodeName,
        there: Vec<Hop>,
    },
    Traced(Trace),
    List(ListPage),
    Room(RoomReply),
    RoomChecked(RoomChecked),
    Failed(Failure),
}

/// Why a request was not carried out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum Failure {
    #[error("no such terminal")]
    NoSuchTerminal,
    #[error("unreachable at {node}: {reason}")]
    Unreachable { node: NodeName, reason: String },
    /// Was on its way when a link broke: it may or may not have been carried out.
    #[error("interrupted at {node}: {reason}")]
    Interrupted { node: NodeName, reason: String },
    #[error("denied by rule {rule}")]
    Denied { rule: String },
    #[error("deadline passed")]
    Deadline,
    #[error("busy at {node}")]
    Busy { node: NodeName },
    /// The target's node refused it in the terminal protocol's own words.
    #[error("{text}")]
    Refused { code: String, text: String },
}

/// The way of a traced request: the nodes there in order, and those back with their times, in the order passed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Trace {
    pub there: Vec<Hop>,
    pub back: Vec<Hop>,
}

/// Which terminals to list. Answers come sorted: `home` first, then the other partitions by name, each by client id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListQuery {
    /// Rooms are listed instead of terminals.
    #[serde(default)]
    pub rooms: bool,
    /// The partition of the one who asks; policy judges by it and the order begins with it.
    pub home: PartitionName,
    /// Upper-case client type to keep; all when absent.
    pub client_type: Option<String>,
    /// Partitions to list; all that `home` may see when empty.
    pub partitions: Vec<PartitionName>,
    /// Continue behind this terminal.
    pub after: Option<TerminalName>,
    pub limit: u32,
}

/// A part of a list.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ListPage {
    pub entries: Vec<ListEntry>,
    /// Nodes whose terminals are missing because they did not answer in time.
    pub incomplete: Vec<NodeId>,
}

/// One terminal of a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ListEntry {
    pub name: TerminalName,
    pub origin: NodeId,
    /// The life of the origin.
    pub life: NodeEpoch,
    pub session: SessionEpoch,
    /// The state object as JSON text, as `terminal::ClientState::to_json` makes it.
    pub state: String,
}

impl Payload {
    /// Whether the request changes nothing where it is carried out, so that it may be carried out again: its answer need not
    /// be remembered.
    pub fn is_look(&self) -> bool {
        match self {
            Self::Status { .. } | Self::Ping | Self::Trace { .. } | Self::List(_) => true,
            Self::Room(request) => match &request.act {
                RoomAct::Members | RoomAct::Ids { .. } | RoomAct::Status => true,
                RoomAct::Media { signal, .. } => {
                    let is_look = |signal: Signal| signal.row().answered && signal.row().idempotent;
                    Signal::of(signal).is_some_and(is_look)
                }
                _ => false,
            },
            _ => false,
        }
    }

    pub fn encode(&self) -> Vec<u8> {
        rmp_serde::to_vec_named(self).expect("a payload always encodes into memory")
    }

    pub fn decode(bytes: &[u8]) -> Result<Self, BadFrame> {
        rmp_serde::from_slice(bytes).map_err(|e| BadFrame::Body(e.to_string()))
    }
}

impl Reply {
    pub fn encode(&self) -> Vec<u8> {
        rmp_serde::to_vec_named(self).expect("a reply always encodes into memory")
    }

    pub fn decode(bytes: &[u8]) -> Result<Self, BadFrame> {
        rmp_serde::from_slice(bytes).map_err(|e| BadFrame::Body(e.to_string()))
    }
}
