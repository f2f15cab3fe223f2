//! A worker: one thread with its sockets, the rooms that were given to it, and all their transports.
//!
//! A turn of its loop takes what the poll said, then commands, then a batch of datagrams, then timers; what came of them
//! leaves in one go at the end. Nothing in here waits but the poll.

mod act;
mod consent;
mod consume;
mod data;
mod door;
mod forward;
mod handle;
mod ice;
mod mirror;
mod peers;
mod pipe;
mod plain;
mod receive;
mod room;
mod snapshot;
mod sockets;
mod status;
mod tap;
mod thinned;
mod timers;
mod token;
mod transport;

use std::collections::HashMap;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use mio::{Events, Interest, Poll, Registry};
use slab::Slab;
use taoyao_ortc::control::RoomName;
use taoyao_ortc::{Event, Happening};
use taoyao_sfu::ice::RemoteAddress;
use taoyao_types::{Instant, Now, limits};

pub(crate) use door::{Door, Inbox};
pub(crate) use handle::{Ask, Handle, Ledger, Origin, Seat};
pub(crate) use room::Room;
pub(crate) use transport::Transport;

use crate::clock;
use crate::config::Config;
use crate::media::EventSink;
use crate::peer::Certificate;
use crate::socket::{Gather, Inbound, Outbound, TcpPeers, Udp, Via};
use crate::stats::Traffic;
use forward::Group;
use mirror::Spread;
use sockets::Sockets;
use thinned::Thinned;
use timers::Timers;

/// Asks of one turn; then media has its turn.
const ASKS_PER_TURN: usize = 32;
/// Batches of datagrams of one turn; then what came of them leaves.
const BATCHES_PER_TURN: usize = 4;
/// Events of the poll in one turn.
const POLL_EVENTS: usize = 256;
/// How often the clean-up of old connections runs.
const CLEAN_UP: Duration = Duration::from_secs(1);

/// All of one worker.
pub(crate) struct Worker {
    index: usize,
    config: Arc<Config>,
    certificate: Certificate,
    events: EventSink,
    registry: Registry,
    udp: Rc<Udp>,
    via: Via,
    tcp: Option<TcpPeers>,
    rooms: Slab<Room>,
    by_name: HashMap<RoomName, usize>,
    transports: Slab<Transport>,
    /// Transports by our user name fragments: how a first check finds its transport.
    by_ufrag: HashMap<String, u32>,
    /// Transports by where valid checks came from. Nothing gets in here without one.
    by_address: HashMap<RemoteAddress, u32>,
    timers: Timers,
    /// Rooms whose routers may have something to send or to tell.
    touched: Vec<usize>,
    /// Transports whose peers may have something to send or to tell.
    dirty: Vec<u32>,
    /// Sockets of plain transports and TCP connections that were not read to their end.
    unread: Vec<mio::Token>,
    outbound: Outbound,
    group: Group,
    traffic: Traffic,
    /// Rooms that are on other workers, too.
    spread: Spread,
    next_clean_up: Instant,
    /// What the log says of transports that did not connect.
    failures: Thinned,
}

impl Worker {
    pub(crate) fn new(origin: &Origin, sockets: Sockets, registry: &Registry) -> io::Result<Self> {
        let registry = registry.try_clone()?;
        let Sockets { mut udp, tcp } = sockets;
        registry.register(&mut udp.io, token::UDP, Interest::READABLE)?;
        let mut tcp = tcp.map(|listener| TcpPeers::new(listener, token::TCP_FIRST));
        if let Some(tcp) = &mut tcp {
            tcp.register(&registry, token::LISTENER)?;
        }
        let udp = Rc::new(udp);
        let mut outbound = Outbound::new();
        let via = outbound.open(Rc::clone(&udp));
        Ok(Self {
            index: origin.index,
            config: Arc::clone(&origin.config),
            certificate: origin.certificate.clone(),
            events: Arc::clone(&origin.events),
            registry,
            udp,
            via,
            tcp,
            rooms: Slab::new(),
            by_name: HashMap::new(),
            transports: Slab::new(),
            by_ufrag: HashMap::new(),
            by_address: HashMap::new(),
            timers: Timers::default(),
            touched: Vec::new(),
            dirty: Vec::new(),
            unread: Vec::new(),
            outbound,
            group: Group::default(),
            traffic: Traffic::default(),
            spread: Spread::new(origin.index, Arc::clone(&origin.doors)),
            next_clean_up: clock::mono() + CLEAN_UP,
            failures: Thinned::new(clock::mono()),
        })
    }

