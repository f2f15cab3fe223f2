//! An account that sends more than a line takes is slowed, so that nobody who reads is lost.

use std::time::Duration;

use serde_json::{Value, json};
use taoyao_types::limits;

use crate::rooms::create;
use crate::world::{Line, World, error, registration};

const LARGE: usize = 1_000_000;

/// One million bytes to all, or to one.
fn large(to: &str) -> Value {
    json!({ "to": to, "x": "x".repeat(LARGE) })
}

fn heard_bytes(world: &mut World, line: Line) -> usize {
    world.hear(line).iter().map(|message| message.to_string().len()).sum()
}

#[test]
fn ten_large_broadcasts_leave_every_reader_with_less_than_its_queue_takes() {
    let mut world = World::new(&["cn", "cn/east"]);
    let (sender, second) = (world.register(0, "sender"), world.register(0, "second"));
    let readers = [world.register(0, "near"), world.register(0, "other")];
    world.hush();
    for id in 10..15 {
        world.send(sender, id, "client::broadcast", large(""));
        // Names are free: another terminal of the account has no allowance of its own.
        world.send(second, id, "client::broadcast", large(""));
    }
    for reader in readers {
        let bytes = heard_bytes(&mut world, reader);
        assert!((LARGE..limits::TERMINAL_QUEUE_BYTES_MAX).contains(&bytes), "{bytes}");
    }
    let refused =
        world.hear(sender).into_iter().filter(|message| message["header"]["signal"] == "platform::error");
    let refused: Vec<Value> = refused.collect();
    assert!(refused.len() >= 3, "{}", refused.len());
    for message in &refused {
        let (code, text, _) = error(message);
        assert_eq!(code, "3503");
        assert!(text.contains("again in") && text.ends_with(" ms"), "{text}");
    }
    world.hush();
    world.pass(Duration::from_secs(2));
    world.send(sender, 20, "client::broadcast", json!({ "x": "later" }));
    assert_eq!(world.hear_one(readers[0])["body"]["x"], "later", "it only had to wait");
}

#[test]
fn large_messages_to_one_are_charged_apart_for_each_and_short_ones_are_free() {
    let mut world = World::new(&["cn"]);
    let sender = world.register(0, "sender");
    let readers = [world.register(0, "a"), world.register(0, "b")];
    world.hush();
    for (line, to) in readers.into_iter().zip(["a", "b"]) {
        for id in 10..20 {
            world.send(sender, id, "client::unicast", large(to));
        }
        let bytes = heard_bytes(&mut world, line);
        assert!((LARGE..limits::TERMINAL_QUEUE_BYTES_MAX).contains(&bytes), "{to}: {bytes}");
        for id in 20..60 {
            world.send(sender, id, "client::unicast", json!({ "to": to, "x": id }));
        }
        assert_eq!(world.hear(line).len(), 40, "{to}");
    }
}

#[test]
fn whatever_carries_a_senders_own_words_is_charged() {
    let mut world = World::new(&["cn"]);
    let (sender, reader) = (world.register(0, "sender"), world.register(0, "reader"));
    world.hush();
    let room = create(&mut world, sender, json!({}));
    world.send(reader, 5, "room::enter", json!({ "roomId": room }));
    world.send(sender, 6, "room::enter", json!({ "roomId": room }));
    world.hush();
    world.send(sender, 7, "session::call", json!({ "clientId": "reader" }));
    let session = world.hear_one(sender)["body"]["sessionId"].clone();
    let named = json!({ "roomId": room, "clientId": "reader", "sessionId": session, "to": "reader" });
    for signal in [
        "room::broadcast",
        "room::invite",
        "room::expel",
        "session::exchange",
        "control::bell",
        "client::unicast",
    ] {
        world.pass(Duration::from_secs(10));
        world.hush();
        let mut body = named.clone();
        body["x"] = json!("x".repeat(LARGE));
        for id in 10..20 {
            world.send(sender, id, signal, body.clone());
        }
        let bytes = heard_bytes(&mut world, reader);
        assert!((LARGE..limits::TERMINAL_QUEUE_BYTES_MAX).contains(&bytes), "{signal}: {bytes}");
        assert!(world.closed(reader).is_none(), "{signal}");
    }
}

#[test]
fn the_allowance_is_the_accounts() {
    let mut world = World::new(&["cn"]);
    let (sender, reader) = (world.register(0, "sender"), world.register(0, "reader"));
    let other = world.connect(0);
    let mut body = registration("other");
    body["username"] = json!("ann");
    world.send(other, 1, "client::register", body);
    world.hush();
    for id in 10..20 {
        world.send(sender, id, "client::broadcast", large(""));
    }
    world.hush();
    world.send(other, 10, "client::broadcast", json!({ "x": "mine" }));
    assert_eq!(world.hear_one(reader)["body"]["x"], "mine");
}
