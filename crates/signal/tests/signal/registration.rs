//! Reference sections 3.2 to 3.6: registration, duplicates, configuration, heartbeat.

use std::time::Duration;

use serde_json::json;
use taoyao_signal::{Dismissal, Output, Verified};
use taoyao_types::AccountLimits;

use crate::world::{World, error, is_server_id, registration, signals};

#[test]
fn the_answer_comes_first_then_the_configuration_and_others_hear_of_it() {
    let mut world = World::new(&["cn"]);
    let watcher = world.register(0, "watcher");
    let line = world.connect(0);
    let text = r#"{"header":{"v":"9","id":31,"signal":"client::register"},"body":{"clientId":"a","clientType":"Web","name":"A"}}"#;
    world.say(line, text);
    let heard = world.hear(line);
    let answer = json!({
        "code": "0000", "message": "成功", "header": {"v": "9", "id": 31, "signal": "client::register"},
        "body": {"index": 10_002},
    });
    assert_eq!(heard[0], answer);
    assert_eq!(signals(&heard), ["client::register", "client::config"]);
    assert!(is_server_id(&heard[1]));
    assert_eq!(heard[1]["body"]["datetime"], "20230601200000");
    assert_eq!(heard[1]["body"]["media"]["videos"]["fd-video"]["width"], 1920);
    assert_eq!(heard[1]["body"]["webrtc"]["iceServers"][0]["urls"], "stun:stun1.l.google.com:19302");
    let online = world.hear_one(watcher);
    assert!(is_server_id(&online));
    let state = json!({
        "clientId": "a", "name": "A", "clientType": "WEB", "ip": "10.0.0.7", "status": {}, "config": {},
        "lastHeartbeat": "2023-06-01 20:00:00", "partition": "cn", "node": "cn", "proxy": false,
    });
    assert_eq!((&online["header"]["signal"], &online["body"]), (&json!("client::online"), &state));
}

#[test]
fn types_that_are_no_clients_are_told_the_date_only() {
    let mut world = World::new(&["cn"]);
    let line = world.connect(0);
    world.send(line, 1, "client::register", json!({"clientId": "m", "clientType": "MEDIA"}));
    assert_eq!(world.hear(line)[1]["body"], json!({"datetime": "20230601200000"}));
}

#[test]
fn wrong_credentials_are_refused_and_the_connection_may_try_again() {
    let mut world = World::new(&["cn"]);
    let line = world.connect(0);
    world.send(
        line,
        4,
        "client::register",
        json!({"clientId": "a", "clientType": "WEB", "password": "wrong"}),
    );
    assert_eq!(error(&world.hear_one(line)), ("3401", "注册失败", 4));
    world.send(line, 5, "client::register", registration("a"));
    assert_eq!(signals(&world.hear(line)), ["client::register", "client::config"]);
    assert_eq!(world.nodes[0].stats().logins_refused, 1);
}

#[test]
fn an_unknown_type_is_refused_after_the_credentials() {
    let mut world = World::new(&["cn"]);
    let line = world.connect(0);
    world.send(line, 4, "client::register", json!({"clientId": "a", "clientType": "toaster"}));
    assert_eq!(error(&world.hear_one(line)), ("9999", "未知终端类型：toaster", 4));
    world.send(line, 5, "client::register", json!({"clientId": "a"}));
    assert_eq!(error(&world.hear_one(line)), ("9999", "未知终端类型：null", 5));
    world.send(line, 6, "client::heartbeat", json!({}));
    assert_eq!(error(&world.hear_one(line)).0, "3401");
}

#[test]
fn a_terminal_may_attach_where_its_partition_is_served() {
    let mut world = World::new(&["cn", "cn/east"]);
    for (node, client_id, name) in
        [(0, "a", "a@cn"), (0, "b@cn", "b@cn"), (0, "c@east.cn", "c@east.cn"), (1, "d", "d@east.cn")]
    {
        world.register(node, client_id);
        assert!(world.nodes[node].find(&name.parse().unwrap()).is_some(), "{client_id}");
    }
    let line = world.connect(1);
    world.send(line, 2, "client::register", registration("e@cn"));
    let words = "请求拒绝：cn/east does not serve partition cn; it serves east.cn";
    assert_eq!(error(&world.hear_one(line)), ("3403", words, 2));
    for (body, why) in [
        (json!({"clientType": "WEB"}), "clientId is missing"),
        (json!({"clientId": ""}), "it is empty"),
        (json!({"clientId": "a\nb"}), "it contains the character '\\n'"),
        (json!({"clientId": "a@B"}), "the part \"B\" is not 1 to 63 of a-z, 0-9 and inner '-'"),
    ] {
        world.send(line, 3, "client::register", body);
        assert_eq!(error(&world.hear_one(line)), ("3400", format!("终端标识无效：{why}").as_str(), 3));
    }
}

