//! ICE-lite: answers connectivity checks of one transport and knows where its peer can be reached (RFC 8445, RFC 8489).

mod agent;
mod checksum;
pub mod stun;

use std::net::SocketAddr;

pub use agent::{Agent, CONSENT_KEPT, IceState, Outcome, Refusal};

/// Where a peer's datagrams come from and where its answers go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RemoteAddress {
    pub addr: SocketAddr,
    /// Over ICE-TCP (RFC 6544): `addr` is the far end of an accepted connection.
    pub is_tcp: bool,
}

/// The user name fragment of ours that a check is meant for: tells whose a datagram of an unknown address is. Nothing is
/// verified yet.
pub fn ufrag_of(datagram: &[u8]) -> Option<&str> {
    let message = stun::Message::read(datagram)?;
    let (local, _) = message.username()?.split_once(':')?;
    Some(local)
}
