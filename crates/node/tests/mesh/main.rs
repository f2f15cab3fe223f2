//! Whole nodes over real QUIC and TLS WebSockets on loopback: assembly, signals, trace, drain, restart, operators.

#![expect(
    clippy::unwrap_used,
    clippy::unwrap_in_result,
    reason = "clippy's leave for tests covers test functions only, not their helpers"
)]

mod admin;
mod life;
mod operations;
mod ports;
mod rest;
mod signals;
mod support;
mod terminal;
