//! What terminals are promised: reference sections 1.2 and 1.4.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use taoyao_gateway::{CloseReason, GatewayEvent, Text};
use taoyao_types::{ConnId, limits};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::support::{Client, PATIENCE, Server};

#[tokio::test]
async fn texts_travel_both_ways_in_order() {
    let (_gateway, dialler) = Server::start().echo();
    let mut client = dialler.websocket().await;
    for n in 0..200 {
        client.send(Message::text(format!("{{\"n\":{n}}}"))).await.unwrap();
    }
    for n in 0..200 {
        assert_eq!(text(&mut client).await, format!("{{\"n\":{n}}}"));
    }
}

#[tokio::test]
async fn the_largest_message_passes_both_ways() {
    let (_gateway, dialler) = Server::start().echo();
    let mut client = dialler.websocket().await;
    let largest = "桃".repeat(limits::TERMINAL_MESSAGE_BYTES_MAX / 3);
    client.send(Message::text(largest.clone())).await.unwrap();
    assert!(text(&mut client).await == largest, "the message came back changed");
}

#[tokio::test]
async fn a_longer_message_closes_with_1009() {
    let mut server = Server::start();
    let (mut client, conn, _) = server.terminal().await;
    client.send(Message::text("x".repeat(limits::TERMINAL_MESSAGE_BYTES_MAX + 1))).await.unwrap();
    assert_eq!(close_code(&mut client).await, 1009);
    assert_eq!(closed(&mut server).await, (conn, CloseReason::TooLong));
    assert_eq!(server.gateway.stats().faulty_closed, 1);
}

#[tokio::test]
async fn binary_messages_are_ignored() {
    let (_gateway, dialler) = Server::start().echo();
    let mut client = dialler.websocket().await;
    client.send(Message::binary(vec![0xff; 1000])).await.unwrap();
    client.send(Message::text("after")).await.unwrap();
    assert_eq!(text(&mut client).await, "after");
}

#[tokio::test]
async fn pings_are_answered_and_none_are_sent() {
    let mut server = Server::start();
    let (mut client, ..) = server.terminal().await;
    client.send(Message::Ping("are you there".into())).await.unwrap();
    let answer = timeout(PATIENCE, client.next()).await.unwrap().unwrap().unwrap();
    assert_eq!(answer, Message::Pong("are you there".into()));
}

#[tokio::test]
async fn silence_closes_with_1001_but_not_as_long_as_something_moves() {
    // A pause of this process as long as three quarters of it is no failure yet.
    let idle = Duration::from_secs(4);
    let mut server = Server::start_with(|config| config.timeouts.idle = idle);
    let (mut silent, conn, _) = server.terminal().await;
    let (mut busy, ..) = server.terminal().await;
    let (mut listening, _, to_listening) = server.terminal().await;
    for _ in 0..6 {
        tokio::time::sleep(idle / 4).await;
        busy.send(Message::text("beat")).await.unwrap();
        to_listening.send("push");
        assert_eq!(text(&mut listening).await, "push");
    }
    assert_eq!(close_code(&mut silent).await, 1001);
    to_listening.send("still there");
    assert_eq!(text(&mut listening).await, "still there");
    loop {
        if let GatewayEvent::Closed { conn: ended, reason } = server.next().await {
            assert_eq!((ended, reason), (conn, CloseReason::Idle(idle)));
            break;
        }
    }
}

#[tokio::test]
async fn a_terminal_that_closes_gets_its_code_back() {
    let mut server = Server::start();
    let (mut client, conn, _) = server.terminal().await;
    let frame = CloseFrame { code: CloseCode::Normal, reason: "bye".into() };
    client.close(Some(frame)).await.unwrap();
    assert_eq!(close_code(&mut client).await, 1000);
    assert!(timeout(PATIENCE, client.next()).await.unwrap().is_none(), "the socket is closed as well");
    assert_eq!(closed(&mut server).await, (conn, CloseReason::ByPeer { code: 1000 }));
}

#[tokio::test]
async fn a_terminal_that_vanishes_is_reported() {
    let mut server = Server::start();
    let (client, conn, _) = server.terminal().await;
    drop(client);
    assert_eq!(closed(&mut server).await, (conn, CloseReason::Lost));
}

#[tokio::test]
async fn the_node_closes_with_its_own_code_after_what_it_said_before() {
    let mut server = Server::start();
    let (mut client, conn, terminal) = server.terminal().await;
    terminal.send("last words");
    terminal.close(4001, "logged in elsewhere");
    terminal.send("never sent");
    assert_eq!(text(&mut client).await, "last words");
    assert_eq!(close_code(&mut client).await, 4001);
    let reason = CloseReason::ByUs { code: 4001, reason: "logged in elsewhere".into() };
    assert_eq!(closed(&mut server).await, (conn, reason));
}

