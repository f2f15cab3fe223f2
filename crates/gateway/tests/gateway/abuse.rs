//! Peers that do not behave: none of them may keep the gateway from the others.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;

use crate::child;
use crate::support::{Dialler, PATIENCE, Server};

#[tokio::test]
async fn a_connection_without_a_tls_handshake_is_closed_in_time() {
    let server = Server::start_with(|config| config.timeouts.handshake = Duration::from_millis(100));
    let mut silent = server.dialler.tcp().await;
    assert_eq!(end_of(&mut silent).await, 0);
    assert_eq!(server.gateway.stats().handshakes_failed, 1);
}

#[tokio::test]
async fn a_connection_without_a_request_is_closed_in_time() {
    let server = Server::start_with(|config| config.timeouts.header = Duration::from_millis(100));
    let mut silent = server.dialler.tls().await;
    assert_eq!(end_of(&mut silent).await, 0);
    let mut slow = server.dialler.tls().await;
    // Whether it is sent in time, and whether hyper says 408, does not matter.
    drop(slow.write_all(b"GET / HTTP/1.1\r\nhost: ").await);
    end_of(&mut slow).await;
}

#[tokio::test]
async fn garbage_instead_of_tls_or_http_is_refused() {
    let (_gateway, dialler) = Server::start().echo();
    let mut tcp = dialler.tcp().await;
    tcp.write_all(&[0x42; 4096]).await.unwrap();
    end_of(&mut tcp).await;
    let mut tls = dialler.tls().await;
    tls.write_all(b"\x00\x01\x02 this is not a request\r\n\r\n").await.unwrap();
    end_of(&mut tls).await;
    serves(&dialler).await;
}

#[tokio::test]
async fn a_head_that_is_too_large_is_refused() {
    let (_gateway, dialler) = Server::start().echo();
    let answer = dialler.http(&format!("GET / HTTP/1.1\r\nx-large: {}", "x".repeat(32 * 1024))).await;
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
    let many: String = (0..100).map(|n| format!("\r\nx-{n}: 1")).collect();
    let answer = dialler.http(&format!("GET / HTTP/1.1{many}")).await;
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
}

#[tokio::test]
async fn a_thousand_connections_that_never_speak_do_not_stop_others() {
    // Both ends of them are more files than many systems let a process have at first.
    let mut run = child::again(4_096, "abuse::with_a_thousand_silent_connections");
    let ended = timeout(4 * PATIENCE, run.output()).await.expect("an end in time").unwrap();
    let report = String::from_utf8_lossy(&ended.stdout);
    assert!(ended.status.success() && report.contains("1 passed"), "{report}");
}

#[tokio::test]
#[ignore = "a part of the test above, which starts it as a process"]
async fn with_a_thousand_silent_connections() {
    let (gateway, dialler) = Server::start().echo();
    let mut silent = Vec::new();
    for n in 0..1_000 {
        silent.push(dialler.tcp().await);
        if n % 250 == 0 {
            serves(&dialler).await;
        }
    }
    serves(&dialler).await;
    assert!(gateway.stats().connections >= 1_000);
}

#[tokio::test]
async fn beyond_the_caps_connections_are_closed_at_once_and_room_returns() {
    let (gateway, dialler) = Server::start_with(|config| config.connections_per_address_max = 2).echo();
    let one = dialler.tls().await;
    let _two = dialler.tls().await;
    let mut three = dialler.tcp().await;
    assert_eq!(end_of(&mut three).await, 0);
    assert_eq!(gateway.stats().connections_refused, 1);
    drop(one);
    timeout(PATIENCE, async {
        while gateway.stats().connections > 1 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await
    .expect("the first connection is counted out");
    serves(&dialler).await;
}

/// Whether a well-behaved terminal is served.
pub(crate) async fn serves(dialler: &Dialler) {
    let mut client = timeout(PATIENCE, dialler.websocket()).await.expect("a connection in time");
    client.send(Message::text("hello")).await.unwrap();
    let answer = timeout(PATIENCE, client.next()).await.expect("an answer in time").unwrap().unwrap();
    assert_eq!(answer, Message::text("hello"));
}

/// Reads to the end of the connection; how it ends does not matter, that it ends does.
async fn end_of(stream: &mut (impl AsyncReadExt + Unpin)) -> usize {
    let mut bytes = Vec::new();
    timeout(PATIENCE, stream.read_to_end(&mut bytes)).await.expect("an end in time").unwrap_or_default()
}
