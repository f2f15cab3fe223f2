//! Where a growing room goes, and what is mirrored for whom.

use taoyao_ortc::control::{Reply, RoomName};
use taoyao_ortc::{
    ConsumerId, Event, MediaKind, RtpParameters, TransportId, TransportPlan, router_capabilities,
};

use super::*;

const ROOM: &str = "room";

struct Office {
    placement: Placement,
    numbers: u64,
}

impl Office {
    /// Two transports of a room for each worker before the next.
    fn new(workers: usize) -> Self {
        let config = Config { workers, room_transports_per_worker: 2, ..Config::default() };
        let mut office = Self { placement: Placement::new(&config), numbers: 0 };
        office.act(Act::OpenRoom);
        office
    }

    fn act(&mut self, act: Act) -> Vec<(usize, Order)> {
        self.act_in(ROOM, act)
    }

    fn act_in(&mut self, room: &str, act: Act) -> Vec<(usize, Order)> {
        self.numbers += 1;
        let command = Command { room: room.into(), number: self.numbers, act };
        let target = self.placement.target(&command).expect("the room is placed");
        self.placement.place(target, command)
    }

    /// The last command was refused.
    fn refuse(&mut self) -> Vec<(usize, Order)> {
        let result = Err(Refused::Invalid(String::new()));
        let done = Done { room: ROOM.into(), number: self.numbers, result };
        self.placement.note(&Event::Done(done)).orders
    }

    fn happen(&mut self, what: Happening) -> Noted {
        self.placement.note(&Event::Happened { room: ROOM.into(), what })
    }

    fn join(&mut self, id: u128) -> usize {
        self.join_in(ROOM, id)
    }

    fn join_all(&mut self, count: u128) {
        for id in 0..count {
            self.join(id);
        }
    }

    fn join_in(&mut self, room: &str, id: u128) -> usize {
        let plan = TransportPlan::WebRtc { force_tcp: false, sctp: None };
        let orders = self.act_in(room, Act::CreateTransport { transport: transport(id), plan });
        workers_of_commands(&orders)[0]
    }

    fn produce(&mut self, of: u128, id: u128, kind: MediaKind) -> Vec<(usize, Order)> {
        let (transport, producer, rtp) = (transport(of), producer(id), RtpParameters::default());
        self.act(Act::Produce { transport, producer, kind, rtp, is_paused: false })
    }

    fn consume(&mut self, of: u128, id: u128, of_producer: u128) -> Vec<(usize, Order)> {
        let (transport, consumer, producer) = (transport(of), consumer(id), producer(of_producer));
        let capabilities = router_capabilities().into();
        self.act(Act::Consume { transport, consumer, producer, capabilities })
    }

    fn loads(&self) -> Vec<(usize, usize)> {
        self.placement.loads.iter().map(|load| (load.rooms, load.transports)).collect()
    }
}

fn transport(id: u128) -> TransportId {
    TransportId::of_random(id)
}

fn producer(id: u128) -> ProducerId {
    ProducerId::of_random(id)
}

fn consumer(id: u128) -> ConsumerId {
    ConsumerId::of_random(id)
}

fn workers_of_commands(orders: &[(usize, Order)]) -> Vec<usize> {
    let commands = orders.iter().filter(|(_, order)| matches!(order, Order::Command(_)));
    commands.map(|(worker, _)| *worker).collect()
}

/// Worker and kind of each order, in short.
fn kinds(orders: &[(usize, Order)]) -> Vec<(usize, &'static str)> {
    let kind = |order: &Order| match order {
        Order::Command(Command { act: Act::CloseRoom, .. }) => "close",
        Order::Command(_) => "command",
        Order::OpenBranch(_) => "branch",
        Order::DropRoom(_) => "drop",
        Order::OpenMirror(_) => "mirror",
        Order::CloseMirror { .. } => "end",
        Order::Pass { .. } => "pass",
        Order::StopPassing { .. } => "stop",
    };
    orders.iter().map(|(worker, order)| (*worker, kind(order))).collect()
}

#[test]
fn a_room_stays_at_home_until_that_is_full_and_fills_branches_one_by_one() {
    let mut office = Office::new(3);
    let at: Vec<usize> = (0..9).map(|id| office.join(id)).collect();
    assert_eq!(at, [0, 0, 1, 1, 2, 2, 0, 1, 2]);
    assert_eq!(office.loads(), [(1, 3), (1, 3), (1, 3)]);
}

#[test]
fn a_new_branch_is_at_the_worker_that_has_least() {
    let mut office = Office::new(3);
    office.act_in("other", Act::OpenRoom);
    office.join_in("other", 100);
    office.join_all(2);
    assert_eq!(office.join(2), 2);
}

#[test]
fn a_room_never_leaves_the_only_worker() {
    let mut office = Office::new(1);
    assert!((0..9).all(|id| office.join(id) == 0));
    assert_eq!(kinds(&office.produce(0, 1, MediaKind::Audio)), [(0, "command")]);
}

#[test]
fn what_is_consumed_at_another_worker_is_mirrored_there_first_and_only_once() {
    let mut office = Office::new(2);
    office.join_all(4);
    assert_eq!(kinds(&office.produce(0, 1, MediaKind::Video)), [(0, "command")]);
    let first = office.consume(2, 1, 1);
    assert_eq!(kinds(&first), [(1, "mirror"), (0, "pass"), (1, "command")]);
    assert_eq!(kinds(&office.consume(3, 2, 1)), [(1, "command")]);
    assert_eq!(kinds(&office.consume(1, 3, 1)), [(0, "command")]);
    let close = |id| Act::CloseConsumer { consumer: consumer(id) };
    assert_eq!(kinds(&office.act(close(1))), [(1, "command")]);
    assert_eq!(kinds(&office.act(close(3))), [(0, "command")]);
    assert_eq!(kinds(&office.act(close(2))), [(1, "command"), (0, "stop"), (1, "end")]);
}

