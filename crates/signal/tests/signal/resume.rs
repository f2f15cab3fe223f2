//! Coming back with a ticket after a lost connection.

use std::time::Duration;

use serde_json::{Value, json};
use taoyao_auth::AccountVersion;
use taoyao_types::limits;

use crate::world::{Line, World, error, registration, signals};

/// Registers with the wish to come back; the line and the ticket.
fn register(world: &mut World, node: usize, client: &str) -> (Line, String) {
    let line = world.connect(node);
    let mut body = registration(client);
    body["resume"] = json!(true);
    world.send(line, 1, "client::register", body);
    let heard = world.hear(line);
    assert_eq!(
        (&heard[0]["body"]["resumed"], &heard[0]["body"]["resumeSeconds"]),
        (&json!(false), &json!(30))
    );
    (line, heard[0]["body"]["ticket"].as_str().unwrap().to_owned())
}

fn resume(world: &mut World, node: usize, client: &str, ticket: &str, received: u64) -> (Line, Vec<Value>) {
    let line = world.connect(node);
    let body = json!({"clientId": client, "ticket": ticket, "received": received});
    world.send(line, 2, "client::register", body);
    let heard = world.hear(line);
    (line, heard)
}

#[test]
fn who_comes_back_in_time_gets_what_it_missed_and_nobody_was_told_that_it_was_away() {
    for across in [0, 1] {
        let mut world = World::new(&["cn", "cn/east"]);
        let a = world.register(across, "a@east.cn");
        let (line, ticket) = register(&mut world, 1, "b");
        world.hush();
        world.send(a, 5, "client::unicast", json!({"to": "b", "number": 1}));
        world.hang_up(line);
        world.send(a, 6, "client::unicast", json!({"to": "b", "number": 2}));
        world.pass(Duration::from_secs(29));
        world.send(a, 7, "client::list", json!({}));
        assert_eq!(world.hear_one(a)["body"].as_array().unwrap().len(), 2, "it is there all the time");
        // client::config was received, the first unicast perhaps not.
        let (line, heard) = resume(&mut world, 1, "b", &ticket, 1);
        assert_eq!(signals(&heard), ["client::register", "client::unicast", "client::unicast"]);
        assert_eq!((&heard[0]["body"]["resumed"], &heard[0]["header"]["id"]), (&json!(true), &json!(2)));
        assert_eq!((&heard[1]["body"]["number"], &heard[2]["body"]["number"]), (&json!(1), &json!(2)));
        assert_eq!(world.hear(a), Vec::<Value>::new());
        world.send(a, 8, "client::unicast", json!({"to": "b", "number": 3}));
        assert_eq!(world.hear_one(line)["body"]["number"], 3);
        world.send(line, 9, "client::unicast", json!({"to": "a@east.cn", "number": 4}));
        assert_eq!(world.hear_one(a)["body"]["number"], 4);
    }
}

#[test]
fn a_connection_is_a_strangers_until_somebody_has_registered_or_come_back_on_it() {
    let mut world = World::new(&["cn"]);
    let stranger = world.connect(0);
    let mut body = registration("a");
    body["password"] = json!("wrong");
    world.send(stranger, 1, "client::register", body);
    assert!(world.admitted.is_empty());
    let (line, ticket) = register(&mut world, 0, "b");
    world.hang_up(line);
    let (wrong, _) = resume(&mut world, 0, "b", "1.none", 1);
    let (back, _) = resume(&mut world, 0, "b", &ticket, 1);
    assert!(world.admitted.contains(&line) && world.admitted.contains(&back));
    assert!(!world.admitted.contains(&wrong) && !world.admitted.contains(&stranger));
}

#[test]
fn it_may_be_away_again_and_again() {
    let mut world = World::new(&["cn"]);
    let a = world.register(0, "a");
    let (mut line, ticket) = register(&mut world, 0, "b");
    world.hush();
    for round in 0..4_u64 {
        world.hang_up(line);
        world.pass(Duration::from_secs(20));
        world.send(a, 5, "client::unicast", json!({"to": "b", "round": round}));
        let (next, heard) = resume(&mut world, 0, "b", &ticket, 1 + round);
        assert_eq!(heard.last().unwrap()["body"]["round"], round);
        assert_eq!(heard.len(), 2);
        line = next;
    }
    assert_eq!(world.hear(a), Vec::<Value>::new());
}

#[test]
fn who_stays_away_too_long_is_offline_then() {
    let mut world = World::new(&["cn"]);
    let a = world.register(0, "a");
    let (line, ticket) = register(&mut world, 0, "b");
    world.hush();
    world.hang_up(line);
    world.pass(Duration::from_secs(29));
    assert_eq!(world.hear(a), Vec::<Value>::new());
    world.pass(Duration::from_secs(2));
    assert_eq!(signals(&world.hear(a)), ["client::offline"]);
    let (line, heard) = resume(&mut world, 0, "b", &ticket, 1);
    assert_eq!(error(&heard[0]).0, "3404");
    assert_eq!(world.closed(line), None, "it may register in full on the same connection");
    let mut body = registration("b");
    body["ticket"] = json!(ticket);
    world.send(line, 3, "client::register", body);
    assert_eq!(signals(&world.hear(line)), ["client::register", "client::config"]);
}

