//! The sockets that a worker is started with: one port, UDP and, if wanted, TCP.

use std::io;

use mio::net::TcpListener;

use crate::config::Config;
use crate::socket::{TcpPeers, Udp};

/// How often another free port is tried where any will do and TCP finds it taken.
const TRIES: usize = 16;

/// Bound, but not polled yet.
pub(crate) struct Sockets {
    pub(crate) udp: Udp,
    pub(crate) tcp: Option<TcpListener>,
}

impl Sockets {
    /// Port 0: any that is free for both.
    pub(crate) fn bind(config: &Config, port: u16) -> io::Result<Self> {
        let mut tries = if port == 0 { TRIES } else { 1 };
        loop {
            tries -= 1;
            let udp = Udp::bind(config.listen, port, config.dscp)?;
            if !config.enable_tcp {
                return Ok(Self { udp, tcp: None });
            }
            match TcpPeers::listen(udp.address()) {
                Ok(listener) => return Ok(Self { udp, tcp: Some(listener) }),
                Err(error) if tries == 0 => return Err(error),
                Err(_) => {}
            }
        }
    }
}
