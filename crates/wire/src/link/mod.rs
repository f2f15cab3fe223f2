//! What two neighbouring nodes say to each other.

mod asks;
pub mod frame;
mod header;
pub mod hello;
pub mod lane;
pub mod media;
pub mod payload;
pub mod presence;
pub mod room;
pub mod sync;

pub use frame::{BadFrame, Frame, Header, Hop, Kind, Target};
pub use lane::{Lane, LaneClass};
pub use media::{
    Consumed, Consuming, MediaAnswer, MediaIds, MediaNews, Receiving, RecordNews, StreamKind, Subscribe,
};
pub use payload::{AlarmReport, Failure, ListEntry, ListPage, ListQuery, Message, Payload, Reply, Trace};
pub use presence::{Complete, PresenceChange, PresenceNews};
pub use room::{
    RoomAct, RoomCheck, RoomChecked, RoomEvent, RoomNews, RoomReply, RoomRequest, RoomRights, RoomState,
    SeatCheck, Welcome,
};
pub use sync::{Change, Displacement, Record, Sync};
