//! Ends for the benchmark: a producer, an audience, and the floor below which no forwarder can get.
//!
//! They use this crate's own sockets and ciphers, so that what is compared differs in nothing but the forwarding.

mod audience;
mod floor;
mod link;
mod packets;
mod producer;

pub use audience::{Audience, Heard};
pub use floor::Floor;
pub use link::{ConnectFailed, Link};
pub use producer::{Load, Producer, video};

/// The monotonic clock of this process that packets are stamped with, in microseconds.
pub fn now_us() -> u64 {
    crate::clock::mono().0
}
