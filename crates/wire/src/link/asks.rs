//! What policy is asked of everything that travels on a link, at the node where it ends: the node that sent it may have
//! been taken over, or be mistaken.
//!
//! No `match` in here has a wildcard, so that whatever is added to the links does not compile before this is decided.

use taoyao_types::{Asks, Scope};

use super::payload::{Message, Payload};
use super::room::RoomAct;
use super::sync::Sync;
use crate::signals::Signal;

impl Payload {
    /// What is asked between the partition of the payload's source and that of its target. `None` if it carries a signal
    /// that no node hands to another's terminals.
    pub fn asks(&self) -> Option<Asks> {
        Some(match self {
            Self::Message { message, .. } => return handed_over(message),
            Self::Call { .. } => Asks::Scope(Scope::Call),
            Self::Session { .. } => Asks::Nothing("the call was asked for, and both ends know their peer"),
            Self::Status { .. } | Self::Trace { .. } | Self::Ping | Self::List(_) => Asks::Scope(Scope::See),
            Self::Broadcast { .. } => Asks::Scope(Scope::Broadcast),
            Self::Presence(_) => Asks::Nothing("goes where it was wished for, and the wish was asked for"),
            Self::Room(request) => request.act.asks(),
            Self::RoomNews(_) => {
                Asks::Nothing("believed of the room's own node only, by members who entered")
            }
            Self::RoomCheck(_) => Asks::Nothing("speaks of members at the node that sent it"),
            Self::Alarm(_) => Asks::Nothing("goes to the owner of its own partition"),
        })
    }
}

impl Payload {
    /// The terminals' signal that it stands for, for the audit log; none if it is the nodes' own affair.
    pub fn signal(&self) -> Option<Signal> {
        match self {
            Self::Message { message, .. } | Self::Session { message, .. } => Signal::of(&message.signal),
            Self::Call { .. } => Some(Signal::SessionCall),
            Self::Status { .. } => Some(Signal::ClientStatus),
            Self::Broadcast { .. } => Some(Signal::ClientBroadcast),
            Self::Room(request) => request.act.signal(),
            Self::Alarm(_) => Some(Signal::ClientAlarm),
            Self::Ping
            | Self::Trace { .. }
            | Self::List(_)
            | Self::Presence(_)
            | Self::RoomNews(_)
            | Self::RoomCheck(_) => None,
        }
    }
}

/// What a message for another node's terminal asks, by its signal.
fn handed_over(message: &Message) -> Option<Asks> {
    let signal = Signal::of(&message.signal)?;
    let is_control = signal.name().starts_with("control::") && signal != Signal::ControlServerRecord;
    let is_told = matches!(
        signal,
        Signal::ClientUnicast | Signal::ClientReboot | Signal::ClientShutdown | Signal::RoomInvite
    );
    (is_control || is_told).then_some(signal.row().asks)
}

impl RoomAct {
    /// What is asked between the partition of who wants it and that of the room; `Record` is asked towards the partition
    /// of who is recorded, besides.
    pub fn asks(&self) -> Asks {
        match self {
            Self::Create { .. } => Asks::Nothing("makes a room in its maker's own partition"),
            Self::Leave => Asks::Nothing("the way out is always open"),
            Self::Enter { .. }
            | Self::Close
            | Self::Broadcast { .. }
            | Self::Invite { .. }
            | Self::Expel { .. }
            | Self::Members
            | Self::Ids { .. }
            | Self::Status
            | Self::Media { .. } => Asks::Scope(Scope::Room),
            Self::Record { .. } => Asks::Scope(Scope::Record),
        }
    }

    /// The signal that it stands for; none if it names one that no terminal asks of a room.
    pub fn signal(&self) -> Option<Signal> {
        Some(match self {
            Self::Create { .. } => Signal::RoomCreate,
            Self::Enter { .. } => Signal::RoomEnter,
            Self::Leave => Signal::RoomLeave,
            Self::Close => Signal::RoomClose,
            Self::Broadcast { .. } => Signal::RoomBroadcast,
            Self::Invite { .. } => Signal::RoomInvite,
            Self::Expel { .. } => Signal::RoomExpel,
            Self::Members => Signal::RoomClientList,
            Self::Ids { .. } => Signal::RoomClientListId,
            Self::Status => Signal::RoomStatus,
            Self::Media { signal, .. } => {
                return Signal::of(signal).filter(|signal| signal.name().starts_with("media::"));
            }
            Self::Record { .. } => Signal::ControlServerRecord,
        })
    }

    /// The signal that it stands for, unless the message that it carries is one of another. Members are handed what rooms
    /// carry: in a room's name a node could order terminals about otherwise.
    pub fn believable(&self) -> Option<Signal> {
        let signal = self.signal()?;
        match self {
            Self::Broadcast { message } | Self::Invite { message, .. } | Self::Expel { message, .. } => {
                (message.signal == signal.name()).then_some(signal)
            }
            Self::Create { .. }
            | Self::Enter { .. }
            | Self::Leave
            | Self::Close
            | Self::Members
            | Self::Ids { .. }
            | Self::Status
            | Self::Media { .. }
            | Self::Record { .. } => Some(signal),
        }
    }
}

impl Sync {
    /// What is asked between the partitions that the sender speaks for and those that it speaks of.
    pub fn asks(&self) -> Asks {
        match self {
            Self::Interest { .. } => Asks::Scope(Scope::Presence),
            Self::SnapshotChunk { .. } | Self::Changes { .. } => {
                Asks::Nothing("the topology says which records a child may tell")
            }
            Self::Resume { .. }
            | Self::Clock { .. }
            | Self::Journal { .. }
            | Self::SnapshotBegin { .. }
            | Self::SnapshotEnd { .. }
            | Self::Applied { .. }
            | Self::Displaced(_)
            | Self::Refused { .. } => Asks::Nothing("the two neighbours' own upkeep"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signals::SIGNALS;

    fn message(signal: &str) -> Message {
        let (v, code, text) = ("1.0.0".to_owned(), "0000".to_owned(), String::new());
        Message { signal: signal.to_owned(), v, code, text, body: None }
    }

    #[test]
    fn a_node_hands_over_only_what_a_terminal_may_say_to_another_and_by_the_same_right() {
        let from = || "a@cn".parse().unwrap();
        for row in &SIGNALS {
            let asks = Payload::Message { from: from(), message: message(row.name) }.asks();
            assert!(asks.is_none_or(|asks| asks == row.asks && asks.scope().is_some()), "{}", row.name);
        }
        for refused in ["client::register", "platform::reboot", "room::close", "session::call", "nonsense"] {
            assert_eq!(
                Payload::Message { from: from(), message: message(refused) }.asks(),
                None,
                "{refused}"
            );
        }
    }

    #[test]
    fn rooms_carry_their_own_signals_and_no_others() {
        let act = |signal: &str| RoomAct::Broadcast { message: message(signal) };
        assert_eq!(act("room::broadcast").believable(), Some(Signal::RoomBroadcast));
        assert_eq!(act("client::shutdown").believable(), None);
        let media = |signal: &str| RoomAct::Media { ask: 1, signal: signal.into(), body: "{}".into() };
        assert_eq!(media("media::produce").believable(), Some(Signal::MediaProduce));
        assert_eq!(media("room::close").believable(), None);
    }
}
