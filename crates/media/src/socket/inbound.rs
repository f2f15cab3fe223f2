//! What one call into the kernel received: up to 32 messages, each of one datagram or of several of one sender (GRO).

use std::io::{self, IoSliceMut};
use std::net::SocketAddr;

use quinn_udp::{BATCH_SIZE, RecvMeta, UdpSockRef};

use super::udp::Udp;

/// Room for one message: with GRO the kernel joins datagrams of one sender up to this.
const MESSAGE_BYTES: usize = 65_536;

/// The buffers of a worker's receiving, used over and over. Pages that no message reached are not resident.
pub(crate) struct Inbound {
    buffer: Box<[u8]>,
    metas: [RecvMeta; BATCH_SIZE],
    filled: usize,
}

impl Inbound {
    pub(crate) fn new() -> Self {
        Self {
            buffer: vec![0; BATCH_SIZE * MESSAGE_BYTES].into_boxed_slice(),
            metas: [RecvMeta::default(); BATCH_SIZE],
            filled: 0,
        }
    }

    /// Reads what waits, as much as fits. Returns whether there may be more.
    ///
    /// # Errors
    /// As `recvmmsg`; `WouldBlock` if nothing waits.
    pub(crate) fn receive(&mut self, socket: &Udp) -> io::Result<bool> {
        self.filled = 0;
        let mut chunks = self.buffer.chunks_exact_mut(MESSAGE_BYTES);
        let mut slices: [IoSliceMut<'_>; BATCH_SIZE] =
            std::array::from_fn(|_| IoSliceMut::new(chunks.next().unwrap_or_default()));
        let sock = UdpSockRef::from(&socket.io);
        self.filled = socket.state.recv(sock, &mut slices, &mut self.metas)?;
        Ok(self.filled == BATCH_SIZE)
    }

    /// Each datagram of the last [`Self::receive`] with where it came from.
    pub(crate) fn datagrams(&mut self) -> impl Iterator<Item = (SocketAddr, &mut [u8])> {
        let messages = self.buffer.chunks_exact_mut(MESSAGE_BYTES).zip(&self.metas[..self.filled]);
        messages.flat_map(|(message, meta)| {
            let stride = meta.stride.max(1);
            message[..meta.len].chunks_mut(stride).map(|datagram| (canonical(meta.addr), datagram))
        })
    }
}

/// An IPv4 sender on a socket of both families is the IPv4 sender that it is.
fn canonical(addr: SocketAddr) -> SocketAddr {
    SocketAddr::new(addr.ip().to_canonical(), addr.port())
}