#[tokio::test]
async fn a_terminal_that_never_answers_our_close_is_dropped_all_the_same() {
    let mut server = Server::start_with(|config| config.timeouts.close = Duration::from_millis(200));
    let (_client, conn, terminal) = server.terminal().await;
    terminal.close(4001, "logged in elsewhere");
    assert_eq!(closed(&mut server).await.0, conn);
    timeout(PATIENCE, async {
        while server.gateway.stats().connections > 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await
    .expect("the socket is dropped");
}

#[tokio::test]
async fn what_breaks_the_protocol_closes_only_that_terminal() {
    let mut server = Server::start();
    let (mut good, _, to_good) = server.terminal().await;
    let (mut bad, conn, _) = server.terminal().await;
    let stream = bad.get_mut();
    tokio::io::AsyncWriteExt::write_all(stream, &[0x81, 0x01, b'x']).await.unwrap();
    assert_eq!(close_code(&mut bad).await, 1002);
    assert!(matches!(closed(&mut server).await, (ended, CloseReason::Protocol(_)) if ended == conn));
    to_good.send("hello");
    assert_eq!(text(&mut good).await, "hello");
}

#[tokio::test]
async fn a_slow_reader_is_closed_while_others_go_on() {
    let mut server = Server::start_with(|config| config.timeouts.close = Duration::from_millis(200));
    let (_slow, conn, to_slow) = server.terminal().await;
    let (mut other, _, to_other) = server.terminal().await;
    let large = Text::from("x".repeat(256 * 1024));
    // Sent without a pause, so that the queue fills up however fast the socket is.
    for _ in 0..=limits::TERMINAL_QUEUE_BYTES_MAX / large.len() {
        to_slow.send(large.clone());
    }
    to_other.send("hello");
    assert_eq!(text(&mut other).await, "hello");
    assert_eq!(closed(&mut server).await, (conn, CloseReason::SlowReader));
    assert_eq!(server.gateway.stats().slow_readers, 1);
}

#[tokio::test]
async fn while_the_node_reads_no_events_terminals_wait_and_nothing_is_lost() {
    let mut server = Server::start_with_room_for(2, |_| {});
    let (mut client, conn, terminal) = server.terminal().await;
    for n in 0..50 {
        client.send(Message::text(n.to_string())).await.unwrap();
    }
    terminal.send("to the terminal all the same");
    assert_eq!(text(&mut client).await, "to the terminal all the same");
    for n in 0..50 {
        match server.next().await {
            GatewayEvent::Text { conn: from, text } => assert_eq!((from, &*text), (conn, &*n.to_string())),
            other => panic!("expected text {n}, got {other:?}"),
        }
    }
}

#[tokio::test]
async fn shutdown_tells_every_terminal_1001_and_refuses_new_ones() {
    let mut server = Server::start();
    let (mut one, ..) = server.terminal().await;
    let (mut two, ..) = server.terminal().await;
    let Server { gateway, dialler, .. } = server;
    let closing = tokio::spawn(gateway.shutdown(PATIENCE));
    let frame = close_frame(&mut one).await.unwrap();
    assert_eq!((u16::from(frame.code), frame.reason.as_str()), (1001, "node is going away"));
    assert_eq!(close_code(&mut two).await, 1001);
    let cut_off = timeout(PATIENCE, closing).await.expect("shutdown ends when all are gone").unwrap();
    assert_eq!(cut_off, 0);
    assert!(tokio::net::TcpStream::connect(dialler.address()).await.is_err());
}

#[tokio::test]
async fn shutdown_does_not_wait_beyond_its_deadline() {
    let mut server = Server::start();
    let (_silent, ..) = server.terminal().await;
    let cut_off =
        timeout(PATIENCE, server.gateway.shutdown(Duration::from_millis(100))).await.expect("in time");
    assert_eq!(cut_off, 1);
}

async fn text(client: &mut Client) -> String {
    match timeout(PATIENCE, client.next()).await.expect("a message in time") {
        Some(Ok(Message::Text(text))) => text.to_string(),
        other => panic!("expected a text, got {other:?}"),
    }
}

async fn close_code(client: &mut Client) -> u16 {
    close_frame(client).await.map_or(1005, |frame| frame.code.into())
}

async fn close_frame(client: &mut Client) -> Option<CloseFrame> {
    loop {
        match timeout(PATIENCE, client.next()).await.expect("a close in time") {
            Some(Ok(Message::Close(frame))) => return frame,
            Some(Ok(_)) => {}
            None | Some(Err(Error::ConnectionClosed)) => return None,
            Some(Err(error)) => panic!("expected a close, got {error}"),
        }
    }
}

async fn closed(server: &mut Server) -> (ConnId, CloseReason) {
    match server.next().await {
        GatewayEvent::Closed { conn, reason } => (conn, reason),
        other => panic!("expected a close, got {other:?}"),
    }
}
