//! Who gets into a room, who owns it, and what strangers learn of it.

use std::time::Duration;

use serde_json::{Value, json};
use taoyao_types::{PolicyRule, Scope, Verdict};

use crate::rooms::create;
use crate::world::{Line, World, error, registration};

fn enter(world: &mut World, line: Line, room: &str, password: &str) -> Value {
    world.hush();
    world.send(line, 20, "room::enter", json!({"roomId": room, "password": password}));
    world.hear(line).swap_remove(0)
}

#[test]
fn strangers_guesses_wait_for_their_account_and_keep_nobody_out_who_is_known() {
    let mut world = World::new(&["cn", "cn/east"]);
    let owner = world.register_as(0, "owner", "owner");
    let friend = world.register_as(1, "friend", "friend");
    world.hush();
    let room = create(&mut world, owner, json!({"password": "1234"}));
    assert_eq!(enter(&mut world, friend, &room, "1234")["code"], "0000");
    world.send(friend, 21, "room::leave", json!({"roomId": room}));
    // A new terminal for each guess is no new account.
    let mut looked_at = 0;
    for n in 0..40 {
        let line = world.register_as(0, &format!("g{n}"), "eve");
        looked_at += usize::from(enter(&mut world, line, &room, "0000")["code"] == "3401");
    }
    assert_eq!(looked_at, 5);
    for n in 0..60 {
        let line = world.register_as(0, &format!("h{n}"), &format!("account{n}"));
        let answer = enter(&mut world, line, &room, "0000");
        assert!(["3401", "3503"].contains(&answer["code"].as_str().unwrap()), "{answer}");
    }
    let stranger = world.register_as(1, "stranger", "stranger");
    let told = enter(&mut world, stranger, &room, "1234");
    let (code, text, _) = error(&told);
    assert_eq!(code, "3503", "all strangers together wait");
    assert!(text.contains("try again in") && text.contains("or ask for an invitation"), "{text}");
    // Those who are known do not.
    assert_eq!(enter(&mut world, friend, &room, "1234")["code"], "0000");
    assert_eq!(enter(&mut world, owner, &room, "1234")["code"], "0000");
    world.send(owner, 22, "room::invite", json!({"roomId": room, "clientId": "stranger@east.cn"}));
    let pass = world.hear(stranger).pop().unwrap()["body"]["password"].as_str().unwrap().to_owned();
    assert_eq!(enter(&mut world, stranger, &room, &pass)["code"], "0000");
    // A namesake of the owner under another account is a stranger.
    world.hang_up(owner);
    let namesake = world.register_as(0, "owner", "eve");
    assert_eq!(error(&enter(&mut world, namesake, &room, "1234")).0, "3503");
}

#[test]
fn a_namesake_under_another_account_owns_nothing() {
    let mut world = World::with_sfus(&["cn", "cn/east"]);
    let owner = world.register_as(0, "owner", "ann");
    world.hush();
    let room = create(&mut world, owner, json!({}));
    assert_eq!(enter(&mut world, owner, &room, "")["code"], "0000");
    world.hang_up(owner);
    let namesake = world.register_as(0, "owner", "eve");
    assert_eq!(enter(&mut world, namesake, &room, "")["code"], "0000");
    world.hush();
    for (signal, body) in [
        ("room::close", json!({"roomId": room})),
        ("room::expel", json!({"roomId": room, "clientId": "x"})),
        ("control::server::record", json!({"roomId": room, "to": "x", "enabled": true})),
    ] {
        world.send(namesake, 30, signal, body);
        assert_eq!(error(&world.hear_one(namesake)).0, "3403", "{signal}");
    }
    world.send(namesake, 31, "room::status", json!({"roomId": room}));
    assert_eq!(world.hear_one(namesake)["body"]["mayManage"], false);
    world.hang_up(namesake);
    let again = world.register_as(0, "owner", "ann");
    assert_eq!(enter(&mut world, again, &room, "")["code"], "0000");
    world.hush();
    world.send(again, 32, "room::close", json!({"roomId": room}));
    assert_eq!(world.hear_one(again)["header"]["signal"], "room::close");
}

#[test]
fn who_may_not_join_learns_nothing_of_a_room_by_any_signal() {
    let hides = PolicyRule {
        id: "hidden".to_owned(),
        from: "east.cn".parse().unwrap(),
        to: "cn".parse().unwrap(),
        scopes: vec![Scope::Room, Scope::See],
        verdict: Verdict::Deny,
    };
    let mut world = World::with_rules(&["cn", "cn/east"], vec![hides]);
    let (a, b) = (world.register(0, "a"), world.register(1, "b"));
    world.hush();
    let there = create(&mut world, a, json!({"password": "p"}));
    let nowhere = format!("{}{}", &there[..8], "-0000-4000-8000-000000000000");
    let rows = taoyao_wire::signals::SIGNALS.iter();
    let asked =
        rows.filter(|row| row.route == taoyao_wire::signals::Route::Room && row.name != "room::create");
    for row in asked.filter(|row| row.sender != taoyao_wire::signals::Sender::Node) {
        let answers = [&there, &nowhere].map(|room| {
            world.hush();
            let body =
                json!({"roomId": room, "clientId": "a@cn", "to": "a@cn", "enabled": true, "password": "x"});
            world.send(b, 40, row.name, body);
            let heard = world.hear(b);
            serde_json::to_string(&heard).unwrap().replace(room.as_str(), "ROOM")
        });
        assert_eq!(answers[0], answers[1], "{}", row.name);
    }
    // Whoever may join asks before it enters (reference 4.3).
    let c = world.register(0, "c");
    world.hush();
    world.send(c, 41, "media::router::rtp::capabilities", json!({"roomId": there}));
    assert_eq!(
        error(&world.hear_one(c)).1,
        "无效媒体服务：taoyao-client-media",
        "this node carries no media"
    );
    world.pass(Duration::from_secs(1));
}

#[test]
fn no_terminal_hides_the_sfu_by_taking_its_name() {
    let mut world = World::with_sfus(&["cn"]);
    let (a, other) = (world.register(0, "a"), world.connect(0));
    // Whether its node lets it register or not.
    world.send(other, 1, "client::register", registration("taoyao-client-media"));
    world.hush();
    world.send(a, 50, "client::list", json!({"clientType": "MEDIA"}));
    let listed = world.hear_one(a)["body"].clone();
    assert_eq!((listed.as_array().unwrap().len(), &listed[0]["name"]), (1, &json!("桃夭媒体服务")));
    world.send(a, 51, "client::status", json!({"clientId": "taoyao-client-media"}));
    assert_eq!(world.hear_one(a)["body"]["clientType"], "MEDIA");
    world.send(a, 52, "room::create", json!({"mediaClientId": "taoyao-client-media"}));
    assert_eq!(world.hear_one(a)["body"]["mediaClientId"], "taoyao-client-media");
    assert_eq!(world.sfus[0].rooms().count(), 1, "it is the node's own");
    world.hang_up(other);
}