    /// Until the handle is dropped.
    pub(crate) fn run(&mut self, poll: &mut Poll, inbox: &Inbox, ledger: &mut Ledger) {
        let mut events = Events::with_capacity(POLL_EVENTS);
        let mut inbound = Inbound::new();
        let mut gather = Gather::new(clock::mono());
        // What waited before the poll knew the sockets is told by nobody.
        let mut has_unread_udp = true;
        while !inbox.is_stopping() {
            let is_busy = has_unread_udp || inbox.has_more() || !self.unread.is_empty();
            let timeout = if is_busy { Some(Duration::ZERO) } else { self.until_timer() };
            match poll.poll(&mut events, timeout) {
                Err(error) if error.kind() != io::ErrorKind::Interrupted => {
                    tracing::error!(worker = self.index, %error, "the media worker cannot wait for its sockets");
                    std::thread::sleep(Duration::from_millis(1));
                }
                _ => {}
            }
            let mut now = clock::now();
            self.traffic.turns += 1;
            let has_begun = self.take_ready(now, &events);
            // What waited since the last turn has waited long enough.
            if has_begun && !has_unread_udp {
                let pause = gather.pause(now.mono, self.traffic.datagrams_out);
                if !pause.is_zero() {
                    std::thread::sleep(pause);
                    now = clock::now();
                }
            }
            has_unread_udp |= has_begun;
            self.take_asks(now, inbox, ledger);
            if has_unread_udp {
                has_unread_udp = self.receive(now, &mut inbound);
            }
            self.read_unread(now, &mut inbound);
            self.run_timers(now);
            self.finish_turn(now);
        }
    }

    fn until_timer(&self) -> Option<Duration> {
        let next = self.timers.next().map_or(self.next_clean_up, |at| at.min(self.next_clean_up));
        Some(next.since(clock::mono()))
    }

    /// Notes what the poll said. Returns whether the UDP socket has something.
    fn take_ready(&mut self, now: Now, events: &Events) -> bool {
        let mut has_udp = false;
        for event in events {
            match event.token() {
                token::UDP => has_udp = true,
                token::WAKER => {}
                token::LISTENER => {
                    if let Some(tcp) = &mut self.tcp {
                        tcp.accept(now.mono, &self.registry);
                    }
                }
                other => {
                    let tcp = self.tcp.as_mut();
                    let is_tcp = token::is_tcp(other);
                    let is_open = !is_tcp
                        || tcp.is_some_and(|tcp| {
                            tcp.ready(other, event.is_readable(), event.is_writable()).is_some()
                        });
                    if is_open && event.is_readable() && !self.unread.contains(&other) {
                        self.unread.push(other);
                    }
                }
            }
        }
        has_udp
    }

    fn take_asks(&mut self, now: Now, inbox: &Inbox, ledger: &mut Ledger) {
        for _ in 0..ASKS_PER_TURN {
            let Some(ask) = inbox.next() else { return };
            match ask {
                Ask::Order(order) => self.obey(now, order, ledger),
                Ask::Piped(from) => self.unload(now, from),
                Ask::Tap(id, plan) => self.open_tap(now, id, plan),
                Ask::WidenTap(room, id, producers) => self.widen_tap(now, &room, id, &producers),
                Ask::Untap(room, id) => self.close_tap(&room, id),
                Ask::TapKeyFrame(room, id, producer) => self.request_tap_key_frame(now, &room, id, producer),
                Ask::Stats(answer) => drop(answer.send(self.snapshot(now, ledger))),
                #[cfg(test)]
                Ask::Panic => panic!("asked to"),
            }
        }
    }

    fn run_timers(&mut self, now: Now) {
        while let Some(owner) = self.timers.pop(now.mono) {
            match owner {
                timers::Owner::Room(room) => self.room_timeout(now, room),
                timers::Owner::Transport(key) => self.peer_timeout(now, key),
            }
        }
        if self.next_clean_up <= now.mono {
            self.next_clean_up = now.mono + CLEAN_UP;
            if let Some(tcp) = self.tcp.as_mut().filter(|tcp| !tcp.is_empty()) {
                tcp.close_unchecked(now.mono);
            }
        }
    }

    /// Everything that came of the turn: peers' own datagrams, media, news; then all of it leaves.
    fn finish_turn(&mut self, now: Now) {
        // Other workers forward at the same time.
        self.spread.hand_over(&mut self.traffic);
        self.serve_dirty(now);
        self.forward_touched(now);
        // What routers noticed may have made peers say something.
        self.serve_dirty(now);
        self.spread.hand_over(&mut self.traffic);
        if !self.outbound.is_empty() {
            self.outbound.flush(&mut self.traffic);
        }
    }

    fn touch(&mut self, room: usize) {
        if let Some(of_index) = self.rooms.get_mut(room)
            && !std::mem::replace(&mut of_index.is_touched, true)
        {
            self.touched.push(room);
        }
    }

    fn soil(&mut self, key: u32) {
        if let Some(transport) = self.transports.get_mut(key as usize)
            && !std::mem::replace(&mut transport.is_dirty, true)
        {
            self.dirty.push(key);
        }
    }

    fn tell(&self, room: &RoomName, what: Happening) {
        (self.events)(Event::Happened { room: room.clone(), what });
    }
}

const _: () = assert!(limits::MEDIA_TRANSPORTS_PER_WORKER_MAX < u32::MAX as usize);
