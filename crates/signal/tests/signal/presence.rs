//! `client::online` and `client::offline` of terminals at other nodes.

use std::time::Duration;

use serde_json::json;
use taoyao_signal::{MeshEvent, Output};
use taoyao_types::{NodeId, PartitionId, PolicyRule, Scope, SessionEpoch, Verdict};
use taoyao_wire::link::{Complete, PresenceChange, PresenceNews};

use crate::world::{World, registration, signals};

fn news(origin: &str, complete: bool, changes: &[(&str, u64, bool)]) -> MeshEvent {
    let change = |(client, session, here): &(&str, u64, bool)| PresenceChange {
        client: client.parse().unwrap(),
        session: SessionEpoch(*session),
        state: here.then(|| "{\"ip\":\"1\"}".to_owned()),
    };
    MeshEvent::Presence(PresenceNews {
        partition: "cn".parse().unwrap(),
        origin: NodeId::of(&origin.parse().unwrap()),
        complete: complete.then(Complete::lost),
        changes: changes.iter().map(change).collect(),
    })
}

#[test]
fn terminals_of_one_partition_hear_of_each_other_across_nodes() {
    let mut world = World::new(&["cn", "cn/east"]);
    let here = world.register(1, "here");
    let there = world.register(0, "there@east.cn");
    let online = world.hear_one(here);
    assert_eq!((&online["body"]["clientId"], &online["body"]["proxy"]), (&json!("there"), &json!(true)));
    world.register(0, "foreign");
    world.hears_nothing(here);
    world.hang_up(there);
    assert_eq!(world.hear_one(here)["body"], json!({"clientId": "there"}));
}

#[test]
fn no_session_is_announced_twice_and_a_complete_naming_tells_the_difference() {
    let mut world = World::new(&["cn"]);
    let line = world.register(0, "me");
    world.mesh(0, news("cn/a", true, &[("x", 1, true), ("y", 1, true)]));
    world.hears_nothing(line);
    world.mesh(0, news("cn/a", false, &[("z", 1, true)]));
    world.mesh(0, news("cn/a", false, &[("z", 1, true)]));
    assert_eq!(signals(&world.hear(line)), ["client::online"]);
    world.mesh(0, news("cn/a", true, &[("x", 1, true), ("z", 1, true), ("w", 1, true)]));
    let heard = world.hear(line);
    assert_eq!(signals(&heard), ["client::online", "client::offline"]);
    assert_eq!((&heard[0]["body"]["clientId"], &heard[1]["body"]["clientId"]), (&json!("w"), &json!("y")));
    world.mesh(0, MeshEvent::OriginLost { origin: NodeId::of(&"cn/a".parse().unwrap()) });
    assert_eq!(world.hear(line).len(), 3);
    world.mesh(0, MeshEvent::OriginLost { origin: NodeId::of(&"cn/a".parse().unwrap()) });
    world.hears_nothing(line);
}

#[test]
fn news_of_a_partition_that_nobody_follows_is_dropped() {
    let mut world = World::new(&["cn", "cn/east"]);
    let line = world.register(1, "me");
    world.mesh(1, news("cn/a", false, &[("x", 1, true)]));
    world.hears_nothing(line);
}

#[test]
fn a_refresh_names_all_members_of_the_node() {
    let mut world = World::new(&["cn", "cn/east"]);
    world.register(0, "a");
    world.register(0, "b");
    world.register(0, "c@east.cn");
    world.hush();
    let partitions = vec![PartitionId::of(&"cn".parse().unwrap()), PartitionId(7)];
    world.mesh(0, MeshEvent::Refresh { partitions });
    let [(0, Output::Publish { partition, changes, complete: true })] = &world.outputs[..] else {
        panic!("{:?}", world.outputs)
    };
    assert_eq!(partition.as_str(), "cn");
    assert_eq!(changes.iter().map(|change| change.client.as_str()).collect::<Vec<_>>(), ["a", "b"]);
}

