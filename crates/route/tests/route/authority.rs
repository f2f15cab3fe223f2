//! What a child may say of terminals, and what is refused because the topology does not give it the right.

use taoyao_types::{NodeEpoch, PartitionId, PartitionName, SessionEpoch, SignalId, TerminalKey, Version};
use taoyao_wire::Class;
use taoyao_wire::link::sync::{Change, RefusedReason};
use taoyao_wire::link::{Complete, Header, Kind, Payload, PresenceNews, Record, Reply, Sync, Target};

use crate::world::{LIFE, NOW, World};

#[test]
fn a_child_buries_only_what_it_could_have_registered() {
    let mut world = World::new();
    let own = world.record("east", "a", 1);
    world.change("east", Change::Add(own));
    let foreign = Record { version: NEWEST, ..world.record("north", "late", 1) };
    world.change("east", Change::Withdraw(foreign));
    assert_eq!(world.refused(), [RefusedReason::NotDelegated]);
    assert_eq!((world.root.stats().authority_violations, world.alarms), (1, 1));

    let late = world.record("north", "late", 1);
    world.change("north", Change::Add(late));
    assert!(world.root.directory().find(late.key).is_some(), "nothing keeps it from coming");

    world.change("east", Change::Withdraw(own));
    assert!(world.root.directory().find(own.key).is_none());
    assert_eq!(world.refused(), []);
}

#[test]
fn a_child_cannot_withdraw_a_node_that_is_not_below_it() {
    let mut world = World::new();
    let there = world.record("north", "b", 1);
    world.change("north", Change::Add(there));
    let borrowed = Record { key: world.record("east", "a", 1).key, ..there };
    for change in [
        Change::Withdraw(there),
        Change::Withdraw(borrowed),
        Change::Lose(there),
        Change::WithdrawOrigin { origin: there.origin, epoch: NodeEpoch(u32::MAX) },
    ] {
        world.change("east", change);
        assert!(world.root.directory().find(there.key).is_some(), "{change:?}");
    }
    assert_eq!(world.refused(), [RefusedReason::NotDelegated, RefusedReason::ForeignOrigin]);
}

#[test]
fn a_withdrawal_from_the_future_is_refused_and_the_terminal_can_come_back() {
    let mut world = World::new();
    let gone = world.record("east", "a", 1);
    world.change("east", Change::Withdraw(Record { version: NEWEST, ..gone }));
    assert_eq!(world.refused(), [RefusedReason::ClockAhead]);
    world.change("east", Change::Add(gone));
    assert!(world.root.directory().find(gone.key).is_some());
}

#[test]
fn a_record_of_a_past_life_is_refused_aloud() {
    let mut world = World::new();
    let now = world.record("east", "a", 1);
    world.change("east", Change::Add(now));
    let past = Version { epoch: NodeEpoch(LIFE.0 - 1), ..now.version };
    world.change("east", Change::Add(Record { version: past, ..world.record("east", "b", 2) }));
    assert_eq!(world.refused(), [RefusedReason::PastLife]);
    assert_eq!(world.root.stats().records_refused, 1);
}

#[test]
fn an_answer_in_the_name_of_a_terminal_elsewhere_is_not_taken_from_a_child() {
    let mut world = World::new();
    let there = world.record("north", "b", 1);
    world.change("north", Change::Add(there));
    let source = world.record("cn", "a", 1).key;
    world.root.ask(NOW, 7, source, Target::Terminal(there.key), Payload::Ping);
    let asked = world.requests();
    let [request] = &asked[..] else { panic!("{asked:?}") };
    let answer = |source| {
        Header::new(Kind::Answer, Class::Request, request.id, Target::Node(request.id.origin), source)
    };
    world.signal("east", &answer(there.key), &Reply::Done.encode());
    assert_eq!((world.alarms, world.replies()), (1, 0), "a name that east may not use");
    world.signal("north", &answer(source), &Reply::Done.encode());
    assert_eq!(world.replies(), 0, "a name that nobody asked");
    world.signal("north", &answer(there.key), &Reply::Done.encode());
    assert_eq!(world.replies(), 1);
}

#[test]
fn a_child_tells_of_presence_at_nodes_below_it_only() {
    let mut world = World::new();
    let mobile: PartitionName = "mobile.cn".parse().unwrap();
    let partition = PartitionId::of(&mobile);
    world.root.watch([partition].into());
    let mut tell = |teller: &str, at: &str| {
        let (teller_id, origin) = (world.node(teller), world.node(at));
        let news = PresenceNews {
            partition: mobile.clone(),
            origin,
            complete: Some(Complete::lost()),
            changes: Vec::new(),
        };
        let id = SignalId { origin: teller_id, epoch: LIFE, count: 1 };
        let target = Target::Watchers(partition);
        let header = Header::new(Kind::Multicast, Class::Event, id, target, TerminalKey::first_in(partition));
        world.signal("east", &header, &Payload::Presence(news).encode());
        world.news()
    };
    assert_eq!(tell("sh", "sh"), 1);
    assert_eq!(tell("east", "sh"), 1, "it has lost the site");
    assert_eq!(tell("east", "north"), 0);
    assert_eq!(tell("sh", "east"), 0);
}

const NEWEST: Version =
    Version { session: SessionEpoch(u64::MAX), epoch: NodeEpoch(u32::MAX), seq: u64::MAX };

#[test]
fn a_parent_makes_its_child_count_on_once_and_not_beyond_what_can_be() {
    let greet = |world: &mut World, last_life| {
        let resume = Sync::Resume { epoch: LIFE, last_life, applied: 0, snapshot: None, digest: None };
        world.tell(world.node("cn"), &resume);
    };
    let mut world = World::at("east", "");
    greet(&mut world, NodeEpoch(u32::MAX));
    assert_eq!((world.outlived.len(), world.alarms), (0, 1), "nobody has started so often");
    for last in [LIFE.0, LIFE.0 + 5, LIFE.0 + 9] {
        greet(&mut world, NodeEpoch(last));
    }
    assert_eq!(
        world.outlived,
        [NodeEpoch(LIFE.0 + 5)],
        "two nodes of one name do not outbid each other for ever"
    );
}

#[test]
fn only_a_parent_tells_the_time_and_remembers_lives() {
    for message in [
        Sync::Clock { wall: NOW.wall },
        Sync::Resume { epoch: LIFE, last_life: LIFE, applied: 0, snapshot: None, digest: None },
    ] {
        let told = std::panic::catch_unwind(|| {
            let mut world = World::new();
            world.tell(world.node("east"), &message);
        });
        assert!(told.is_err(), "the link of a child that says {message:?} is closed");
    }
}
