//! What a neighbour may ask for, by its place in the topology and by policy: whoever has a node's key has its partitions,
//! and no others.

use taoyao_route::Delivery;
use taoyao_types::{NodeId, PartitionId, SessionEpoch, SignalId, TerminalKey, TerminalName};
use taoyao_wire::Class;
use taoyao_wire::link::sync::Change;
use taoyao_wire::link::{
    Complete, Displacement, Failure, Header, Kind, ListEntry, ListPage, ListQuery, Payload, PresenceNews,
    Reply, Sync, Target,
};

use crate::world::{LIFE, NOW, World};

/// Nobody of `east` finds or follows anybody of `cn`, and whoever roams there does not follow them.
const APART: &str = r#"
[policy]
between_partitions = ["see", "presence"]
[[policy.rule]]
id = "apart"
from = "east.cn"
to = "cn"
deny = ["see", "presence"]
[[policy.rule]]
id = "regions"
from = "east.cn"
to = "north.cn"
allow = ["see", "presence"]
[[policy.rule]]
id = "roaming"
from = "mobile.cn"
to = "cn"
deny = ["presence"]
"#;

#[test]
fn a_list_is_collected_for_the_partitions_of_who_asks_and_no_others() {
    let mut world = World::at("cn", APART);
    let mut ask = |maker: &str, home: &str| {
        list(&mut world, ("east", maker), home, "cn");
        (world.answers().pop().unwrap(), std::mem::take(&mut world.alarms))
    };
    let denied = Reply::Failed(Failure::Denied { rule: "home".into() });
    for home in ["cn", "north.cn", "nowhere.cn"] {
        assert_eq!(ask("east", home), (denied.clone(), 1), "{home} is not below east");
    }
    assert_eq!(ask("sh", "sh.east.cn"), (denied, 1), "lists are asked for hop by hop");
    for home in ["east.cn", "sh.east.cn", "mobile.cn"] {
        let (reply, alarms) = ask("east", home);
        assert!(matches!(reply, Reply::List(_)) && alarms == 0, "{home}: {reply:?}");
    }
}

#[test]
fn a_parent_does_not_list_in_the_name_of_a_partition_below() {
    let mut world = World::at("east", "");
    list(&mut world, ("cn", "cn"), "sh.east.cn", "sh.east.cn");
    assert_eq!(world.answers(), [Reply::Failed(Failure::Denied { rule: "home".into() })]);
    world.requests();
    list(&mut world, ("cn", "cn"), "north.cn", "sh.east.cn");
    assert_eq!((world.alarms, world.requests().len()), (1, 1), "it is asked for further down");
}

#[test]
fn a_list_has_only_what_can_be_where_it_comes_from() {
    let mut world = World::new();
    let home = "cn".parse().unwrap();
    let partitions = vec!["east.cn".parse().unwrap()];
    let query = ListQuery { rooms: false, home, client_type: None, partitions, after: None, limit: 10 };
    world.root.gather(NOW, 7, query, std::time::Duration::ZERO);
    let asked = world.requests().pop().unwrap();
    let entry = |name: &str, at: &str| ListEntry {
        name: name.parse().unwrap(),
        origin: world.node(at),
        life: LIFE,
        session: SessionEpoch(1),
        state: "{}".into(),
    };
    let entries = vec![
        entry("a@east.cn", "east"),
        entry("b@sh.east.cn", "sh"),
        entry("boss@cn", "cn"),
        entry("boss@north.cn", "north"),
        entry("boss@north.cn", "east"),
    ];
    let answer = Header::new(
        Kind::Answer,
        Class::Request,
        asked.id,
        Target::Node(asked.id.origin),
        TerminalKey::first_in(world.partition("east")),
    );
    let page = ListPage { entries, incomplete: Vec::new() };
    world.signal("east", &answer, &Reply::List(page).encode());
    let [Delivery::Gathered { page, .. }] = &world.delivered()[..] else { panic!("no list") };
    let names: Vec<_> = page.entries.iter().map(|entry| entry.name.to_string()).collect();
    assert_eq!((names, world.alarms), (vec!["a@east.cn".into(), "b@sh.east.cn".into()], 1));
}

