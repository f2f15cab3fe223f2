//! Everything that goes into a node's machine and everything that comes out of it.

use std::net::IpAddr;

use bytes::Bytes;
use taoyao_auth::Account;
use taoyao_ortc::{Command, Event, RecordCommand, Recorded};
use taoyao_route::{Alarm, Queued};
use taoyao_signal::{Audit, Deed, Dismissal, PasswordDone, PasswordWork, Performed, Verified, Vouched};
use taoyao_types::{ConnId, NodeEpoch, NodeId, Secret, TerminalName};
use taoyao_wire::link::{Failure, Lane, ListPage, ListQuery, Trace};

/// Something that happened.
#[derive(Debug, Clone)]
pub enum Input {
    /// A terminal connected from this address. What it is sent must have no more bytes than `message_max`, if that is there.
    TerminalOpened {
        conn: ConnId,
        ip: IpAddr,
        message_max: Option<usize>,
    },
    /// Somebody acts for an account, without a terminal: a call of the REST interface. It says what it wants by
    /// [`Input::TerminalText`], and is gone with [`Input::TerminalClosed`].
    GuestOpened {
        conn: ConnId,
        account: Account,
    },
    /// It sent one text message, within the size limit.
    TerminalText {
        conn: ConnId,
        text: String,
    },
    /// Its connection is gone.
    TerminalClosed {
        conn: ConnId,
    },
    /// The end of an [`Output::Verify`].
    Verified {
        conn: ConnId,
        number: u64,
        verified: Verified,
    },
    /// The session of this terminal has to end, if it is here.
    Dismissed {
        name: TerminalName,
        why: Dismissal,
    },
    /// The end of an [`Output::Password`].
    Password {
        number: u64,
        done: PasswordDone,
    },
    /// The end of an [`Output::Perform`].
    Performed {
        number: u64,
        done: Performed,
    },
    /// What the node's SFU says: the end of an [`Output::Media`], or what it noticed.
    Media(Event),
    /// What the node's recorder says: the end of an [`Output::Record`], or of a recording.
    Recorded(Recorded),
    /// A link to this neighbour is up; the neighbour is in its life `epoch`. Replaces an older link.
    LinkUp {
        peer: NodeId,
        epoch: NodeEpoch,
    },
    LinkDown {
        peer: NodeId,
        reason: String,
    },
    LinkFrame {
        peer: NodeId,
        frame: Bytes,
    },
    /// What the link has not sent yet.
    LinkQueued {
        peer: NodeId,
        queued: Queued,
    },
    /// An operator wants to know the way between two terminals; ends in [`Output::Traced`].
    Trace {
        number: u64,
        from: TerminalName,
        to: TerminalName,
    },
    /// An operator wants a list; ends in [`Output::Listed`].
    List {
        number: u64,
        query: ListQuery,
    },
    /// The answer to [`Output::Outlived`]: the node lives on in this higher life.
    NewLife {
        epoch: NodeEpoch,
    },
    /// The node is about to stop: terminals are told and closed.
    Drain,
}

/// Something to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    ToTerminal {
        conn: ConnId,
        text: String,
    },
    /// Somebody has registered through this connection, or come back: it has a terminal's share of everything from now on.
    Admitted {
        conn: ConnId,
    },
    /// Close after what was written before: WebSocket close code and a reason for people.
    CloseTerminal {
        conn: ConnId,
        code: u16,
        reason: String,
    },
    /// Check a password and answer by [`Input::Verified`] with the same connection and number.
    Verify {
        conn: ConnId,
        number: u64,
        username: String,
        password: Secret,
        /// Who was given the ticket that it has shown, which stands in for the password while the account is in that state.
        vouched: Option<Vouched>,
        terminal: TerminalName,
    },
    ToLink {
        peer: NodeId,
        lane: Lane,
        frame: Bytes,
    },
    CloseLink {
        peer: NodeId,
        reason: String,
    },
    Traced {
        number: u64,
        result: Result<Trace, Failure>,
    },
    Listed {
        number: u64,
        page: ListPage,
    },
    /// A fact for the operator's log.
    Alarm(Alarm),
    /// A neighbour remembers this life of this node, which is higher than its own: count a higher one, let the links greet in
    /// it and connect anew, and answer by [`Input::NewLife`].
    Outlived {
        last: NodeEpoch,
    },
    /// Hash or check the password of a room and answer by [`Input::Password`] with the same number.
    Password {
        number: u64,
        work: PasswordWork,
    },
    /// Do this to the node or its machine and answer by [`Input::Performed`] with the same number, but for [`Deed::Stop`].
    Perform {
        number: u64,
        deed: Deed,
    },
    /// For the node's SFU. A command with a number is answered by [`Input::Media`] with the same room and number.
    Media(Command),
    /// For the node's recorder. A command with a number is answered by [`Input::Recorded`] with the same number.
    Record(RecordCommand),
    /// A refusal or a privilege used, for the audit log.
    Audit(Audit),
}
