//! Terminals on bare TCP sockets (reference section 1.3), in every mode.

use std::time::Duration;

use rustls::pki_types::ServerName;
use taoyao_gateway::{
    CloseReason, FrameCipher, FrameFault, FrameReader, Framing, GatewayEvent, TcpConfig, TerminalHandle, Text,
};
use taoyao_types::{ConnId, limits};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::abuse::serves;
use crate::support::{Dialler, PATIENCE, Server};

/// Every mode, as the index of its listener.
const MODES: [Mode; 4] = [Mode::Tls, Mode::Plaintext, Mode::Des, Mode::Aes];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Tls,
    Plaintext,
    Des,
    Aes,
}

impl Mode {
    fn framing(self) -> Framing {
        match self {
            Self::Tls | Self::Plaintext => Framing::new(FrameCipher::plaintext()),
            Self::Des => Framing::new(FrameCipher::des(b"8 bytes!").unwrap()),
            Self::Aes => Framing::new(FrameCipher::aes(b"0123456789abcdef").unwrap()),
        }
    }
}

#[tokio::test]
async fn texts_travel_both_ways_in_order_in_every_mode() {
    let (gateway, dialler, ports) = Sockets::start().echo();
    for mode in MODES {
        let mut client = ports.dial(&dialler, mode).await;
        for n in 0..100 {
            client.say(&format!("{{\"n\":{n}}}")).await;
        }
        for n in 0..100 {
            assert_eq!(client.hear().await, format!("{{\"n\":{n}}}"), "{mode:?}");
        }
    }
    let stats = gateway.stats();
    assert_eq!((stats.sockets_opened, stats.terminals_opened, stats.texts_received), (4, 4, 400));
}

#[tokio::test]
async fn the_longest_frames_pass_towards_the_node_in_every_mode() {
    let mut server = Sockets::start();
    for (mode, bytes) in MODES.into_iter().zip([32_767, 32_767, 32_759, 32_751]) {
        let (mut client, conn, _) = server.terminal(mode).await;
        // Whoever writes frames knows no other bound than that of the length.
        client.framing = mode.framing().with_bytes_max(usize::MAX);
        client.say(&"x".repeat(bytes)).await;
        match server.inner.next().await {
            GatewayEvent::Text { conn: from, text } => assert_eq!((from, text.len()), (conn, bytes)),
            other => panic!("{mode:?}: expected a text, got {other:?}"),
        }
    }
}