#[test]
fn the_way_to_a_terminal_is_shown_to_those_who_may_find_it() {
    let mut world = World::at("cn", APART);
    let (key, session) = (key("a@cn"), SessionEpoch(NOW.wall.0 << 16));
    world.root.register(NOW, key, session);
    for payload in [Payload::Ping, Payload::Trace { to: "a@cn".parse().unwrap() }] {
        let mut ask = |neighbour: &str, source: &str| {
            request(&mut world, neighbour, source, Target::Terminal(key), &payload);
            (world.answers().pop().unwrap(), std::mem::take(&mut world.denials))
        };
        let (shown, _) = ask("north", "b@north.cn");
        assert!(matches!(shown, Reply::Pong { .. } | Reply::Traced(_)), "{shown:?}");
        let denied = Reply::Failed(Failure::Denied { rule: "apart".into() });
        assert_eq!(ask("east", "b@east.cn"), (denied, 1), "{payload:?}");
    }
    assert_eq!(world.root.stats().policy_refused, 2);
}

#[test]
fn an_operator_is_shown_the_ways_that_the_terminals_have() {
    let mut world = World::at("cn", APART);
    let here = key("a@cn");
    world.root.register(NOW, here, SessionEpoch(NOW.wall.0 << 16));
    let mut trace = |from: TerminalKey, to: &str| {
        let to: TerminalName = to.parse().unwrap();
        world.root.trace(NOW, 1, (from, Payload::Trace { to: to.clone() }), TerminalKey::of(&to));
        world.requests();
        world.traced.take()
    };
    assert!(matches!(trace(here, "a@cn"), Some(Ok(_))));
    let not_there = trace(here, "b@north.cn");
    assert!(!matches!(not_there, Some(Ok(_) | Err(Failure::Denied { .. })) | None), "{not_there:?}");

    let mut world = World::at("east", APART);
    let here = key("b@east.cn");
    world.root.register(NOW, here, SessionEpoch(NOW.wall.0 << 16));
    let to: TerminalName = "a@cn".parse().unwrap();
    world.root.trace(NOW, 1, (here, Payload::Trace { to: to.clone() }), TerminalKey::of(&to));
    assert!(world.requests().is_empty(), "nobody else is asked");
    assert_eq!(world.traced, Some(Err(Failure::Denied { rule: "apart".into() })));
}

#[test]
fn presence_goes_where_somebody_may_follow_it() {
    let mut world = World::at("cn", APART);
    let (cn, north) = (PartitionId::of(&"cn".parse().unwrap()), world.partition("north"));
    for (child, wanted, is_allowed) in [("north", cn, true), ("east", cn, false), ("east", north, true)] {
        let child = world.node(child);
        world.tell(child, &Sync::Interest { partitions: vec![wanted], refresh: vec![wanted] });
        let asked = world.delivered();
        let refreshed = asked.iter().any(|delivery| matches!(delivery, Delivery::Refresh { .. }));
        assert_eq!(std::mem::take(&mut world.alarms), usize::from(!is_allowed));
        assert_eq!(refreshed, is_allowed && wanted == cn);
    }
    world.requests();
    world.root.publish(NOW, "cn".parse().unwrap(), Vec::new(), true);
    world
        .root
        .handle_timeout(taoyao_types::Now { mono: NOW.mono + std::time::Duration::from_secs(1), ..NOW });
    assert_eq!(world.requests().len(), 1, "north alone hears of it");
}

#[test]
fn a_neighbour_speaks_for_its_own_side_of_the_link() {
    let mut world = World::at("east", "");
    let here = key("a@east.cn");
    world.root.register(NOW, here, SessionEpoch(NOW.wall.0 << 16));
    let status = |from: &str| Payload::Status { from: from.parse().unwrap() };
    let mut tell = |neighbour: &str, maker: &str, source: &str| {
        let maker = world.node(maker);
        let id = SignalId { origin: maker, epoch: LIFE, count: 1 };
        let mut taken = 0;
        for kind in [Kind::Request, Kind::Event] {
            let header = Header::new(kind, Class::Request, id, Target::Terminal(here), key(source));
            world.signal(neighbour, &header, &status(source).encode());
            taken += world.delivered().len();
        }
        (taken, std::mem::take(&mut world.alarms))
    };
    assert_eq!(tell("cn", "north", "b@north.cn"), (2, 0));
    assert_eq!(tell("sh", "sh", "b@sh.east.cn"), (2, 0));
    assert_eq!(tell("cn", "sh", "b@sh.east.cn"), (0, 2), "a node below does not speak from above");
    assert_eq!(tell("cn", "cn", "b@sh.east.cn"), (0, 2), "a partition that is below alone");
    assert_eq!(tell("cn", "north", "b@cn"), (0, 2), "a partition that its maker does not have");
    assert_eq!(tell("sh", "sh", "b@east.cn"), (0, 2));
    assert_eq!(tell("sh", "north", "b@mobile.cn"), (0, 2));
}

