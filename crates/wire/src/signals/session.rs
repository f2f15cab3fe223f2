//! `session::*`: two terminals talk to each other directly, their nodes only introduce them (reference section 7).

use taoyao_types::Scope;

use super::{Need, Route, Row, Signal, asked, told};
use crate::Class;

pub(super) const ROWS: [Row; 5] = [
    asked(Signal::SessionCall, "session::call", Route::Terminal, "Start a peer-to-peer session.")
        .scope(Scope::Call),
    relayed(Signal::SessionClose, "session::close", "End it; both ends are told under new ids.")
        .also_pushed()
        .repeatable(),
    relayed(Signal::SessionExchange, "session::exchange", "Offer, answer and candidates."),
    relayed(Signal::SessionPause, "session::pause", "The other end shall stop sending sound or picture.")
        .repeatable(),
    relayed(Signal::SessionResume, "session::resume", "The other end shall send it again.").repeatable(),
];

/// A message within a session: a request to the mesh, so that it arrives once or its sender hears why not.
const fn relayed(signal: Signal, name: &'static str, about: &'static str) -> Row {
    told(signal, name, Route::SessionPeer, about)
        .class(Class::Request)
        .needs(Need::Participant)
        .unasked("a session that was asked for")
}
