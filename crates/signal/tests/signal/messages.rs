//! `client::unicast`, `client::broadcast` and `client::status`, at one node and across two.

use std::time::Duration;

use serde_json::json;
use taoyao_types::{PolicyRule, Scope, Verdict};

use crate::world::{World, error, is_server_id};

#[test]
fn a_unicast_arrives_without_its_target_under_a_new_id_and_without_nulls() {
    for (from, to, name) in [(0, 0, "b"), (0, 1, "b@east.cn"), (1, 0, "b@cn")] {
        let mut world = World::new(&["cn", "cn/east"]);
        let (a, b) = (world.register(from, "a"), world.register(to, "b"));
        world.hush();
        world.send(a, 2, "client::unicast", json!({"to": name, "x": 1, "y": null, "z": [null, {"n": null}]}));
        world.hears_nothing(a);
        let message = world.hear_one(b);
        assert!(is_server_id(&message), "{message}");
        assert_eq!((&message["code"], &message["message"]), (&json!("0000"), &json!("成功")));
        assert_eq!(message["header"]["signal"], "client::unicast");
        assert_eq!(message["body"], json!({"x": 1, "z": [null, {}]}));
    }
}

#[test]
fn a_unicast_to_nobody_is_dropped_in_silence() {
    let mut world = World::new(&["cn", "cn/east"]);
    let a = world.register(0, "a");
    for body in
        [json!({"to": "nobody"}), json!({"to": "x@east.cn"}), json!({"to": "a@@b"}), json!({}), json!(null)]
    {
        world.send(a, 2, "client::unicast", body);
    }
    world.hears_nothing(a);
}

#[test]
fn a_broadcast_reaches_all_others_of_the_partition_wherever_they_are() {
    let mut world = World::new(&["cn", "cn/east"]);
    let a = world.register(1, "a");
    let (near, far, foreign) =
        (world.register(1, "near"), world.register(0, "far@east.cn"), world.register(0, "foreign"));
    let camera = world.connect(1);
    world.send(camera, 1, "client::register", json!({"clientId": "cam", "clientType": "CAMERA"}));
    world.hush();
    world.send(a, 2, "client::broadcast", json!({"text": "hi"}));
    world.hears_nothing(a);
    world.hears_nothing(foreign);
    for line in [near, far, camera] {
        let message = world.hear_one(line);
        assert!(is_server_id(&message));
        assert_eq!(message["body"], json!({"text": "hi"}));
    }
    world.send(a, 3, "client::broadcast", json!({"clientType": "camera", "text": "hi"}));
    assert_eq!(world.hear_one(camera)["body"], json!({"clientType": "camera", "text": "hi"}));
    world.hears_nothing(near);
    world.hears_nothing(far);
    world.send(a, 4, "client::broadcast", json!({"clientType": "toaster"}));
    assert_eq!(error(&world.hear_one(a)), ("9999", "未知终端类型：toaster", 4));
}

#[test]
fn broadcasts_are_limited_per_source() {
    let mut world = World::new(&["cn"]);
    let (a, b, c) = (world.register(0, "a"), world.register(0, "b"), world.register(0, "c"));
    world.hush();
    (0..50).for_each(|id| world.send(a, id, "client::broadcast", json!({})));
    assert_eq!(world.hear(b).len(), 40);
    let refused = world.hear(a);
    assert_eq!(refused.len(), 10);
    assert_eq!(error(&refused[0]).0, "3503");
    world.send(b, 1, "client::broadcast", json!({}));
    assert_eq!(world.hear(c).len(), 41, "another source is not concerned");
    world.pass(Duration::from_secs(1));
    (0..50).for_each(|id| world.send(a, id, "client::broadcast", json!({})));
    assert_eq!(world.hear(b).len(), 20);
}

#[test]
fn a_state_is_the_callers_own_or_that_of_the_one_named() {
    let mut world = World::new(&["cn", "cn/east"]);
    let (a, b) = (world.register(0, "a"), world.register(1, "b"));
    world.send(b, 2, "client::heartbeat", json!({"status": {"k": [1]}}));
    world.hush();
    world.send(a, 3, "client::status", json!({}));
    let own = world.hear_one(a);
    assert_eq!(
        (&own["header"]["id"], &own["body"]["clientId"], &own["body"]["proxy"]),
        (&json!(3), &json!("a"), &json!(false))
    );
    world.send(a, 4, "client::status", json!({"clientId": "b@east.cn"}));
    let state = world.hear_one(a)["body"].clone();
    assert_eq!((&state["clientId"], &state["proxy"]), (&json!("b@east.cn"), &json!(true)));
    assert_eq!((&state["node"], &state["partition"]), (&json!("cn/east"), &json!("east.cn")));
    assert_eq!((&state["status"], &state["battery"]), (&json!({"k": [1]}), &json!(87)));
    for unknown in ["nobody", "nobody@east.cn", "a@@"] {
        world.send(a, 5, "client::status", json!({"clientId": unknown}));
        let answer = world.hear_one(a);
        assert_eq!((&answer["code"], answer.get("body")), (&json!("0000"), None), "{unknown}");
    }
}

#[test]
fn a_terminal_that_wrote_its_full_name_is_shown_it() {
    let mut world = World::new(&["cn", "cn/east"]);
    let (full, bare) = (world.register(1, "a@east.cn"), world.register(1, "b"));
    world.send(full, 2, "client::status", json!({}));
    assert_eq!(world.hear(full).pop().unwrap()["body"]["clientId"], "a@east.cn");
    world.send(bare, 2, "client::status", json!({"clientId": "a"}));
    assert_eq!(world.hear(bare).pop().unwrap()["body"]["clientId"], "a");
}

#[test]
fn what_policy_denies_is_refused_by_the_rules_name() {
    let rule = PolicyRule {
        id: "quiet-east".into(),
        verdict: Verdict::Deny,
        from: "cn".parse().unwrap(),
        to: "east.cn".parse().unwrap(),
        scopes: vec![Scope::See, Scope::Call],
    };
    let mut world = World::with_rules(&["cn", "cn/east"], vec![rule]);
    let (a, b) = (world.register(0, "a"), world.register(1, "b"));
    world.hush();
    for (signal, body) in [
        ("client::status", json!({"clientId": "b@east.cn"})),
        ("client::unicast", json!({"to": "b@east.cn"})),
        ("client::list", json!({"partition": "east.cn"})),
        ("session::call", json!({"clientId": "b@east.cn"})),
    ] {
        world.send(a, 2, signal, body);
        let refusal = world.hear_one(a);
        let (code, text, id) = error(&refusal);
        assert_eq!((code, id), ("3403", 2), "{signal}");
        assert!(text.starts_with("请求拒绝：") && text.contains("quiet-east"), "{text}");
    }
    world.hears_nothing(b);
    world.send(a, 3, "client::list", json!({}));
    assert_eq!(world.hear_one(a)["body"].as_array().unwrap().len(), 1, "the denied partition is left out");
}
