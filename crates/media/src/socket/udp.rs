//! One bound UDP socket: large buffers, no blocking, GRO where the kernel has it.

use std::io;
use std::net::{IpAddr, SocketAddr};

use nix::sys::socket::{setsockopt, sockopt};
use quinn_udp::{UdpSockRef, UdpSocketState};
use socket2::{Domain, Protocol, Socket, Type};

/// Bytes of the kernel's queues, each way: 30 ms of 1 Gbit/s. The kernel may grant less.
const KERNEL_QUEUE_BYTES: usize = 4 * 1024 * 1024;

/// A UDP socket of a worker or of a plain transport.
pub(crate) struct Udp {
    pub(crate) io: mio::net::UdpSocket,
    pub(crate) state: UdpSocketState,
    address: SocketAddr,
}

impl Udp {
    /// Port 0: any free one. `dscp` 0: none.
    pub(crate) fn bind(ip: IpAddr, port: u16, dscp: u8) -> io::Result<Self> {
        let address = SocketAddr::new(ip, port);
        let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
        if ip.is_ipv6() {
            socket.set_only_v6(false)?;
        }
        // What the kernel does not grant is no reason to refuse service.
        drop(socket.set_recv_buffer_size(KERNEL_QUEUE_BYTES));
        drop(socket.set_send_buffer_size(KERNEL_QUEUE_BYTES));
        mark(&socket, ip, dscp);
        socket.set_nonblocking(true)?;
        socket.bind(&address.into())?;
        let state = UdpSocketState::new(UdpSockRef::from(&socket))?;
        let io = mio::net::UdpSocket::from_std(socket.into());
        let address = io.local_addr()?;
        Ok(Self { io, state, address })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

/// Marks what is sent (RFC 8837): the class is in the upper six bits. Networks ignore marks more often than not; that one
/// cannot be set is no reason to refuse service.
fn mark(socket: &Socket, ip: IpAddr, dscp: u8) {
    let class = i32::from(dscp & 0x3f) << 2;
    if class == 0 {
        return;
    }
    match ip {
        IpAddr::V4(_) => setsockopt(socket, sockopt::Ipv4Tos, &class),
        IpAddr::V6(_) => setsockopt(socket, sockopt::Ipv6TClass, &class),
    }
    .ok();
}
