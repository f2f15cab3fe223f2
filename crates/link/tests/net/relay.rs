//! A UDP relay between a dialler and an acceptor that can be cut, one way or both.

use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

/// Passes packets on while it is not cut. One port towards each dialler, as a NAT has.
pub(crate) struct Relay {
    pub(crate) address: SocketAddr,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    up_cut: AtomicBool,
    down_cut: AtomicBool,
    stop: AtomicBool,
}

impl Relay {
    pub(crate) fn to(target: SocketAddr) -> Self {
        let front = UdpSocket::bind("127.0.0.1:0").unwrap();
        let back = UdpSocket::bind("127.0.0.1:0").unwrap();
        back.connect(target).unwrap();
        let state = Arc::<State>::default();
        let address = front.local_addr().unwrap();
        let shared = state.clone();
        std::thread::spawn(move || pass(&front, &back, &shared));
        Self { address, state }
    }

    /// Cuts the way to the acceptor, the way back, or both.
    pub(crate) fn cut(&self, up: bool, down: bool) {
        self.state.up_cut.store(up, Relaxed);
        self.state.down_cut.store(down, Relaxed);
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.state.stop.store(true, Relaxed);
    }
}

fn pass(front: &UdpSocket, back: &UdpSocket, state: &State) {
    let mut dialler = None;
    for socket in [front, back] {
        socket.set_read_timeout(Some(Duration::from_millis(1))).unwrap();
    }
    let mut buffer = vec![0; 65_536];
    while !state.stop.load(Relaxed) {
        if let Ok((bytes, from)) = front.recv_from(&mut buffer) {
            dialler = Some(from);
            if !state.up_cut.load(Relaxed) {
                back.send(&buffer[..bytes]).ok();
            }
        }
        if let (Ok(bytes), Some(to)) = (back.recv(&mut buffer), dialler)
            && !state.down_cut.load(Relaxed)
        {
            front.send_to(&buffer[..bytes], to).ok();
        }
    }
}