#[tokio::test]
async fn what_is_too_long_for_a_frame_becomes_an_error_under_its_id() {
    let mut server = Sockets::start();
    for (mode, max) in MODES.into_iter().zip([32_767, 32_767, 15_361, 15_361]) {
        let (mut client, _, terminal) = server.terminal(mode).await;
        let text = |bytes: usize| {
            let head = r#"{"code":"0000","message":"成功","header":{"v":"1","id":41,"signal":"client::list"},"body":""#;
            format!("{head}{}\"}}", "x".repeat(bytes - head.len() - 2))
        };
        // Within the bound with any padding.
        let fits = text(max - 16);
        terminal.send(fits.clone());
        terminal.send(text(max + 1));
        terminal.send("after");
        assert!(client.hear().await == fits, "{mode:?}");
        let error = client.hear().await;
        assert!(error.starts_with(r#"{"code":"3406","message":"请求不可接受：client::list 有 "#), "{error}");
        assert!(error.contains(&format!("最多 {max} 字节")), "{error}");
        assert!(
            error.ends_with(r#""header":{"v":"1","id":41,"signal":"platform::error"},"body":{}}"#),
            "{error}"
        );
        assert_eq!(client.hear().await, "after");
    }
    assert_eq!(server.inner.gateway.stats().texts_replaced, 4);
}

#[tokio::test]
async fn a_bad_frame_closes_its_connection_and_no_other() {
    let mut server = Sockets::start();
    let (mut good, _, to_good) = server.terminal(Mode::Des).await;
    let plain_json = b"\0\x0d{\"header\":{}}";
    for (mode, bytes, fault) in [
        (Mode::Tls, &b"\xff\xff"[..], FrameFault::NegativeLength(-1)),
        (Mode::Plaintext, b"\x80\0", FrameFault::NegativeLength(-32_768)),
        (Mode::Plaintext, b"\0\x02\xff\xfe", FrameFault::NotUtf8 { bytes: 2 }),
        (Mode::Des, plain_json, FrameFault::Undecryptable { bytes: 13 }),
        (Mode::Aes, plain_json, FrameFault::Undecryptable { bytes: 13 }),
        (Mode::Aes, b"GET / HTTP/1.1\r\n\r\n", FrameFault::Undecryptable { bytes: 0 }),
    ] {
        let (mut bad, conn, _) = server.terminal(mode).await;
        bad.stream.write_all(bytes).await.unwrap();
        if bytes.starts_with(b"GET") {
            // Its length is that of a frame that has not come yet: nothing happens until it has.
            bad.stream.write_all(&[0x20; 0x4745]).await.unwrap();
        }
        assert!(bad.end().await.is_empty(), "{mode:?}: closed without a word");
        match (server.inner.next().await, fault) {
            (GatewayEvent::Closed { conn: ended, reason: CloseReason::BadFrame(found) }, fault) => {
                assert_eq!(ended, conn);
                assert!(found == fault || bytes.starts_with(b"GET"), "{mode:?}: {found}");
            }
            (other, _) => panic!("{mode:?}: expected a fault, got {other:?}"),
        }
    }
    assert_eq!(server.inner.gateway.stats().faulty_closed, 6);
    to_good.send("hello");
    assert_eq!(good.hear().await, "hello");
}

#[tokio::test]
async fn the_texts_before_a_fault_arrive() {
    let mut server = Sockets::start();
    let (mut client, conn, _) = server.terminal(Mode::Plaintext).await;
    client.stream.write_all(b"\0\x03one\0\0\0\x03two\xff\xff\0\x05never").await.unwrap();
    for expected in ["one", "two"] {
        match server.inner.next().await {
            GatewayEvent::Text { conn: from, text } => assert_eq!((from, &*text), (conn, expected)),
            other => panic!("expected {expected}, got {other:?}"),
        }
    }
    assert!(matches!(closed(&mut server).await, (ended, CloseReason::BadFrame(_)) if ended == conn));
}

#[tokio::test]
async fn silence_does_not_end_a_socket() {
    let mut server = Sockets::start_with(|config| config.timeouts.idle = Duration::from_millis(100));
    for mode in MODES {
        let (mut client, ..) = server.terminal(mode).await;
        tokio::time::sleep(Duration::from_millis(400)).await;
        client.say("still there").await;
        match server.inner.next().await {
            GatewayEvent::Text { text, .. } => assert_eq!(&*text, "still there"),
            other => panic!("{mode:?}: expected a text, got {other:?}"),
        }
    }
}

#[tokio::test]
async fn the_node_closes_after_what_it_said_before() {
    let mut server = Sockets::start();
    for mode in MODES {
        let (mut client, conn, terminal) = server.terminal(mode).await;
        terminal.send("last words");
        terminal.close(1000, "logged in elsewhere");
        assert_eq!(client.hear().await, "last words", "{mode:?}");
        assert!(client.end().await.is_empty(), "{mode:?}");
        let reason = CloseReason::ByUs { code: 1000, reason: "logged in elsewhere".into() };
        assert_eq!(closed(&mut server).await, (conn, reason), "{mode:?}");
    }
}

#[tokio::test]
async fn a_terminal_that_goes_is_reported_and_counted_out() {
    let mut server = Sockets::start();
    for mode in MODES {
        let (client, conn, _) = server.terminal(mode).await;
        assert_eq!(server.inner.gateway.stats().sockets, 1);
        drop(client);
        assert_eq!(closed(&mut server).await, (conn, CloseReason::Lost), "{mode:?}");
        timeout(PATIENCE, async {
            while server.inner.gateway.stats().sockets > 0 {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        })
        .await
        .expect("counted out");
    }
}

#[tokio::test]
async fn a_slow_reader_is_closed_as_on_a_websocket() {
    let mut server = Sockets::start_with(|config| config.timeouts.close = Duration::from_millis(200));
    let (_slow, conn, to_slow) = server.terminal(Mode::Plaintext).await;
    let (mut other, _, to_other) = server.terminal(Mode::Plaintext).await;
    let text = Text::from("x".repeat(30_000));
    for _ in 0..=limits::TERMINAL_QUEUE_BYTES_MAX / text.len() {
        to_slow.send(text.clone());
    }
    to_other.send("hello");
    assert_eq!(other.hear().await, "hello");
    assert_eq!(closed(&mut server).await, (conn, CloseReason::SlowReader));
}

#[tokio::test]
async fn the_caps_count_all_listeners_together() {
    let server = Sockets::start_with(|config| config.connections_per_address_max = 2);
    let (gateway, dialler, ports) = server.echo();
    let _websocket = dialler.websocket().await;
    let _socket = ports.dial(&dialler, Mode::Des).await;
    let mut third = ports.dial(&dialler, Mode::Aes).await;
    assert!(third.hear().await.contains("3503"));
    assert!(third.end().await.is_empty());
    assert_eq!(gateway.stats().connections_refused, 1);
}

#[tokio::test]
async fn a_tls_listener_closes_who_does_not_shake_hands() {
    let server = Sockets::start_with(|config| config.timeouts.handshake = Duration::from_millis(100));
    let mut silent = TcpStream::connect(server.ports.of(Mode::Tls)).await.unwrap();
    let end = timeout(PATIENCE, silent.read_to_end(&mut Vec::new())).await.expect("an end in time");
    assert_eq!(end.unwrap_or_default(), 0);
    assert_eq!(server.inner.gateway.stats().handshakes_failed, 1);
    let (_gateway, dialler, _) = server.echo();
    serves(&dialler).await;
}

#[tokio::test]
async fn shutdown_ends_sockets_as_well_and_refuses_new_ones() {
    let mut server = Sockets::start();
    let mut clients = Vec::new();
    for mode in MODES {
        let (client, _, terminal) = server.terminal(mode).await;
        terminal.send("last words");
        clients.push(client);
    }
    let closing = tokio::spawn(server.inner.gateway.shutdown(PATIENCE));
    for client in &mut clients {
        assert_eq!(client.hear().await, "last words");
        assert!(client.end().await.is_empty());
    }
    drop(clients);
    let cut_off = timeout(PATIENCE, closing).await.expect("shutdown ends when all are gone").unwrap();
    assert_eq!(cut_off, 0);
    assert!(TcpStream::connect(server.ports.of(Mode::Des)).await.is_err());
}

/// A gateway with a listener of each mode beside that for WebSockets.
struct Sockets {
    inner: Server,
    ports: Ports,
}

/// Where the listeners are, in the order of [`MODES`].
#[derive(Clone)]
struct Ports(Vec<std::net::SocketAddr>);

impl Sockets {
    fn start() -> Self {
        Self::start_with(|_| {})
    }

    fn start_with(change: impl FnOnce(&mut taoyao_gateway::GatewayConfig)) -> Self {
        let inner = Server::start_with(|config| {
            config.tcp = MODES
                .into_iter()
                .map(|mode| TcpConfig {
                    listen: config.listen,
                    tls: (mode == Mode::Tls).then(|| config.tls.clone()),
                    framing: mode.framing(),
                })
                .collect();
            change(config);
        });
        let ports = Ports(inner.gateway.tcp_addrs().to_vec());
        Self { inner, ports }
    }

    fn echo(self) -> (taoyao_gateway::Gateway, Dialler, Ports) {
        let (gateway, dialler) = self.inner.echo();
        (gateway, dialler, self.ports)
    }

    async fn terminal(&mut self, mode: Mode) -> (Client, ConnId, TerminalHandle) {
        let client = self.ports.dial(&self.inner.dialler, mode).await;
        loop {
            match self.inner.next().await {
                GatewayEvent::Opened { conn, terminal, ip, account: None } => {
                    assert!(ip.is_loopback());
                    return (client, conn, terminal);
                }
                // Of a client that the test has dropped.
                GatewayEvent::Closed { reason: CloseReason::Lost, .. } => {}
                other => panic!("{mode:?}: expected a terminal, got {other:?}"),
            }
        }
    }
}

impl Ports {
    fn of(&self, mode: Mode) -> std::net::SocketAddr {
        self.0[MODES.iter().position(|of| *of == mode).unwrap()]
    }

    async fn dial(&self, dialler: &Dialler, mode: Mode) -> Client {
        let tcp = TcpStream::connect(self.of(mode)).await.unwrap();
        let stream: Box<dyn Bytes> = if mode == Mode::Tls {
            let name = ServerName::try_from("localhost").unwrap();
            Box::new(dialler.connector().connect(name, tcp).await.unwrap())
        } else {
            Box::new(tcp)
        };
        Client { stream, framing: mode.framing(), reader: FrameReader::default(), heard: Vec::new() }
    }
}

/// What frames travel on.
trait Bytes: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Bytes for T {}

/// A terminal that speaks frames.
struct Client {
    stream: Box<dyn Bytes>,
    framing: Framing,
    reader: FrameReader,
    heard: Vec<Box<str>>,
}

impl Client {
    async fn say(&mut self, text: &str) {
        let mut frame = Vec::new();
        self.framing.append(text, &mut frame).unwrap();
        self.stream.write_all(&frame).await.unwrap();
        self.stream.flush().await.unwrap();
    }

    async fn hear(&mut self) -> String {
        while self.heard.is_empty() {
            let mut bytes = [0; 4096];
            let count =
                timeout(PATIENCE, self.stream.read(&mut bytes)).await.expect("a frame in time").unwrap();
            assert!(count > 0, "the connection ended");
            self.reader.handle_bytes(&self.framing, &bytes[..count], &mut self.heard).unwrap();
        }
        self.heard.remove(0).into()
    }

    /// Reads to the end of the connection.
    async fn end(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        let ended = timeout(PATIENCE, self.stream.read_to_end(&mut rest)).await.expect("an end in time");
        drop(ended);
        rest
    }
}

async fn closed(server: &mut Sockets) -> (ConnId, CloseReason) {
    match server.inner.next().await {
        GatewayEvent::Closed { conn, reason } => (conn, reason),
        other => panic!("expected a close, got {other:?}"),
    }
}
