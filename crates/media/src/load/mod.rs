//! Ends for the benchmark: a producer, an audience, and the floor below which no forwarder can get.
//!
//! They use this crate's own sockets and ciphers, so that what is compared differs in nothing but the forwarding.

mod audience;
mod floor;
mod link;
mod member;
mod packets;
mod producer;

pub use audience::{Audience, Heard};
pub use floor::Floor;
pub use link::{ConnectFailed, Link};
pub use member::{LoadBuffer, Member};
pub use producer::{Load, Producer, video};

/// A number below `end`, which is not 0: what members do next is left to chance.
pub fn chance(end: usize) -> usize {
    fastrand::usize(..end)
}

/// The monotonic clock of this process that packets are stamped with, in microseconds.
pub fn now_us() -> u64 {
    crate::clock::mono().0
}
