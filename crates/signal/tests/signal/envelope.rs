//! Reference section 1.4: misbehaving and unregistered peers.

use std::time::Duration;

use serde_json::json;

use crate::world::{World, error, is_server_id};

#[test]
fn every_row_of_the_table_gets_its_words_and_keeps_the_connection() {
    let mut world = World::new(&["cn"]);
    let line = world.connect(0);
    let unknown = r#"{"header":{"v":"1","id":5,"signal":"client::nonsense"}}"#;
    let heartbeat = r#"{"header":{"v":"1","id":6,"signal":"client::heartbeat"}}"#;
    let no_signal = r#"{"header":{"v":"1","id":7}}"#;
    for (text, code, words, id) in [
        ("hello", "9999", "JSON转Java失败：hello", None),
        ("null", "1002", "信令消息格式错误（解析失败）", None),
        ("{}", "1002", "信令消息格式错误（没有头部）", None),
        (no_signal, "1002", "信令消息格式错误（缺失头部关键参数）", Some(7)),
        (unknown, "3415", "不支持的信令协议：client::nonsense", Some(5)),
        (heartbeat, "3401", "终端没有授权", Some(6)),
    ] {
        world.say(line, text);
        let answer = world.hear_one(line);
        let (found_code, found_words, found_id) = error(&answer);
        assert_eq!((found_code, found_words), (code, words), "{text}");
        match id {
            Some(id) => assert_eq!(found_id, id, "{text}"),
            None => assert!(is_server_id(&answer), "{answer}"),
        }
        assert_eq!(world.closed(line), None);
    }
    assert_eq!(world.nodes[0].stats().errors.values().sum::<u64>(), 6);
}

#[test]
fn a_connection_that_does_not_register_is_closed_after_five_seconds() {
    let mut world = World::new(&["cn"]);
    let silent = world.connect(0);
    let registered = world.register(0, "a");
    world.pass(Duration::from_millis(4_999));
    assert_eq!(world.closed(silent), None);
    world.pass(Duration::from_millis(1));
    assert_eq!(world.closed(silent), Some((1000, "not registered in time")));
    assert_eq!(world.closed(registered), None);
    assert_eq!(world.nodes[0].stats().connections, 1);
}

#[test]
fn a_terminal_that_falls_silent_is_closed_after_five_minutes() {
    let mut world = World::new(&["cn"]);
    let (quiet, alive) = (world.register(0, "quiet"), world.register(0, "alive"));
    for n in 0..11 {
        world.pass(Duration::from_secs(30));
        world.send(alive, n, "client::heartbeat", json!({}));
    }
    assert_eq!(world.closed(quiet), Some((1000, "no heartbeat for five minutes")));
    assert_eq!(world.closed(alive), None);
}

#[test]
fn garbage_of_one_terminal_does_not_disturb_another() {
    let mut world = World::new(&["cn"]);
    let (bad, good) = (world.register(0, "bad"), world.register(0, "good"));
    world.hush();
    let deep = format!(
        r#"{{"header":{{"v":"1","id":1,"signal":"client::unicast"}},"body":{}}}"#,
        "[".repeat(10_000)
    );
    for text in ["", "\u{0}", "[]", "{\"header\":7}", deep.as_str(), &"x".repeat(2_000_000)] {
        world.say(bad, text);
    }
    assert_eq!(world.hear(bad).len(), 6);
    world.hears_nothing(good);
    world.send(good, 9, "client::heartbeat", json!({}));
    assert_eq!(world.hear_one(good)["code"], "0000");
}

#[test]
fn texts_of_connections_that_are_gone_or_never_were_are_dropped() {
    let mut world = World::new(&["cn"]);
    let line = world.register(0, "a");
    world.hang_up(line);
    world.hush();
    world.send(line, 1, "client::heartbeat", json!({}));
    world.hang_up(line);
    world.hears_nothing(line);
    assert!(world.outputs.is_empty(), "{:?}", world.outputs);
}

#[test]
fn what_is_there_and_unreadable_is_refused_and_has_no_effect() {
    let mut world = World::with_sfus(&["cn"]);
    let (a, b) = (world.register(0, "a"), world.register(0, "b"));
    world.send(a, 2, "room::create", json!({}));
    let room = world.hear(a).pop().unwrap()["body"]["roomId"].clone();
    world.send(a, 3, "room::enter", json!({"roomId": room}));
    world.hush();
    world.commands.clear();
    for (signal, body) in [
        ("client::broadcast", json!({"clientType": ["WEB"], "text": "hello"})),
        ("client::list", json!({"partition": ["cn"]})),
        ("client::list", json!({"limit": "all"})),
        ("client::list", json!(["cn"])),
        ("client::status", json!({"clientId": {}})),
        ("session::call", json!({"clientId": "b", "video": "no"})),
        ("session::call", json!({"clientId": "b", "audio": 0})),
        ("control::bell", json!({"to": "b", "enabled": "off"})),
        ("control::server::record", json!({"roomId": room, "to": "a", "enabled": "no"})),
        ("media::transport::plain::create", json!({"roomId": room, "enableSrtp": "yes"})),
        ("media::transport::plain::create", json!({"roomId": room, "srtpParameters": "key"})),
        ("media::transport::webrtc::create", json!({"roomId": room, "forceTcp": 1})),
        ("media::consume", json!({"roomId": room, "producerId": "p", "consumerId": []})),
        (
            "client::register",
            json!({"clientId": "a", "clientType": "WEB", "username": "u", "password": ["p"]}),
        ),
        ("client::register", json!({"clientId": "a", "username": "u", "password": "p", "resume": "maybe"})),
    ] {
        world.send(a, 9, signal, body.clone());
        let told = world.hear_one(a);
        let read = (&told["code"], &told["header"]["id"]);
        assert_eq!(read, (&json!("3400"), &json!(9)), "{signal} {body}: {told}");
        world.hears_nothing(b);
        assert!(world.commands.is_empty() && world.recorder.is_empty(), "{signal} {body}");
    }
}