#[test]
fn sound_is_at_all_workers_of_the_room_whoever_came_first() {
    let mut office = Office::new(2);
    office.join_all(2);
    assert_eq!(kinds(&office.produce(0, 1, MediaKind::Audio)), [(0, "command")]);
    let plan = TransportPlan::WebRtc { force_tcp: false, sctp: None };
    let orders = office.act(Act::CreateTransport { transport: transport(2), plan });
    assert_eq!(kinds(&orders), [(1, "branch"), (1, "command"), (1, "mirror"), (0, "pass")]);
    let orders = office.produce(2, 2, MediaKind::Audio);
    assert_eq!(kinds(&orders), [(1, "command"), (0, "mirror"), (1, "pass")]);
    let pause = Act::PauseProducer { producer: producer(2), is_paused: true };
    assert_eq!(kinds(&office.act(pause)), [(1, "command"), (0, "command")]);
    let close = Act::CloseProducer { producer: producer(2) };
    assert_eq!(kinds(&office.act(close)), [(1, "command"), (1, "stop"), (0, "end")]);
}

#[test]
fn what_is_refused_leaves_nothing() {
    let mut office = Office::new(2);
    office.join_all(2);
    office.join(2);
    assert_eq!(kinds(&office.refuse()), [(1, "close")]);
    office.join(2);
    office.produce(2, 1, MediaKind::Audio);
    assert_eq!(kinds(&office.refuse()), [(1, "stop"), (0, "end")]);
    office.produce(2, 1, MediaKind::Video);
    office.consume(0, 1, 1);
    assert_eq!(kinds(&office.refuse()), [(1, "stop"), (0, "end")]);
    assert_eq!(office.loads(), [(1, 2), (1, 1)]);
}

#[test]
fn a_room_whose_opening_is_refused_is_not_there() {
    let mut office = Office::new(2);
    office.act(Act::CloseRoom);
    office.act(Act::OpenRoom);
    office.refuse();
    assert_eq!(office.loads(), [(0, 0), (0, 0)]);
    let act = Act::RestartIce { transport: transport(1) };
    let command = Command { room: ROOM.into(), number: 1, act };
    assert_eq!(office.placement.target(&command), Err(Refused::Unknown("room")));
}

#[test]
fn a_peer_that_is_gone_takes_its_mirrors_and_its_empty_branch_along() {
    let mut office = Office::new(2);
    office.join_all(3);
    office.produce(2, 1, MediaKind::Video);
    office.produce(0, 2, MediaKind::Video);
    office.consume(0, 1, 1);
    office.consume(2, 2, 2);
    let noted = office.happen(Happening::TransportClosed { transport: transport(2) });
    let orders = [(1, "stop"), (0, "end"), (0, "stop"), (1, "end"), (1, "close")];
    assert_eq!(kinds(&noted.orders), orders);
    assert!(noted.is_news);
    assert_eq!(office.loads(), [(1, 2), (0, 0)]);
}

#[test]
fn a_failed_worker_loses_the_whole_room_once() {
    let mut office = Office::new(2);
    office.join_all(3);
    let noted = office.happen(Happening::RoomLost);
    assert_eq!((kinds(&noted.orders), noted.is_news), (vec![(1, "drop"), (0, "drop")], true));
    let again = office.happen(Happening::RoomLost);
    assert_eq!((again.orders.len(), again.is_news), (0, false));
    assert_eq!(kinds(&office.act(Act::OpenRoom)), [(1, "close"), (0, "command")]);
    assert_eq!(office.join(5), 0);
    assert_eq!(office.loads(), [(1, 1), (0, 0)]);
    assert!(office.happen(Happening::RoomLost).is_news);
}

#[test]
fn a_tap_is_at_home_and_keeps_what_it_needs_there() {
    let mut office = Office::new(2);
    office.join_all(3);
    office.produce(2, 1, MediaKind::Video);
    let room: RoomName = ROOM.into();
    let (home, orders) = office.placement.tap(&room, TapId(1), &[producer(1)]).expect("the room is placed");
    assert_eq!((home, kinds(&orders)), (0, vec![(0, "mirror"), (1, "pass")]));
    office.consume(0, 1, 1);
    office.act(Act::CloseConsumer { consumer: consumer(1) });
    let (_, orders) = office.placement.untap(&room, TapId(1)).expect("the tap is there");
    assert_eq!(kinds(&orders), [(1, "stop"), (0, "end")]);
}

#[test]
fn all_parts_of_a_room_together_have_its_limit() {
    let config =
        Config { workers: 2, room_transports_per_worker: 1, transports_per_room: 2, ..Config::default() };
    let mut office = Office { placement: Placement::new(&config), numbers: 0 };
    office.act(Act::OpenRoom);
    assert_eq!([office.join(0), office.join(1)], [0, 1]);
    let plan = TransportPlan::WebRtc { force_tcp: false, sctp: None };
    let act = Act::CreateTransport { transport: transport(2), plan };
    let command = Command { room: ROOM.into(), number: 9, act };
    assert!(matches!(office.placement.target(&command), Err(Refused::Full(_))));
    office.act(Act::CloseRoom);
    assert_eq!(office.loads(), [(0, 0), (0, 0)]);
    let done = Done { room: ROOM.into(), number: 1, result: Ok(Reply::Done) };
    assert!(office.placement.note(&Event::Done(done)).is_news);
}
