//! Peers that provoke answers and read none, at every listener of a node: its memory stays, and others are served.

use std::time::Duration;

use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

use crate::mesh::Mesh;
use crate::ports;
use crate::shape::ONE;
use crate::socket::Mode;
use crate::witness::Witness;

/// Peers of each kind.
const EACH: usize = 3;
/// How long they push; unbounded, 4.5 s of pings took 1,250 MiB.
const PUSHING: Duration = Duration::from_millis(4_500);
/// Ten kinds and three of each have 30 connections: 2 MiB each is what TLS, buffers and a queue take, and some.
const GROWTH_KIB_MAX: u64 = 64 * 1024;

trait Pushed: AsyncWrite + Send + Unpin {}
impl<T: AsyncWrite + Send + Unpin> Pushed for T {}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_provokes_answers_and_reads_none_costs_a_bounded_amount_and_disturbs_nobody() {
    let frames = ports::free();
    let mut mesh = Mesh::plan(ONE);
    mesh.add_to_terminals("cn", &format!("tcp = [{}]", Mode::Plaintext.listener(frames)));
    mesh.start_all().await;
    let witness = Witness::at(&mesh, "cn").await;
    let (terminals, admin) = (mesh.place("cn").terminals, mesh.place("cn").admin);
    let before_kib = mesh.node("cn").resident_kib();

    let mut peers: Vec<(&str, Box<dyn Pushed>, Vec<u8>)> = Vec::new();
    for _ in 0..EACH {
        for (kind, piece) in [
            ("pings", [&[0x89, 0x80 | 125, 0, 0, 0, 0][..], &[b'x'; 125]].concat()),
            ("texts that are no JSON", [&[0x81, 0x80 | 100, 0, 0, 0, 0][..], &[b'x'; 100]].concat()),
            ("texts before the login", text(r#"{"header":{"v":"1.0.0","id":1,"signal":"client::list"}}"#)),
        ] {
            let socket = mesh.dialler().websocket(terminals).await.unwrap();
            peers.push((kind, Box::new(socket.into_inner()), piece));
        }
        for line in ["HEAD / HTTP/1.1", "GET /mesh/probe HTTP/1.1", "GET /client/list HTTP/1.1"] {
            let stream = mesh.dialler().tls(terminals).await.unwrap();
            peers.push((line, Box::new(stream), request(line)));
        }
        for line in ["GET /healthz HTTP/1.1", "GET /metrics HTTP/1.1", "GET /api/status HTTP/1.1"] {
            let stream = TcpStream::connect(("127.0.0.1", admin)).await.unwrap();
            peers.push((line, Box::new(stream), request(line)));
        }
        let stream = TcpStream::connect(("127.0.0.1", frames)).await.unwrap();
        peers.push(("frames that are no JSON", Box::new(stream), [&[0, 100][..], &[b'x'; 100]].concat()));
    }
    let mut pushing = JoinSet::new();
    let until = Instant::now() + PUSHING;
    for (_, stream, piece) in peers {
        pushing.spawn(push(stream, piece.repeat(200), until));
    }
    let mut grown_kib = 0;
    while Instant::now() < until {
        grown_kib = grown_kib.max(mesh.node("cn").resident_kib().saturating_sub(before_kib));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(grown_kib < GROWTH_KIB_MAX, "{grown_kib} KiB for {} peers that read nothing", 10 * EACH);
    let health = mesh.admin("cn").get("/healthz").await.unwrap();
    assert_eq!(health.0, 200);
    witness.assert_was_served().await;
    pushing.join_all().await;
}

/// Writes as much as goes, and keeps the connection open to the end.
async fn push(mut stream: Box<dyn Pushed>, pieces: Vec<u8>, until: Instant) {
    let mut at = 0;
    while let Ok(Ok(count)) = timeout_at(until, stream.write(&pieces[at..])).await {
        at = (at + count) % pieces.len();
    }
    tokio::time::sleep_until(until).await;
}

fn text(text: &str) -> Vec<u8> {
    let length = u8::try_from(text.len()).unwrap();
    [&[0x81, 0x80 | length, 0, 0, 0, 0][..], text.as_bytes()].concat()
}

fn request(line: &str) -> Vec<u8> {
    format!("{line}\r\nhost: localhost\r\n\r\n").into_bytes()
}
