//! `client::alarm`: kept by the owner of the terminal's partition, once, wherever it was raised and however long that takes.

use std::time::Duration;

use serde_json::{Value, json};
use taoyao_signal::{MeshEvent, Token};
use taoyao_types::{AccountLimits, AccountTag, NodeEpoch, NodeId, SignalId, limits};
use taoyao_wire::link::{AlarmReport, Failure, Payload, Reply};

use crate::world::{Line, World, error};

/// The messages that a node keeps, the newest first.
fn kept(world: &World, node: usize) -> Vec<&str> {
    world.nodes[node].alarms().map(|report| report.message.as_str()).collect()
}

fn raise(world: &mut World, line: Line, message: &str) {
    world.send(line, 7, "client::alarm", json!({"message": message, "datetime": "20230601200000"}));
}

#[test]
fn an_alarm_at_the_owner_itself_is_kept_there_and_nobody_is_answered() {
    let mut world = World::new(&["cn", "cn/east"]);
    let (a, b) = (world.register(0, "a"), world.register(0, "b"));
    world.hush();
    raise(&mut world, a, "smoke");
    assert_eq!((world.hear(a), world.hear(b)), (Vec::<Value>::new(), Vec::new()));
    let report = world.nodes[0].alarms().next().unwrap();
    let expected = AlarmReport {
        from: "a@cn".parse().unwrap(),
        account: AccountTag::of("u"),
        node: "cn".parse().unwrap(),
        epoch: NodeEpoch(1),
        number: 1,
        at: world.now.wall.0,
        message: "smoke".into(),
        datetime: Some("20230601200000".into()),
    };
    assert_eq!(*report, expected);
    world.send(a, 8, "client::status", json!({}));
    assert_eq!(world.hear_one(a)["body"]["alarming"], true);
}

#[test]
fn an_alarm_of_a_roaming_terminal_goes_to_the_owner_of_its_partition() {
    let mut world = World::new(&["cn", "cn/east"]);
    let a = world.register(0, "a@east.cn");
    for message in ["smoke", "fire"] {
        raise(&mut world, a, message);
    }
    assert_eq!((kept(&world, 0), kept(&world, 1)), (Vec::new(), vec!["fire", "smoke"]));
    let report = world.nodes[1].alarms().next().unwrap();
    assert_eq!((report.from.to_string(), report.node.as_str()), ("a@east.cn".to_owned(), "cn"));
    assert_eq!(world.nodes[0].stats().alarms_waiting, 0);
}

#[test]
fn an_owner_out_of_reach_gets_every_alarm_in_order_when_it_is_back() {
    let mut world = World::new(&["cn", "cn/east"]);
    let a = world.register(0, "a@east.cn");
    world.cut.insert(1);
    for message in ["1", "2", "3"] {
        raise(&mut world, a, message);
    }
    world.pass(Duration::from_secs(120));
    assert_eq!((kept(&world, 1).len(), world.nodes[0].stats().alarms_waiting), (0, 3));
    world.cut.clear();
    world.pass(limits::ALARM_RETRY_MAX);
    assert_eq!(kept(&world, 1), ["3", "2", "1"]);
    assert_eq!(world.nodes[0].stats().alarms_waiting, 0);
}

#[test]
fn an_alarm_whose_answer_is_lost_is_told_again_and_kept_once() {
    let mut world = World::new(&["cn", "cn/east"]);
    let a = world.register(0, "a@east.cn");
    world.lose_replies = Some(Failure::Deadline);
    raise(&mut world, a, "smoke");
    world.pass(Duration::from_secs(5));
    assert_eq!((kept(&world, 1), world.nodes[0].stats().alarms_waiting), (vec!["smoke"], 1));
    world.lose_replies = None;
    world.pass(limits::ALARM_RETRY_MAX);
    assert_eq!((kept(&world, 1), world.nodes[0].stats().alarms_waiting), (vec!["smoke"], 0));
}

#[test]
fn what_waits_is_bounded_and_the_loss_is_counted() {
    let mut world = World::new(&["cn", "cn/east"]);
    world.cut.insert(1);
    let at_once = limits::ALARMS_AT_ONCE as usize;
    let count = limits::ALARMS_WAITING_MAX + 3;
    for place in 0..count.div_ceil(at_once) {
        let line =
            world.register_as(0, &format!("t{place}@east.cn"), &format!("account-{}", place * at_once / 128));
        for _ in 0..at_once.min(count - place * at_once) {
            raise(&mut world, line, "x");
        }
    }
    let stats = world.nodes[0].stats();
    assert_eq!((stats.alarms_waiting, stats.alarms_lost), (limits::ALARMS_WAITING_MAX as u64, 3));
}

