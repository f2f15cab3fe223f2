//! The media of rooms of this node: what members send and receive there, as the node's SFU carries it.
//!
//! - `studio`: transports, producers and consumers of one room with their owners; `works`: what the SFU has been asked.
//! - `acts`: what members ask; `answers`: what comes of it; `consume`: who receives whom; `closing`: what ends with what;
//!   `happenings`: what the SFU noticed; `recording`: members who are recorded.
//! - `service`: the SFU as a terminal that others see; `told`: what members at this node are told, wherever the room is.
//!
//! Everything is known under its id from the moment on at which it is asked for, so that it can be closed before the SFU
//! has made it. Members are told of it when it is there.

mod acts;
mod answers;
mod closing;
mod consume;
mod happenings;
mod recording;
mod service;
mod studio;
mod told;
mod works;

pub(crate) use service::is_service;
pub(super) use studio::{Owned, Studio};
pub(crate) use works::MediaDeadlines;