#[test]
fn what_is_said_during_the_check_waits_for_its_end_in_bounds() {
    let mut world = World::new(&["cn"]);
    world.hold_checks = true;
    let line = world.connect(0);
    world.send(line, 1, "client::register", registration("a"));
    for id in 2..20 {
        world.send(line, id, "client::heartbeat", json!({}));
    }
    let refused = world.hear(line);
    assert_eq!(refused.iter().map(|message| error(message).2).collect::<Vec<_>>(), [18, 19]);
    assert_eq!(error(&refused[0]).0, "3503");
    world.pass(Duration::from_secs(6));
    assert_eq!(world.closed(line), None, "a slow check is not the terminal's fault");
    let check = world.checks.remove(0);
    world.verify(check, Verified::Accepted(world.account("u")));
    let heard = world.hear(line);
    assert_eq!(signals(&heard)[..3], ["client::register", "client::config", "client::heartbeat"]);
    assert_eq!(heard.len(), 18);
    world.verify(check, Verified::Accepted(world.account("u")));
    world.hears_nothing(line);
}

#[test]
fn a_large_message_does_not_wait() {
    let mut world = World::new(&["cn"]);
    world.hold_checks = true;
    let line = world.connect(0);
    world.send(line, 1, "client::register", registration("a"));
    world.send(line, 2, "client::unicast", json!({"to": "b", "text": "x".repeat(100_000)}));
    assert_eq!(error(&world.hear_one(line)).0, "3503");
}

#[test]
fn a_second_login_ends_the_first_before_it_is_answered() {
    let mut world = World::new(&["cn"]);
    let (old, watcher) = (world.register(0, "a"), world.register(0, "watcher"));
    world.hush();
    let new = world.connect(0);
    world.send(new, 2, "client::register", registration("a"));
    let last_words = world.hear_one(old);
    let (code, text, _) = error(&last_words);
    assert_eq!((code, text), ("3401", "终端已在别处登录：logged in elsewhere, at cn"));
    assert!(is_server_id(&last_words));
    assert_eq!(world.closed(old), Some((1000, "logged in elsewhere")));
    assert_eq!(signals(&world.hear(watcher)), ["client::offline", "client::online"]);
    assert_eq!(world.hear(new)[0]["body"], json!({"index": 10_003}));
    let places: Vec<&str> = world
        .outputs
        .iter()
        .filter_map(|(_, output)| match output {
            Output::ToTerminal { text, .. } if text.contains("client::offline") => Some("offline"),
            Output::ToTerminal { text, .. } if text.contains("index") => Some("answer"),
            Output::Withdraw { .. } => Some("withdraw"),
            Output::Register { .. } => Some("register"),
            _ => None,
        })
        .collect();
    assert_eq!(places, ["withdraw", "offline", "answer", "register"]);
}

#[test]
fn registering_again_under_the_same_id_is_answered_again() {
    let mut world = World::new(&["cn"]);
    let (line, watcher) = (world.register(0, "a"), world.register(0, "watcher"));
    world.hush();
    world.send(line, 2, "client::register", json!({"clientId": "a", "clientType": "CAMERA", "name": "New"}));
    let heard = world.hear(line);
    assert_eq!(
        (&heard[0]["body"], signals(&heard)),
        (&json!({"index": 10_001}), vec!["client::register", "client::config"])
    );
    world.hears_nothing(watcher);
    assert_eq!(world.closed(line), None);
    world.send(line, 3, "client::status", json!({}));
    let state = world.hear_one(line);
    assert_eq!((&state["body"]["name"], &state["body"]["clientType"]), (&json!("New"), &json!("CAMERA")));
}

#[test]
fn registering_under_another_id_renames_the_connection() {
    let mut world = World::new(&["cn"]);
    let (line, watcher) = (world.register(0, "a"), world.register(0, "watcher"));
    world.hush();
    world.send(line, 2, "client::register", registration("b"));
    let heard = world.hear(watcher);
    assert_eq!(signals(&heard), ["client::offline", "client::online"]);
    assert_eq!((&heard[0]["body"]["clientId"], &heard[1]["body"]["clientId"]), (&json!("a"), &json!("b")));
    assert_eq!(world.closed(line), None);
    assert!(world.nodes[0].find(&"a@cn".parse().unwrap()).is_none());
    assert_eq!(world.nodes[0].stats().registered, 2);
}

