//! Rooms, controls and coming back over seven processes: members at sites of different regions.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::sleep;

use crate::mesh::Mesh;
use crate::patience::until;
use crate::shape::SEVEN;
use crate::terminal::{Ears, Heard, Terminal, asked, hear, registration};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_room_spans_the_mesh_and_outlives_a_lost_region() {
    let mut mesh = Mesh::start(SEVEN).await;
    let (a, mut a_ears) = join(&mesh, "sh", "a@sh.east.cn").await;
    let (b, mut b_ears) = join(&mesh, "bj", "b@bj.north.cn").await;
    let created = asked(&a, "room::create", json!({"name": "n", "password": "peach"})).await;
    let room = created["body"]["roomId"].clone();
    let entered = asked(&a, "room::enter", json!({"roomId": room, "password": "peach"})).await;
    assert_eq!(entered["body"]["clientId"], "a@sh.east.cn");
    pushed(&mut a_ears, "room::client::list").await;

    let refused = b.request("room::enter", json!({"roomId": room, "password": "pear"})).await.unwrap();
    assert_eq!((&refused["code"], &refused["message"]), (&json!("3401"), &json!("密码错误")));
    a.tell("room::invite", json!({"roomId": room, "clientId": "b@bj.north.cn"}));
    let pass = pushed(&mut b_ears, "room::invite").await["body"]["password"].clone();
    asked(&b, "room::enter", json!({"roomId": room, "password": pass})).await;
    let members = pushed(&mut b_ears, "room::client::list").await;
    assert_eq!(members["body"]["clients"].as_array().unwrap().len(), 2);
    assert_eq!(pushed(&mut a_ears, "room::enter").await["body"]["clientId"], "b@bj.north.cn");

    b.tell("room::broadcast", json!({"roomId": room, "number": 1}));
    assert_eq!(pushed(&mut a_ears, "room::broadcast").await["body"]["number"], 1);

    mesh.kill("north").await;
    a.tell("room::broadcast", json!({"roomId": room, "number": 2}));
    sleep(Duration::from_secs(1)).await;
    mesh.run("north");
    mesh.ready(&["north", "bj"]).await;
    assert_eq!(pushed(&mut b_ears, "room::broadcast").await["body"]["number"], 2, "told again");

    a.tell("room::close", json!({"roomId": room}));
    for ears in [&mut a_ears, &mut b_ears] {
        assert_eq!(pushed(ears, "room::close").await["body"]["roomId"], room);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn members_of_a_room_whose_node_has_died_are_told_that_it_is_closed() {
    let mut mesh = Mesh::start(SEVEN).await;
    let (a, _a_ears) = join(&mesh, "sh", "a@sh.east.cn").await;
    let (b, mut b_ears) = join(&mesh, "bj", "b@bj.north.cn").await;
    let room = asked(&a, "room::create", json!({})).await["body"]["roomId"].clone();
    asked(&b, "room::enter", json!({"roomId": room})).await;
    mesh.kill("sh").await;
    mesh.run("sh");
    mesh.ready(&["sh"]).await;
    assert_eq!(pushed(&mut b_ears, "room::close").await["body"]["roomId"], room);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_control_reaches_a_terminal_of_another_region_and_its_answer_comes_back() {
    let mesh = Mesh::start(SEVEN).await;
    let (a, _a_ears) = join(&mesh, "sh", "a@sh.east.cn").await;
    let (b, mut b_ears) = join(&mesh, "bj", "b@bj.north.cn").await;
    let turning =
        async { asked(&a, "control::ptz", json!({"to": "b@bj.north.cn", "type": "PAN", "value": 3})).await };
    let answering = async {
        let push = pushed(&mut b_ears, "control::ptz").await;
        assert_eq!(push["body"], json!({"type": "PAN", "value": 3}));
        b.answer(&push, json!({"turned": true}));
    };
    let (answer, ()) = tokio::join!(turning, answering);
    assert_eq!(answer["body"], json!({"turned": true}));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_terminal_comes_back_with_its_ticket_and_is_sent_what_it_missed() {
    let mesh = Mesh::start(SEVEN).await;
    let (a, mut a_ears) = join(&mesh, "sh", "a@sh.east.cn").await;
    let port = mesh.place("bj").terminals;
    let (b, _) = mesh.dialler().terminal(port).await.unwrap();
    let mut wish = registration("b@bj.north.cn");
    wish["resume"] = json!(true);
    let ticket = asked(&b, "client::register", wish).await["body"]["ticket"].clone();
    asked(&a, "client::list", json!({})).await;
    until("reachable", async || {
        let status = asked(&a, "client::status", json!({"clientId": "b@bj.north.cn"})).await;
        if status["body"].is_object() { Vec::new() } else { vec![status.to_string()] }
    })
    .await;
    drop(b);
    a.tell("client::unicast", json!({"to": "b@bj.north.cn", "number": 1}));
    sleep(Duration::from_secs(2)).await;
    let (b, mut b_ears) = mesh.dialler().terminal(port).await.unwrap();
    let back = json!({"clientId": "b@bj.north.cn", "ticket": ticket, "received": 1});
    assert_eq!(asked(&b, "client::register", back).await["body"]["resumed"], true);
    assert_eq!(pushed(&mut b_ears, "client::unicast").await["body"]["number"], 1);
    b.tell("client::unicast", json!({"to": "a@sh.east.cn", "number": 2}));
    let told = hear(&mut a_ears, |heard| match heard {
        Heard::Push(push) if push["header"]["signal"] == "client::offline" => Some(push),
        Heard::Push(push) if push["header"]["signal"] == "client::unicast" => Some(push),
        _ => None,
    });
    assert_eq!(told.await["header"]["signal"], "client::unicast", "nobody was told that it was away");
}

/// A registered terminal of a site.
async fn join(mesh: &Mesh, node: &str, name: &str) -> (Terminal, Ears) {
    let port = mesh.place(node).terminals;
    let mut joined = mesh.dialler().register(port, name).await;
    until("registered", async || {
        if joined.is_err() {
            joined = mesh.dialler().register(port, name).await;
        }
        joined.as_ref().err().cloned().into_iter().collect()
    })
    .await;
    joined.unwrap()
}

async fn pushed(ears: &mut Ears, signal: &str) -> Value {
    hear(ears, |heard| match heard {
        Heard::Push(push) if push["header"]["signal"] == signal => Some(push),
        _ => None,
    })
    .await
}
