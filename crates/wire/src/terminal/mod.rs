//! What a terminal and its node say to each other: Taoyao's JSON envelope and the bodies of its signals.

pub mod client;
pub mod client_type;
pub mod code;
pub mod config;
pub mod envelope;
pub mod fields;
pub mod ids;
pub mod local_time;
pub mod machine;
pub mod media;
pub mod nulls;
pub mod outgoing;
pub mod room;
pub mod session;
pub mod state;

pub use client_type::{ClientType, UnknownClientType};
pub use code::Code;
pub use config::{IceConfig, MediaConfig, StunServer, TurnServer};
pub use envelope::{Incoming, Reject};
pub use fields::Fields;
pub use ids::ServerIds;
pub use local_time::UtcOffset;
pub use machine::{Disk, Machine};
pub use outgoing::Outgoing;
pub use state::{ClientState, Readings};