#[test]
fn a_renamed_terminal_is_not_closed_by_what_its_old_name_left_behind() {
    let mut world = World::new(&["cn"]);
    let line = world.register(0, "a");
    for n in 0..20 {
        world.pass(Duration::from_secs(20));
        world.send(line, n, "client::register", registration(&format!("a{}", n % 3)));
    }
    assert_eq!(world.closed(line), None);
    world.pass(Duration::from_secs(301));
    assert_eq!(world.closed(line), Some((1000, "no heartbeat for five minutes")));
    assert_eq!(world.nodes[0].poll_timeout(), None, "nothing waits for it any more");
}

#[test]
fn a_refused_second_registration_changes_nothing() {
    let mut world = World::new(&["cn"]);
    let line = world.register(0, "a");
    world.send(
        line,
        2,
        "client::register",
        json!({"clientId": "b", "clientType": "WEB", "password": "wrong"}),
    );
    assert_eq!(error(&world.hear_one(line)), ("3401", "注册失败", 2));
    world.send(line, 3, "client::heartbeat", json!({}));
    assert_eq!(world.hear_one(line)["code"], "0000");
    assert!(world.nodes[0].find(&"a@cn".parse().unwrap()).is_some());
}

#[test]
fn a_heartbeat_is_echoed_without_a_body_and_its_fields_are_kept() {
    let mut world = World::new(&["cn"]);
    let line = world.register(0, "a");
    world.pass(Duration::from_secs(30));
    world.send(line, 7, "client::heartbeat", json!({"battery": "42", "latitude": 30, "charging": null}));
    let echo = json!({
        "code": "0000", "message": "成功", "header": {"v": "1.0.0", "id": 7, "signal": "client::heartbeat"},
    });
    assert_eq!(world.hear_one(line), echo);
    world.send(line, 8, "client::status", json!({}));
    let state = world.hear_one(line)["body"].clone();
    assert_eq!(
        (&state["battery"], &state["latitude"], &state["charging"]),
        (&json!(42), &json!(30.0), &json!(true))
    );
    assert_eq!(state["lastHeartbeat"], "2023-06-01 20:00:30");
}

#[test]
fn an_alarm_lasts_until_a_heartbeat_clears_it_and_is_not_answered() {
    let mut world = World::new(&["cn"]);
    let line = world.register(0, "a");
    world.send(line, 2, "client::alarm", json!({"message": "fire", "datetime": "20230601200000"}));
    world.hears_nothing(line);
    world.send(line, 3, "client::status", json!({}));
    assert_eq!(world.hear_one(line)["body"]["alarming"], true);
    world.send(line, 4, "client::heartbeat", json!({"alarming": false}));
    world.hush();
    world.send(line, 5, "client::status", json!({}));
    assert_eq!(world.hear_one(line)["body"]["alarming"], false);
}

#[test]
fn a_configuration_that_is_asked_for_comes_under_a_new_id() {
    let mut world = World::new(&["cn"]);
    let line = world.register(0, "a");
    world.send(line, 2, "client::config", json!({}));
    let config = world.hear_one(line);
    assert_eq!(config["header"]["signal"], "client::config");
    assert!(is_server_id(&config));
}

#[test]
fn close_is_echoed_and_then_done() {
    let mut world = World::new(&["cn"]);
    let (line, watcher) = (world.register(0, "a"), world.register(0, "watcher"));
    world.hush();
    world.send(line, 2, "client::close", json!({}));
    let echo = world.hear_one(line);
    assert_eq!((&echo["header"]["id"], echo.get("body")), (&json!(2), None));
    assert_eq!(world.closed(line), Some((1000, "closed on request")));
    assert_eq!(world.hear_one(watcher)["body"], json!({"clientId": "a"}));
}

#[test]
fn what_only_nodes_say_is_accepted_and_does_nothing() {
    let mut world = World::new(&["cn"]);
    let (line, other) = (world.register(0, "a"), world.register(0, "b"));
    world.hush();
    for signal in
        ["client::online", "client::offline", "client::reboot", "client::shutdown", "platform::error"]
    {
        world.send(line, 2, signal, json!({"clientId": "b"}));
    }
    world.hears_nothing(line);
    world.hears_nothing(other);
}

