//! What a gateway is told at its start.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use taoyao_types::limits;

use crate::http::Origins;
use crate::tcp::Framing;

/// The settings of a gateway: one listener for HTTPS and WebSockets, and any number for bare TCP sockets.
#[derive(Debug, Clone)]
pub struct GatewayConfig {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Certificates and TLS versions. Its ALPN list is replaced: the gateway speaks HTTP/1.1 only.
    pub tls: Arc<rustls::ServerConfig>,
    /// Listeners for frames on bare TCP sockets; none by default.
    pub tcp: Vec<TcpConfig>,
    /// Connections at once, of whatever kind and at all listeners. Beyond it new ones are told so and closed.
    pub connections_max: usize,
    /// Connections at once from one address (one /64 in IPv6). Beyond it new ones are told so and closed.
    pub connections_per_address_max: usize,
    /// Among them those on which nobody has registered, HTTP requests included. Beyond it new ones are told so and closed.
    pub strangers_per_address_max: usize,
    /// Networks of proxies that are believed for whom they connect. None by default.
    pub trusted_proxies: Vec<IpNet>,
    /// Pages that may open WebSockets; by default those of the host that is asked.
    pub origins: Origins,
    /// Whether browsers are told to come by HTTPS only (RFC 6797).
    pub hsts: bool,
    pub timeouts: Timeouts,
}

impl GatewayConfig {
    /// A gateway at `listen` with the defaults of `taoyao_types::limits`.
    pub fn new(listen: SocketAddr, tls: Arc<rustls::ServerConfig>) -> Self {
        Self {
            listen,
            tls,
            tcp: Vec::new(),
            connections_max: limits::TERMINAL_CONNECTIONS_MAX,
            connections_per_address_max: limits::TERMINAL_CONNECTIONS_PER_ADDRESS_MAX,
            strangers_per_address_max: limits::TERMINAL_STRANGERS_PER_ADDRESS_MAX,
            trusted_proxies: Vec::new(),
            origins: Origins::default(),
            hsts: false,
            timeouts: Timeouts::default(),
        }
    }

    pub(crate) fn is_trusted_proxy(&self, ip: IpAddr) -> bool {
        self.trusted_proxies.iter().any(|network| network.contains(&ip.to_canonical()))
    }
}

/// A listener for terminals that speak frames (reference section 1.3).
#[derive(Debug, Clone)]
pub struct TcpConfig {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// TLS around the frames, without ALPN; `None` on a listener for old terminals.
    pub tls: Option<Arc<rustls::ServerConfig>>,
    pub framing: Framing,
}

/// How long a connection may take for what it has to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// For the TLS handshake, from accept to finish. Default 10 s.
    pub handshake: Duration,
    /// For each HTTP request's head, and for the next request to begin. Default 10 s.
    pub header: Duration,
    /// From an HTTP request's head to its answer's, the request's body between them. Default 20 s.
    pub answer: Duration,
    /// Without a byte in or out on a connection that is not upgraded: a large file may take as long as it takes. Default 30 s.
    pub stalled: Duration,
    /// Without a byte read or written a WebSocket is closed with 1001; also, how long a peer may leave what it was sent
    /// unacknowledged. Default 60 s (reference section 1.2).
    pub idle: Duration,
    /// For the closing handshake; then the socket is dropped. Default 2 s.
    pub close: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            handshake: Duration::from_secs(10),
            header: Duration::from_secs(10),
            answer: Duration::from_secs(20),
            stalled: Duration::from_secs(30),
            idle: limits::TERMINAL_IDLE_MAX,
            close: Duration::from_secs(2),
        }
    }
}
