//! `client::*`: terminals make themselves known, see each other and send each other messages (reference section 4.1).

use taoyao_types::Scope;

use super::{ITSELF, Need, OWN_PARTITION, Route, Row, Signal, asked, pushed, told};
use crate::Class;

pub(super) const ROWS: [Row; 13] = [
    told(Signal::ClientAlarm, "client::alarm", Route::Owner, "The terminal raises an alarm.")
        .unasked(OWN_PARTITION)
        .repeatable(),
    told(
        Signal::ClientBroadcast,
        "client::broadcast",
        Route::Partition,
        "A message to all others of the own partition, or to those of one client type.",
    )
    .class(Class::Broadcast)
    .scope(Scope::Broadcast),
    asked(Signal::ClientClose, "client::close", Route::Node, "The terminal takes its leave.").unasked(ITSELF),
    told(
        Signal::ClientConfig,
        "client::config",
        Route::Node,
        "Date, media bounds and ICE servers; pushed after registration and on request, under a new id.",
    )
    .also_pushed()
    .unasked(ITSELF)
    .repeatable(),
    asked(
        Signal::ClientHeartbeat,
        "client::heartbeat",
        Route::Node,
        "The terminal lives, and its state is now this. Never leaves its node.",
    )
    .class(Class::Telemetry)
    .unasked(ITSELF)
    .repeatable(),
    asked(
        Signal::ClientList,
        "client::list",
        Route::Everyone,
        "The states of the terminals that policy shows.",
    )
    .class(Class::Bulk)
    .scope(Scope::See)
    .repeatable(),
    pushed(Signal::ClientOffline, "client::offline", Route::Everyone, "A terminal has gone.")
        .scope(Scope::Presence)
        .repeatable(),
    pushed(
        Signal::ClientOnline,
        "client::online",
        Route::Everyone,
        "A terminal has come, or come back elsewhere.",
    )
    .scope(Scope::Presence)
    .repeatable(),
    pushed(
        Signal::ClientReboot,
        "client::reboot",
        Route::Terminal,
        "The terminal shall start anew; started by an operator's request to the REST interface.",
    )
    .needs(Need::Operator)
    .scope(Scope::Control),
    asked(
        Signal::ClientRegister,
        "client::register",
        Route::Node,
        "The terminal attaches; the first message.",
    )
    .needs(Need::Nothing)
    .unasked("the account says in which partitions"),
    pushed(
        Signal::ClientShutdown,
        "client::shutdown",
        Route::Terminal,
        "The terminal shall switch itself off; started like `client::reboot`.",
    )
    .needs(Need::Operator)
    .scope(Scope::Control),
    asked(Signal::ClientStatus, "client::status", Route::Terminal, "The state of one terminal.")
        .scope(Scope::See)
        .repeatable(),
    told(Signal::ClientUnicast, "client::unicast", Route::Terminal, "A message to one terminal.")
        .scope(Scope::Call),
];
