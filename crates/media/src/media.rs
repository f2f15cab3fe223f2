//! The handle of an SFU: starts the workers, has commands carried out by those who have what they are about, and ends them.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use taoyao_ortc::control::{Act, Command, Done, RoomName};
use taoyao_ortc::{Event, ProducerId};
use taoyao_types::{Now, limits};

use crate::board::Board;
use crate::clock;
use crate::config::{Config, StartError};
use crate::peer::Certificate;
use crate::placement::Placement;
use crate::stats::WorkerStats;
use crate::tap::{TapId, TapPlan};
use crate::worker::{Ask, Door, Handle, Origin, Seat};

/// Takes what the SFU tells; called from its threads, must not wait.
pub type EventSink = Arc<dyn Fn(Event) + Send + Sync>;

/// How long a snapshot waits for a worker.
const STATS_WAIT: Duration = Duration::from_secs(1);

/// An SFU with its threads. Dropping it ends them.
pub struct Media {
    workers: Vec<Handle>,
    board: Arc<Board>,
    events: EventSink,
    taps: AtomicU64,
}

impl Media {
    /// Opens the sockets and starts the threads. `events` is called from them and must not wait.
    ///
    /// # Errors
    /// See [`StartError`].
    pub fn start(config: Config, events: impl Fn(Event) + Send + Sync + 'static) -> Result<Self, StartError> {
        let events: EventSink = Arc::new(events);
        let config = Arc::new(config);
        let certificate = Certificate::generate().map_err(|_| StartError::Random)?;
        let seats = (0..config.worker_count())
            .map(|index| Seat::bind(index, &config))
            .collect::<Result<Vec<_>, _>>()?;
        let doors: Arc<[Door]> = seats.iter().map(|seat| seat.door.clone()).collect();
        let board = Arc::new(Board::new(Placement::new(&config), Arc::clone(&doors)));
        let watched = watch(Arc::clone(&board), Arc::clone(&events));
        let start = |(index, seat): (usize, Seat)| {
            let origin = Origin {
                index,
                config: Arc::clone(&config),
                certificate: certificate.clone(),
                events: Arc::clone(&watched),
                doors: Arc::clone(&doors),
            };
            seat.start(origin)
        };
        let workers = seats.into_iter().enumerate().map(start).collect::<Result<Vec<_>, _>>()?;
        Ok(Self { workers, board, events, taps: AtomicU64::new(1) })
    }

    /// Has a command carried out. Its [`Done`], if it has a number, comes as an event.
    pub fn send(&self, command: Command) {
        let (room, number) = (command.room.clone(), command.number);
        let is_refusable = is_refusable(&command.act);
        let busy = |door: &Door| is_refusable && door.waiting() >= limits::MEDIA_COMMANDS_WAITING_MAX;
        if let Err(why) = self.board.carry_out(command, busy)
            && number != 0
        {
            (self.events)(Event::Done(Done { room, number, result: Err(why) }));
        }
    }

    /// Copies what the producers send into the plan's channel until [`Media::untap`], or until they end.
    pub fn tap(&self, plan: TapPlan) -> TapId {
        let id = TapId(self.taps.fetch_add(1, Ordering::Relaxed));
        self.board.tap(id, plan);
        id
    }

    /// Copies what these producers send into the tap's channel, too.
    pub fn widen_tap(&self, room: &RoomName, tap: TapId, producers: Vec<ProducerId>) {
        self.board.widen_tap(room, tap, producers);
    }

    /// Ends a tap of this room; its channel is dropped.
    pub fn untap(&self, room: &RoomName, tap: TapId) {
        self.board.untap(room, tap);
    }

    /// Has the producer send a key frame for a tap.
    pub fn request_key_frame(&self, room: &RoomName, tap: TapId, producer: ProducerId) {
        self.board.request_key_frame(room, tap, producer);
    }

    /// Now, by the clocks that taps tell times of.
    pub fn now() -> Now {
        clock::now()
    }

    /// The numbers of all workers, of each within a second or not at all. Waits; not for an async task.
    pub fn stats(&self) -> Vec<WorkerStats> {
        let (sender, receiver) = mpsc::channel();
        for door in self.board.doors() {
            door.ask(Ask::Stats(sender.clone()));
        }
        drop(sender);
        let mut stats = Vec::with_capacity(self.workers.len());
        while let Ok(of_worker) = receiver.recv_timeout(STATS_WAIT) {
            stats.push(of_worker);
        }
        stats.sort_by_key(|of_worker: &WorkerStats| of_worker.index);
        stats
    }

