//! `platform::*` and `system::*`: who may, who is told in which order, what is done, and what the audit log says of it.

use std::time::Duration;

use serde_json::{Value, json};
use taoyao_auth::{Account, AllowList};
use taoyao_signal::{Deed, Output, Performed};
use taoyao_types::{ConnId, Role, limits};
use taoyao_wire::terminal::Machine;

use crate::configs::SCRIPTS;
use crate::world::{Line, World, error, is_server_id, registration};

const ORDERS: [&str; 4] = ["platform::reboot", "platform::shutdown", "system::reboot", "system::shutdown"];

/// A node with a plain terminal and one whose account may do everything.
fn world() -> (World, Line, Line) {
    let mut world = World::new(&["cn", "cn/east"]);
    world.accounts.insert("ops".into(), operator());
    let plain = world.register(0, "plain");
    let line = world.connect(0);
    let mut form = registration("ops");
    form["username"] = json!("ops");
    world.send(line, 1, "client::register", form);
    world.hush();
    (world, plain, line)
}

fn operator() -> Account {
    let named = [&ORDERS[..], &["platform::script", "system::info"]].concat();
    let named = named.into_iter().map(str::to_owned).collect();
    Account::new("ops", [Role::Terminal, Role::Operator], AllowList(named), Vec::new())
}

fn done(world: &mut World, done: Performed) {
    let (node, number, _) = world.deeds.remove(0);
    world.nodes[node].handle_performed(world.now, number, done);
    world.run();
}

fn ran(output: &str) -> Performed {
    Performed::Ran { exit: Some(0), output: output.to_owned() }
}

/// What the audit log says of the last deed: signal, refusing rule, detail.
fn audited(world: &World) -> (&str, Option<&str>, Option<&str>) {
    let audit = world.audits.last().unwrap();
    assert_eq!(audit.account.as_deref(), Some("ops"));
    (audit.signal, audit.denied.as_deref(), audit.detail.as_deref())
}

#[test]
fn the_machine_is_looked_at_and_told() {
    let (mut world, _, ops) = world();
    world.send(ops, 7, "system::info", json!({}));
    assert_eq!(world.deeds[0].2, Deed::Look);
    world.hears_nothing(ops);
    done(&mut world, Performed::Looked(Box::new(Machine { processors: 2, ..Machine::default() })));
    let answer = world.hear_one(ops);
    assert_eq!((&answer["header"]["id"], &answer["body"]["cpuProcessors"]), (&json!(7), &json!(2)));
    assert_eq!(audited(&world).0, "system::info");
}

#[test]
fn a_script_is_run_with_its_words_and_answered_with_what_it_says() {
    let (mut world, plain, ops) = world();
    world.send(ops, 7, "platform::script", json!({"script": "  lights  on\t$(id) "}));
    let arguments = vec!["on".to_owned(), "$(id)".to_owned()];
    assert_eq!(world.deeds[0].2, Deed::Run { script: "lights".into(), arguments });
    assert!(world.audits.is_empty(), "the end is what is audited");
    done(&mut world, Performed::Ran { exit: Some(3), output: "no \"bulb\"\n".into() });
    let answer = world.hear_one(ops);
    assert_eq!(answer["header"], json!({"v": "1.0.0", "id": 7, "signal": "platform::script"}));
    assert_eq!((&answer["code"], &answer["body"]), (&json!("0000"), &json!({"result": "no \"bulb\"\n"})));
    assert_eq!(audited(&world), ("platform::script", None, Some("lights on $(id): exit 3")));
    world.hears_nothing(plain);
}

#[test]
fn every_other_end_of_a_script_has_its_code_and_is_audited() {
    for (end, code, text, detail) in [
        (Performed::Overdue, "2001", "服务超时：the script was killed", "lights: killed at its time-out"),
        (Performed::Refused("takes none".into()), "3400", "请求错误：takes none", "lights: takes none"),
        (Performed::Failed("not found".into()), "2000", "服务错误：not found", "lights: not found"),
    ] {
        let (mut world, _, ops) = world();
        world.send(ops, 7, "platform::script", json!({"script": "lights"}));
        done(&mut world, end);
        assert_eq!(error(&world.hear_one(ops)), (code, text, 7));
        assert_eq!(audited(&world).2, Some(detail));
    }
}

#[test]
fn a_script_that_is_empty_unknown_or_an_order_is_refused() {
    let (mut world, _, ops) = world();
    for body in [json!({"script": " "}), json!({"script": null}), json!({})] {
        world.send(ops, 7, "platform::script", body);
        assert_eq!(error(&world.hear_one(ops)), ("1002", "无效命令：", 7));
    }
    world.send(ops, 7, "platform::script", json!({"script": {}}));
    assert_eq!(error(&world.hear_one(ops)), ("3400", "请求错误：script has to be a text", 7));
    let too_long = format!("lights {}", "x".repeat(limits::SCRIPT_BYTES_MAX));
    for script in ["light", "Lights", "/bin/lights", "system::reboot", "lights;id", &too_long] {
        world.send(ops, 7, "platform::script", json!({"script": script}));
        let text = format!("请求错误：no such script; there are: {}", SCRIPTS.join(", "));
        assert_eq!(error(&world.hear_one(ops)), ("3400", text.as_str(), 7), "{script}");
        assert_eq!(audited(&world), ("platform::script", Some("script"), None));
    }
    assert!(world.deeds.is_empty());
}

