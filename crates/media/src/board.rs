//! Where commands for an SFU become orders for its workers, and where what workers tell is noted.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use taoyao_ortc::control::{Command, Happening, Refused, RoomName};
use taoyao_ortc::{Event, ProducerId};

use crate::placement::{Order, Placement};
use crate::tap::{TapId, TapPlan};
use crate::worker::{Ask, Door};

/// Shared by the handle and all workers. Orders are given while the placement is held: each worker gets them in the order
/// in which they were decided.
pub(crate) struct Board {
    placement: Mutex<Placement>,
    doors: Arc<[Door]>,
}

impl Board {
    pub(crate) fn new(placement: Placement, doors: Arc<[Door]>) -> Self {
        Self { placement: Mutex::new(placement), doors }
    }

    pub(crate) fn doors(&self) -> &[Door] {
        &self.doors
    }

    /// Gives a command to the workers that have to do with it, unless the one that answers it is too busy.
    pub(crate) fn carry_out(
        &self,
        command: Command,
        is_too_busy: impl Fn(&Door) -> bool,
    ) -> Result<(), Refused> {
        let mut placement = self.placement();
        let target = placement.target(&command)?;
        if self.doors.get(target).is_none_or(is_too_busy) {
            return Err(Refused::Full("the room's media worker has too much to do".to_owned()));
        }
        let orders = placement.place(target, command);
        self.give(orders);
        Ok(())
    }

    /// Whether the event is news.
    pub(crate) fn note(&self, event: &Event) -> bool {
        let concerns_placement = match event {
            Event::Done(done) => done.number != 0,
            Event::Happened { what, .. } => {
                matches!(what, Happening::TransportClosed { .. } | Happening::RoomLost)
            }
        };
        if !concerns_placement {
            return true;
        }
        let mut placement = self.placement();
        let noted = placement.note(event);
        self.give(noted.orders);
        noted.is_news
    }

    /// In a room that is not there the plan's channel is dropped.
    pub(crate) fn tap(&self, id: TapId, plan: TapPlan) {
        let mut placement = self.placement();
        let Some((home, orders)) = placement.tap(&plan.room, id, &plan.producers) else { return };
        self.give(orders);
        self.doors[home].ask(Ask::Tap(id, plan));
    }

    pub(crate) fn untap(&self, room: &RoomName, id: TapId) {
        let mut placement = self.placement();
        let Some((home, orders)) = placement.untap(room, id) else { return };
        self.doors[home].ask(Ask::Untap(room.clone(), id));
        self.give(orders);
    }

    pub(crate) fn request_key_frame(&self, room: &RoomName, id: TapId, producer: ProducerId) {
        let placement = self.placement();
        if let Some(home) = placement.home(room) {
            self.doors[home].ask(Ask::TapKeyFrame(room.clone(), id, producer));
        }
    }

    fn give(&self, orders: Vec<(usize, Order)>) {
        for (worker, order) in orders {
            if let Some(door) = self.doors.get(worker) {
                door.ask(Ask::Order(order));
            }
        }
    }

    fn placement(&self) -> MutexGuard<'_, Placement> {
        self.placement.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};
    use std::sync::mpsc::{Receiver, channel};
    use std::time::{Duration, Instant};

    use taoyao_ortc::control::{Act, Done, Reply};
    use taoyao_ortc::{TransportId, TransportPlan};

    use super::*;
    use crate::config::Config;
    use crate::media::Media;

    const LONG: Duration = Duration::from_secs(20);

    struct Side {
        media: Media,
        events: Receiver<Event>,
    }

    impl Side {
        /// Two workers; a room has one transport at each before the next.
        fn new() -> Self {
            let listen = IpAddr::V4(Ipv4Addr::LOCALHOST);
            let config = Config {
                listen,
                port: 0,
                workers: 2,
                plain_ports: 0..=0,
                room_transports_per_worker: 1,
                ..Config::default()
            };
            let (sender, events) = channel();
            let media = Media::start(config, move |event| drop(sender.send(event))).unwrap();
            Self { media, events }
        }

        fn ask(&self, room: &str, act: Act) -> Result<Reply, Refused> {
            self.media.send(Command { room: room.into(), number: 7, act });
            match self.events.recv_timeout(LONG).unwrap() {
                Event::Done(Done { number: 7, result, .. }) => result,
                other => panic!("not an answer: {other:?}"),
            }
        }

        fn join(&self, room: &str, bits: u128) -> Result<Reply, Refused> {
            let plan = TransportPlan::WebRtc { force_tcp: false, sctp: None };
            self.ask(room, Act::CreateTransport { transport: TransportId::of_random(bits), plan })
        }

        /// The rooms that each worker has a part of.
        fn rooms(&self) -> Vec<Vec<String>> {
            let names =
                |worker: &crate::WorkerStats| worker.rooms.iter().map(|room| room.name.to_string()).collect();
            self.media.stats().iter().map(names).collect()
        }
    }

    #[test]
    fn a_worker_that_fails_takes_all_of_its_rooms_down_once_and_no_other_room() {
        let side = Side::new();
        for room in ["wide", "narrow"] {
            assert_eq!(side.ask(room, Act::OpenRoom), Ok(Reply::Done));
            assert!(side.join(room, 1).is_ok());
        }
        assert!(side.join("wide", 2).is_ok());
        assert_eq!(side.rooms(), [vec!["wide"], vec!["narrow", "wide"]]);
        side.media.board().doors()[0].ask(Ask::Panic);
        let lost = Event::Happened { room: "wide".into(), what: Happening::RoomLost };
        assert_eq!(side.events.recv_timeout(LONG).unwrap(), lost);
        assert_eq!(side.join("wide", 3), Err(Refused::WorkerLost));
        assert!(side.join("narrow", 2).is_ok(), "it has only its home");
        let begun = Instant::now();
        while side.rooms() != [vec!["narrow"], vec!["narrow"]] {
            assert!(begun.elapsed() < LONG, "{:?}", side.rooms());
        }
        assert_eq!(side.ask("wide", Act::OpenRoom), Ok(Reply::Done));
        assert!(side.join("wide", 1).is_ok() && side.join("wide", 2).is_ok());
    }
}