#[test]
fn an_account_has_so_many_terminals_however_they_are_called() {
    let mut world = World::with_shares(&["cn"], AccountLimits { terminals: 2, ..Default::default() });
    let (a, _b) = (world.register_as(0, "a", "ann"), world.register_as(0, "b", "ann"));
    let third = world.connect(0);
    let body = |id: &str| json!({"clientId": id, "clientType": "WEB", "username": "ann"});
    world.send(third, 2, "client::register", body("c"));
    let text = "服务正在维护：this account has its whole share of 2 terminals at this node";
    assert_eq!(error(&world.hear_one(third)), ("3503", text, 2));
    world.register_as(0, "d", "bob");
    // Neither another name on its own connection nor its own name on another one is one more.
    world.hush();
    world.send(a, 3, "client::register", body("e"));
    assert_eq!(signals(&world.hear(a))[0], "client::register");
    world.send(third, 4, "client::register", body("b"));
    assert_eq!(signals(&world.hear(third))[0], "client::register");
    world.hang_up(a);
    world.register_as(0, "f", "ann");
    assert_eq!((world.nodes[0].stats().accounts, world.nodes[0].stats().registered), (2, 3));
}

#[test]
fn who_was_not_looked_at_is_told_when_to_come_back_and_may() {
    let mut world = World::new(&["cn"]);
    world.hold_checks = true;
    let line = world.connect(0);
    world.send(line, 1, "client::register", registration("a"));
    let check = world.checks.remove(0);
    world.verify(check, Verified::PutOff(Duration::from_millis(2_500)));
    let told = world.hear_one(line);
    let text = "服务正在维护：logins wait or are locked here; try again in 3 s";
    assert_eq!((&told["code"], &told["message"]), (&json!("3503"), &json!(text)));
    assert_eq!(told["body"], json!({"retryAfterMs": 2_500}));
    assert_eq!(world.closed(line), None);
    world.hold_checks = false;
    world.send(line, 2, "client::register", registration("a"));
    assert_eq!(signals(&world.hear(line))[0], "client::register");
    let stats = world.nodes[0].stats();
    assert_eq!((stats.logins_put_off, stats.logins_refused), (1, 0));
}

#[test]
fn a_dismissed_terminal_is_told_why_and_others_that_it_is_gone() {
    for (why, code) in [
        (Dismissal::AccountRemoved, "3401"),
        (Dismissal::RightWithdrawn, "3401"),
        (Dismissal::AccountChanged, "3404"),
        (Dismissal::ByOperator, "3403"),
    ] {
        let mut world = World::new(&["cn"]);
        let (line, watcher) = (world.register(0, "a"), world.register(0, "b"));
        world.hush();
        let name = "a@cn".parse().unwrap();
        world.dismiss(0, &name, why);
        assert_eq!(error(&world.hear_one(line)).0, code, "{why:?}");
        assert_eq!(world.closed(line).unwrap().0, 1000);
        assert_eq!(signals(&world.hear(watcher)), ["client::offline"]);
        let audit = world.audits.last().unwrap();
        assert_eq!((audit.account.as_deref(), audit.signal), (Some("u"), "client::close"));
        assert_eq!(world.nodes[0].find(&name), None);
        world.dismiss(0, &name, why);
        assert_eq!(world.nodes[0].stats().dismissed, 1, "it is over already");
    }
}

#[test]
fn a_dismissed_terminal_that_is_away_cannot_come_back() {
    let mut world = World::new(&["cn"]);
    let line = world.connect(0);
    let mut body = registration("a");
    body["resume"] = json!(true);
    world.send(line, 1, "client::register", body);
    let ticket = world.hear(line)[0]["body"]["ticket"].clone();
    world.hang_up(line);
    world.dismiss(0, &"a@cn".parse().unwrap(), Dismissal::AccountRemoved);
    let line = world.connect(0);
    world.send(line, 2, "client::register", json!({"clientId": "a", "ticket": ticket, "received": 1}));
    assert_eq!(error(&world.hear_one(line)).0, "3404");
}

#[test]
fn names_of_services_are_nobodys() {
    let mut world = World::new(&["cn"]);
    for name in ["taoyao-client-media", "$rest"] {
        let line = world.connect(0);
        world.send(line, 1, "client::register", registration(name));
        assert_eq!(error(&world.hear_one(line)).0, "3400", "{name}");
    }
}
