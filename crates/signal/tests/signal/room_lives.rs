//! Members whose node starts anew, and terminals that move while they are in a room.

use std::time::Duration;

use serde_json::{Value, json};

use crate::rooms::create;
use crate::world::{Line, World, signals};

/// `a` at the room's node and `b` at another one, both in; and the room.
fn met() -> (World, Line, Line, String) {
    let mut world = World::with_sfus(&["cn", "cn/east"]);
    let (a, b) = (world.register(0, "a"), world.register(1, "b"));
    world.hush();
    let room = create(&mut world, a, json!({}));
    for line in [a, b] {
        world.send(line, 20, "room::enter", json!({"roomId": room}));
        world.send(line, 21, "media::transport::webrtc::create", json!({"roomId": room, "producing": true}));
    }
    world.hush();
    (world, a, b, room)
}

fn size(world: &mut World, line: Line, room: &str) -> Value {
    world.hush();
    world.send(line, 30, "room::status", json!({"roomId": room}));
    world.hear_one(line)["body"]["clientSize"].clone()
}

#[test]
fn a_new_life_of_a_node_ends_its_older_members_at_once() {
    let (mut world, a, _, room) = met();
    world.restart(1);
    let c = world.register(1, "c");
    world.send(c, 20, "room::enter", json!({"roomId": room}));
    let told = world.hear(a);
    let left = told.iter().position(|message| message["header"]["signal"] == "room::leave");
    let came = told.iter().position(|message| message["header"]["signal"] == "room::enter");
    assert!(left.is_some() && left < came, "{told:?}");
    assert_eq!(told[left.unwrap()]["body"]["clientId"], "b@east.cn");
    assert_eq!(size(&mut world, a, &room), 2);
    assert_eq!(world.nodes[0].tallies()[1], (1, 1), "and what it had is given back");
}

#[test]
fn a_node_that_comes_back_without_anybody_is_noticed_in_seconds() {
    let (mut world, a, _, room) = met();
    world.restart(1);
    // News that reach the new life say so at once.
    world.send(a, 22, "room::broadcast", json!({"roomId": room}));
    assert_eq!(signals(&world.hear(a)), ["room::leave"]);
    assert_eq!(size(&mut world, a, &room), 1);
    let (mut world, a, _, room) = met();
    world.restart(1);
    world.pass(Duration::from_secs(11));
    assert_eq!(signals(&world.hear(a)), ["room::leave"], "without any news it is asked");
    assert_eq!(size(&mut world, a, &room), 1);
}

#[test]
fn a_member_whose_farewell_was_lost_is_out_in_seconds() {
    let (mut world, a, b, room) = met();
    world.lose_farewells = true;
    world.hang_up(b);
    assert_eq!(size(&mut world, a, &room), 2, "the room's node does not know yet");
    world.pass(Duration::from_secs(11));
    assert_eq!(signals(&world.hear(a)), ["room::leave"], "nobody else of its node is in the room");
    assert_eq!(size(&mut world, a, &room), 1);
}

#[test]
fn a_terminal_that_moves_at_once_and_enters_again_stays_in() {
    let (mut world, a, old, room) = met();
    world.hold_displaced = true;
    let new = world.register(0, "b@east.cn");
    world.send(new, 20, "room::enter", json!({"roomId": room}));
    world.send(new, 21, "media::transport::webrtc::create", json!({"roomId": room, "producing": true}));
    let answers = world.hear(new);
    assert_eq!(answers.last().unwrap()["header"]["signal"], "media::transport::webrtc::create");
    // Only now its old node hears of it, outbids, and is outbid: both logins are fresh.
    world.release_displaced();
    world.pass(Duration::from_secs(12));
    assert!(world.closed(old).is_some());
    let told: Vec<Value> = world.hear(new);
    assert!(told.iter().all(|message| message["header"]["signal"] != "room::create"), "{told:?}");
    assert_eq!(size(&mut world, a, &room), 2);
    assert_eq!(world.nodes[0].tallies()[1], (2, 2), "what it has made since is still there");
    world.send(a, 22, "room::broadcast", json!({"roomId": room}));
    assert_eq!(signals(&world.hear(new)), ["room::broadcast"]);
    world.send(new, 23, "room::leave", json!({"roomId": room}));
    assert_eq!(size(&mut world, a, &room), 1, "and it can leave");
}
