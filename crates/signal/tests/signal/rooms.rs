//! `room::*`: who meets where, who is told what and in which order, at one node and across two (reference 4.6 and 5).

use std::time::Duration;

use serde_json::{Value, json};
use taoyao_auth::{Account, AllowList};
use taoyao_types::{PolicyRule, Role, Scope, Verdict};
use taoyao_wire::signals::{Route, SIGNALS, Sender};

use crate::world::{Line, World, error, is_server_id, registration, signals};

/// Two terminals, at one node or at two, and a room of the first's partition without a password.
struct Meeting {
    world: World,
    a: Line,
    b: Line,
    /// What the other one is called by each of them.
    b_seen: &'static str,
    a_seen: &'static str,
    room: String,
}

impl Meeting {
    fn new(across: bool) -> Self {
        let mut world = World::new(&["cn", "cn/east"]);
        let (a, b) = (world.register(0, "a"), world.register(usize::from(across), "b"));
        world.hush();
        let room = create(&mut world, a, json!({"name": "n"}));
        let (a_seen, b_seen) = if across { ("a@cn", "b@east.cn") } else { ("a", "b") };
        Self { world, a, b, b_seen, a_seen, room }
    }

    /// Both are in, and what they were told is forgotten.
    fn met(across: bool) -> Self {
        let mut meeting = Self::new(across);
        for line in [meeting.a, meeting.b] {
            meeting.send(line, 20, "room::enter");
        }
        meeting.world.hush();
        meeting
    }

    fn send(&mut self, line: Line, id: i64, signal: &str) {
        let room = self.room.clone();
        self.world.send(line, id, signal, json!({"roomId": room}));
    }
}

#[test]
fn who_creates_a_room_is_told_its_id_and_is_not_in_it() {
    let mut world = World::new(&["cn", "cn/east"]);
    let a = world.register(1, "a");
    world.hush();
    let form =
        json!({"name": "n", "roomId": null, "password": "p", "callClientId": null, "mediaClientId": null});
    world.send(a, 7, "room::create", form);
    let created = world.hear_one(a);
    assert_eq!(created["header"], json!({"v": "1.0.0", "id": 7, "signal": "room::create"}));
    let room = created["body"]["roomId"].as_str().unwrap().to_owned();
    let shown = json!({"roomId": room, "name": "n", "clientSize": 0, "mediaClientId": "taoyao-client-media"});
    assert_eq!(created["body"], shown);
    world.send(a, 8, "room::list", json!({}));
    assert_eq!(world.hear_one(a)["body"], json!([shown]), "and no password");
    world.send(a, 9, "room::status", json!({"roomId": room}));
    assert_eq!(error(&world.hear_one(a)), ("9999", "终端没有房间权限：a", 9));
}

#[test]
fn a_newcomer_is_answered_then_shown_the_members_once_and_all_others_are_told() {
    for across in [false, true] {
        let Meeting { mut world, a, b, a_seen, b_seen, room } = Meeting::new(across);
        world.send(a, 20, "room::enter", json!({"roomId": room, "password": null, "rtpCapabilities": {}}));
        let heard = world.hear(a);
        assert_eq!(signals(&heard), ["room::enter", "room::client::list"]);
        assert_eq!((&heard[0]["header"]["id"], &heard[0]["body"]["clientId"]), (&json!(20), &json!("a")));
        assert!(is_server_id(&heard[1]));
        world.send(b, 21, "room::enter", json!({"roomId": room}));
        let heard = world.hear(b);
        assert_eq!(signals(&heard), ["room::enter", "room::client::list"], "across: {across}");
        assert_eq!((&heard[0]["header"]["id"], &heard[0]["body"]["clientId"]), (&json!(21), &json!("b")));
        assert_eq!(heard[0]["body"]["status"]["clientId"], "b");
        let listed = heard[1]["body"]["clients"].as_array().unwrap();
        let mut ids: Vec<&str> = listed.iter().map(|state| state["clientId"].as_str().unwrap()).collect();
        ids.sort_unstable();
        assert_eq!((ids, &heard[1]["body"]["roomId"]), (vec![a_seen, "b"], &json!(room)));
        let told = world.hear_one(a);
        assert_eq!(told["header"]["signal"], "room::enter");
        assert!(is_server_id(&told));
        assert_eq!(
            (&told["body"]["clientId"], &told["body"]["status"]["clientId"]),
            (&json!(b_seen), &json!(b_seen))
        );
        world.send(a, 22, "room::status", json!({"roomId": room}));
        assert_eq!(world.hear_one(a)["body"]["clientSize"], 2);
    }
}

