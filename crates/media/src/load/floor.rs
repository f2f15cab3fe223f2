//! The floor: a program that only opens each packet once, seals it for each consumer, and sends with the same sockets and
//! the same batching as a worker. It knows no rooms, no feedback, no retransmission and rewrites nothing.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use mio::{Events, Interest, Poll, Token};

use super::link::Exit;
use crate::clock;
use crate::peer::srtp::{MasterKey, Opener, Sealer};
use crate::socket::{Gather, Inbound, Udp};

/// How long it takes at most to notice that it is to end.
const NOTICE: Duration = Duration::from_millis(50);
/// As in a worker.
const BATCHES_PER_TURN: usize = 4;

/// A thread with the name `floor` that forwards until it is dropped.
pub struct Floor {
    address: SocketAddr,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    is_stopping: AtomicBool,
    sent: AtomicU64,
}

impl Floor {
    /// `from`: the producer's key; `to`: each consumer's key and address.
    ///
    /// # Errors
    /// As binding a socket and starting a thread.
    pub fn start(ip: IpAddr, from: &MasterKey, to: &[(MasterKey, SocketAddr)]) -> io::Result<Self> {
        let (mut socket, poll) = (Udp::bind(ip, 0, 0)?, Poll::new()?);
        poll.registry().register(&mut socket.io, Token(0), Interest::READABLE)?;
        let address = socket.address();
        let opener = Opener::new(from);
        let sealers = to.iter().map(|(key, address)| (Sealer::new(key), *address)).collect();
        let shared = Arc::new(Shared::default());
        let theirs = Arc::clone(&shared);
        let thread = thread::Builder::new()
            .name("floor".to_owned())
            .spawn(move || forward(poll, socket, opener, sealers, &theirs))?;
        Ok(Self { address, shared, thread: Some(thread) })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Packets sent so far.
    pub fn sent(&self) -> u64 {
        self.shared.sent.load(Ordering::Relaxed)
    }
}

impl Drop for Floor {
    fn drop(&mut self) {
        self.shared.is_stopping.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

fn forward(
    mut poll: Poll,
    socket: Udp,
    mut opener: Opener,
    mut consumers: Vec<(Sealer, SocketAddr)>,
    shared: &Shared,
) {
    let socket = Rc::new(socket);
    let (mut events, mut inbound, mut exit) =
        (Events::with_capacity(4), Inbound::new(), Exit::new(Rc::clone(&socket)));
    let mut batch: Vec<Vec<u8>> = Vec::new();
    let mut gather = Gather::new(clock::mono());
    let mut has_more = true;
    while !shared.is_stopping.load(Ordering::Relaxed) {
        let timeout = if has_more { Duration::ZERO } else { NOTICE };
        if poll.poll(&mut events, Some(timeout)).is_err() {
            continue;
        }
        if !has_more && !events.is_empty() {
            let pause = gather.pause(clock::mono(), exit.traffic.datagrams_out);
            if !pause.is_zero() {
                thread::sleep(pause);
            }
        }
        let mut taken = 0;
        for _ in 0..BATCHES_PER_TURN {
            has_more = inbound.receive(&socket).unwrap_or(false);
            for (_, datagram) in inbound.datagrams() {
                let Ok(len) = opener.open_rtp(datagram) else { continue };
                if batch.len() == taken {
                    batch.push(Vec::new());
                }
                batch[taken].clear();
                batch[taken].extend_from_slice(&datagram[..len]);
                taken += 1;
            }
            if !has_more {
                break;
            }
        }
        send(&batch[..taken], &mut consumers, &mut exit);
        shared.sent.store(exit.traffic.datagrams_out, Ordering::Relaxed);
    }
}

/// Consumer-outer, so that packets of one consumer leave together.
fn send(batch: &[Vec<u8>], consumers: &mut [(Sealer, SocketAddr)], exit: &mut Exit) {
    for (sealer, to) in consumers {
        for packet in batch {
            if exit.outbound.room() == 0 {
                exit.outbound.flush(&mut exit.traffic);
            }
            let buffer = exit.outbound.next_slot();
            buffer[..packet.len()].copy_from_slice(packet);
            if let Ok(sealed) = sealer.seal_rtp(buffer, packet.len()) {
                let slot = exit.outbound.take();
                exit.outbound.address(slot, exit.via, *to, sealed);
            }
        }
    }
    exit.outbound.flush(&mut exit.traffic);
}