    /// Where the workers listen.
    pub fn addresses(&self) -> Vec<std::net::SocketAddr> {
        self.workers.iter().map(Handle::address).collect()
    }
}

/// What workers tell is noted on its way.
fn watch(board: Arc<Board>, events: EventSink) -> EventSink {
    Arc::new(move |event| {
        if board.note(&event) {
            events(event);
        }
    })
}

/// Whether leaving it undone leaves nothing behind.
fn is_refusable(act: &Act) -> bool {
    matches!(
        act,
        Act::OpenRoom
            | Act::CreateTransport { .. }
            | Act::Produce { .. }
            | Act::Consume { .. }
            | Act::ProduceData { .. }
            | Act::ConsumeData { .. }
            | Act::TransportStatus { .. }
            | Act::ProducerStatus { .. }
            | Act::ConsumerStatus { .. }
            | Act::RequestKeyFrame { .. }
    )
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
    use std::sync::mpsc::{Receiver, channel};

    use taoyao_ortc::control::{Happening, Refused, Reply};
    use taoyao_ortc::{TransportId, TransportLocal, TransportPlan};

    use super::*;

    const LONG: Duration = Duration::from_secs(20);

    fn config() -> Config {
        let listen = IpAddr::V4(Ipv4Addr::LOCALHOST);
        Config { listen, port: 0, workers: 1, plain_ports: 0..=0, ..Config::default() }
    }

    struct Side {
        media: Media,
        events: Receiver<Event>,
        room: RoomName,
    }

    impl Side {
        fn with(config: Config) -> Self {
            let (sender, events) = channel();
            let media = Media::start(config, move |event| drop(sender.send(event))).unwrap();
            Self { media, events, room: "room".into() }
        }

        fn new() -> Self {
            Self::with(config())
        }

        fn event(&self) -> Event {
            self.events.recv_timeout(LONG).unwrap()
        }

        fn ask(&self, room: &str, act: Act) -> Result<Reply, Refused> {
            self.media.send(Command { room: room.into(), number: 7, act });
            match self.event() {
                Event::Done(Done { number: 7, result, .. }) => result,
                other => panic!("not an answer: {other:?}"),
            }
        }

        fn create(&self, bits: u128) -> Result<Reply, Refused> {
            self.join(&self.room, bits)
        }

        fn join(&self, room: &str, bits: u128) -> Result<Reply, Refused> {
            let plan = TransportPlan::WebRtc { force_tcp: false, sctp: None };
            self.ask(room, Act::CreateTransport { transport: TransportId::of_random(bits), plan })
        }

        fn panic(&self) {
            self.media.board.doors()[0].ask(Ask::Panic);
        }
    }

    #[test]
    fn a_worker_that_fails_loses_its_rooms_and_serves_again_on_its_port() {
        let side = Side::new();
        let before = side.media.addresses();
        assert_eq!(side.ask("room", Act::OpenRoom), Ok(Reply::Done));
        side.panic();
        assert_eq!(side.event(), Event::Happened { room: "room".into(), what: Happening::RoomLost });
        assert_eq!(side.create(1), Err(Refused::WorkerLost));
        assert_eq!(side.ask("room", Act::OpenRoom), Ok(Reply::Done));
        assert!(side.create(1).is_ok());
        let stats = side.media.stats();
        assert_eq!(stats[0].restarts, 1);
        assert_eq!(stats[0].address, Some(before[0]));
    }

    #[test]
    fn a_failure_takes_no_room_of_another_worker() {
        let side = Side::with(Config { workers: 2, ..config() });
        assert!(side.ask("one", Act::OpenRoom).is_ok());
        assert!(side.ask("other", Act::OpenRoom).is_ok());
        side.panic();
        assert_eq!(side.event(), Event::Happened { room: "one".into(), what: Happening::RoomLost });
        assert!(side.join("other", 1).is_ok());
    }

    #[test]
    fn a_failure_takes_all_of_a_room_down_once_and_leaves_its_worker_the_others() {
        let side = Side::with(Config { workers: 2, room_transports_per_worker: 1, ..config() });
        for room in ["wide", "narrow"] {
            assert_eq!(side.ask(room, Act::OpenRoom), Ok(Reply::Done));
            assert!(side.join(room, 1).is_ok());
        }
        assert!(side.join("wide", 2).is_ok());
        let rooms = || -> Vec<Vec<String>> {
            let names =
                |worker: &WorkerStats| worker.rooms.iter().map(|room| room.name.to_string()).collect();
            side.media.stats().iter().map(names).collect()
        };
        assert_eq!(rooms(), [vec!["wide"], vec!["narrow", "wide"]]);
        side.panic();
        assert_eq!(side.event(), Event::Happened { room: "wide".into(), what: Happening::RoomLost });
        assert_eq!(side.join("wide", 3), Err(Refused::WorkerLost));
        assert!(side.join("narrow", 2).is_ok());
        assert_eq!(rooms(), [vec!["narrow"], vec!["narrow"]]);
        assert_eq!(side.ask("wide", Act::OpenRoom), Ok(Reply::Done));
        assert!(side.join("wide", 1).is_ok() && side.join("wide", 2).is_ok());
    }

    #[test]
    fn rooms_and_transports_beyond_the_limit_are_refused() {
        let side = Side::with(Config { rooms_per_worker: 1, transports_per_room: 2, ..config() });
        assert_eq!(side.ask("room", Act::OpenRoom), Ok(Reply::Done));
        assert!(matches!(side.ask("another", Act::OpenRoom), Err(Refused::Full(_))));
        assert!(side.create(1).is_ok());
        assert!(matches!(side.create(1), Err(Refused::Invalid(_))), "the id is taken");
        assert!(side.create(2).is_ok());
        assert!(matches!(side.create(3), Err(Refused::Full(_))));
        assert_eq!(
            side.ask("room", Act::CloseTransport { transport: TransportId::of_random(1) }),
            Ok(Reply::Done)
        );
        assert!(side.create(3).is_ok());
    }

    #[test]
    fn a_room_that_nobody_opened_is_unknown() {
        assert_eq!(Side::new().create(1), Err(Refused::Unknown("room")));
    }

    #[test]
    fn a_transport_is_told_where_it_can_be_reached() {
        let side = Side::new();
        side.ask("room", Act::OpenRoom).unwrap();
        let Ok(Reply::Transport(TransportLocal::WebRtc { candidates, ice, dtls, .. })) = side.create(1)
        else {
            panic!("no transport");
        };
        let port = side.media.addresses()[0].port();
        assert!(ice.ice_lite && dtls.fingerprints.len() == 1);
        let told: Vec<_> =
            candidates.iter().map(|one| (one.protocol.as_str(), one.ip.as_str(), one.port)).collect();
        assert_eq!(told, [("udp", "127.0.0.1", port), ("tcp", "127.0.0.1", port)]);
    }

    #[test]
    fn garbage_of_strangers_is_counted_and_leaves_nothing_behind() {
        let side = Side::new();
        side.ask("room", Act::OpenRoom).unwrap();
        side.create(1).unwrap();
        let stranger = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let to: SocketAddr = side.media.addresses()[0];
        let client_hello = [22, 254, 253, 0, 0, 0, 0, 0, 0, 0, 0, 0, 40, 1, 0, 0, 28];
        let garbage: [&[u8]; 6] = [
            &[],
            &[0; 20],
            &[0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42],
            &client_hello,
            &[0x80; 40],
            &[0xff; 1_400],
        ];
        for datagram in garbage.iter().cycle().take(600) {
            stranger.send_to(datagram, to).unwrap();
        }
        let strangers = || side.media.stats()[0].traffic.strangers;
        for _ in 0..2_000 {
            if strangers() >= 400 {
                break;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        assert!(strangers() >= 400, "{}", strangers());
        assert!(side.create(2).is_ok());
        assert_eq!(side.media.stats()[0].traffic.datagrams_out, 0, "strangers get no answer");
    }

    #[test]
    fn the_threads_end_with_the_handle() {
        let Side { media, events, .. } = Side::with(Config { workers: 2, ..config() });
        drop(media);
        assert!(events.recv_timeout(LONG).is_err(), "the sink went with the threads");
    }
}
