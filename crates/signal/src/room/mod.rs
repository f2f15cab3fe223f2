//! Rooms. A room lives at the node that owns its creator's partition; its members may be anywhere.
//!
//! - `rooms`: the rooms of this node, `hosted`: one of them and what is known of its members; `host`: who comes in, `door`: who
//!   may try a password; `acts`: what they do there; `leases`: who is still there; `media`: what they send and receive;
//!   `shares`: what accounts take of all that; `kept`: news for nodes that have missed them.
//! - `seats`: where terminals of this node are members; `member`: what they ask; `news`: what they are told.
//!
//! The room's id carries its partition, so every node knows where to ask.

mod acts;
mod door;
mod host;
mod hosted;
mod ids;
mod kept;
mod leases;
mod list;
mod media;
mod member;
mod news;
mod pages;
mod password;
mod rooms;
mod seats;
mod shares;
mod view;

pub(crate) use ids::{RoomIds, partition_of};
pub(crate) use kept::NewsKept;
pub(crate) use media::{MediaDeadlines, is_service};
pub(crate) use member::RoomAsk;
pub(crate) use password::Checks;
pub use password::{PasswordDone, PasswordWork};
pub(crate) use rooms::Rooms;
pub(crate) use seats::Seats;
pub(crate) use shares::MediaShares;
pub use shares::{RoomLimits, Scarce};
pub use view::{MemberView, RoomView};
