//! HTTP/1.1 towards peers that nobody trusts: what the terminals' and the operators' listeners have in common.
//!
//! | a peer | is met by |
//! |---|---|
//! | sends requests and reads no answers | hyper reads no request before it has written the last answer |
//! | sends its head or body byte by byte | a time for the head, and one for the answer ([`Times`]) |
//! | takes an answer slowly | as long as something moves it is served; then it is cut off ([`Times::stalled`]) |
//! | names no host, two, or one that is not ours | 400 and 421 ([`Hosts`]) |
//! | comes when no descriptor is left | is let in by one that was kept ([`Reserve`]) |

mod hosts;
mod progress;
mod reserve;
mod serve;

pub use hosts::Hosts;
pub use reserve::Reserve;
pub use serve::{Ended, Times, serve};
