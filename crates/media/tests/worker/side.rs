//! An SFU on loopback, and what signalling would ask of it.

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use taoyao_media::{Config, Media};
use taoyao_ortc::{
    Act, Command, ConsumerId, Done, Event, Happening, MediaKind, ProducerId, Refused, Reply, RtpParameters,
    TransportId, router_capabilities,
};

/// Only a failure waits so long.
pub(crate) const LONG: Duration = Duration::from_secs(20);

pub(crate) struct Side {
    pub(crate) media: Media,
    events: Receiver<Event>,
    happened: VecDeque<Happening>,
    number: u64,
    ids: u128,
}

impl Side {
    /// One worker, one open room.
    pub(crate) fn new() -> Self {
        Self::over(1)
    }

    /// One open room, and so many workers, of which each takes one of its transports before the next does.
    pub(crate) fn over(workers: usize) -> Self {
        let listen = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let config = Config {
            listen,
            port: 0,
            workers,
            plain_ports: 0..=0,
            room_transports_per_worker: 1,
            ..Config::default()
        };
        let (sender, events) = channel();
        let media = Media::start(config, move |event| drop(sender.send(event))).unwrap();
        let mut side = Self { media, events, happened: VecDeque::new(), number: 0, ids: 0 };
        assert_eq!(side.ask(Act::OpenRoom), Ok(Reply::Done));
        side
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.media.addresses()[0]
    }

    pub(crate) fn id(&mut self) -> u128 {
        self.ids += 1;
        self.ids
    }

    pub(crate) fn ask(&mut self, act: Act) -> Result<Reply, Refused> {
        self.number += 1;
        self.media.send(Command { room: "room".into(), number: self.number, act });
        loop {
            match self.events.recv_timeout(LONG).unwrap() {
                Event::Done(Done { number, result, .. }) if number == self.number => return result,
                Event::Happened { what, .. } => self.happened.push_back(what),
                other => panic!("nobody asked: {other:?}"),
            }
        }
    }

    /// Waits until this happens; what happens before it is forgotten.
    pub(crate) fn wait_for(&mut self, wanted: &Happening) {
        loop {
            let what =
                self.happened.pop_front().unwrap_or_else(|| match self.events.recv_timeout(LONG).unwrap() {
                    Event::Happened { what, .. } => what,
                    other => panic!("nobody asked: {other:?}"),
                });
            if what == *wanted {
                return;
            }
        }
    }

    /// What has happened by now.
    pub(crate) fn happened(&mut self) -> Vec<Happening> {
        while let Ok(event) = self.events.try_recv() {
            let Event::Happened { what, .. } = event else { panic!("nobody asked: {event:?}") };
            self.happened.push_back(what);
        }
        self.happened.drain(..).collect()
    }

    /// The room's mirrors at each worker that has a part of it.
    pub(crate) fn mirrors(&self) -> Vec<usize> {
        let stats = self.media.stats();
        stats.iter().flat_map(|worker| &worker.rooms).map(|room| room.mirrors).collect()
    }

    /// Waits until there are as many.
    pub(crate) fn until_mirrors(&self, wanted: &[usize]) {
        let begun = Instant::now();
        while self.mirrors() != wanted {
            assert!(begun.elapsed() < LONG, "{:?}, not {wanted:?}", self.mirrors());
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    pub(crate) fn produce(
        &mut self,
        transport: TransportId,
        kind: MediaKind,
        rtp: RtpParameters,
    ) -> ProducerId {
        let producer = ProducerId::of_random(self.id());
        let produced = self.ask(Act::Produce { transport, producer, kind, rtp, is_paused: false });
        assert_eq!(produced, Ok(Reply::Produced { consumer_type: "simple" }));
        producer
    }

    /// A consumer that is not paused.
    pub(crate) fn consume(
        &mut self,
        transport: TransportId,
        producer: ProducerId,
    ) -> (ConsumerId, RtpParameters) {
        let consumer = ConsumerId::of_random(self.id());
        let capabilities = router_capabilities().into();
        let consumed = self.ask(Act::Consume { transport, consumer, producer, capabilities });
        let Ok(Reply::Consumed { rtp, .. }) = consumed else { panic!("{consumed:?}") };
        assert_eq!(self.ask(Act::PauseConsumer { consumer, is_paused: false }), Ok(Reply::Done));
        (consumer, rtp)
    }
}
