//! The REST interface of whole nodes: accounts, permissions, and calls that reach terminals of other sites.

use std::collections::BTreeSet;
use std::fs;

use rustls::pki_types::ServerName;
use serde_json::{Value, json};
use taoyao_auth::{TokenHash, Users, token};
use taoyao_node::Mesh;
use taoyao_types::{Role, Secret};
use taoyao_wire::signals::{Need, SIGNALS};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::support::{Site, until, up_with};
use crate::terminal::{trusting, within};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_of_the_table_logs_in_by_password_and_by_token() {
    let (site, _mesh) = up().await;
    // ann:correct horse, ann:wrong, taoyao:taoyao (the shared account).
    for (authorization, status) in [
        ("Basic YW5uOmNvcnJlY3QgaG9yc2U=", 200),
        ("Basic YW5uOndyb25n", 401),
        ("Basic dGFveWFvOnRhb3lhbw==", 200),
        (&bearer(ANN), 200),
        ("Bearer tao_guessed", 401),
    ] {
        assert_eq!(
            call(&site, "sh", "GET", "/client/list", authorization).await.0,
            status,
            "{authorization}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn terminals_of_another_site_are_listed_and_controlled() {
    let (site, _mesh) = up().await;
    let mut bob = site.terminal("bj", "bob").await;
    let name = "bob@bj.north.cn";
    until("sh lists bob", || async {
        let (_, listed) = call(&site, "sh", "GET", "/client/list", &bearer(ANN)).await;
        listed["body"].as_array().unwrap().iter().any(|state| state["clientId"] == name)
    })
    .await;
    // The way to a terminal is known a little later than its name.
    until("sh reaches bob", || async {
        let (_, state) = call(&site, "sh", "GET", &format!("/client/status/{name}"), &bearer(ANN)).await;
        state["body"]["node"] == "cn/north/bj"
    })
    .await;

    let path = format!("/control/bell/{name}?enabled=true");
    let caller = bearer(ROOT);
    let ringing = call(&site, "sh", "POST", &path, &caller);
    let answering = async {
        let rung = bob.expect("control::bell").await;
        bob.answer(&rung, json!({ "enabled": true })).await;
        rung
    };
    let ((status, answer), rung) = tokio::join!(ringing, answering);
    assert_eq!((status, &rung["body"]), (200, &json!({ "enabled": true })));
    assert_eq!((&answer["header"]["signal"], &answer["body"]), (&json!("control::bell"), &rung["body"]));

    assert_eq!(call(&site, "sh", "POST", &format!("/client/reboot/{name}"), &caller).await.0, 200);
    bob.expect("client::reboot").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_there_is_told_as_the_original_does() {
    let (site, _mesh) = up().await;
    let done = json!({ "code": "0000", "message": "成功" });
    for (path, body) in [
        ("/client/status/nobody", None),
        ("/client/reboot/nobody", None),
        ("/room/status/nowhere", None),
        ("/room/list/client/nowhere", Some(json!([]))),
    ] {
        let mut expected = done.clone();
        if let Some(body) = body {
            expected["body"] = body;
        }
        assert_eq!(call(&site, "sh", "GET", path, &bearer(ROOT)).await, (200, expected), "{path}");
    }
    let (status, told) = call(&site, "sh", "GET", "/control/wakeup/nobody", &bearer(ROOT)).await;
    assert_eq!((status, &told["code"]), (200, &json!("9999")), "{told}");
    let (status, told) = call(&site, "sh", "DELETE", "/room/nowhere", &bearer(ROOT)).await;
    assert_eq!((status, &told["code"]), (404, &json!("3404")), "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rooms_are_shown_and_closed_for_operators_and_refused_to_others() {
    let (site, _mesh) = up().await;
    let mut ann = site.terminal("cn", "ann").await;
    let created = ann.ask("room::create", json!({ "name": "hall", "password": "peach" })).await;
    let room = created["body"]["roomId"].as_str().unwrap_or_else(|| panic!("{created}")).to_owned();
    ann.ask("room::enter", json!({ "roomId": room, "password": "peach" })).await;

    let (_, rooms) = call(&site, "cn", "GET", "/room/list", &bearer(ROOT)).await;
    assert_eq!(rooms["body"][0]["roomId"], room, "{rooms}");
    assert!(!rooms.to_string().contains("peach"), "{rooms}");
    let (_, state) = call(&site, "cn", "GET", &format!("/room/status/{room}"), &bearer(ROOT)).await;
    assert_eq!(state["body"]["clientSize"], 1, "{state}");
    let (_, members) = call(&site, "cn", "GET", &format!("/room/list/client/{room}"), &bearer(ROOT)).await;
    assert_eq!(members["body"][0]["clientId"], "ann", "{members}");

    for (method, path) in [
        ("GET", format!("/room/status/{room}")),
        ("GET", format!("/room/list/client/{room}")),
        ("DELETE", format!("/room/{room}")),
        ("POST", format!("/control/server/record/{room}/ann?enabled=true")),
    ] {
        refused(&call(&site, "cn", method, &path, &bearer(ANN)).await, &path);
    }
    let (status, told) = call(&site, "cn", "DELETE", &format!("/room/{room}"), &bearer(ROOT)).await;
    assert_eq!(status, 200, "{told}");
    ann.expect("room::close").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_path_whose_signal_needs_more_is_refused_with_the_rule() {
    let (site, _mesh) = up().await;
    let (_, document) = call(&site, "sh", "GET", "/v3/api-docs", "").await;
    let mut tried = BTreeSet::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let about = operation["description"].as_str().unwrap_or_default();
            let row = SIGNALS.iter().find(|row| about.contains(&format!("`{}`", row.name)));
            let needs_more = row.is_none_or(|row| matches!(row.need, Need::Operator | Need::Named));
            if !needs_more || path == "/protocol/list" {
                continue;
            }
            let path = path.replace("{clientId}", "x").replace("{roomId}", "x");
            refused(&call(&site, "sh", &method.to_uppercase(), &path, &bearer(ANN)).await, &path);
            tried.insert(path);
        }
    }
    assert!(tried.len() >= 14, "{tried:?}");
}

/// The token of an account that terminals use, and that of an administrator's.
const ANN: [u8; 32] = [1; 32];
const ROOT: [u8; 32] = [2; 32];

async fn up() -> (Site, Mesh) {
    let policy = "[policy]\nbetween_partitions = [\"see\", \"presence\", \"control\"]\n";
    up_with(policy, |site| {
        let mut users = Users::default();
        users.add("ann", "correct horse", [7; 16]).unwrap();
        let root = users.add("root", "battery staple", [8; 16]).unwrap();
        root.roles = [Role::Admin].into();
        for (name, random) in [("ann", ANN), ("root", ROOT)] {
            users.add_token(name, "test", TokenHash::of(&token(random))).unwrap();
        }
        fs::write(site.path().join("users.toml"), users.to_toml()).unwrap();
    })
    .await
}

fn bearer(random: [u8; 32]) -> String {
    let Secret(token) = token(random);
    format!("Bearer {token}")
}

fn refused((status, told): &(u16, Value), path: &str) {
    assert_eq!((*status, &told["code"]), (403, &json!("3403")), "{path}: {told}");
    assert!(told["message"].as_str().unwrap().contains("denied by rule "), "{path}: {told}");
}

/// A call with a JSON body wherever one may be needed; a body that is no JSON is null.
async fn call(site: &Site, node: &str, method: &str, path: &str, authorization: &str) -> (u16, Value) {
    let terminals = site.topology.by_name(node).unwrap().terminals.as_ref().unwrap();
    let tcp = TcpStream::connect(terminals.listen).await.unwrap();
    let name = ServerName::from(terminals.listen.ip());
    let mut stream = TlsConnector::from(trusting(&site.authority())).connect(name, tcp).await.unwrap();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\nauthorization: {authorization}\r\n\
         content-type: application/json\r\ncontent-length: 14\r\n\r\n{{\"script\":\"x\"}}"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    within(stream.read_to_end(&mut answer)).await.unwrap();
    let answer = String::from_utf8(answer).unwrap();
    let (head, text) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, serde_json::from_str(text).unwrap_or_default())
}
