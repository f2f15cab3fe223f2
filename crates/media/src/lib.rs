//! The SFU's IO: sockets, ICE, DTLS, SRTP, SCTP and the worker threads that drive the routers.
//!
//! [`Media`] is one node's SFU. It is asked by [`taoyao_ortc::Command`]s and tells [`taoyao_ortc::Event`]s; packets never
//! leave its threads but by its sockets and by taps.

mod board;
mod clock;
pub mod config;
pub mod load;
pub mod media;
pub mod peer;
mod placement;
mod socket;
pub mod stats;
pub mod tap;
mod worker;

pub use config::{Config, StartError};
pub use media::Media;
pub use stats::{RoomStats, Traffic, TransportStats, WorkerStats};
pub use tap::{TapId, TapItem, TapPlan};
