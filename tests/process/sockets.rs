//! Terminals on bare TCP sockets of a real node, in all four modes, and terminals elsewhere that do not know it.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::mesh::Mesh;
use crate::patience::until;
use crate::ports;
use crate::shape::THREE;
use crate::socket::{Mode, Socket};
use crate::terminal::{Heard, hear};
use crate::witness::{Witness, name};

/// Nothing that fits into a frame of any mode.
const TOO_LONG: usize = 40_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn terminals_in_every_mode_are_terminals_like_others() {
    let (mut mesh, ports) = start().await;
    let sees_insecure =
        mesh.node("east").says(&["unsafe TCP listener", "mode = \"tls\" is the better way"]).await;
    assert!(sees_insecure && mesh.node("east").says(&["published one"]).await, "{}", mesh.node("east").log());
    let begin = Instant::now();
    let mut stranger = Socket::dial(mesh.dialler(), Mode::Plaintext, ports[1]).await;

    let far = name(&mesh, "north", "far");
    let (websocket, mut ears) = mesh.dialler().register(mesh.place("north").terminals, &far).await.unwrap();
    let mut sockets = Vec::new();
    for (mode, port) in Mode::ALL.into_iter().zip(ports) {
        let own = name(&mesh, "east", mode.name());
        let mut socket = Socket::register(mesh.dialler(), mode, port, &own).await;
        let config = socket.hear(|message| message["header"]["signal"] == "client::config").await;
        assert!(config["body"]["webrtc"].is_object(), "{mode:?}: {config}");

        // A terminal at another node is known here a moment after it has registered there.
        until("known to each other", async || {
            let there = socket.request(4, "client::status", json!({ "clientId": far })).await;
            let back = websocket.request("client::status", json!({ "clientId": own })).await.unwrap();
            let unknown = [there, back].into_iter().filter(|answer| !answer["body"]["clientId"].is_string());
            unknown.map(|answer| answer.to_string()).collect()
        })
        .await;
        socket.say(2, "client::unicast", json!({ "to": far, "there": mode.name() })).await;
        let heard = hear(&mut ears, |heard| match heard {
            Heard::Push(push) if push["body"]["there"] == mode.name() => Some(push),
            _ => None,
        })
        .await;
        assert_eq!(heard["header"]["signal"], "client::unicast");

        websocket.tell("client::unicast", json!({ "to": own, "back": mode.name() }));
        socket.hear(|message| message["body"]["back"] == mode.name()).await;

        // What does not fit is told, and costs nobody the connection.
        websocket.tell("client::unicast", json!({ "to": own, "x": "x".repeat(TOO_LONG) }));
        let error = socket.hear(|message| message["header"]["signal"] == "platform::error").await;
        assert_eq!(error["code"], "3406", "{mode:?}: {error}");
        let answer = socket.request(3, "client::status", json!({ "clientId": far })).await;
        assert_eq!(answer["body"]["clientId"], json!(far), "{mode:?}: {answer}");
        sockets.push(socket);
    }

    stranger.end().await;
    let took = begin.elapsed();
    assert!((Duration::from_secs(4)..Duration::from_secs(30)).contains(&took), "unregistered: {took:?}");
    drop(stranger);
    let admin = mesh.admin("east");
    until("counted", async || {
        let open = admin.metric("taoyao_gateway_sockets").await;
        if open == 4 { Vec::new() } else { vec![format!("{open} sockets")] }
    })
    .await;
    assert_eq!(admin.metric("taoyao_gateway_replaced_total").await, 4);

    mesh.node("east").signal("TERM").await;
    for socket in &mut sockets {
        socket.end().await;
    }
    assert_eq!(mesh.node("east").ended().await.code(), Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_frames_close_their_own_connection_only() {
    let (mut mesh, ports) = start().await;
    let witness = Witness::between(&mesh, "east", "north").await;
    let mut good = Vec::new();
    for (mode, port) in Mode::ALL.into_iter().zip(ports) {
        good.push(Socket::register(mesh.dialler(), mode, port, &name(&mesh, "east", mode.name())).await);
    }
    // Negative lengths; not UTF-8, or not encrypted by the listener's key; JSON as it is.
    let bad = [&b"\xff\xff"[..], b"\x80\0{}", b"\0\x03\xff\xfe\xfd", b"\0\x0d{\"header\":{}}"];
    let mut closed = 0;
    for (mode, port) in Mode::ALL.into_iter().zip(ports) {
        for bytes in bad {
            if matches!(mode, Mode::Tls | Mode::Plaintext) && bytes.ends_with(b"}}") {
                continue;
            }
            let mut socket = Socket::dial(mesh.dialler(), mode, port).await;
            socket.say_bytes(bytes).await;
            socket.end().await;
            closed += 1;
        }
        // One that has registered and then loses its step.
        let mut socket = Socket::register(mesh.dialler(), mode, port, &name(&mesh, "east", "clumsy")).await;
        socket.say_bytes(b"\xff\xff").await;
        socket.end().await;
        closed += 1;
    }
    assert_eq!(mesh.admin("east").metric("taoyao_gateway_faulty_closed_total").await, closed);
    // Of many that come at once, the log shows the first.
    assert!(mesh.node("east").says(&["terminal disconnected", "negative length"]).await);
    for socket in &mut good {
        let answer = socket.request(9, "client::heartbeat", json!({})).await;
        assert_eq!(answer["code"], "0000");
    }
    witness.assert_was_served().await;
}

/// Three nodes, of which `east` has a listener for each mode, in their order.
async fn start() -> (Mesh, [u16; 4]) {
    let ports = Mode::ALL.map(|_| ports::free());
    let listeners: Vec<String> =
        Mode::ALL.into_iter().zip(ports).map(|(mode, port)| mode.listener(port)).collect();
    let mut mesh = Mesh::plan(THREE);
    mesh.add_to_terminals("east", &format!("tcp = [{}]", listeners.join(", ")));
    mesh.start_all().await;
    (mesh, ports)
}