#[test]
fn a_terminal_without_a_ticket_leaves_with_its_connection() {
    let mut world = World::new(&["cn"]);
    let (a, b) = (world.register(0, "a"), world.register(0, "b"));
    world.hush();
    world.hang_up(b);
    assert_eq!(signals(&world.hear(a)), ["client::offline"]);
}

#[test]
fn who_takes_its_leave_or_is_replaced_does_not_linger() {
    let mut world = World::new(&["cn"]);
    let a = world.register(0, "a");
    let (line, _) = register(&mut world, 0, "b");
    world.hush();
    world.send(line, 5, "client::close", json!({}));
    assert_eq!(signals(&world.hear(a)), ["client::offline"]);
    let (line, ticket) = register(&mut world, 0, "b");
    world.hush();
    let newer = world.register(0, "b");
    assert!(world.closed(line).is_some());
    let (_, heard) = resume(&mut world, 0, "b", &ticket, 1);
    assert_eq!(error(&heard[0]).0, "3404", "the session is another");
    assert_eq!(world.closed(newer), None);
}

#[test]
fn a_forged_ticket_and_a_false_count_are_good_for_nothing() {
    let mut world = World::new(&["cn", "cn/east"]);
    let (line, ticket) = register(&mut world, 0, "b");
    let (_, other) = register(&mut world, 0, "c");
    world.hush();
    world.hang_up(line);
    let forged = ticket.replace('1', "2");
    for (ticket, received) in
        [(forged.as_str(), 1), (other.as_str(), 1), ("", 1), ("x.y", 1), (ticket.as_str(), 99)]
    {
        let (_, heard) = resume(&mut world, 0, "b", ticket, received);
        assert_eq!(error(&heard[0]).0, "3404", "{ticket} {received}");
    }
    let (_, heard) = resume(&mut world, 1, "b", &ticket, 1);
    assert_eq!(error(&heard[0]).0, "3404", "another node has another key");
}

#[test]
fn a_half_open_socket_gives_way_and_its_end_ends_nothing() {
    let mut world = World::new(&["cn"]);
    let a = world.register(0, "a");
    let (old, ticket) = register(&mut world, 0, "b");
    world.hush();
    let (new, heard) = resume(&mut world, 0, "b", &ticket, 1);
    assert_eq!(signals(&heard), ["client::register"]);
    assert!(world.closed(old).is_some());
    world.hang_up(old);
    assert_eq!(world.hear(a), Vec::<Value>::new());
    world.send(a, 5, "client::unicast", json!({"to": "b"}));
    assert_eq!((world.hear(new).len(), world.hear(old).len()), (1, 0));
}

#[test]
fn calls_and_rooms_go_on() {
    let mut world = World::new(&["cn", "cn/east"]);
    let a = world.register(0, "a");
    let (line, ticket) = register(&mut world, 1, "b");
    world.send(a, 5, "session::call", json!({"clientId": "b@east.cn"}));
    let session = world.hear(line).last().unwrap()["body"]["sessionId"].clone();
    world.send(a, 6, "room::create", json!({}));
    let room = world.hear(a).last().unwrap()["body"]["roomId"].clone();
    world.send(line, 7, "room::enter", json!({"roomId": room}));
    world.send(a, 8, "room::enter", json!({"roomId": room}));
    let received = 1 + 1 + 2 + 1;
    world.hush();
    world.hang_up(line);
    world.send(a, 9, "session::exchange", json!({"sessionId": session, "type": "offer"}));
    world.send(a, 10, "room::broadcast", json!({"roomId": room}));
    world.send(a, 11, "control::bell", json!({"to": "b@east.cn", "enabled": true}));
    world.pass(Duration::from_secs(2));
    let (line, heard) = resume(&mut world, 1, "b", &ticket, received - 1);
    assert_eq!(
        signals(&heard)[1..],
        ["room::enter", "session::exchange", "room::broadcast", "control::bell"],
        "what may have been lost with the old connection, and what came since"
    );
    let bell = heard.last().unwrap()["header"]["id"].clone();
    let answer =
        json!({"header": {"v": "1.0.0", "id": bell, "signal": "control::bell"}, "body": {"enabled": true}});
    world.say(line, &answer.to_string());
    assert_eq!(signals(&world.hear(a)), ["control::bell"], "and nobody left the room or the call");
    world.send(line, 12, "session::exchange", json!({"sessionId": session, "type": "answer"}));
    assert_eq!(signals(&world.hear(a)), ["session::exchange"]);
}

