//! The signal table: one row per signal of the terminal protocol, for the code, for `docs/PROTOCOL.md` and for the web
//! terminal's client module alike.
//!
//! A family's rows stand in the file of its name; [`SIGNALS`] is all of them in order.

mod client;
mod control;
mod javascript;
mod markdown;
mod media;
mod platform;
mod room;
mod session;
mod system;

use taoyao_types::{Asks, Scope};

use crate::Class;

pub use javascript::signals_javascript;
pub use markdown::{classes_markdown, signals_markdown};

/// A signal of the terminal protocol. What is not in here is answered 3415.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Signal {
    ClientAlarm,
    ClientBroadcast,
    ClientClose,
    ClientConfig,
    ClientHeartbeat,
    ClientList,
    ClientOffline,
    ClientOnline,
    ClientReboot,
    ClientRegister,
    ClientShutdown,
    ClientStatus,
    ClientUnicast,
    ControlAi,
    ControlBeauty,
    ControlBell,
    ControlClientRecord,
    ControlConfigAudio,
    ControlConfigVideo,
    ControlPhotograph,
    ControlPtz,
    ControlServerRecord,
    ControlWakeup,
    ControlWatermark,
    MediaAudioVolume,
    MediaConsume,
    MediaConsumerClose,
    MediaConsumerLayersChange,
    MediaConsumerPause,
    MediaConsumerRequestKeyFrame,
    MediaConsumerResume,
    MediaConsumerScore,
    MediaConsumerSetPreferredLayers,
    MediaConsumerSetPriority,
    MediaConsumerStatus,
    MediaDataConsume,
    MediaDataConsumerClose,
    MediaDataConsumerStatus,
    MediaDataProduce,
    MediaDataProducerClose,
    MediaDataProducerStatus,
    MediaIceRestart,
    MediaProduce,
    MediaProducerClose,
    MediaProducerPause,
    MediaProducerResume,
    MediaProducerScore,
    MediaProducerStatus,
    MediaRouterRtpCapabilities,
    MediaTransportClose,
    MediaTransportPlainCreate,
    MediaTransportStatus,
    MediaTransportWebrtcConnect,
    MediaTransportWebrtcCreate,
    MediaVideoOrientationChange,
    PlatformError,
    PlatformReboot,
    PlatformScript,
    PlatformShutdown,
    RoomBroadcast,
    RoomClientList,
    RoomClientListId,
    RoomClose,
    RoomCreate,
    RoomEnter,
    RoomExpel,
    RoomInvite,
    RoomLeave,
    RoomList,
    RoomStatus,
    SessionCall,
    SessionClose,
    SessionExchange,
    SessionPause,
    SessionResume,
    SystemInfo,
    SystemReboot,
    SystemShutdown,
}

/// Who may send a signal so that it has an effect. A terminal may send any; the node's own it says in vain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sender {
    Terminal,
    Node,
    Both,
}

/// What a terminal must be, or its account must have, before its signal is carried out. Checked by the terminal's node,
/// and by the room's node where a room knows better.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Nothing: it is how a terminal makes itself known.
    Nothing,
    /// A registered terminal.
    Registered,
    /// A member of the room.
    Member,
    /// One of the two ends of the session.
    Participant,
    /// Who made the room or the media that the signal touches; or the role `operator`, or the signal named by the
    /// account's allow list.
    Owner,
    /// The role `operator`, or the signal named by the account's allow list.
    Operator,
    /// The signal named by the account's allow list, whatever its role.
    Named,
}

/// Where a signal ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// At the terminal's own node.
    Node,
    /// At the node that owns the terminal's partition.
    Owner,
    /// At the terminal that it names, or that the node means.
    Terminal,
    /// At the node of the room, and from there at members.
    Room,
    /// At all terminals of a partition.
    Partition,
    /// At the other end of the session.
    SessionPeer,
    /// At all terminals that may know of it, in every partition.
    Everyone,
}

/// What is known of a signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    pub signal: Signal,
    /// `family::name`, as on the wire.
    pub name: &'static str,
    pub sender: Sender,
    pub need: Need,
    pub class: Class,
    pub route: Route,
    /// Whether its sender gets an answer under its own id; errors are told in any case.
    pub answered: bool,
    /// Whether doing it twice is the same as doing it once.
    pub idempotent: bool,
    /// What policy is asked between the two partitions, or why it is asked nothing.
    pub asks: Asks,
    pub about: &'static str,
}

