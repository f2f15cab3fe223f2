//! A worker's thread from the outside: starts it, wakes it, starts it again if it failed, and ends it.

use std::collections::BTreeSet;
use std::io;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use mio::{Poll, Waker};
use taoyao_ortc::control::{Done, Refused, RoomName};
use taoyao_ortc::{Event, Happening, ProducerId};

use super::door::{Door, Inbox};
use super::sockets::Sockets;
use super::{Worker, token};
use crate::config::{Config, StartError};
use crate::media::EventSink;
use crate::peer::Certificate;
use crate::placement::Order;
use crate::stats::WorkerStats;
use crate::tap::{TapId, TapPlan};

/// Between a failure and the next start: a fault that repeats itself must not take the whole core.
const RESTART_PAUSE: Duration = Duration::from_millis(100);

/// What a worker is asked.
pub(crate) enum Ask {
    Order(Order),
    /// There is cargo in the pipe from this worker.
    Piped(usize),
    Tap(TapId, TapPlan),
    WidenTap(RoomName, TapId, Vec<ProducerId>),
    Untap(RoomName, TapId),
    TapKeyFrame(RoomName, TapId, ProducerId),
    Stats(Sender<WorkerStats>),
    /// Fails as a bug would.
    #[cfg(test)]
    Panic,
}

/// What a worker is made of, each time it is started.
#[derive(Clone)]
pub(crate) struct Origin {
    pub(crate) index: usize,
    pub(crate) config: Arc<Config>,
    pub(crate) certificate: Certificate,
    pub(crate) events: EventSink,
    /// Of all workers.
    pub(crate) doors: Arc<[Door]>,
}

/// A worker that has its sockets, but no thread yet.
pub(crate) struct Seat {
    pub(crate) door: Door,
    inbox: Inbox,
    poll: Poll,
    sockets: Sockets,
}

/// A running worker. Dropping it ends the thread.
pub(crate) struct Handle {
    door: Door,
    address: SocketAddr,
    thread: Option<JoinHandle<()>>,
}

/// What is known of a worker when it has failed.
#[derive(Default)]
pub(crate) struct Ledger {
    pub(crate) open: BTreeSet<RoomName>,
    /// Rooms that a failure took; until they are opened again or closed.
    pub(crate) lost: BTreeSet<RoomName>,
    /// The command that is being carried out and wants an answer.
    pub(crate) in_hand: Option<(RoomName, u64)>,
    pub(crate) restarts: u64,
}

impl Seat {
    /// Binds the sockets of one worker.
    pub(crate) fn bind(worker: usize, config: &Config) -> Result<Self, StartError> {
        let no_thread = |source| StartError::Thread { worker, source };
        let port = config.port_of(worker).ok_or(StartError::Ports(config.port))?;
        let listen = config.listen;
        let sockets = Sockets::bind(config, port).map_err(|source| StartError::Listen {
            worker,
            listen,
            port,
            source,
        })?;
        let poll = Poll::new().map_err(no_thread)?;
        let waker = Waker::new(poll.registry(), token::WAKER).map_err(no_thread)?;
        let (door, inbox) = Door::new(waker, config.worker_count());
        Ok(Self { door, inbox, poll, sockets })
    }

    /// Starts the thread.
    pub(crate) fn start(self, origin: Origin) -> Result<Handle, StartError> {
        let Self { door, inbox, poll, sockets } = self;
        let (worker, address) = (origin.index, sockets.udp.address());
        let thread = thread::Builder::new()
            .name(format!("media-{worker}"))
            .spawn(move || supervise(&origin, poll, sockets, &inbox))
            .map_err(|source| StartError::Thread { worker, source })?;
        Ok(Handle { door, address, thread: Some(thread) })
    }
}