#[test]
fn entering_again_counts_once_and_answers_again() {
    for across in [false, true] {
        let mut meeting = Meeting::met(across);
        let (a, b) = (meeting.a, meeting.b);
        meeting.send(b, 30, "room::enter");
        assert_eq!(signals(&meeting.world.hear(b)), ["room::enter", "room::client::list"]);
        assert_eq!(signals(&meeting.world.hear(a)), ["room::enter"]);
        meeting.send(a, 31, "room::status");
        assert_eq!(meeting.world.hear_one(a)["body"]["clientSize"], 2);
    }
}

#[test]
fn members_ask_and_others_are_refused() {
    for across in [false, true] {
        let mut meeting = Meeting::new(across);
        let b = meeting.b;
        for signal in ["room::client::list", "room::client::list::id", "room::status", "room::broadcast"] {
            meeting.send(b, 30, signal);
            assert_eq!(error(&meeting.world.hear_one(b)), ("9999", "终端没有房间权限：b", 30), "{signal}");
        }
        meeting.send(b, 31, "room::enter");
        meeting.world.hush();
        meeting.send(b, 32, "room::client::list::id");
        let ids = meeting.world.hear_one(b);
        assert_eq!((&ids["body"]["clientId"], &ids["body"]["audioProducers"]), (&json!("b"), &json!([])));
        meeting.send(b, 33, "room::client::list");
        let listed = meeting.world.hear_one(b);
        assert_eq!(listed["header"]["id"], 33);
        assert_eq!(listed["body"]["clients"].as_array().unwrap().len(), 1);
    }
}

#[test]
fn unknown_rooms_are_named() {
    let mut world = World::new(&["cn"]);
    let a = world.register(0, "a");
    world.hush();
    let room = create(&mut world, a, json!({}));
    let other = format!("{}0", &room[..35]);
    for (id, named) in [(json!(null), "null"), (json!("x"), "x"), (json!(other), other.as_str())] {
        for row in SIGNALS.iter().filter(|row| row.route == Route::Room && row.sender != Sender::Node) {
            if row.name != "room::create" {
                world.send(a, 7, row.name, json!({"roomId": id, "to": "a", "clientId": "a"}));
                let text = format!("无效房间：{named}");
                assert_eq!(error(&world.hear_one(a)), ("9999", text.as_str(), 7), "{}", row.name);
            }
        }
    }
}

#[test]
fn a_broadcast_goes_to_all_other_members() {
    for across in [false, true] {
        let Meeting { mut world, a, b, room, .. } = Meeting::met(across);
        let stranger = world.register(0, "c");
        world.hush();
        world.send(b, 40, "room::broadcast", json!({"roomId": room, "x": 1, "y": null}));
        let told = world.hear_one(a);
        assert_eq!(told["body"], json!({"roomId": room, "x": 1}));
        assert!(is_server_id(&told));
        assert_eq!((world.hear(b), world.hear(stranger)), (Vec::new(), Vec::new()));
    }
}

