//! What goes into the terminals' machine from the mesh, and what comes out of it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use taoyao_auth::{Account, AccountVersion};
use taoyao_ortc::{Command, RecordCommand};
use taoyao_types::{
    ConnId, NodeId, PartitionId, PartitionName, Secret, SessionEpoch, SignalId, TerminalKey, TerminalName,
};
use taoyao_wire::Class;
use taoyao_wire::link::{ListPage, ListQuery, Payload, PresenceChange, PresenceNews, Reply, Target};

use crate::deed::Deed;
use crate::room::PasswordWork;

/// A request that this machine made and whose reply it waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AskId(pub u64);

/// A request that the mesh made and whose reply it waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token(pub SignalId);

/// What the mesh brings to the terminals of this node.
#[derive(Debug, Clone, PartialEq)]
pub enum MeshEvent {
    /// Must be answered by exactly one [`Output::Reply`] with this token, now or later. `target` is one of this
    /// node's terminals as far as the directory knows; if it has just gone, reply `NoSuchTerminal`.
    /// `remaining_ms` is what is left of the request's time.
    Request { token: Token, target: TerminalKey, payload: Payload, remaining_ms: u32 },
    /// A request for this node itself, from the node `origin`: like [`MeshEvent::Request`].
    NodeRequest { token: Token, origin: NodeId, payload: Payload, remaining_ms: u32 },
    /// An unanswered message for this node itself.
    NodeEvent { origin: NodeId, payload: Payload },
    /// The end of an [`Output::Ask`]; comes exactly once for each, within its time.
    Reply { ask: AskId, reply: Reply },
    /// The end of an [`Output::Gather`]; comes exactly once for each, within its time.
    Gathered { ask: AskId, page: ListPage },
    /// An unanswered message for one of this node's terminals.
    Event { target: TerminalKey, payload: Payload },
    /// A broadcast from elsewhere, for this node's terminals of the partition.
    Broadcast { partition: PartitionId, payload: Payload },
    /// Presence of terminals elsewhere, of a partition that this node watches or serves.
    Presence(PresenceNews),
    /// All terminals of this node are gone for good (withdrawn by a neighbour after the lease).
    OriginLost { origin: NodeId },
    /// Somebody wants the present members of these partitions at this node: publish them with `complete: true`.
    Refresh { partitions: Vec<PartitionId> },
    /// A newer session of this terminal lives at `origin`; `outbid` is the session epoch to take for a login that is
    /// newer all the same (see `limits::OUTBID_WINDOW`): it beats the session that displaced this one. Without an
    /// origin the newer session has ended, and this one outbids it whenever it began.
    Displaced { key: TerminalKey, origin: Option<NodeId>, outbid: SessionEpoch },
    /// The mesh above does not take this session of a terminal of this node, because it lies in the future: nobody elsewhere
    /// finds the terminal until it has another one.
    Refused { key: TerminalKey, session: SessionEpoch },
}

/// What the terminals' machine wants done.
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// Write this text to the connection.
    ToTerminal { conn: ConnId, text: String },
    /// Somebody who may has registered through this connection, or come back: it is a stranger's no longer.
    Admitted { conn: ConnId },
    /// Close the connection after what was written to it: WebSocket close code and a reason for people.
    Close { conn: ConnId, code: u16, reason: String },
    /// Check a password (slow, so not in here); answer by `handle_verified` with the same connection and number.
    /// A ticket of an earlier life stands in for the password while its account is in the state that it was given to.
    Verify {
        conn: ConnId,
        number: u64,
        username: String,
        password: Secret,
        vouched: Option<Vouched>,
        terminal: TerminalName,
    },
    /// Hash or check the password of a room (slow, so not in here); answer by `handle_password` with the number.
    Password { number: u64, work: PasswordWork },
    /// Do this to the node or its machine; answer by `handle_performed` with the number, but for [`Deed::Stop`].
    Perform { number: u64, deed: Deed },
    /// For the node's SFU; a command with a number is answered by `handle_media`.
    Media(Command),
    /// For the node's recorder; a command with a number is answered by `handle_recorded`.
    Record(RecordCommand),
    /// A terminal is here now: tell the mesh. A repeated one with a newer session replaces the older.
    Register { key: TerminalKey, session: SessionEpoch },
    /// It is gone.
    Withdraw { key: TerminalKey, session: SessionEpoch },
    /// Ask a terminal's node, or a node, something; ends in [`MeshEvent::Reply`].
    Ask { ask: AskId, source: TerminalKey, target: Target, payload: Payload },
    /// Tell a terminal's node, or a node, something, unanswered.
    Tell { source: TerminalKey, target: Target, class: Class, payload: Payload },
    /// Answer a [`MeshEvent::Request`].
    Reply { token: Token, reply: Reply },
    /// Collect a list from all nodes that have terminals of the query's partitions, this one included;
    /// ends in [`MeshEvent::Gathered`]. So much of the time for it is over already.
    Gather { ask: AskId, query: ListQuery, waited: Duration },
    /// Send to all other nodes that own or serve the partition.
    Broadcast { source: TerminalKey, partition: PartitionId, payload: Payload },
    /// Tell the other nodes that watch the partition who came or went here. The mesh coalesces bursts.
    Publish { partition: PartitionName, changes: Vec<PresenceChange>, complete: bool },
    /// From now on this is the complete set of partitions whose presence this node wants. The mesh asks for the
    /// present members of the ones that are new.
    Watch { partitions: BTreeSet<PartitionId> },
    /// Write this to the audit log.
    Audit(Audit),
}

/// Who was refused what, or used which privilege.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Audit {
    /// The account, where it is known: it stays at the terminal's own node.
    pub account: Option<String>,
    pub terminal: TerminalName,
    pub signal: &'static str,
    /// The rule that refused it; none if it was carried out.
    pub denied: Option<String>,
    /// What was done and how it ended, where the signal's name does not say it all.
    pub detail: Option<String>,
}

/// How an [`Output::Verify`] ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verified {
    Accepted(Account),
    /// It was looked at and is wrong.
    Refused,
    /// It is right, but the account is not for this; the terminal is told why.
    NotFor(String),
    /// It was not looked at; the terminal should try again after this time.
    PutOff(Duration),
}

/// Who was given a ticket in an earlier life of this node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vouched {
    pub account: Arc<str>,
    /// The state of the account that it logged in to.
    pub version: AccountVersion,
}

/// Why a node ends the session of a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dismissal {
    /// The account is not there any more.
    AccountRemoved,
    /// The account may not register this terminal here any more.
    RightWithdrawn,
    /// Something of the account has changed: it has to log in anew.
    AccountChanged,
    /// An operator wants it.
    ByOperator,
}
