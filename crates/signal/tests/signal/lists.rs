//! `client::list`: order, filters, pages, and what it starts to follow.

use serde_json::{Value, json};

use crate::world::{Line, World, error, signals};

fn ids(message: &Value) -> Vec<&str> {
    message["body"].as_array().unwrap().iter().map(|state| state["clientId"].as_str().unwrap()).collect()
}

fn list(world: &mut World, line: Line, body: Value) -> Value {
    world.send(line, 2, "client::list", body);
    world.hear_one(line)
}

fn three_nodes() -> (World, Line) {
    let mut world = World::new(&["cn", "cn/east", "cn/west"]);
    let line = world.register(1, "m");
    for (node, client_id) in [(0, "root"), (1, "z"), (2, "w1"), (2, "w2"), (0, "b@east.cn")] {
        world.register(node, client_id);
    }
    world.hush();
    (world, line)
}

#[test]
fn the_own_partition_comes_first_and_bare_then_the_others_in_full() {
    let (mut world, line) = three_nodes();
    let answer = list(&mut world, line, json!({}));
    assert_eq!((&answer["header"]["id"], &answer["header"]["signal"]), (&json!(2), &json!("client::list")));
    assert_eq!(ids(&answer), ["b", "m", "z", "root@cn", "w1@west.cn", "w2@west.cn"]);
    let proxies: Vec<bool> =
        answer["body"].as_array().unwrap().iter().map(|s| s["proxy"].as_bool().unwrap()).collect();
    assert_eq!(proxies, [true, false, false, true, true, true]);
}

#[test]
fn it_can_be_filtered_by_type_and_partition_and_paged() {
    let (mut world, line) = three_nodes();
    assert_eq!(ids(&list(&mut world, line, json!({"clientType": "MEDIA"}))), [""; 0]);
    assert_eq!(
        ids(&list(&mut world, line, json!({"clientType": "wEb", "partition": "west.cn"}))),
        ["w1@west.cn", "w2@west.cn"]
    );
    let mut pages = Vec::new();
    let mut after = Value::Null;
    loop {
        let page = list(&mut world, line, json!({"limit": 2, "after": after}));
        let Some(last) = ids(&page).last().map(|id| json!(id)) else { break };
        pages.extend(ids(&page).into_iter().map(str::to_owned));
        after = last;
    }
    assert_eq!(pages, ["b", "m", "z", "root@cn", "w1@west.cn", "w2@west.cn"]);
}

#[test]
fn senseless_requests_are_refused() {
    let (mut world, line) = three_nodes();
    for (body, code) in [
        (json!({"clientType": "toaster"}), "9999"),
        (json!({"partition": "No Such"}), "3400"),
        (json!({"after": "a@@b"}), "3400"),
    ] {
        assert_eq!(error(&list(&mut world, line, body)).0, code);
    }
    assert_eq!(ids(&list(&mut world, line, json!({"limit": -5}))).len(), 6);
}

#[test]
fn whoever_lists_a_partition_hears_of_its_changes_from_then_on() {
    let (mut world, line) = three_nodes();
    let early = world.register(2, "early");
    world.hears_nothing(line);
    list(&mut world, line, json!({}));
    world.hears_nothing(line);
    let late = world.register(2, "late");
    let online = world.hear_one(line);
    assert_eq!(
        (&online["header"]["signal"], &online["body"]["clientId"]),
        (&json!("client::online"), &json!("late@west.cn"))
    );
    assert_eq!(online["body"]["proxy"], true);
    for gone in [early, late] {
        world.hang_up(gone);
    }
    let heard = world.hear(line);
    assert_eq!(signals(&heard), ["client::offline", "client::offline"]);
    assert_eq!(heard[0]["body"], json!({"clientId": "early@west.cn"}));
}

#[test]
fn a_list_of_everything_also_follows_where_nobody_is_yet() {
    let mut world = World::new(&["cn", "cn/east", "cn/west"]);
    let line = world.register(1, "m");
    assert_eq!(ids(&list(&mut world, line, json!({}))), ["m"]);
    world.register(2, "first");
    assert_eq!(world.hear_one(line)["body"]["clientId"], "first@west.cn");
}

#[test]
fn following_ends_with_the_last_terminal_that_wanted_it() {
    let (mut world, line) = three_nodes();
    let other = world.register(1, "other");
    for line in [line, other] {
        world.hush();
        list(&mut world, line, json!({"partition": "west.cn"}));
    }
    let watched = |world: &World| world.nodes[1].stats().partitions_watched;
    assert_eq!(watched(&world), 2);
    world.hang_up(line);
    assert_eq!(watched(&world), 2);
    world.hang_up(other);
    assert_eq!(watched(&world), 1);
}

#[test]
fn a_list_stays_below_its_bound_in_bytes() {
    let mut world = World::new(&["cn"]);
    let fat = "x".repeat(4_000);
    let mut line = None;
    for n in 0..200 {
        let conn = world.connect(0);
        let body = json!({"clientId": format!("c{n:03}"), "clientType": "OTHER", "status": {"fat": fat}});
        world.send(conn, 1, "client::register", body);
        line = Some(conn);
    }
    world.hush();
    let line = line.unwrap();
    let mut seen = Vec::new();
    let mut after = Value::Null;
    loop {
        let page = list(&mut world, line, json!({"after": after}));
        assert!(page.to_string().len() < 600_000);
        let Some(last) = ids(&page).last().map(|id| json!(id)) else { break };
        seen.extend(ids(&page).into_iter().map(str::to_owned));
        after = last;
    }
    assert_eq!(seen, (0..200).map(|n| format!("c{n:03}")).collect::<Vec<_>>());
}
