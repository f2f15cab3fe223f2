//! Real processes, real QUIC and TLS on loopback: a mesh of `taoyao node`s under faults, and one node under bad input.
//!
//! README.md says which bad input is tested where. libtest starts tests in the order of their names, so what takes a minute
//! is in a module that comes first, and the others run beside it.

#![expect(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

mod a_minute;
mod a_soak;
mod accounts;
mod admin;
mod certificates;
mod clip;
mod crowd;
mod crowding;
mod cut;
mod deeds;
mod drain;
mod envelope;
mod frames;
mod impostor;
mod judge;
mod kill;
mod log;
mod mesh;
mod node;
mod notes;
mod patience;
mod pause;
mod places;
mod player;
#[path = "../../crates/node/tests/mesh/ports.rs"]
mod ports;
mod program;
mod recordings;
mod relay;
mod rooms;
mod shape;
mod socket;
mod sockets;
mod stall;
mod strangers;
mod terminal;
mod unread;
mod witness;