#[test]
fn an_account_that_renames_its_terminal_washes_no_alarm_of_others_away() {
    for (owner, at) in [(0, "cn"), (1, "east.cn")] {
        let mut world = World::new(&["cn", "cn/east"]);
        let quiet = world.register_as(0, &format!("quiet@{at}"), "ann");
        raise(&mut world, quiet, "fire");
        let line = world.connect(0);
        for nth in 0..200 {
            let body = json!({"clientId": format!("t{nth}@{at}"), "clientType": "WEB", "username": "bob"});
            world.send(line, nth, "client::register", body);
            for _ in 0..limits::ALARMS_AT_ONCE {
                raise(&mut world, line, "flood");
            }
            world.pass(Duration::from_millis(100));
        }
        let own = AccountLimits::default().alarms;
        assert_eq!(world.nodes[owner].alarms().count(), own + 1, "{at}");
        assert_eq!(kept(&world, owner).last(), Some(&"fire"), "{at}");
        assert!(world.nodes[owner].stats().alarms_displaced > 500);
        assert!(world.nodes[0].stats().shares_exhausted > 1_000, "not every rename buys alarms");
    }
}

#[test]
fn what_waits_for_an_owner_out_of_reach_is_shared_too() {
    let mut world = World::with_shares(&["cn", "cn/east"], AccountLimits { alarms: 4, ..Default::default() });
    world.cut.insert(1);
    let quiet = world.register_as(0, "quiet@east.cn", "ann");
    raise(&mut world, quiet, "fire");
    let loud = world.register_as(0, "loud@east.cn", "bob");
    (0..10).for_each(|_| raise(&mut world, loud, "flood"));
    let stats = world.nodes[0].stats();
    assert_eq!((stats.alarms_waiting, stats.alarms_lost), (5, 6));
    world.cut.clear();
    world.pass(2 * limits::ALARM_RETRY_MAX);
    assert_eq!(kept(&world, 1), ["flood", "flood", "flood", "flood", "fire"]);
}

#[test]
fn a_terminal_that_floods_is_refused_and_others_are_heard() {
    let mut world = World::new(&["cn"]);
    let (a, b) = (world.register(0, "a"), world.register(0, "b"));
    world.hush();
    for _ in 0..limits::ALARMS_AT_ONCE {
        raise(&mut world, a, "flood");
    }
    world.hears_nothing(a);
    raise(&mut world, a, "flood");
    assert_eq!(error(&world.hear_one(a)), ("3503", "服务正在维护：too many alarms from this terminal", 7));
    raise(&mut world, b, "smoke");
    assert_eq!(kept(&world, 0)[0], "smoke");
}

#[test]
fn long_texts_are_cut_between_characters() {
    let mut world = World::new(&["cn"]);
    let a = world.register(0, "a");
    world.send(a, 7, "client::alarm", json!({"message": "警".repeat(1_000), "datetime": 5}));
    let report = world.nodes[0].alarms().next().unwrap();
    assert_eq!(report.message, "警".repeat(limits::ALARM_BYTES_MAX / 3));
    assert_eq!(report.datetime.as_deref(), Some("5"));
}

#[test]
fn a_node_where_the_partition_does_not_attach_cannot_report_for_it() {
    let report = |node: &str, from: &str| AlarmReport {
        account: AccountTag::of("u"),
        from: from.parse().unwrap(),
        node: node.parse().unwrap(),
        epoch: NodeEpoch(1),
        number: 1,
        at: 0,
        message: "smoke".into(),
        datetime: None,
    };
    let mut world = World::new(&["cn", "cn/east", "cn/north"]);
    for (nth, (origin, node, from)) in [
        // Its own name, but not its partition.
        ("cn/north", "cn/north", "a@east.cn"),
        // Another's name.
        ("cn/north", "cn/east", "a@east.cn"),
        // A partition that this node does not own.
        ("cn/north", "cn/north", "a@north.cn"),
    ]
    .into_iter()
    .enumerate()
    {
        let token = Token(SignalId { origin: NodeId(0), epoch: NodeEpoch(0), count: 1_000 + nth as u64 });
        let origin = NodeId::of(&origin.parse().unwrap());
        let payload = Payload::Alarm(report(node, from));
        world.mesh(1, MeshEvent::NodeRequest { token, origin, payload, remaining_ms: 1_000 });
        let denied = Reply::Failed(Failure::Denied { rule: "alarms".into() });
        assert_eq!(world.replies().last(), Some(&(token, denied)));
    }
    assert_eq!((kept(&world, 1).len(), world.nodes[1].stats().mesh_refused), (0, 3));
}

#[test]
fn an_alarm_that_the_owner_will_not_have_is_given_up_and_the_next_goes_on() {
    let mut world = World::new(&["cn", "cn/east"]);
    let a = world.register(0, "a@east.cn");
    world.lose_replies = Some(Failure::Denied { rule: "alarms".into() });
    raise(&mut world, a, "1");
    world.lose_replies = None;
    raise(&mut world, a, "2");
    let stats = world.nodes[0].stats();
    assert_eq!((stats.alarms_lost, stats.alarms_waiting), (1, 0));
    assert_eq!(kept(&world, 1)[0], "2");
}
