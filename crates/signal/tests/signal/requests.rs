//! Requests of the mesh for terminals of a node, answered by the terminal itself or by the node.

use std::time::Duration;

use serde_json::json;
use taoyao_signal::MeshEvent;
use taoyao_types::limits;
use taoyao_wire::link::{Failure, Message, Payload, Reply};

use crate::world::{Line, World, is_server_id, key};

fn bell() -> Payload {
    let message = Message {
        signal: "control::bell".into(),
        v: "1.0.0".into(),
        code: "0000".into(),
        text: "成功".into(),
        body: Some(r#"{"enabled":true}"#.into()),
    };
    Payload::Message { from: "far@east.cn".parse().unwrap(), message }
}

fn one_terminal() -> (World, Line) {
    let mut world = World::new(&["cn", "cn/east"]);
    let line = world.register(0, "a");
    world.hush();
    (world, line)
}

#[test]
fn a_message_is_answered_by_whatever_comes_back_under_its_id() {
    let (mut world, line) = one_terminal();
    let token = world.request(0, "a@cn", bell(), 3_000);
    let message = world.hear_one(line);
    assert!(is_server_id(&message));
    assert_eq!(
        (&message["header"]["signal"], &message["body"]),
        (&json!("control::bell"), &json!({"enabled": true}))
    );
    assert!(world.replies().is_empty());
    let id = message["header"]["id"].as_i64().unwrap();
    // Even a signal that has an effect of its own is an answer and nothing else (reference 2.6).
    world.send(line, id, "client::close", json!({"done": true, "why": null}));
    assert_eq!(world.closed(line), None);
    let [(answered, Reply::Message(answer))] = &world.replies()[..] else { panic!("{:?}", world.replies()) };
    assert_eq!(*answered, token);
    assert_eq!((answer.signal.as_str(), answer.body.as_deref()), ("client::close", Some(r#"{"done":true}"#)));
    world.pass(Duration::from_secs(10));
    assert_eq!(world.replies().len(), 1, "it is answered once");
}

#[test]
fn silence_ends_at_the_deadline_and_a_late_answer_is_an_ordinary_message() {
    let (mut world, line) = one_terminal();
    world.request(0, "a@cn", bell(), 3_000);
    let id = world.hear_one(line)["header"]["id"].as_i64().unwrap();
    world.pass(Duration::from_millis(2_999));
    assert!(world.replies().is_empty());
    world.pass(Duration::from_millis(1));
    assert!(matches!(&world.replies()[..], [(_, Reply::Failed(Failure::Deadline))]));
    world.send(line, id, "client::heartbeat", json!({}));
    assert_eq!(world.hear_one(line)["header"]["signal"], "client::heartbeat");
}

#[test]
fn a_terminal_that_leaves_answers_nothing_more() {
    let (mut world, line) = one_terminal();
    world.request(0, "a@cn", bell(), 3_000);
    world.hang_up(line);
    assert!(matches!(&world.replies()[..], [(_, Reply::Failed(Failure::Interrupted { .. }))]));
    world.pass(Duration::from_secs(10));
    assert_eq!(world.replies().len(), 1);
    world.request(0, "a@cn", bell(), 3_000);
    assert_eq!(world.replies()[1].1, Reply::Failed(Failure::NoSuchTerminal));
}

#[test]
fn a_terminal_has_so_many_requests_open_and_no_more() {
    let (mut world, _) = one_terminal();
    for _ in 0..limits::TERMINAL_PENDING_MAX {
        world.request(0, "a@cn", bell(), 3_000);
    }
    assert!(world.replies().is_empty());
    world.request(0, "a@cn", bell(), 3_000);
    assert!(matches!(&world.replies()[..], [(_, Reply::Failed(Failure::Busy { .. }))]));
}

#[test]
fn a_broken_body_from_another_node_does_not_reach_the_terminal() {
    let (mut world, line) = one_terminal();
    let Payload::Message { from, mut message } = bell() else { unreachable!() };
    message.body = Some("{\"a\":".into());
    let payload = Payload::Message { from, message };
    world.request(0, "a@cn", payload.clone(), 3_000);
    assert!(matches!(&world.replies()[..], [(_, Reply::Failed(Failure::Refused { .. }))]));
    world.mesh(0, MeshEvent::Event { target: key("a@cn"), payload });
    world.hears_nothing(line);
    assert_eq!(world.nodes[0].stats().mesh_refused, 2);
}

#[test]
fn what_is_no_request_for_a_terminal_is_refused() {
    let (mut world, line) = one_terminal();
    world.request(0, "a@cn", Payload::Ping, 1_000);
    world.request(0, "a@cn", Payload::Trace { to: "b@cn".parse().unwrap() }, 1_000);
    let replies = world.replies();
    let refused =
        |reply: &Reply| matches!(reply, Reply::Failed(Failure::Refused { code, .. }) if code == "3415");
    assert!(replies.len() == 2 && replies.iter().all(|(_, reply)| refused(reply)), "{replies:?}");
    world.hears_nothing(line);
}