impl Handle {
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.door.stop();
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

/// The thread: one worker after the other, until the handle is dropped.
fn supervise(origin: &Origin, mut poll: Poll, first: Sockets, inbox: &Inbox) {
    let mut ledger = Ledger::default();
    let port = first.udp.address().port();
    let mut sockets = Some(first);
    while !inbox.is_stopping() {
        let Some(bound) = sockets.take().or_else(|| rebind(origin, port)) else {
            thread::sleep(RESTART_PAUSE);
            continue;
        };
        let turn = AssertUnwindSafe(|| match Worker::new(origin, bound, poll.registry()) {
            Ok(mut worker) => worker.run(&mut poll, inbox, &mut ledger),
            Err(error) => {
                tracing::error!(worker = origin.index, %error, "the media worker cannot poll its sockets")
            }
        });
        if catch_unwind(turn).is_err() {
            tell_loss(origin, &mut ledger);
        }
        if !inbox.is_stopping() {
            thread::sleep(RESTART_PAUSE);
        }
    }
}

fn rebind(origin: &Origin, port: u16) -> Option<Sockets> {
    let bound: io::Result<Sockets> = Sockets::bind(&origin.config, port);
    if let Err(error) = &bound {
        tracing::error!(worker = origin.index, port, %error, "the media worker's port cannot be had again yet");
    }
    bound.ok()
}

/// Its rooms are gone, and so is the command that it was at.
fn tell_loss(origin: &Origin, ledger: &mut Ledger) {
    ledger.restarts += 1;
    let rooms = std::mem::take(&mut ledger.open);
    tracing::error!(
        worker = origin.index,
        rooms = rooms.len(),
        "a media worker has failed and is started again"
    );
    if let Some((room, number)) = ledger.in_hand.take() {
        (origin.events)(Event::Done(Done { room, number, result: Err(Refused::WorkerLost) }));
    }
    for room in rooms {
        ledger.lost.insert(room.clone());
        (origin.events)(Event::Happened { room, what: Happening::RoomLost });
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};
    use std::sync::mpsc::{Receiver, channel};

    use taoyao_ortc::{
        Act, Command, ConsumerId, DtlsParameters, DtlsRole, IceParameters, MediaKind, Reply, SrtpSuite,
        TransportId, TransportLocal, TransportPlan, router_capabilities,
    };

    use super::*;
    use crate::load::{Audience, Link, Load, Producer, video};

    const LONG: Duration = Duration::from_secs(60);
    const CONSUMERS: u128 = 10;
    /// Between two looks at how far it is.
    const LOOK: Duration = Duration::from_millis(20);

    /// A worker that is run twice in a thread of the test's own, so that what it does the second time can be counted.
    struct Twice {
        door: Door,
        events: Receiver<Event>,
        thread: JoinHandle<Counted>,
        began: Receiver<()>,
        address: SocketAddr,
    }

    struct Counted {
        allocations: u64,
        packets: u64,
    }

    impl Twice {
        fn start() -> Self {
            let listen = IpAddr::V4(Ipv4Addr::LOCALHOST);
            let config = Config { listen, port: 0, workers: 1, enable_tcp: false, ..Config::default() };
            let (told, events) = channel();
            let Seat { door, inbox, mut poll, sockets } = Seat::bind(0, &config).unwrap();
            let origin = Origin {
                index: 0,
                certificate: Certificate::generate().unwrap(),
                events: Arc::new(move |event| drop(told.send(event))),
                config: Arc::new(config),
                doors: [door.clone()].into(),
            };
            let address = sockets.udp.address();
            let (begin, began) = channel();
            let thread = thread::spawn(move || {
                let mut worker = Worker::new(&origin, sockets, poll.registry()).unwrap();
                let mut ledger = Ledger::default();
                worker.run(&mut poll, &inbox, &mut ledger);
                inbox.go_on();
                begin.send(()).unwrap();
                let before = worker.traffic.datagrams_out;
                let counted = allocation_counter::measure(|| worker.run(&mut poll, &inbox, &mut ledger));
                Counted { allocations: counted.count_total, packets: worker.traffic.datagrams_out - before }
            });
            Self { door, events, thread, began, address }
        }

        fn ask(&self, act: Act) -> Reply {
            self.door.ask(Ask::Order(Order::Command(Command { room: "room".into(), number: 7, act })));
            loop {
                if let Event::Done(done) = self.events.recv_timeout(LONG).unwrap() {
                    return done.result.unwrap();
                }
            }
        }

        fn invite(&self, id: u128, certificate: &Certificate) -> (IceParameters, DtlsParameters) {
            let transport = TransportId::of_random(id);
            let plan = TransportPlan::WebRtc { force_tcp: false, sctp: None };
            let Reply::Transport(TransportLocal::WebRtc { ice, dtls, .. }) =
                self.ask(Act::CreateTransport { transport, plan })
            else {
                panic!("no transport");
            };
            let fingerprints = vec![certificate.fingerprint().clone()];
            let theirs = DtlsParameters { role: DtlsRole::Client, fingerprints };
            self.ask(Act::ConnectWebRtc { transport, dtls: theirs });
            (ice, dtls)
        }
    }

    fn wait(is_reached: impl Fn() -> bool) {
        let begun = std::time::Instant::now();
        while !is_reached() {
            assert!(begun.elapsed() < LONG, "packets stay away");
            thread::sleep(LOOK);
        }
    }

    /// Sockets, SRTP, feedback and the router. What happens by the second (reports, shares) may allocate, no packet may.
    #[test]
    fn the_loop_allocates_nothing_for_a_packet() {
        let worker = Twice::start();
        worker.ask(Act::OpenRoom);
        let certificate = Certificate::generate_offering(&[SrtpSuite::AeadAes128Gcm]).unwrap();
        let told: Vec<_> = (0..=CONSUMERS).map(|id| worker.invite(id, &certificate)).collect();
        let mut links = Link::connect(worker.address, &certificate, &told).unwrap();
        let producer = ProducerId::of_random(0);
        let transport = TransportId::of_random(0);
        let (kind, rtp) = (MediaKind::Video, video());
        worker.ask(Act::Produce { transport, producer, kind, rtp, is_paused: false });
        let capabilities = Arc::new(router_capabilities());
        let listeners = links.split_off(1).into_iter().zip(1..).map(|(link, id)| {
            let (transport, consumer) = (TransportId::of_random(id), ConsumerId::of_random(id));
            let capabilities = Arc::clone(&capabilities);
            let Reply::Consumed { rtp, .. } =
                worker.ask(Act::Consume { transport, consumer, producer, capabilities })
            else {
                panic!("no consumer");
            };
            worker.ask(Act::PauseConsumer { consumer, is_paused: false });
            (link, rtp.encodings[0].ssrc.unwrap())
        });
        let audience = Audience::start(listeners.collect()).unwrap();
        let source = Producer::start(links.remove(0), Load { burst: 8, rate: 800.0 });
        source.pause(false);
        // More than rings hold, so that they have their size.
        wait(|| audience.heard().packets > 3_000 * CONSUMERS as u64);
        worker.door.stop();
        worker.began.recv_timeout(LONG).unwrap();
        let before = audience.heard().packets;
        wait(|| audience.heard().packets > before + 1_000 * CONSUMERS as u64);
        worker.door.stop();
        let Counted { allocations, packets } = worker.thread.join().unwrap();
        assert!(packets > 1_000 * CONSUMERS as u64);
        assert!(allocations < packets / 20, "{allocations} allocations while {packets} packets left");
    }
}