#[test]
fn who_leaves_hears_nothing_more_and_the_others_are_told() {
    for across in [false, true] {
        let mut meeting = Meeting::met(across);
        let (a, b, b_seen) = (meeting.a, meeting.b, meeting.b_seen);
        meeting.send(b, 50, "room::leave");
        assert_eq!(meeting.world.hear(b), Vec::<Value>::new());
        let told = meeting.world.hear_one(a);
        assert_eq!(told["body"], json!({"roomId": meeting.room, "clientId": b_seen}));
        meeting.send(a, 51, "room::broadcast");
        assert_eq!(meeting.world.hear(b), Vec::<Value>::new());
        meeting.send(b, 52, "room::leave");
        assert_eq!(error(&meeting.world.hear_one(b)), ("9999", "终端没有房间权限：b", 52));
    }
}

#[test]
fn a_lost_connection_leaves_its_rooms() {
    for across in [false, true] {
        let mut meeting = Meeting::met(across);
        let (a, b, b_seen) = (meeting.a, meeting.b, meeting.b_seen);
        meeting.world.hang_up(b);
        let told = meeting.world.hear(a);
        assert_eq!(
            told[0]["body"],
            json!({"roomId": meeting.room, "clientId": b_seen}),
            "before it is offline"
        );
        assert_eq!(signals(&told)[0], "room::leave");
    }
}

#[test]
fn only_its_owner_or_an_operator_closes_a_room_and_then_everybody_is_told() {
    for across in [false, true] {
        let mut meeting = Meeting::met(across);
        let (a, b) = (meeting.a, meeting.b);
        meeting.send(b, 60, "room::close");
        assert_eq!(error(&meeting.world.hear_one(b)), ("3403", "请求拒绝：denied by rule owner", 60));
        let audit = meeting.world.audits.pop().unwrap();
        assert_eq!((audit.account.as_deref(), audit.signal), (Some("u"), "room::close"));
        assert_eq!(audit.denied.as_deref(), Some("owner"));
        meeting.send(a, 61, "room::close");
        for line in [a, b] {
            let told = meeting.world.hear_one(line);
            assert_eq!(told["body"], json!({"roomId": meeting.room}));
            assert!(is_server_id(&told), "a push for everybody");
        }
        meeting.send(a, 62, "room::status");
        assert_eq!(error(&meeting.world.hear_one(a)).0, "9999");
    }
}

#[test]
fn a_room_tells_who_asks_whether_it_may_manage_and_record_it() {
    for across in [false, true] {
        let mut meeting = Meeting::met(across);
        for (line, may) in [(meeting.a, true), (meeting.b, false)] {
            meeting.send(line, 63, "room::status");
            let body = meeting.world.hear_one(line)["body"].take();
            assert_eq!(body["mayManage"], may, "across: {across}");
            assert_eq!(body["mayRecord"], false, "nobody carries its media");
        }
    }
}

#[test]
fn an_operator_of_the_rooms_partition_or_above_closes_it_without_being_in_it() {
    for (node, may) in [(0, true), (1, false)] {
        let Meeting { mut world, a, b, room, .. } = Meeting::met(false);
        let operator = Account::new("o", [Role::Terminal, Role::Operator], AllowList::default(), Vec::new());
        world.accounts.insert("o".into(), operator);
        let line = world.connect(node);
        let mut body = registration("ops");
        body["username"] = json!("o");
        world.send(line, 1, "client::register", body);
        world.hush();
        world.send(line, 2, "room::close", json!({"roomId": room}));
        assert_eq!(world.hear(line).is_empty(), may);
        assert_eq!((world.hear(a).len(), world.hear(b).len()), if may { (1, 1) } else { (0, 0) });
    }
}

#[test]
fn a_password_is_checked_and_guessing_is_put_off() {
    for across in [false, true] {
        let Meeting { mut world, a, b, .. } = Meeting::new(across);
        let room = create(&mut world, a, json!({"password": "peach"}));
        for password in [json!(null), json!(""), json!("pear")] {
            world.send(b, 70, "room::enter", json!({"roomId": room, "password": password}));
            assert_eq!(error(&world.hear_one(b)), ("3401", "密码错误", 70));
        }
        world.send(b, 71, "room::enter", json!({"roomId": room, "password": "peach"}));
        assert_eq!(signals(&world.hear(b)), ["room::enter", "room::client::list"]);
        let mut codes = Vec::new();
        for _ in 0..8 {
            world.send(b, 72, "room::enter", json!({"roomId": room, "password": "pear"}));
            codes.push(error(&world.hear_one(b)).0.to_owned());
        }
        assert_eq!((codes[0].as_str(), codes[7].as_str()), ("3401", "3503"));
    }
}

