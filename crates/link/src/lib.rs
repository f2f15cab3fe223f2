//! QUIC links between nodes: dialling, accepting, identity, streams, heartbeats, back-off.
//!
//! A link is two QUIC connections between a node and its parent, dialled by the child: *signal* and *bulk*, so that a
//! snapshot never delays a call. It moves opaque frames, each on a [`Lane`]; what is in them is the caller's business.
//! Frames keep their order on a lane and have none across lanes. [`Links::start`] keeps all links of a node up for as
//! long as it lives and tells what happens as [`LinkEvent`]s; [`LinkHandle`] sends and never waits.
//!
//! Both ends prove who they are by certificates of the organisation's CA, and only children that the topology names
//! may dial. Whoever is refused hears why, and so does the node that refuses.

mod accept;
mod backoff;
mod config;
mod dial;
mod event;
mod explain;
mod frame;
mod greet;
mod handle;
mod heartbeat;
mod hub;
mod local;
mod pairing;
mod reader;
mod run;
mod transport;
mod writer;

pub use config::{Congestion, Life, LinkConfig, ParentAddr, Transport};
pub use event::{Ending, LinkEvent, LinkNo, Side};
pub use handle::{LinkHandle, LinkStats, PathStats, SendError};
pub use hub::{Links, StartError};
pub use taoyao_wire::link::{Lane, LaneClass};