#[test]
fn policy_may_hide_presence() {
    let rule = PolicyRule {
        id: "hidden".into(),
        verdict: Verdict::Deny,
        from: "cn".parse().unwrap(),
        to: "east.cn".parse().unwrap(),
        scopes: vec![Scope::Presence],
    };
    let mut world = World::with_rules(&["cn", "cn/east"], vec![rule]);
    let (root, east) = (world.register(0, "root"), world.register(1, "east"));
    for line in [root, east] {
        world.hush();
        world.send(line, 2, "client::list", json!({}));
        assert_eq!(world.hear_one(line)["body"].as_array().unwrap().len(), 2, "seeing is another right");
    }
    world.hush();
    world.register(1, "new");
    world.hears_nothing(root);
    assert_eq!(world.hear(east).len(), 1);
    world.register(0, "newer");
    assert_eq!(world.hear(east).len(), 1);
}

#[test]
fn a_storm_is_paced_and_nobody_misses_anything() {
    let mut world = World::new(&["cn"]);
    let line = world.register(0, "me");
    let names: Vec<String> = (0..2_000).map(|n| format!("t{n}")).collect();
    let changes: Vec<(&str, u64, bool)> = names.iter().map(|name| (name.as_str(), 1, true)).collect();
    world.mesh(0, news("cn/a", false, &changes));
    let at_once = world.hear(line).len();
    assert!(at_once < 1_024, "{at_once} would overflow the terminal's queue");
    world.pass(Duration::from_secs(1));
    assert!(world.hear(line).len() <= 1_000);
    assert!(world.nodes[0].stats().announcements_waiting > 0);
    world.mesh(0, MeshEvent::OriginLost { origin: NodeId::of(&"cn/a".parse().unwrap()) });
    world.pass(Duration::from_secs(10));
    let offline =
        world.hear(line).iter().filter(|message| message["header"]["signal"] == "client::offline").count();
    assert_eq!(offline, 2_000);
    assert_eq!(world.nodes[0].stats().announcements_waiting, 0);
}

#[test]
fn a_login_at_another_node_moves_the_terminal_and_the_older_end_is_told_why() {
    let mut world = World::new(&["cn", "cn/east"]);
    let (viewer, far_viewer) = (world.register(1, "viewer"), world.register(0, "far@east.cn"));
    let old = world.register(1, "a");
    world.pass(Duration::from_secs(60));
    world.hush();
    let new = world.connect(0);
    world.send(new, 2, "client::register", registration("a@east.cn"));
    assert_eq!(signals(&world.hear(new)), ["client::register", "client::config"]);
    assert_eq!(world.hear_one(old)["code"], "3401");
    assert_eq!(world.closed(old), Some((1000, "logged in elsewhere")));
    for line in [viewer, far_viewer] {
        let heard = world.hear(line);
        assert_eq!(signals(&heard), ["client::online"], "it has not been away");
        assert_eq!(heard[0]["body"]["node"], "cn");
    }
    assert!(
        !world.outputs.iter().any(|(node, output)| *node == 1 && matches!(output, Output::Withdraw { .. }))
    );
    world.hang_up(new);
    assert_eq!(signals(&world.hear(viewer)), ["client::offline"]);
}

#[test]
fn a_fresh_login_outbids_one_that_only_claims_to_be_newer_but_only_once() {
    let mut world = World::new(&["cn", "cn/east"]);
    let line = world.register(0, "a");
    world.hush();
    let key = crate::world::key("a@cn");
    let origin = Some(NodeId::of(&"cn/east".parse().unwrap()));
    let displaced = |outbid: u64| MeshEvent::Displaced { key, origin, outbid: SessionEpoch(outbid) };
    world.mesh(0, displaced(1));
    assert!(world.outputs.is_empty(), "an outbid below its own session is stale");
    let outbid = 1_685_620_801_000 << 16;
    world.mesh(0, displaced(outbid));
    assert!(world.outputs.contains(&(0, Output::Register { key, session: SessionEpoch(outbid) })));
    world.hears_nothing(line);
    world.mesh(0, displaced(outbid + 1));
    let last_words = world.hear_one(line);
    assert_eq!(last_words["code"], "3401");
    assert_eq!(last_words["message"], "终端已在别处登录：logged in elsewhere, at cn/east");
    assert_eq!(world.closed(line), Some((1000, "logged in elsewhere")));
    let stats = world.nodes[0].stats();
    assert_eq!((stats.outbids, stats.replaced, stats.registered), (1, 1, 0));
}
