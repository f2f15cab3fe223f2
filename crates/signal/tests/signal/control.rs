//! `control::*` between terminals, and what accounts may do.

use serde_json::{Value, json};
use taoyao_auth::{Account, AllowList};
use taoyao_types::{ConnId, PolicyRule, Role, Scope, Verdict};
use taoyao_wire::signals::{Need, SIGNALS, Sender};

use crate::world::{Line, World, registration};

const CONTROLS: [&str; 10] = [
    "control::ai",
    "control::beauty",
    "control::bell",
    "control::client::record",
    "control::config::audio",
    "control::config::video",
    "control::photograph",
    "control::ptz",
    "control::wakeup",
    "control::watermark",
];

#[test]
fn every_control_reaches_its_target_and_brings_the_answer_back() {
    for (node, target) in [(0, "b"), (1, "b@east.cn")] {
        let mut world = World::new(&["cn", "cn/east"]);
        let (a, b) = (world.register(0, "a"), world.register(node, "b"));
        world.hush();
        for signal in CONTROLS {
            world.send(a, 7, signal, json!({"to": target, "enabled": true, "none": null}));
            let asked = world.hear_one(b);
            assert_eq!(
                (&asked["header"]["signal"], &asked["body"]),
                (&json!(signal), &json!({"enabled": true}))
            );
            let id = asked["header"]["id"].as_i64().unwrap();
            world.say(b, &answer(id, signal, json!({"enabled": true, "filepath": "/x"})));
            let answered = world.hear_one(a);
            assert_eq!(answered["header"], json!({"v": "1.0.0", "id": 7, "signal": signal}));
            assert_eq!(answered["body"], json!({"enabled": true, "filepath": "/x"}), "verbatim");
        }
    }
}

#[test]
fn an_unknown_target_a_silent_one_and_oneself_are_told_apart() {
    let mut world = World::new(&["cn"]);
    let (a, b) = (world.register(0, "a"), world.register(0, "b"));
    world.hush();
    for to in [json!("nobody"), json!("a@b@c"), json!(null)] {
        world.send(a, 7, "control::bell", json!({"to": to, "enabled": true}));
        let text = format!("目标终端无效：{}", to.as_str().unwrap_or("null"));
        assert_eq!(error(&world.hear_one(a)), ("9999".into(), text));
    }
    world.send(a, 7, "control::wakeup", json!({"to": "a"}));
    assert_eq!(error(&world.hear_one(a)), ("3400".into(), "不能自己唤醒自己".into()));
    world.send(a, 8, "control::bell", json!({"to": "b"}));
    world.hear_one(b);
    world.pass(std::time::Duration::from_secs(6));
    assert_eq!(error(&world.hear_one(a)), ("2001".into(), "终端没有响应".into()));
}

#[test]
fn recording_shows_in_the_targets_state() {
    let mut world = World::new(&["cn"]);
    let (a, _b) = (world.register(0, "a"), world.register(0, "b"));
    world.hush();
    world.send(a, 7, "control::client::record", json!({"to": "b", "enabled": true}));
    world.send(a, 8, "client::status", json!({"clientId": "b"}));
    assert_eq!(world.hear_one(a)["body"]["clientRecording"], true);
}

#[test]
fn policy_decides_who_may_control_whom_and_the_refusal_is_audited() {
    let rule = PolicyRule {
        id: "hands-off".into(),
        verdict: Verdict::Deny,
        from: "cn".parse().unwrap(),
        to: "east.cn".parse().unwrap(),
        scopes: vec![Scope::Control],
    };
    let mut world = World::with_rules(&["cn", "cn/east"], vec![rule]);
    let (a, b) = (world.register(0, "a"), world.register(1, "b"));
    world.hush();
    world.send(a, 7, "control::ptz", json!({"to": "b@east.cn", "type": "PAN", "value": 3}));
    let (code, text) = error(&world.hear_one(a));
    assert_eq!(code, "3403");
    assert!(text.contains("hands-off"), "{text}");
    assert_eq!(world.hear(b), Vec::<Value>::new());
    assert_eq!(world.audits.last().unwrap().denied.as_deref(), Some("hands-off"));
}

#[test]
fn every_signal_that_needs_a_right_is_refused_without_it() {
    for row in SIGNALS.iter().filter(|row| row.sender != Sender::Node) {
        let needed = match row.need {
            Need::Operator => "role:operator",
            Need::Named => "named",
            _ => continue,
        };
        let mut world = World::new(&["cn"]);
        let (a, b) = (world.register(0, "a"), world.register(0, "b"));
        world.hush();
        world.send(a, 7, row.name, json!({"script": "x"}));
        let (code, text) = error(&world.hear_one(a));
        assert_eq!(code, "3403", "{}", row.name);
        assert!(text.contains(&format!("rule {needed}")) && text.contains(row.name), "{text}");
        let audit = world.audits.pop().unwrap();
        assert_eq!((audit.signal, audit.denied.as_deref()), (row.name, Some(needed)));
        assert_eq!((world.hear(a), world.hear(b)), (Vec::new(), Vec::new()), "{}", row.name);
    }
}

