//! The terminal-facing listener: TLS, HTTP, WebSocket, the web terminal's files.
//!
//! | request | answer |
//! |---|---|
//! | `GET /websocket.signal` with an upgrade | the signalling WebSocket of reference section 1.2 |
//! | `GET /mesh/nearest[?partition=&lat=&lon=]` | JSON: the partitions and their nodes, best first |
//! | `GET`, `HEAD /mesh/probe` | 204: what a terminal times to find the nearest node |
//! | `GET /` and the files of `assets/` | the web terminal |
//!
//! One task serves a connection from its first byte to its last. What terminals say comes out as [`GatewayEvent`]s, in
//! order per terminal, through one bounded channel: a full channel stops the reading of sockets, nothing else. What they
//! are told goes in through a [`TerminalHandle`], which never waits: a terminal that reads too slowly is closed.
//! The gateway knows neither signals nor partitions' rules; it moves text.

mod close;
mod codec;
mod config;
mod connection;
mod event;
mod gateway;
mod head;
mod http;
mod inbound;
mod linger;
mod outbox;
mod registry;
mod session;
mod socket;
mod stats;

pub use close::CloseReason;
pub use config::{GatewayConfig, Timeouts};
pub use event::{GatewayEvent, Received};
pub use gateway::Gateway;
pub use http::{Geo, NearestQuery, Services, WEBSOCKET_PATH};
pub use outbox::{TerminalHandle, Text};
pub use stats::GatewayStats;
