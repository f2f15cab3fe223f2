//! What two neighbouring nodes say to each other.

pub mod frame;
mod header;
pub mod hello;
pub mod lane;
pub mod payload;
pub mod sync;

pub use frame::{BadFrame, Frame, Header, Hop, Kind, Target};
pub use lane::{Lane, LaneClass};
pub use payload::{
    Failure, ListEntry, ListPage, ListQuery, Message, Payload, PresenceChange, PresenceNews, Reply, Trace,
};
pub use sync::{Change, Displacement, Record, Sync};
