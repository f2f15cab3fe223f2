//! An audience: many consumers in one thread, which say what a browser says of what it receives.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use mio::{Events, Interest, Poll, Token};
use taoyao_sfu::congestion::Arrivals;
use taoyao_sfu::rtcp::Writer;

use super::link::Link;
use super::packets;
use crate::clock;
use crate::peer::{PeerInput, SEAL_BYTES_MAX};
use crate::socket::{Inbound, Udp};

/// How often feedback and timers of everyone are looked at.
const LOOK: Duration = Duration::from_millis(20);

/// A thread that receives until it is dropped.
pub struct Audience {
    shared: Arc<Shared>,
    delays: Receiver<u64>,
    thread: Option<JoinHandle<()>>,
    addresses: Vec<SocketAddr>,
}

/// What has arrived so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Heard {
    pub packets: u64,
}

#[derive(Default)]
struct Shared {
    is_stopping: AtomicBool,
    packets: AtomicU64,
}

enum Member {
    /// Says when packets arrived. The first of an audience opens them to read their stamps.
    Client { link: Box<Link>, arrivals: Box<Arrivals>, media: u32 },
    /// Only takes packets off its socket.
    Bare(Udp),
}

impl Audience {
    /// Connected clients, each with the SSRC of what it consumes.
    ///
    /// # Errors
    /// As a poll.
    pub fn start(links: Vec<(Link, u32)>) -> io::Result<Self> {
        let member = |(link, media): (Link, u32)| Member::Client {
            link: Box::new(link),
            arrivals: Box::new(Arrivals::new(clock::mono())),
            media,
        };
        Self::run(links.into_iter().map(member).collect())
    }

    /// Sockets that say nothing.
    ///
    /// # Errors
    /// As binding, and as a poll.
    pub fn start_bare(ip: IpAddr, count: usize) -> io::Result<Self> {
        let bind = |_| Udp::bind(ip, 0, 0).map(Member::Bare);
        Self::run((0..count).map(bind).collect::<io::Result<_>>()?)
    }

    fn run(mut members: Vec<Member>) -> io::Result<Self> {
        let poll = Poll::new()?;
        let mut addresses = Vec::with_capacity(members.len());
        for (index, member) in members.iter_mut().enumerate() {
            let socket = member.socket_mut();
            poll.registry().register(&mut socket.io, Token(index), Interest::READABLE)?;
            addresses.push(socket.address());
        }
        let shared = Arc::new(Shared::default());
        let (sender, delays) = channel();
        let theirs = Arc::clone(&shared);
        let thread = thread::spawn(move || listen(poll, members, &sender, &theirs));
        Ok(Self { shared, delays, thread: Some(thread), addresses })
    }

    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    pub fn heard(&self) -> Heard {
        Heard { packets: self.shared.packets.load(Ordering::Relaxed) }
    }

    /// How many microseconds each packet to the first member took since the last call.
    pub fn delays_us(&self) -> Vec<u64> {
        self.delays.try_iter().collect()
    }
}

impl Drop for Audience {
    fn drop(&mut self) {
        self.shared.is_stopping.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

fn listen(mut poll: Poll, mut members: Vec<Member>, delays: &Sender<u64>, shared: &Shared) {
    let (mut events, mut inbound) = (Events::with_capacity(members.len().max(1)), Inbound::new());
    let mut next_look = clock::mono();
    for member in &mut members {
        member.receive(false, &mut inbound, delays);
    }
    while !shared.is_stopping.load(Ordering::Relaxed) {
        if poll.poll(&mut events, Some(LOOK)).is_err() {
            continue;
        }
        for event in &events {
            let index = event.token().0;
            if let Some(member) = members.get_mut(index) {
                let packets = member.receive(index == 0, &mut inbound, delays);
                shared.packets.fetch_add(packets, Ordering::Relaxed);
            }
        }
        if clock::mono() >= next_look {
            next_look = clock::mono() + LOOK;
            members.iter_mut().for_each(Member::look);
        }
    }
}

impl Member {
    fn socket_mut(&mut self) -> &mut Udp {
        match self {
            Self::Client { link, .. } => &mut link.socket,
            Self::Bare(socket) => socket,
        }
    }

    /// Takes all that waits. Returns how many packets of media it was.
    fn receive(&mut self, is_measured: bool, inbound: &mut Inbound, delays: &Sender<u64>) -> u64 {
        let mut packets = 0;
        while inbound.receive(self.socket_mut()).is_ok() {
            let now = clock::mono();
            for (_, datagram) in inbound.datagrams() {
                match self {
                    Self::Bare(_) => packets += 1,
                    Self::Client { link, arrivals, .. } => {
                        let number = packets::transport_number(datagram);
                        if let Some(number) = number {
                            arrivals.handle_packet(now, number, datagram.len());
                            packets += 1;
                        }
                        // Whoever opened all of them would be what is measured.
                        if number.is_some() && !is_measured {
                            continue;
                        }
                        if let PeerInput::Rtp(len) = link.client.handle_datagram(now, datagram)
                            && let Some(at) = packets::stamp(&datagram[..len])
                        {
                            delays.send(now.0.saturating_sub(at)).ok();
                        }
                    }
                }
            }
        }
        packets
    }

    /// Feedback and what else is due.
    fn look(&mut self) {
        let Self::Client { link, arrivals, media } = self else { return };
        let mut buffer = [0; 1_200 + SEAL_BYTES_MAX];
        let mut writer = Writer::new(&mut buffer[..1_200]);
        if arrivals.poll_feedback(clock::mono(), 1, *media, &mut writer).unwrap_or(false) {
            let len = writer.len();
            if let Some(sealed) = link.client.seal_rtcp(&mut buffer, len) {
                drop(link.socket.io.send_to(&buffer[..sealed], link.to));
            }
        }
        link.run_timers();
        link.say();
    }
}
