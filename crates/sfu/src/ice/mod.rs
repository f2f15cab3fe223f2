//! ICE-lite: answers connectivity checks of one transport and knows where its peer can be reached (RFC 8445, RFC 8489).

use std::net::SocketAddr;

/// Where a peer's datagrams come from and where its answers go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RemoteAddress {
    pub addr: SocketAddr,
    /// Over ICE-TCP (RFC 6544): `addr` is the far end of an accepted connection.
    pub is_tcp: bool,
}
