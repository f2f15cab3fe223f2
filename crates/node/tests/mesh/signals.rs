//! Signals between terminals of two sites, each way through five nodes.

use serde_json::{Value, json};

use crate::support::{until, up};
use crate::terminal::Terminal;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn terminals_of_two_sites_see_each_other_and_talk() {
    let (site, _mesh) = up().await;
    let mut ann = site.terminal("sh", "ann").await;
    let mut bob = site.terminal("bj", "bob").await;

    wait_for(&mut ann, "bob@bj.north.cn").await;
    wait_for(&mut bob, "ann@sh.east.cn").await;
    let listed = entry(&list(&mut ann).await, "bob@bj.north.cn").unwrap();
    assert_eq!((&listed["node"], &listed["proxy"]), (&json!("cn/north/bj"), &json!(true)), "{listed}");

    wait_until_reached(&mut ann, "bob@bj.north.cn").await;
    ann.send("client::unicast", json!({ "to": "bob@bj.north.cn", "text": "hello" })).await;
    let heard = bob.expect("client::unicast").await;
    assert_eq!(heard["body"]["text"], "hello", "{heard}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_between_two_sites_exchanges_in_order_and_ends_on_both_sides() {
    let (site, _mesh) = up().await;
    let mut ann = site.terminal("sh", "ann").await;
    let mut bob = site.terminal("bj", "bob").await;
    wait_until_reached(&mut ann, "bob@bj.north.cn").await;

    let called = ann.ask("session::call", json!({ "clientId": "bob@bj.north.cn" })).await;
    assert_eq!(called["code"], "0000", "{called}");
    let session = called["body"]["sessionId"].clone();
    let rung = bob.expect("session::call").await;
    assert_eq!((&rung["body"]["sessionId"], &rung["body"]["clientId"]), (&session, &json!("ann@sh.east.cn")));

    for count in 0..50 {
        ann.send("session::exchange", json!({ "sessionId": session, "type": "candidate", "count": count }))
            .await;
    }
    for count in 0..50 {
        assert_eq!(bob.expect("session::exchange").await["body"]["count"], count);
    }
    bob.send("session::close", json!({ "sessionId": session })).await;
    assert_eq!(ann.expect("session::close").await["body"]["sessionId"], session);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_terminal_that_logs_in_elsewhere_moves_and_the_older_is_closed() {
    let (site, _mesh) = up().await;
    let mut watcher = site.terminal("bj", "watcher").await;
    let mut older = site.terminal("sh", "cam@mobile.cn").await;
    wait_for_at(&mut watcher, "cam@mobile.cn", "cn/east/sh").await;

    let _newer = site.terminal("bj", "cam@mobile.cn").await;
    let frame = older.closed().await;
    assert!(frame.is_some(), "the older connection is closed with a reason");
    wait_for_at(&mut watcher, "cam@mobile.cn", "cn/north/bj").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_to_nobody_is_refused_by_name() {
    let (site, _mesh) = up().await;
    let mut ann = site.terminal("sh", "ann").await;
    let answer = ann.ask("session::call", json!({ "clientId": "nobody@bj.north.cn" })).await;
    assert_eq!(answer["header"]["signal"], "platform::error", "{answer}");
    assert_eq!(answer["code"], "3404", "{answer}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_password_is_refused_and_the_right_one_still_works() {
    let (site, _mesh) = up().await;
    let mut ann = site.connect("sh").await;
    let refused = ann.try_register("ann", "taoyao", "guess").await;
    assert_eq!((&refused["code"], &refused["header"]["signal"]), (&json!("3401"), &json!("platform::error")));
    ann.register("ann").await;
}

/// The states of all terminals that this one may see.
async fn list(terminal: &mut Terminal) -> Value {
    let answer = terminal.ask("client::list", json!({})).await;
    assert_eq!(answer["code"], "0000", "{answer}");
    answer["body"].clone()
}

fn entry(list: &Value, client: &str) -> Option<Value> {
    list.as_array()?.iter().find(|entry| entry["clientId"] == client).cloned()
}

async fn wait_for(terminal: &mut Terminal, client: &str) {
    wait_until(terminal, client, |entry| entry.is_some()).await;
}

async fn wait_for_at(terminal: &mut Terminal, client: &str, node: &str) {
    wait_until(terminal, client, |entry| entry.is_some_and(|entry| entry["node"] == node)).await;
}

/// A list asks every node; a signal finds its way once the newcomer's record has climbed to where the ways meet.
async fn wait_until_reached(terminal: &mut Terminal, client: &str) {
    let terminal = tokio::sync::Mutex::new(terminal);
    until(&format!("{client} is reached"), || async {
        let answer = terminal.lock().await.ask("client::status", json!({ "clientId": client })).await;
        answer["body"]["clientId"] == client
    })
    .await;
}

async fn wait_until(terminal: &mut Terminal, client: &str, wanted: impl Fn(Option<Value>) -> bool) {
    let terminal = tokio::sync::Mutex::new(terminal);
    until(&format!("{client} is listed"), || async {
        let list = list(*terminal.lock().await).await;
        wanted(entry(&list, client))
    })
    .await;
}
