//! The signal table: one row per signal of the terminal protocol, for the code and for `docs/PROTOCOL.md` alike.

use taoyao_types::Scope;

use crate::Class;

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
    PlatformError,
    SessionCall,
    SessionClose,
    SessionExchange,
    SessionPause,
    SessionResume,
}

/// Who may send a signal so that it has an effect. A terminal may send any; the node's own it says in vain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sender {
    Terminal,
    Node,
    Both,
}

/// Where a signal ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// At the terminal's own node.
    Node,
    /// At the terminal that it names, or that the node means.
    Terminal,
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
    pub class: Class,
    pub route: Route,
    /// Whether its sender gets an answer under its own id; errors are told in any case.
    pub answered: bool,
    /// Whether doing it twice is the same as doing it once.
    pub idempotent: bool,
    /// What policy must allow between the two partitions.
    pub scope: Option<Scope>,
    pub about: &'static str,
}

/// All signals, in the order of [`Signal`] and of their names.
pub const SIGNALS: [Row; 19] = [
    Row {
        class: Class::Event,
        idempotent: true,
        ..told(Signal::ClientAlarm, "client::alarm", Route::Node, "The terminal raises an alarm.")
    },
    Row {
        class: Class::Broadcast,
        scope: Some(Scope::Broadcast),
        ..told(
            Signal::ClientBroadcast,
            "client::broadcast",
            Route::Partition,
            "A message to all others of the own partition, or to those of one client type.",
        )
    },
    asked(Signal::ClientClose, "client::close", Route::Node, "The terminal takes its leave."),
    Row {
        sender: Sender::Both,
        idempotent: true,
        ..told(
            Signal::ClientConfig,
            "client::config",
            Route::Node,
            "Date, media bounds and ICE servers; pushed after registration and on request, under a new id.",
        )
    },
    Row {
        class: Class::Telemetry,
        idempotent: true,
        ..asked(
            Signal::ClientHeartbeat,
            "client::heartbeat",
            Route::Node,
            "The terminal lives, and its state is now this. Never leaves its node.",
        )
    },
    Row {
        class: Class::Bulk,
        idempotent: true,
        scope: Some(Scope::See),
        ..asked(
            Signal::ClientList,
            "client::list",
            Route::Everyone,
            "The states of the terminals that policy shows.",
        )
    },
    Row {
        sender: Sender::Node,
        scope: Some(Scope::Presence),
        idempotent: true,
        ..told(Signal::ClientOffline, "client::offline", Route::Everyone, "A terminal has gone.")
    },
    Row {
        sender: Sender::Node,
        scope: Some(Scope::Presence),
        idempotent: true,
        ..told(
            Signal::ClientOnline,
            "client::online",
            Route::Everyone,
            "A terminal has come, or come back elsewhere.",
        )
    },
    Row {
        sender: Sender::Node,
        ..told(Signal::ClientReboot, "client::reboot", Route::Terminal, "The terminal shall start anew.")
    },
    asked(
        Signal::ClientRegister,
        "client::register",
        Route::Node,
        "The terminal attaches; the first message.",
    ),
    Row {
        sender: Sender::Node,
        ..told(
            Signal::ClientShutdown,
            "client::shutdown",
            Route::Terminal,
            "The terminal shall switch itself off.",
        )
    },
    Row {
        idempotent: true,
        scope: Some(Scope::See),
        ..asked(Signal::ClientStatus, "client::status", Route::Terminal, "The state of one terminal.")
    },
    Row {
        scope: Some(Scope::Call),
        ..told(Signal::ClientUnicast, "client::unicast", Route::Terminal, "A message to one terminal.")
    },
    Row {
        sender: Sender::Node,
        ..told(
            Signal::PlatformError,
            "platform::error",
            Route::Terminal,
            "A request failed; has the request's id.",
        )
    },
    Row {
        scope: Some(Scope::Call),
        ..asked(Signal::SessionCall, "session::call", Route::Terminal, "Start a peer-to-peer session.")
    },
    Row {
        sender: Sender::Both,
        idempotent: true,
        ..relayed(Signal::SessionClose, "session::close", "End it; both ends are told under new ids.")
    },
    relayed(Signal::SessionExchange, "session::exchange", "Offer, answer and candidates."),
    Row {
        idempotent: true,
        ..relayed(
            Signal::SessionPause,
            "session::pause",
            "The other end shall stop sending sound or picture.",
        )
    },
    Row {
        idempotent: true,
        ..relayed(Signal::SessionResume, "session::resume", "The other end shall send it again.")
    },
];

impl Signal {
    /// The signal of a name, if this version knows it.
    pub fn of(name: &str) -> Option<Signal> {
        SIGNALS.iter().find(|row| row.name == name).map(|row| row.signal)
    }

    pub const fn row(self) -> &'static Row {
        &SIGNALS[self as usize]
    }

    pub const fn name(self) -> &'static str {
        self.row().name
    }
}

/// A terminal's event without an answer.
const fn told(signal: Signal, name: &'static str, route: Route, about: &'static str) -> Row {
    Row {
        signal,
        name,
        sender: Sender::Terminal,
        class: Class::Event,
        route,
        answered: false,
        idempotent: false,
        scope: None,
        about,
    }
}

/// A terminal's request.
const fn asked(signal: Signal, name: &'static str, route: Route, about: &'static str) -> Row {
    Row { class: Class::Request, answered: true, ..told(signal, name, route, about) }
}

/// A message within a session: a request to the mesh, so that it arrives once or its sender hears why not.
const fn relayed(signal: Signal, name: &'static str, about: &'static str) -> Row {
    Row { class: Class::Request, ..told(signal, name, Route::SessionPeer, about) }
}

/// The signal table as Markdown.
pub fn signals_markdown() -> String {
    let mut text = String::from(
        "| Signal | Sent by | Class | Ends at | Answered | Idempotent | Scope | About |\n|:--|:--|:--|:--|:-:|:-:|:--|:--|\n",
    );
    for row in &SIGNALS {
        let sender = match row.sender {
            Sender::Terminal => "terminal",
            Sender::Node => "node",
            Sender::Both => "both",
        };
        let route = match row.route {
            Route::Node => "own node",
            Route::Terminal => "terminal",
            Route::Partition => "partition",
            Route::SessionPeer => "session peer",
            Route::Everyone => "everyone",
        };
        let class = row.class.describe().code;
        let [answered, idempotent] = [row.answered, row.idempotent].map(|yes| if yes { "yes" } else { "" });
        let scope = row.scope.map_or(String::new(), |scope| format!("{scope:?}").to_lowercase());
        let Row { name, about, .. } = row;
        text.push_str(&format!(
            "| `{name}` | {sender} | {class} | {route} | {answered} | {idempotent} | {scope} | {about} |\n"
        ));
    }
    text
}

/// The class table as Markdown.
pub fn classes_markdown() -> String {
    let mut text = String::from(
        "| Class | Name | Delivery | Order | Deadline | Under load |\n|:--|:--|:--|:--|:--|:--|\n",
    );
    for class in Class::ALL {
        let row = class.describe();
        text.push_str(&format!(
            "| {} | {class:?} | {} | {} | {} | {} |\n",
            row.code, row.delivery, row.order, row.deadline, row.overload
        ));
    }
    text
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
    fn a_signal_that_crosses_partitions_needs_a_scope() {
        for row in SIGNALS.iter().filter(|row| matches!(row.route, Route::Partition | Route::Everyone)) {
            assert!(row.scope.is_some(), "{}", row.name);
        }
    }
}
