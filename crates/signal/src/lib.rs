//! The terminal's side of a node: registration, presence, unicast and broadcast, peer-to-peer sessions.
//!
//! [`Terminals`] is a pure machine: tell it what happened (`handle_*`), then drain [`Terminals::poll_output`] until it
//! is empty, then ask [`Terminals::poll_timeout`] when it wants to be woken. It knows terminals by name and asks the
//! mesh for everything that concerns a name, be it connected here or a continent away: the mesh hands requests for
//! terminals of this node straight back.

pub mod io;

pub use io::{AskId, MeshEvent, Output, Token};
