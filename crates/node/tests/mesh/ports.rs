//! Free ports on loopback, from below the range that the system gives to outgoing connections: a node that is killed must
//! find its port free when it comes back.

use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::sync::atomic::{AtomicU16, Ordering};

const FIRST: u16 = 10_000;
const COUNT: u16 = 20_000;

/// A port that is free for TCP and UDP and that this process has not given out before.
pub(crate) fn free() -> u16 {
    static TAKEN: AtomicU16 = AtomicU16::new(0);
    // Two runs at a time begin at different places.
    let begin = std::process::id() * 97;
    for _ in 0..COUNT {
        let step = u32::from(TAKEN.fetch_add(1, Ordering::Relaxed));
        let port = FIRST + ((begin + step) % u32::from(COUNT)) as u16;
        let address = (Ipv4Addr::LOCALHOST, port);
        if TcpListener::bind(address).is_ok() && UdpSocket::bind(address).is_ok() {
            return port;
        }
    }
    panic!("no port of {COUNT} is free");
}
