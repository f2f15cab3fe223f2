//! Places before login: how many one address has, how who gets none is told, and whom a connection is counted for.

use std::time::Duration;

use futures_util::StreamExt;
use rustls::pki_types::ServerName;
use taoyao_gateway::{FrameCipher, Framing, GatewayConfig, GatewayEvent, TcpConfig};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;

use crate::support::{Client, PATIENCE, Server};

const V1: &[u8] = b"PROXY TCP4 192.0.2.7 192.0.2.1 5000 8888\r\n";

#[tokio::test]
async fn strangers_of_one_address_have_a_bound_and_who_is_beyond_it_is_told_so() {
    let mut server = Server::start_with(|config| {
        config.strangers_per_address_max = 2;
        listen_for_frames(config);
    });
    let (_one, _, to_one) = server.terminal().await;
    let (_two, ..) = server.terminal().await;

    let mut refused = server.dialler.websocket().await;
    let close = timeout(PATIENCE, refused.next()).await.unwrap().unwrap().unwrap();
    let Message::Close(Some(frame)) = close else { panic!("expected a close, got {close:?}") };
    assert_eq!(u16::from(frame.code), 1013);
    assert!(
        frame.reason.contains("not registered") && frame.reason.contains("again in 5 s"),
        "{}",
        frame.reason
    );

    let answer = server.dialler.http("GET /mesh/probe HTTP/1.1").await;
    assert!(answer.starts_with("HTTP/1.1 503") && answer.contains("retry-after: 5"), "{answer}");

    let mut frames = TcpStream::connect(server.gateway.tcp_addrs()[0]).await.unwrap();
    let mut told = String::new();
    frames.read_u16().await.unwrap();
    timeout(PATIENCE, frames.read_to_string(&mut told)).await.unwrap().unwrap();
    assert!(told.contains("platform::error") && told.contains("3503"), "{told}");

    let stats = server.gateway.stats();
    assert_eq!((stats.connections_refused, stats.strangers_refused), (3, 3));
    to_one.admit();
    let _three = eventually(&mut server).await;
}

/// A terminal, as soon as there is a place for it.
async fn eventually(server: &mut Server) -> Client {
    for _ in 0..100 {
        let client = server.dialler.websocket().await;
        if let Ok(event) = timeout(Duration::from_millis(100), server.events.recv()).await {
            assert!(matches!(event, Some(GatewayEvent::Opened { .. })), "{event:?}");
            return client;
        }
    }
    panic!("who has registered still has a stranger's place");
}

#[tokio::test]
async fn a_trusted_proxy_says_for_whom_it_connects() {
    let mut server = Server::start_with(|config| {
        config.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
        config.strangers_per_address_max = 1;
        listen_for_frames(config);
    });
    let _one = proxied(&server, V1).await;
    assert_eq!(opened(&mut server).await, "192.0.2.7");

    // The share is that address's, not the proxy's.
    let mut refused = proxied(&server, V1).await;
    let close = timeout(PATIENCE, refused.next()).await.unwrap().unwrap().unwrap();
    assert!(matches!(close, Message::Close(Some(frame)) if u16::from(frame.code) == 1013));
    let _bare = server.dialler.websocket().await;
    assert_eq!(opened(&mut server).await, "127.0.0.1");

    let mut stream = server.dialler.tls().await;
    let upgrade = "GET /websocket.signal HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
        sec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\
        x-forwarded-for: 203.0.113.9, 192.0.2.8\r\n\r\n";
    stream.write_all(upgrade.as_bytes()).await.unwrap();
    assert_eq!(opened(&mut server).await, "192.0.2.8");

    // Frames could begin as anything, so a header has to be there.
    let mut frames = TcpStream::connect(server.gateway.tcp_addrs()[0]).await.unwrap();
    frames.write_all(b"\0\x02{}").await.unwrap();
    assert_eq!(timeout(PATIENCE, frames.read(&mut [0])).await.unwrap().unwrap_or(0), 0);
    let mut frames = TcpStream::connect(server.gateway.tcp_addrs()[0]).await.unwrap();
    frames.write_all(b"PROXY TCP6 2001:db8::7 2001:db8::1 5000 8888\r\n").await.unwrap();
    assert_eq!(opened(&mut server).await, "2001:db8::7");
    assert_eq!(server.gateway.stats().proxies_unread, 1);
}

#[tokio::test]
async fn of_anybody_else_nothing_is_believed() {
    let mut server =
        Server::start_with(|config| config.trusted_proxies = vec!["192.0.2.0/24".parse().unwrap()]);
    let mut tcp = server.dialler.tcp().await;
    tcp.write_all(V1).await.unwrap();
    assert!(
        server.dialler.connector().connect(ServerName::try_from("localhost").unwrap(), tcp).await.is_err()
    );
    let answer = server.dialler.http("GET /mesh/nearest HTTP/1.1\r\nx-forwarded-for: 192.0.2.7").await;
    assert!(answer.contains(r#""ip":"127.0.0.1""#), "{answer}");
    let _client = server.dialler.websocket().await;
    assert_eq!(opened(&mut server).await, "127.0.0.1");
    assert_eq!(server.gateway.stats().handshakes_failed, 1);
}

#[tokio::test]
async fn a_page_from_elsewhere_opens_no_websocket() {
    let server = Server::start_with(|config| config.hsts = true);
    let upgrade = |origin: &str| {
        format!(
            "GET /websocket.signal HTTP/1.1\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
             sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\norigin: {origin}"
        )
    };
    let answer = server.dialler.http(&upgrade("https://evil.example")).await;
    assert!(answer.starts_with("HTTP/1.1 403") && answer.contains("origins"), "{answer}");
    assert!(answer.contains("strict-transport-security: max-age=31536000"), "{answer}");
}

#[tokio::test]
async fn http_1_1_names_one_host() {
    let server = Server::start();
    for (head, status) in [("", "400"), ("host: a\r\nhost: b\r\n", "400"), ("host: localhost\r\n", "204")] {
        let mut stream = server.dialler.tls().await;
        let request = format!("GET /mesh/probe HTTP/1.1\r\n{head}connection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        timeout(PATIENCE, stream.read_to_string(&mut answer)).await.unwrap().unwrap();
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{head:?}: {answer}");
    }
}

fn listen_for_frames(config: &mut GatewayConfig) {
    let framing = Framing::new(FrameCipher::plaintext());
    config.tcp = vec![TcpConfig { listen: ([127, 0, 0, 1], 0).into(), tls: None, framing }];
}

/// A WebSocket behind a PROXY header.
async fn proxied(server: &Server, header: &[u8]) -> Client {
    let mut tcp = server.dialler.tcp().await;
    tcp.write_all(header).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let stream = server.dialler.connector().connect(name, tcp).await.unwrap();
    tokio_tungstenite::client_async("wss://localhost/websocket.signal", stream).await.unwrap().0
}

/// The address of the next terminal.
async fn opened(server: &mut Server) -> String {
    loop {
        match server.next().await {
            GatewayEvent::Opened { ip, .. } => return ip.to_string(),
            GatewayEvent::Closed { .. } => {}
            other => panic!("expected a terminal, got {other:?}"),
        }
    }
}