/// All signals, in the order of [`Signal`] and of their names.
pub const SIGNALS: [Row; 78] = {
    let families: [&[Row]; 7] = [
        &client::ROWS,
        &control::ROWS,
        &media::ROWS,
        &platform::ROWS,
        &room::ROWS,
        &session::ROWS,
        &system::ROWS,
    ];
    let mut all = [client::ROWS[0]; 78];
    let (mut count, mut family) = (0, 0);
    while family < families.len() {
        let mut place = 0;
        while place < families[family].len() {
            all[count] = families[family][place];
            count += 1;
            place += 1;
        }
        family += 1;
    }
    assert!(count == all.len());
    let mut place = 0;
    while place < all.len() {
        assert!(all[place].asks.is_decided(), "a signal has a scope, or a reason for having none");
        place += 1;
    }
    all
};

impl Signal {
    /// The signal of a name, if this version knows it.
    pub fn of(name: &str) -> Option<Signal> {
        let place = SIGNALS.binary_search_by(|row| row.name.cmp(name)).ok()?;
        Some(SIGNALS[place].signal)
    }

    pub const fn row(self) -> &'static Row {
        &SIGNALS[self as usize]
    }

    pub const fn name(self) -> &'static str {
        self.row().name
    }
}

/// Why policy is not asked: what is said concerns its sender alone.
const ITSELF: &str = "the sender itself";
/// The same: within a partition everything is allowed.
const OWN_PARTITION: &str = "the sender's partition";
/// The same: it is the node's own machine or program.
const NODE: &str = "the sender's node";
/// The same: only members hear it.
const MEMBERS: &str = "told to members";

/// A terminal's event without an answer. Its row does not compile before it says what is asked.
const fn told(signal: Signal, name: &'static str, route: Route, about: &'static str) -> Row {
    Row {
        signal,
        name,
        sender: Sender::Terminal,
        need: Need::Registered,
        class: Class::Event,
        route,
        answered: false,
        idempotent: false,
        asks: Asks::Nothing(""),
        about,
    }
}

/// A terminal's request.
const fn asked(signal: Signal, name: &'static str, route: Route, about: &'static str) -> Row {
    Row { class: Class::Request, answered: true, ..told(signal, name, route, about) }
}

/// What only nodes say.
const fn pushed(signal: Signal, name: &'static str, route: Route, about: &'static str) -> Row {
    Row { sender: Sender::Node, ..told(signal, name, route, about) }
}

impl Row {
    const fn also_pushed(self) -> Row {
        Row { sender: Sender::Both, ..self }
    }

    const fn needs(self, need: Need) -> Row {
        Row { need, ..self }
    }

    const fn class(self, class: Class) -> Row {
        Row { class, ..self }
    }

    const fn routed(self, route: Route) -> Row {
        Row { route, ..self }
    }

    const fn scope(self, scope: Scope) -> Row {
        Row { asks: Asks::Scope(scope), ..self }
    }

    /// Policy is not asked, for this reason.
    const fn unasked(self, why: &'static str) -> Row {
        Row { asks: Asks::Nothing(why), ..self }
    }

    /// Doing it twice is the same as doing it once.
    const fn repeatable(self) -> Row {
        Row { idempotent: true, ..self }
    }

    const fn once(self) -> Row {
        Row { idempotent: false, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_stand_in_the_order_of_the_enum_and_of_their_names() {
        for (place, row) in SIGNALS.iter().enumerate() {
            assert_eq!(row.signal as usize, place, "{}", row.name);
            assert_eq!(Signal::of(row.name), Some(row.signal));
            assert_eq!(row.signal.name(), row.name);
        }
        assert!(SIGNALS.is_sorted_by_key(|row| row.name));
        assert_eq!(Signal::of("client::nonsense"), None);
    }

    #[test]
    fn what_reaches_others_by_a_terminals_will_asks_policy() {
        let reaches = |row: &&Row| match row.route {
            Route::Partition | Route::Everyone => true,
            Route::Room | Route::Terminal => row.sender != Sender::Node,
            // A session was asked for when it began.
            Route::Node | Route::Owner | Route::SessionPeer => false,
        };
        let unasked = SIGNALS.iter().filter(reaches).filter(|row| row.asks.scope().is_none());
        let unasked: Vec<_> = unasked.map(|row| row.name).collect();
        assert_eq!(unasked, ["room::create", "room::leave"], "the own partition, and the way out");
    }

    #[test]
    fn what_only_nodes_say_is_never_answered() {
        for row in SIGNALS.iter().filter(|row| row.sender == Sender::Node) {
            assert!(!row.answered, "{}", row.name);
        }
    }
}