#[test]
fn a_terminal_that_came_back_can_be_renamed_and_replaced() {
    let mut world = World::new(&["cn"]);
    let (line, ticket) = register(&mut world, 0, "b");
    world.hang_up(line);
    let (line, _) = resume(&mut world, 0, "b", &ticket, 1);
    world.send(line, 3, "client::register", registration("d"));
    assert_eq!(signals(&world.hear(line)), ["client::register", "client::config"]);
    let newer = world.register(0, "d");
    assert!(world.closed(line).is_some() && world.closed(newer).is_none());
}

/// All that a registration says, with the ticket of `b` in place of a password.
fn with_ticket(ticket: &str) -> Value {
    let mut body = registration("b");
    body["ticket"] = json!(ticket);
    for secret in ["username", "password"] {
        body.as_object_mut().unwrap().remove(secret);
    }
    body
}

#[test]
fn after_a_restart_a_ticket_stands_in_for_the_password_of_its_account_in_its_state() {
    let mut world = World::new(&["cn"]);
    let (_, ticket) = register(&mut world, 0, "b");
    world.restart(0);
    let line = world.connect(0);
    world.send(line, 3, "client::register", with_ticket(&ticket));
    let heard = world.hear(line);
    assert_eq!(signals(&heard), ["client::register", "client::config"]);
    // A second one of that name has to have the password.
    let other = world.connect(0);
    world.send(other, 4, "client::register", with_ticket(&ticket));
    assert_eq!(error(&world.hear_one(other)).0, "3404");
    // In the same life it is good for its session only.
    let (own, ticket) = register(&mut world, 0, "b");
    world.hang_up(own);
    world.pass(Duration::from_secs(31));
    let late = world.connect(0);
    world.send(late, 5, "client::register", with_ticket(&ticket));
    assert_eq!(error(&world.hear_one(late)).0, "3404");
}

#[test]
fn a_ticket_of_a_changed_account_of_long_ago_or_shown_late_is_good_for_nothing() {
    let changed = |world: &mut World| {
        let account = world.account("u").in_version(AccountVersion(2));
        world.accounts.insert("u".into(), account);
    };
    let late = |world: &mut World| {
        world.connect(0);
        world.pass(limits::TICKETS_OUTLIVE);
    };
    let old = |world: &mut World| world.now.wall.0 += limits::TICKET_KEPT.as_millis() as u64;
    let cases: [&dyn Fn(&mut World); 3] = [&changed, &late, &old];
    for (nth, spoil) in cases.into_iter().enumerate() {
        let mut world = World::new(&["cn"]);
        let (_, ticket) = register(&mut world, 0, "b");
        world.restart(0);
        spoil(&mut world);
        let line = world.connect(0);
        world.send(line, 3, "client::register", with_ticket(&ticket));
        assert_eq!(error(&world.hear_one(line)).0, "3404", "{nth}");
        // With the password beside it, it does no harm.
        let mut body = registration("b");
        body["ticket"] = json!(ticket);
        world.send(line, 4, "client::register", body);
        assert_eq!(signals(&world.hear(line))[0], "client::register", "{nth}");
    }
}

#[test]
fn a_ticket_is_its_terminals_alone() {
    let mut world = World::new(&["cn"]);
    let (_, ticket) = register(&mut world, 0, "b");
    world.restart(0);
    let line = world.connect(0);
    let mut body = with_ticket(&ticket);
    body["clientId"] = json!("c");
    world.send(line, 3, "client::register", body);
    assert_eq!(error(&world.hear_one(line)).0, "3404");
    let forged = ticket.replacen(|digit: char| digit.is_ascii_digit(), "0", 3);
    world.send(line, 4, "client::register", with_ticket(&forged));
    assert_eq!(error(&world.hear_one(line)).0, "3404");
}

#[test]
fn the_end_of_an_older_session_does_nothing_to_the_newer_one() {
    let mut world = World::new(&["cn"]);
    let (old, ticket) = register(&mut world, 0, "b");
    let peer = world.register(0, "a");
    let (new, _) = register(&mut world, 0, "b");
    world.hush();
    // Whatever the replaced socket still says or shows.
    world.send(old, 7, "client::close", json!({}));
    world.hang_up(old);
    let (shown, heard) = resume(&mut world, 0, "b", &ticket, 1);
    assert_eq!(error(&heard[0]).0, "3404");
    world.hang_up(shown);
    world.pass(Duration::from_secs(40));
    world.send(peer, 8, "client::unicast", json!({"to": "b", "number": 1}));
    assert_eq!(signals(&world.hear(new)), ["client::unicast"]);
    assert!(world.hear(peer).iter().all(|told| told["header"]["signal"] != "client::offline"));
}
