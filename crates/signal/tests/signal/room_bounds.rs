//! What rooms take of their node: how long empty ones stay, what one account may have, and how long lists get.

use std::time::Duration;

use serde_json::{Value, json};
use taoyao_ortc::Capacity;
use taoyao_signal::{MeshEvent, Output, RoomLimits, Token};
use taoyao_types::{AccountLimits, AccountTag, NodeEpoch, NodeId, SessionEpoch, SignalId, limits};
use taoyao_wire::link::{Payload, Receiving, RoomAct, RoomRequest};

use crate::rooms::create;
use crate::world::{Line, World, error, signals};

/// The ids of the rooms that a terminal is listed.
fn listed(world: &mut World, line: Line, body: Value) -> Vec<String> {
    world.send(line, 90, "room::list", body);
    let answer = world.hear(line).pop().unwrap();
    let rooms = answer["body"].as_array().unwrap_or_else(|| panic!("{answer}"));
    rooms.iter().map(|room| room["roomId"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn rooms_without_members_end_after_their_time_and_who_made_them_is_told() {
    let mut world = World::with_sfus(&["cn", "cn/east"]);
    // The first node serves the second's partition, too: the room is elsewhere than who makes it.
    let a = world.register(0, "a@east.cn");
    world.hush();
    let usual = create(&mut world, a, json!({}));
    let short = create(&mut world, a, json!({"emptySeconds": 30}));
    let long = create(&mut world, a, json!({"emptySeconds": "3600"}));
    world.send(a, 7, "room::enter", json!({"roomId": short}));
    world.pass(Duration::from_secs(60));
    world.hush();
    world.send(a, 8, "room::leave", json!({"roomId": short}));
    world.pass(Duration::from_secs(24));
    assert_eq!(listed(&mut world, a, json!({})).len(), 3);
    world.pass(Duration::from_secs(16));
    let told = world.hear_one(a);
    assert_eq!(
        (&told["header"]["signal"], &told["body"]),
        (&json!("room::close"), &json!({"roomId": short}))
    );
    let passed = limits::ROOM_EMPTY_KEPT - Duration::from_secs(90);
    for _ in 0..passed.as_secs() / 60 + 1 {
        world.pass(Duration::from_secs(60));
        world.send(a, 9, "client::heartbeat", json!({}));
    }
    let told: Vec<Value> =
        world.hear(a).into_iter().filter(|it| it["body"]["roomId"] != Value::Null).collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0]["body"], json!({"roomId": usual}));
    assert_eq!(listed(&mut world, a, json!({})), [long]);
    assert_eq!(world.sfus[1].rooms().count(), 1, "and the SFU has forgotten them");
}

#[test]
fn an_empty_time_that_the_topology_does_not_allow_is_refused_with_its_bounds() {
    let mut world = World::new(&["cn"]);
    let a = world.register(0, "a");
    for wrong in [json!(9), json!(86_401), json!(-1), json!(1e12)] {
        world.send(a, 7, "room::create", json!({"emptySeconds": wrong}));
        let told = world.hear_one(a);
        assert_eq!(error(&told), ("3400", "请求错误：emptySeconds is 10 to 86400", 7));
    }
    world.send(a, 8, "room::create", json!({"emptySeconds": ["x"]}));
    let told = world.hear_one(a);
    assert_eq!(error(&told), ("3400", "请求错误：emptySeconds has to be a number", 8));
    assert!(listed(&mut world, a, json!({})).is_empty());
}

#[test]
fn a_secret_that_cannot_be_read_makes_no_open_room() {
    let mut world = World::new(&["cn"]);
    let a = world.register(0, "a");
    for wrong in [json!(["x"]), json!({"x": 1})] {
        world.send(a, 7, "room::create", json!({"name": "n", "password": wrong}));
        assert_eq!(error(&world.hear_one(a)).0, "3400");
    }
    assert!(listed(&mut world, a, json!({})).is_empty());
}

#[test]
fn a_list_of_rooms_is_read_page_by_page_and_every_room_is_in_it_once() {
    let mut world = World::new(&["cn", "cn/east"]);
    let lines = [world.register(0, "a"), world.register(1, "b")];
    world.hush();
    let mut made: Vec<String> =
        (0..40).map(|n| create(&mut world, lines[n % 2], json!({"name": format!("n{n}")}))).collect();
    let (mut seen, mut after) = (Vec::new(), json!(null));
    loop {
        let page = listed(&mut world, lines[0], json!({"after": after, "limit": 7}));
        let Some(last) = page.last() else { break };
        assert!(page.len() <= 7);
        after = json!(last);
        seen.extend(page);
    }
    made.sort();
    seen.sort();
    assert_eq!(seen, made);
    world.send(lines[0], 9, "room::list", json!({"after": "nowhere"}));
    assert_eq!(error(&world.hear_one(lines[0])).0, "3400");
}

#[test]
fn a_full_sfu_costs_the_room_that_was_empty_for_longest_and_not_the_new_one() {
    let mut world = World::with_sfus(&["cn"]);
    let a = world.register(0, "a");
    world.sfus[0].rooms_max = Some(3);
    let mut made = Vec::new();
    for _ in 0..20 {
        world.pass(Duration::from_millis(100));
        made.push(create(&mut world, a, json!({})));
    }
    let mut rooms = listed(&mut world, a, json!({}));
    let mut newest = made.split_off(17);
    newest.sort();
    rooms.sort();
    assert_eq!(rooms, newest);
    for room in rooms {
        world.send(a, 7, "room::enter", json!({"roomId": room}));
    }
    world.hush();
    world.send(a, 8, "room::create", json!({}));
    let refused = world.hear_one(a);
    assert_eq!(error(&refused).0, "3503", "nobody who is in a room loses it: {refused}");
    assert_eq!(listed(&mut world, a, json!({})).len(), 3);
    assert!(world.nodes[0].tallies().iter().all(|(held, there)| held == there));
}

#[test]
fn who_has_its_share_of_rooms_pays_with_its_own_and_nobody_with_fewer_pays_for_it() {
    let account = AccountLimits { rooms: 3, ..AccountLimits::default() };
    let sfu = Capacity { rooms: 5, ..Capacity::default() };
    let mut world = World::with_limits(&["cn"], &account, &RoomLimits { sfu, ..RoomLimits::default() });
    let [ann, bob, carl, dora] = ["ann", "bob", "carl", "dora"].map(|name| world.register_as(0, name, name));
    world.hush();
    let made = |world: &mut World, line| {
        world.pass(Duration::from_millis(100));
        create(world, line, json!({}))
    };
    let of_bob: Vec<String> = (0..2).map(|_| made(&mut world, bob)).collect();
    let of_ann: Vec<String> = (0..6).map(|_| made(&mut world, ann)).collect();
    let rooms = listed(&mut world, dora, json!({}));
    assert!(of_bob.iter().all(|room| rooms.contains(room)), "bob's are older, and stay");
    assert!(of_ann[3..].iter().all(|room| rooms.contains(room)) && rooms.len() == 5);
    // All five are taken: carl, who has none, gets the place of the room that was empty for longest.
    let of_carl = made(&mut world, carl);
    let rooms = listed(&mut world, dora, json!({}));
    assert!(!rooms.contains(&of_bob[0]) && rooms.contains(&of_carl) && rooms.len() == 5);
    // Members keep rooms, and then the refusal says whose bound it is.
    for room in &of_ann[3..] {
        world.send(ann, 7, "room::enter", json!({"roomId": room}));
    }
    world.hush();
    world.send(ann, 8, "room::create", json!({}));
    let told = world.hear_one(ann);
    let (code, text, _) = error(&told);
    assert_eq!(code, "3503");
    assert!(text.contains("its whole share of 3 rooms: give one back") && text.contains("`rooms`"), "{text}");
    assert_eq!(world.nodes[0].stats().shares_refused.values().sum::<u64>(), 1);
}

#[test]
fn an_account_has_so_many_transports_with_however_many_terminals_and_gets_them_back() {
    let account = AccountLimits { transports: 5, plain_ports: 2, ..AccountLimits::default() };
    let mut world = World::with_limits(&["cn", "cn/east"], &account, &RoomLimits::default());
    let owner = world.register_as(0, "owner", "owner");
    let lines: Vec<Line> = (0..4).map(|n| world.register_as(n % 2, &format!("t{n}"), "ann")).collect();
    world.hush();
    let room = create(&mut world, owner, json!({}));
    let enter = |world: &mut World, line| world.send(line, 20, "room::enter", json!({"roomId": room}));
    let ask = |world: &mut World, line, signal: &str, body: Value| {
        let mut body = body;
        body["roomId"] = json!(room);
        world.hush();
        world.send(line, 30, signal, body);
        let answer = world.hear(line).swap_remove(0);
        (answer["code"].as_str().unwrap().to_owned(), answer["message"].as_str().unwrap().to_owned())
    };
    let webrtc = |world: &mut World, line| ask(world, line, "media::transport::webrtc::create", json!({}));
    for line in &lines {
        enter(&mut world, *line);
    }
    // Terminals of one account at two nodes are two accounts to the room's node: each node vouches for its own.
    for line in [lines[0], lines[2], lines[0], lines[2], lines[0]] {
        assert_eq!(webrtc(&mut world, line).0, "0000");
    }
    let (code, text) = webrtc(&mut world, lines[2]);
    assert_eq!(code, "3503");
    assert!(text.contains("its whole share of 5 transports of the SFU"), "{text}");
    assert_eq!(webrtc(&mut world, lines[1]).0, "0000", "another node's account");
    assert_eq!(world.nodes[0].tallies(), [(1, 1), (6, 6), (0, 0)]);
    // Leaving gives back, however it comes about.
    world.send(lines[0], 40, "room::leave", json!({"roomId": room}));
    assert_eq!(world.nodes[0].tallies()[1], (3, 3));
    world.hang_up(lines[2]);
    assert_eq!(world.nodes[0].tallies()[1], (1, 1));
    enter(&mut world, lines[0]);
    let plain = |world: &mut World, mux: bool| {
        ask(world, lines[0], "media::transport::plain::create", json!({"rtcpMux": mux, "comedia": true}))
    };
    assert_eq!(plain(&mut world, false).0, "0000");
    let (code, text) = plain(&mut world, true);
    assert!(code == "3503" && text.contains("2 ports for plain RTP"), "{text}");
    assert_eq!(world.nodes[0].tallies(), [(1, 1), (2, 2), (2, 2)]);
    world.send(owner, 50, "room::close", json!({"roomId": room}));
    world.send(owner, 50, "room::enter", json!({"roomId": room}));
    world.send(owner, 50, "room::close", json!({"roomId": room}));
    assert_eq!(world.nodes[0].tallies(), [(0, 0); 3]);
}

#[test]
fn nodes_lost_and_rooms_lost_give_their_shares_back() {
    let mut world = World::with_sfus(&["cn", "cn/east"]);
    let (a, b) = (world.register(0, "a"), world.register(1, "b"));
    world.hush();
    let room = create(&mut world, a, json!({}));
    for line in [a, b] {
        world.send(line, 20, "room::enter", json!({"roomId": room}));
        world.send(line, 21, "media::transport::webrtc::create", json!({"roomId": room}));
    }
    assert_eq!(world.nodes[0].tallies()[1], (2, 2));
    world.cut.insert(1);
    world.pass(Duration::from_secs(40));
    assert_eq!(world.nodes[0].tallies()[1], (1, 1));
    world.happen(0, &room, taoyao_ortc::Happening::RoomLost);
    assert_eq!(world.nodes[0].tallies()[1], (0, 0));
}

/// A room at the first node with so many members of a node that is not there, each with a state of 8 KB.
fn crowded(members: usize) -> (World, String) {
    let mut world = World::new(&["cn", "cn/east"]);
    let owner = world.register(0, "owner");
    world.hush();
    let room = create(&mut world, owner, json!({}));
    let filling = "x".repeat(3_900);
    for n in 0..members {
        let state = json!({
            "ip": "10.0.0.1", "name": "\u{1}".repeat(250), "clientType": "CAMERA",
            "status": {"a": filling}, "config": {"b": filling},
            "lastHeartbeat": "2023-06-01 12:00:00", "partition": "cn", "node": "cn",
        });
        let act = RoomAct::Enter {
            entry: n as u64,
            password: None,
            state: state.to_string(),
            receiving: Receiving::default(),
        };
        let (room, account) = (room.clone(), AccountTag::NOBODY);
        let from = format!("{n:04}{}@cn", "m".repeat(116)).parse().unwrap();
        let request = RoomRequest { from, session: SessionEpoch(1), account, room, is_operator: false, act };
        let token = Token(SignalId { origin: NodeId(77), epoch: NodeEpoch(1), count: n as u64 });
        let (origin, payload) = (NodeId(77), Payload::Room(Box::new(request)));
        world.mesh(0, MeshEvent::NodeRequest { token, origin, payload, remaining_ms: 4_000 });
        let longest = world.outputs.iter().filter_map(|(_, output)| told_bytes(output)).max().unwrap();
        assert!(longest < limits::FRAME_BYTES_MAX - limits::FRAME_HEADER_BYTES_MAX, "{longest} at {n}");
        world.hush();
    }
    (world, room)
}

fn told_bytes(output: &Output) -> Option<usize> {
    match output {
        Output::Tell { payload, .. } | Output::Ask { payload, .. } => Some(payload.encode().len()),
        Output::Reply { reply, .. } => Some(reply.encode().len()),
        _ => None,
    }
}

#[test]
fn a_room_of_a_thousand_with_long_states_lets_everybody_in_and_shows_all_of_them() {
    let (mut world, room) = crowded(997);
    let narrow = |world: &mut World, node: usize, name: &str, bytes_max: usize| {
        let line = world.connect(node);
        world.nodes[node].bound_messages(line.1, bytes_max);
        world.send(line, 1, "client::register", crate::world::registration(name));
        world.hush();
        line
    };
    let lines = [
        (
            narrow(&mut world, 1, "web", limits::TERMINAL_MESSAGE_BYTES_MAX),
            limits::TERMINAL_MESSAGE_BYTES_MAX,
        ),
        (narrow(&mut world, 1, "tcp", limits::TCP_FRAME_BYTES_MAX), limits::TCP_FRAME_BYTES_MAX),
        (narrow(&mut world, 0, "android", limits::TCP_FRAME_BYTES_ANDROID), limits::TCP_FRAME_BYTES_ANDROID),
    ];
    for (place, (line, bytes_max)) in lines.into_iter().enumerate() {
        world.send(line, 20, "room::enter", json!({"roomId": room}));
        let longest = world.outputs.iter().filter_map(|(_, output)| told_bytes(output)).max().unwrap();
        assert!(longest < limits::FRAME_BYTES_MAX - limits::FRAME_HEADER_BYTES_MAX, "{longest}");
        let heard = world.hear(line);
        assert!(heard.iter().all(|message| message.to_string().len() <= bytes_max));
        assert!(heard.len() < limits::TERMINAL_QUEUE_MAX, "{}", heard.len());
        let kinds = signals(&heard);
        assert_eq!(kinds[..2], ["room::enter", "room::client::list"]);
        assert!(kinds[2..].iter().all(|kind| *kind == "room::enter"), "the list comes once (quirk Q6)");
        let shown = heard[1]["body"]["clients"].as_array().unwrap().iter();
        let shown = shown.chain(heard[2..].iter().map(|message| &message["body"]["status"]));
        let ids: std::collections::BTreeSet<&str> =
            shown.map(|state| state["clientId"].as_str().unwrap()).collect();
        assert_eq!(ids.len(), 998 + place, "everybody is shown");
        // Asked for, it comes in pages.
        let (mut seen, mut after) = (0, json!(null));
        loop {
            world.hush();
            world.send(line, 21, "room::client::list", json!({"roomId": room, "after": after, "limit": 200}));
            let answer = world.hear_one(line);
            assert!(answer.to_string().len() <= bytes_max);
            let page = answer["body"]["clients"].as_array().unwrap();
            let Some(last) = page.last() else { break };
            after = last["clientId"].clone();
            seen += page.len();
        }
        assert_eq!(seen, 998 + place);
        world.hush();
    }
    let line = lines[2].0;
    world.send(line, 22, "client::list", json!({}));
    assert!(world.hear_one(line).to_string().len() <= limits::TCP_FRAME_BYTES_ANDROID);
}
