//! The terminal's side of a node: registration, presence, unicast and broadcast, peer-to-peer sessions.
//!
//! [`Terminals`] is a pure machine: tell it what happened (`handle_*`), then drain [`Terminals::poll_output`] until it
//! is empty, then ask [`Terminals::poll_timeout`] when it wants to be woken. It knows terminals by name and asks the
//! mesh for everything that concerns a name, be it connected here or a continent away: the mesh hands requests for
//! terminals of this node straight back.

pub mod config;
pub mod io;
pub mod stats;
pub mod terminals;

mod accounts;
mod alarm;
mod allowance;
mod announcer;
mod asks;
mod backlog;
mod bucket;
mod calls;
mod conn;
mod control;
mod deed;
mod departure;
mod failure;
mod gatherings;
mod guest;
mod hlc;
mod index;
mod known;
mod lines;
mod list;
mod mesh;
mod message;
mod pending;
mod permission;
mod presence;
mod receive;
mod register;
mod registry;
mod resume;
mod rights;
mod room;
mod say;
mod session;
mod session_ids;
mod status;
mod terminal;
mod timers;
mod watch;

pub use config::{Reachable, TerminalsConfig};
pub use deed::{Deed, Performed};
pub use io::{AskId, Audit, Dismissal, MeshEvent, Output, Token, Verified, Vouched};
pub use room::{MemberView, PasswordDone, PasswordWork, RoomLimits, RoomView, Scarce};
pub use stats::Stats;
pub use terminals::{SessionEnd, Terminals};