#[test]
fn an_invited_terminal_enters_with_its_pass_and_nobody_else_does() {
    for across in [false, true] {
        let Meeting { mut world, a, b, b_seen, .. } = Meeting::new(across);
        let c = world.register(0, "c");
        world.hush();
        let room = create(&mut world, a, json!({"password": "peach"}));
        world.send(a, 80, "room::enter", json!({"roomId": room, "password": "peach"}));
        world.hush();
        world.send(a, 81, "room::invite", json!({"roomId": room, "clientId": b_seen, "password": "x"}));
        assert_eq!(world.hear(a), Vec::<Value>::new());
        let invited = world.hear_one(b);
        assert_eq!(invited["header"]["signal"], "room::invite");
        let pass = invited["body"]["password"].as_str().unwrap().to_owned();
        assert!(!pass.contains("peach"), "{pass}");
        world.send(c, 82, "room::enter", json!({"roomId": room, "password": pass}));
        assert_eq!(error(&world.hear_one(c)).0, "3401");
        world.send(b, 83, "room::enter", json!({"roomId": room, "password": pass}));
        assert_eq!(signals(&world.hear(b)), ["room::enter", "room::client::list"]);
        world.send(b, 84, "room::leave", json!({"roomId": room}));
        for _ in 0..7 {
            world.pass(Duration::from_secs(100));
            world.send(b, 84, "client::heartbeat", json!({}));
        }
        world.hush();
        world.send(b, 85, "room::enter", json!({"roomId": room, "password": pass}));
        assert_eq!(error(&world.hear_one(b)).0, "3401", "the pass has run out");
    }
}

#[test]
fn a_member_is_expelled_by_the_owner_only_and_by_asking_it() {
    for across in [false, true] {
        let Meeting { mut world, a, b, a_seen, b_seen, room } = Meeting::met(across);
        world.send(b, 90, "room::expel", json!({"roomId": room, "clientId": a_seen}));
        assert_eq!(error(&world.hear_one(b)).0, "3403");
        world.send(a, 91, "room::expel", json!({"roomId": room, "clientId": b_seen}));
        let told = world.hear_one(b);
        assert_eq!(
            (&told["header"]["signal"], &told["body"]["roomId"]),
            (&json!("room::expel"), &json!(room))
        );
        world.send(a, 92, "room::expel", json!({"roomId": room, "clientId": "nobody"}));
        assert_eq!(world.hear(a), Vec::<Value>::new());
    }
}

#[test]
fn policy_decides_who_meets_whom() {
    let rule = PolicyRule {
        id: "apart".into(),
        verdict: Verdict::Deny,
        from: "east.cn".parse().unwrap(),
        to: "cn".parse().unwrap(),
        scopes: vec![Scope::Room],
    };
    let mut world = World::with_rules(&["cn", "cn/east"], vec![rule]);
    let (a, b) = (world.register(0, "a"), world.register(1, "b"));
    world.hush();
    let room = create(&mut world, a, json!({}));
    world.send(b, 7, "room::enter", json!({"roomId": room}));
    assert_eq!(error(&world.hear_one(b)).0, "3403");
    assert_eq!(world.audits.pop().unwrap().denied.as_deref(), Some("apart"));
}

#[test]
fn media_needs_a_media_service_which_this_node_lacks() {
    let mut meeting = Meeting::met(true);
    let b = meeting.b;
    meeting.send(b, 95, "media::produce");
    assert_eq!(error(&meeting.world.hear_one(b)), ("9999", "无效媒体服务：taoyao-client-media", 95));
    let room = meeting.room.clone();
    meeting.world.send(b, 96, "control::server::record", json!({"roomId": room, "to": "b", "enabled": true}));
    assert_eq!(error(&meeting.world.hear_one(b)).0, "3406");
}

