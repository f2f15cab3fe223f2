//! The terminal-facing listeners: TLS, HTTP, WebSocket, the web terminal's files; and frames on bare TCP sockets.
//!
//! | request | answer |
//! |---|---|
//! | `GET /websocket.signal` with an upgrade | the signalling WebSocket of reference section 1.2 |
//! | `GET /mesh/nearest[?partition=&lat=&lon=]` | JSON: the partitions and their nodes, best first |
//! | `GET`, `HEAD /mesh/probe` | 204: what a terminal times to find the nearest node |
//! | `GET /` and the files of `assets/` | the web terminal |
//! | the paths of reference section 8, and `/v3/api-docs` | the REST interface |
//! | `/whip/{room}`, `/whep/{room}` and their sessions | publishing into a room and playing out of it with SDP |
//!
//! Beside it there may be listeners for the original's bare sockets (reference section 1.3, [`TcpConfig`]). Whoever reads
//! the events and holds the handles does not see which kind a terminal uses.
//!
//! One task serves a connection from its first byte to its last. What terminals say comes out as [`GatewayEvent`]s, in
//! order per terminal, through one bounded channel: a full channel stops the reading of sockets, nothing else. What they
//! are told goes in through a [`TerminalHandle`], which never waits: a terminal that reads too slowly is closed.
//! It moves their text and reads none of it. Only the REST interface knows signals: it writes them.

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
mod pace;
mod protocol;
mod proxied;
mod registry;
mod seat;
mod session;
mod socket;
mod stats;
mod stream;
mod tcp;

pub use close::CloseReason;
pub use config::{GatewayConfig, TcpConfig, Timeouts};
pub use event::{GatewayEvent, Received};
pub use gateway::{Gateway, ListenError};
pub use http::{
    ByteRange, Configuration, Geo, NearestQuery, NotLetIn, Origins, Proof, RecordingAnswer, RecordingAsk,
    RecordingFault, RecordingFile, Rest, RestRequest, Services, WEBSOCKET_PATH,
};
pub use outbox::{TerminalHandle, Text};
pub use stats::GatewayStats;
pub use tcp::{BadKey, DoesNotFit, FrameCipher, FrameFault, FrameReader, Framing};