#[test]
fn every_signal_outside_the_allow_list_is_refused_and_does_nothing() {
    const ALWAYS: [&str; 4] = ["client::register", "client::close", "client::config", "client::heartbeat"];
    let listed = AllowList(vec!["nothing::else".into()]);
    for row in SIGNALS.iter().filter(|row| row.sender != Sender::Node && !ALWAYS.contains(&row.name)) {
        let mut world = World::new(&["cn"]);
        let b = world.register(0, "b");
        world.accounts.insert("u".into(), Account::new("u", [Role::Admin], listed.clone(), Vec::new()));
        let a = world.register(0, "a");
        world.hush();
        world.send(a, 7, row.name, json!({"to": "b", "clientId": "b", "roomId": "x", "sessionId": "x"}));
        let (code, text) = error(&world.hear_one(a));
        assert_eq!(code, "3403", "{}", row.name);
        assert!(text.contains("rule signals"), "{text}");
        assert_eq!(world.audits.pop().unwrap().denied.as_deref(), Some("signals"));
        assert_eq!(world.hear(b), Vec::<Value>::new(), "{}", row.name);
    }
}

#[test]
fn a_client_id_in_use_can_only_be_taken_over_by_its_account_or_an_operator() {
    let mut world = World::new(&["cn"]);
    let a = world.register(0, "a");
    let mut stranger = registration("a");
    stranger["username"] = json!("mallory");
    let line = world.connect(0);
    world.send(line, 1, "client::register", stranger.clone());
    let (code, text) = error(&world.hear_one(line));
    assert_eq!(code, "3403");
    assert!(text.contains("rule owner"), "{text}");
    assert_eq!(world.closed(a), None);
    let operator =
        Account::new("mallory", [Role::Terminal, Role::Operator], AllowList::default(), Vec::new());
    world.accounts.insert("mallory".into(), operator);
    world.send(line, 2, "client::register", stranger);
    assert!(world.hear(line)[0]["body"]["index"].is_u64());
    assert!(world.closed(a).is_some());
}

#[test]
fn a_guest_asks_for_what_needs_no_terminal_and_nobody_hears_of_it() {
    let mut world = World::new(&["cn", "cn/east"]);
    let (a, b) = (world.register(0, "a"), world.register(1, "b"));
    world.hush();
    let guest = guest(&mut world, &[Role::Operator]);
    world.send(guest, 1, "client::list", json!({}));
    let listed = world.hear_one(guest);
    assert_eq!(listed["body"].as_array().unwrap().len(), 2, "it is not in the list itself");
    world.send(guest, 2, "client::status", json!({"clientId": "b@east.cn"}));
    assert_eq!(world.hear_one(guest)["body"]["clientId"], "b@east.cn");
    world.send(guest, 3, "client::reboot", json!({"clientId": "b@east.cn"}));
    assert_eq!(world.hear_one(guest)["code"], "0000");
    let told = world.hear_one(b);
    assert_eq!((&told["header"]["signal"], &told["body"]), (&json!("client::reboot"), &json!({})));
    for signal in ["client::unicast", "room::enter", "session::call", "client::close"] {
        world.send(guest, 4, signal, json!({"to": "a"}));
        assert_eq!(error(&world.hear_one(guest)).0, "3400", "{signal}");
    }
    world.send(guest, 5, "control::bell", json!({"to": "a", "enabled": true}));
    let asked = world.hear_one(a);
    world.say(a, &answer(asked["header"]["id"].as_i64().unwrap(), "control::bell", json!({"enabled": true})));
    assert_eq!(world.hear_one(guest)["body"], json!({"enabled": true}));
    world.hang_up(guest);
    assert_eq!((world.hear(a), world.hear(b)), (Vec::new(), Vec::new()));
}

#[test]
fn no_terminal_takes_the_name_of_guests() {
    let mut world = World::new(&["cn"]);
    let line = world.connect(0);
    world.send(line, 1, "client::register", registration("$rest"));
    assert_eq!(error(&world.hear_one(line)).0, "3400");
}

#[test]
fn a_guest_without_the_role_orders_nobody() {
    let mut world = World::new(&["cn"]);
    let a = world.register(0, "a");
    world.hush();
    let guest = guest(&mut world, &[Role::Terminal]);
    for signal in ["client::reboot", "client::shutdown", "system::info", "platform::shutdown"] {
        world.send(guest, 1, signal, json!({"clientId": "a"}));
        assert_eq!(error(&world.hear_one(guest)).0, "3403", "{signal}");
    }
    assert_eq!(world.hear(a), Vec::<Value>::new());
}

fn guest(world: &mut World, roles: &[Role]) -> Line {
    let line = Line(0, ConnId(1 << 63));
    let account = Account::new("ops", roles.iter().copied(), AllowList::default(), Vec::new());
    world.nodes[0].handle_guest(world.now, line.1, account);
    line
}

fn answer(id: i64, signal: &str, body: Value) -> String {
    json!({"header": {"v": "1.0.0", "id": id, "signal": signal}, "body": body}).to_string()
}

fn error(message: &Value) -> (String, String) {
    assert_eq!((&message["header"]["signal"], &message["body"]), (&json!("platform::error"), &json!({})));
    let text = |field: &str| message[field].as_str().unwrap().to_owned();
    (text("code"), text("message"))
}