#[test]
fn a_deed_that_takes_too_long_is_answered_in_time_and_audited_at_its_end() {
    let (mut world, _, ops) = world();
    world.send(ops, 7, "platform::script", json!({"script": "sirens"}));
    world.pass(limits::REQUEST_TIMEOUT - Duration::from_millis(1));
    world.hears_nothing(ops);
    world.pass(Duration::from_millis(1));
    let text = "服务超时：the script goes on, its end will be in the audit log";
    assert_eq!(error(&world.hear_one(ops)), ("2001", text, 7));
    assert!(world.audits.is_empty());
    done(&mut world, ran("late"));
    world.hears_nothing(ops);
    assert_eq!(audited(&world).2, Some("sirens: exit 0"));
}

#[test]
fn who_has_gone_is_not_answered_but_audited() {
    let (mut world, _, ops) = world();
    world.send(ops, 7, "platform::script", json!({"script": "lights"}));
    world.hang_up(ops);
    done(&mut world, ran("x"));
    assert_eq!(audited(&world).2, Some("lights: exit 0"));
    world.pass(limits::REQUEST_TIMEOUT);
    world.hears_nothing(ops);
}

#[test]
fn deeds_under_way_are_bounded() {
    let (mut world, plain, ops) = world();
    for id in 0..limits::DEEDS_MAX as i64 {
        world.send(ops, id, "platform::script", json!({"script": "lights"}));
    }
    for signal in ["platform::script", "system::info", "system::reboot"] {
        world.send(ops, 77, signal, json!({"script": "lights"}));
        let busy = "服务正在维护：too many scripts are running";
        assert_eq!(error(&world.hear_one(ops)), ("3503", busy, 77), "{signal}");
    }
    world.hears_nothing(plain);
    assert_eq!(world.deeds.len(), limits::DEEDS_MAX);
    world.send(ops, 77, "platform::shutdown", json!({}));
    assert_eq!(
        world.deeds.pop().map(|(_, _, deed)| deed),
        Some(Deed::Stop),
        "scripts cannot keep a node from ending"
    );
    world.hear_one(ops);
    done(&mut world, ran(""));
    world.hear_one(ops);
    world.send(ops, 78, "system::info", json!({}));
    assert_eq!(world.deeds.len(), limits::DEEDS_MAX);
}

#[test]
fn an_order_is_told_to_all_terminals_of_the_node_before_it_is_carried_out() {
    for (signal, deed) in [
        ("system::reboot", Deed::Run { script: "system::reboot".into(), arguments: Vec::new() }),
        ("platform::shutdown", Deed::Stop),
    ] {
        let (mut world, plain, ops) = world();
        let (roaming, elsewhere) = (world.register(0, "b@east.cn"), world.register(1, "c"));
        world.hush();
        world.send(ops, 7, signal, json!({"why": "update", "none": null}));
        let own = world.hear_one(ops);
        assert_eq!(own["header"], json!({"v": "1.0.0", "id": 7, "signal": signal}));
        assert_eq!((&own["code"], &own["body"]), (&json!("0000"), &json!({"why": "update"})));
        for line in [plain, roaming] {
            let told = world.hear_one(line);
            assert!(is_server_id(&told), "{told}");
            assert_eq!(
                (&told["header"]["signal"], &told["body"]),
                (&json!(signal), &json!({"why": "update"}))
            );
        }
        world.hears_nothing(elsewhere);
        let place = |wanted: &dyn Fn(&Output) -> bool| {
            let outputs = world.outputs.iter().map(|(_, output)| output);
            outputs.enumerate().filter(|(_, output)| wanted(output)).map(|(place, _)| place).max().unwrap()
        };
        let told = place(&|output| matches!(output, Output::ToTerminal { .. }));
        let performed = place(&|output| matches!(output, Output::Perform { .. }));
        assert!(told < performed);
        assert_eq!(world.deeds[0].2, deed);
    }
}

#[test]
fn the_end_of_an_order_is_audited_and_told_to_nobody() {
    let (mut world, plain, ops) = world();
    world.send(ops, 7, "system::reboot", json!({}));
    world.hear_one(ops);
    world.hear_one(plain);
    done(&mut world, Performed::Failed("not found".into()));
    assert_eq!(audited(&world), ("system::reboot", None, Some("system::reboot: not found")));
    world.pass(Duration::from_secs(10));
    assert_eq!((world.hear(ops), world.hear(plain)), (Vec::<Value>::new(), Vec::new()));
    world.send(ops, 8, "platform::shutdown", json!({}));
    assert_eq!(audited(&world), ("platform::shutdown", None, None));
}

#[test]
fn an_order_without_a_script_is_refused_and_nobody_hears_of_it() {
    let (mut world, plain, ops) = world();
    for signal in ["platform::reboot", "system::shutdown"] {
        world.send(ops, 7, signal, json!({}));
        assert_eq!(error(&world.hear_one(ops)), ("3406", "功能没有开启", 7));
        assert_eq!(audited(&world), (signal, Some("script"), None));
    }
    world.hears_nothing(plain);
    assert!(world.deeds.is_empty());
}

#[test]
fn a_guest_is_answered_with_plain_success_and_the_terminals_are_told() {
    let (mut world, plain, _) = world();
    let guest = Line(0, ConnId(1 << 63));
    for signal in ["system::reboot", "platform::shutdown"] {
        world.nodes[0].handle_guest(world.now, guest.1, operator());
        world.send(guest, 7, signal, json!({}));
        let answer = world.hear_one(guest);
        assert_eq!(
            (&answer["code"], &answer["header"]["id"], answer.get("body")),
            (&json!("0000"), &json!(7), None)
        );
        assert_eq!(world.hear_one(plain)["header"]["signal"], signal);
        world.hang_up(guest);
    }
    assert_eq!(world.deeds.len(), 2);
}