#[test]
fn what_was_missed_in_a_short_cut_is_told_afterwards_in_order() {
    let Meeting { mut world, a, b, room, .. } = Meeting::met(true);
    world.cut.insert(1);
    for number in 0..5 {
        world.send(a, 100, "room::broadcast", json!({"roomId": room, "number": number}));
    }
    assert_eq!(world.hear(b), Vec::<Value>::new());
    world.cut.clear();
    world.send(a, 101, "room::broadcast", json!({"roomId": room, "number": 5}));
    world.pass(Duration::from_secs(6));
    let heard = world.hear(b);
    let numbers: Vec<i64> = heard.iter().filter_map(|message| message["body"]["number"].as_i64()).collect();
    assert_eq!(numbers, [0, 1, 2, 3, 4, 5]);
}

#[test]
fn after_a_long_cut_members_are_taken_out_and_asked_to_enter_anew() {
    let Meeting { mut world, a, b, b_seen, room, .. } = Meeting::met(true);
    world.cut.insert(1);
    world.pass(Duration::from_secs(40));
    let told = world.hear(a);
    assert!(
        told.iter().any(|message| message["body"] == json!({"roomId": room, "clientId": b_seen})),
        "{told:?}"
    );
    world.cut.clear();
    world.pass(Duration::from_secs(6));
    let told = world.hear(b);
    let rebuilt: Vec<&Value> =
        told.iter().filter(|message| message["header"]["signal"] == "room::create").collect();
    assert_eq!(rebuilt.len(), 1, "{told:?}");
    assert_eq!(rebuilt[0]["body"], json!({"roomId": room}));
    world.hush();
    world.send(b, 110, "room::enter", json!({"roomId": room}));
    assert_eq!(signals(&world.hear(b)), ["room::enter", "room::client::list"]);
    assert_eq!(signals(&world.hear(a)), ["room::enter"]);
}

#[test]
fn a_terminal_that_moved_is_not_taken_out_by_its_old_node() {
    let mut world = World::new(&["cn", "cn/east"]);
    let (a, old) = (world.register(0, "a"), world.register(1, "b"));
    let room = create(&mut world, a, json!({}));
    world.send(a, 1, "room::enter", json!({"roomId": room}));
    world.send(old, 1, "room::enter", json!({"roomId": room}));
    let new = world.register(0, "b@east.cn");
    world.send(new, 2, "room::enter", json!({"roomId": room}));
    world.pass(Duration::from_secs(12));
    world.hush();
    world.send(a, 3, "room::status", json!({"roomId": room}));
    assert_eq!(world.hear_one(a)["body"]["clientSize"], 2);
    world.send(a, 4, "room::broadcast", json!({"roomId": room}));
    assert_eq!(signals(&world.hear(new)), ["room::broadcast"]);
}

#[test]
fn rooms_are_bounded_and_an_empty_one_gives_way() {
    let mut world = World::new(&["cn"]);
    let a = world.register(0, "a");
    world.hush();
    let first = create(&mut world, a, json!({}));
    for _ in 0..64 {
        world.pass(Duration::from_millis(10));
        create(&mut world, a, json!({}));
    }
    world.send(a, 5, "room::list", json!({}));
    let listed = world.hear_one(a);
    let rooms: Vec<&Value> = listed["body"].as_array().unwrap().iter().map(|room| &room["roomId"]).collect();
    assert_eq!(rooms.len(), 64);
    assert!(!rooms.contains(&&json!(first)));
}

pub(crate) fn create(world: &mut World, line: Line, body: Value) -> String {
    world.send(line, 6, "room::create", body);
    // A room that was empty for long may have had to go for it.
    let created = world.hear(line).pop().unwrap();
    assert_eq!(created["header"]["signal"], "room::create", "{created}");
    created["body"]["roomId"].as_str().unwrap_or_else(|| panic!("{created}")).to_owned()
}
