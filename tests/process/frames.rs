//! WebSocket peers that break the rules: too long, not the protocol, binary, too slow, half open.

use futures_util::SinkExt;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;

use crate::mesh::Mesh;
use crate::patience::{PATIENCE, until};
use crate::shape::ONE;
use crate::terminal::{envelope, hear_close, registration};
use crate::witness::{Witness, name};

/// A message of one byte more than the node takes.
const TOO_LONG: usize = 1024 * 1024 + 1;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_that_is_too_long_closes_its_connection_with_1009() {
    let mesh = Mesh::start(ONE).await;
    let witness = Witness::at(&mesh, "cn").await;
    let port = mesh.place("cn").terminals;
    let (stranger, mut ears) = mesh.dialler().terminal(port).await.unwrap();
    stranger.say(Message::text("x".repeat(TOO_LONG)));
    assert_eq!(hear_close(&mut ears).await, Some(1009));
    let (terminal, mut ears) = mesh.dialler().register(port, "long").await.unwrap();
    terminal.say(Message::text(envelope(7, "client::unicast", json!({ "x": "x".repeat(TOO_LONG) }))));
    assert_eq!(hear_close(&mut ears).await, Some(1009));
    witness.assert_was_served().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_the_protocol_closes_its_connection_and_binary_messages_are_ignored() {
    let mesh = Mesh::start(ONE).await;
    let witness = Witness::at(&mesh, "cn").await;
    let port = mesh.place("cn").terminals;
    // Not masked; a reserved bit; a reserved kind; a ping of 126 bytes; a continuation of nothing.
    for bytes in [
        &b"\x81\x01x"[..],
        b"\xf1\x80\0\0\0\0",
        b"\x83\x80\0\0\0\0",
        b"\x89\xfe\0\x7e\0\0\0\0",
        b"\x80\x80\0\0\0\0",
    ] {
        let mut socket = mesh.dialler().websocket(port).await.unwrap();
        socket.get_mut().write_all(bytes).await.unwrap();
        let stream = socket.get_mut();
        let end = timeout(PATIENCE, stream.read_to_end(&mut Vec::new())).await;
        assert!(end.is_ok(), "{bytes:x?} does not end the connection");
    }
    let (terminal, _ears) = mesh.dialler().register(port, "binary").await.unwrap();
    terminal.say(Message::binary(vec![0xff; 4096]));
    let answer = terminal.request("client::heartbeat", json!({})).await.unwrap();
    assert_eq!(answer["code"], "0000");
    let closed = mesh.admin("cn").metric("taoyao_gateway_faulty_closed_total").await;
    assert_eq!(closed, 5, "each of them, and nobody else");
    witness.assert_was_served().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_terminal_that_does_not_read_is_closed_and_costs_a_bounded_amount() {
    let mut mesh = Mesh::start(ONE).await;
    let witness = Witness::at(&mesh, "cn").await;
    let port = mesh.place("cn").terminals;
    let mut deaf = mesh.dialler().websocket(port).await.unwrap();
    deaf.send(Message::text(envelope(1, "client::register", registration("deaf")))).await.unwrap();
    let (talker, _ears) = mesh.dialler().register(port, "talker").await.unwrap();
    let before_kib = mesh.node("cn").resident_kib();
    let (admin, to) = (mesh.admin("cn"), name(&mesh, "cn", "deaf"));
    until("closed as a slow reader", async || {
        for _ in 0..8 {
            talker.tell("client::unicast", json!({ "to": to, "x": "x".repeat(256 * 1024) }));
        }
        // The echo says that the node has taken what was sent before.
        talker.request("client::heartbeat", json!({})).await.unwrap();
        let closed = admin.metric("taoyao_gateway_slow_readers_total").await;
        if closed == 0 { vec!["it is still there".to_owned()] } else { Vec::new() }
    })
    .await;
    let grown_kib = mesh.node("cn").resident_kib().saturating_sub(before_kib);
    assert!(grown_kib < 64 * 1024, "{grown_kib} KiB for a queue of 4 MiB");
    witness.assert_was_served().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_stop_half_way_are_closed() {
    let mesh = Mesh::start(ONE).await;
    let witness = Witness::at(&mesh, "cn").await;
    let port = mesh.place("cn").terminals;
    let mut half = JoinSet::new();
    for _ in 0..25 {
        half.spawn(end_of(TcpStream::connect(("127.0.0.1", port)).await.unwrap()));
        let mut hello = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        // The head of a TLS record that does not come.
        hello.write_all(b"\x16\x03\x01\x02\x00\x01").await.unwrap();
        half.spawn(end_of(hello));
        half.spawn(end_of(mesh.dialler().tls(port).await.unwrap()));
        let mut request = mesh.dialler().tls(port).await.unwrap();
        request.write_all(b"GET /websocket.signal HTTP/1.1\r\nhost: ").await.unwrap();
        half.spawn(end_of(request));
        let mut gone = mesh.dialler().websocket(port).await.unwrap();
        // Says that it will not send any more, and waits.
        gone.get_mut().shutdown().await.unwrap();
        half.spawn(end_of(gone.into_inner()));
    }
    // Each within its own time: 10 s for a handshake or a request, at once for whoever says that it ends.
    timeout(PATIENCE, half.join_all()).await.expect("all are closed");
    let admin = mesh.admin("cn");
    until("closed on the node's side as well", async || {
        let open = admin.metric("taoyao_gateway_connections").await;
        // The two witnesses.
        if open == 2 { Vec::new() } else { vec![format!("{open} connections")] }
    })
    .await;
    witness.assert_was_served().await;
}

/// Reads to the end; how the node ends it does not matter.
async fn end_of(mut stream: impl AsyncReadExt + Unpin) {
    let _how = stream.read_to_end(&mut Vec::new()).await;
}
