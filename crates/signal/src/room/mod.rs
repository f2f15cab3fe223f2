//! Rooms. A room lives at the node that owns its creator's partition; its members may be anywhere.
//!
//! - `hosted`: the rooms of this node and what is known of their members; `host`: who comes in; `acts`: what they do there;
//!   `leases`: who is still there; `media`: what they send and receive.
//! - `seats`: where terminals of this node are members; `member`: what they ask; `news`: what they are told.
//!
//! The room's id carries its partition, so every node knows where to ask.

mod acts;
mod host;
mod hosted;
mod ids;
mod leases;
mod list;
mod media;
mod member;
mod news;
mod password;
mod seats;
mod view;

pub(crate) use hosted::Rooms;
pub(crate) use ids::{RoomIds, partition_of};
pub(crate) use media::{MediaDeadlines, is_service};
pub(crate) use member::RoomAsk;
pub(crate) use password::Checks;
pub use password::{PasswordDone, PasswordWork};
pub(crate) use seats::Seats;
pub use view::{MemberView, RoomView};