#[test]
fn a_terminal_is_where_its_partition_is() {
    let mut world = World::new();
    let record = world.record("sh", "b@east.cn", 1);
    world.change("east", Change::Add(record));
    assert!(world.root.directory().find(record.key).is_none(), "sh has no terminals of east");

    let mut world = World::at("east", "");
    let here = key("a@east.cn");
    world.root.register(NOW, here, SessionEpoch(NOW.wall.0 << 16));
    let version = world.root.directory().find(here).unwrap().version;
    let version = taoyao_types::Version { session: SessionEpoch(version.session.0 + 1), ..version };
    let (parent, north) = (world.node("cn"), world.node("north"));
    world.tell(parent, &Sync::Displaced(Displacement { key: here, origin: Some(north), version }));
    assert!(world.root.directory().find(here).is_some());
    assert_eq!(world.alarms, 1, "it cannot be at north");
}

#[test]
fn a_node_on_the_way_may_say_that_a_terminal_is_gone_which_it_could_not_have_itself() {
    let mut world = World::new();
    // What a node answers which is told to let go of what it has no more.
    let mut nothing = world.record("east", "m@mobile.cn", 0);
    nothing.version = taoyao_types::Version { session: SessionEpoch(0), ..nothing.version };
    world.change("east", Change::Withdraw(nothing));
    assert_eq!(world.alarms, 0, "east has no terminals of mobile.cn, but there are some below it");

    let foreign = world.record("north", "m@mobile.cn", 1);
    world.change("east", Change::Withdraw(foreign));
    let elsewhere = world.record("east", "b@north.cn", 1);
    world.change("east", Change::Withdraw(elsewhere));
    assert_eq!(world.alarms, 2, "neither in the name of a node elsewhere, nor of a partition elsewhere");
}

#[test]
fn news_of_presence_is_of_partitions_that_the_node_in_question_has() {
    let mut world = World::new();
    let mobile = PartitionId::of(&"mobile.cn".parse().unwrap());
    let east = world.partition("east");
    world.root.watch([mobile, east].into());
    let mut tell = |at: &str, partition: &str| {
        let (teller, origin) = (world.node("east"), world.node(at));
        let partition = partition.parse().unwrap();
        let id = PartitionId::of(&partition);
        let news = PresenceNews { partition, origin, complete: Some(Complete::lost()), changes: Vec::new() };
        let signal = SignalId { origin: teller, epoch: LIFE, count: 1 };
        let target = Target::Watchers(id);
        let header = Header::new(Kind::Multicast, Class::Event, signal, target, TerminalKey::first_in(id));
        world.signal("east", &header, &Payload::Presence(news).encode());
        world.news()
    };
    assert_eq!(tell("sh", "mobile.cn"), 1);
    assert_eq!(tell("east", "mobile.cn"), 0, "east has none of them itself");
    assert_eq!(tell("sh", "east.cn"), 0);
}

#[test]
fn the_state_of_an_sfu_is_asked_of_its_node() {
    let mut world = World::new();
    let own = Target::Node(world.node("cn"));
    request(&mut world, "east", "b@east.cn", own, &Payload::Status { from: "b@east.cn".parse().unwrap() });
    assert!(matches!(&world.delivered()[..], [Delivery::NodeRequest { .. }]));
}

fn list(world: &mut World, (neighbour, maker): (&str, &str), home: &str, wanted: &str) {
    let source = TerminalKey::first_in(world.partition(maker));
    let (own, maker) = (world.own(), world.node(maker));
    let (home, partitions) = (home.parse().unwrap(), vec![wanted.parse().unwrap()]);
    let query = ListQuery { rooms: false, home, client_type: None, partitions, after: None, limit: 10 };
    send(world, neighbour, maker, source, Target::Node(own), &Payload::List(query));
}

fn request(world: &mut World, neighbour: &str, source: &str, target: Target, payload: &Payload) {
    let maker = world.node(neighbour);
    send(world, neighbour, maker, key(source), target, payload);
}

fn send(
    world: &mut World,
    neighbour: &str,
    maker: NodeId,
    source: TerminalKey,
    target: Target,
    payload: &Payload,
) {
    let id = SignalId { origin: maker, epoch: LIFE, count: world.next_count() };
    let header = Header::new(Kind::Request, Class::Request, id, target, source);
    world.signal(neighbour, &header, &payload.encode());
}

fn key(name: &str) -> TerminalKey {
    TerminalKey::of(&name.parse().unwrap())
}
