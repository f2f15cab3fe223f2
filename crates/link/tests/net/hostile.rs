//! Peers that do not keep to the protocol, and strangers with a socket.

use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use quinn::{ClientConfig, Connection, ConnectionError, Endpoint, RecvStream, SendStream, TransportConfig};
use taoyao_link::{Lane, Side};
use taoyao_pki::{Identity, LinkCredentials, link_client_config};
use taoyao_types::NodeEpoch;
use taoyao_types::limits::FRAME_BYTES_MAX;
use taoyao_wire::link::hello::{CloseCode, ConnectionKind, Hello, PROTOCOL_MAX, PROTOCOL_MIN};

use crate::nodes::{Ca, Node, ORG, PATIENCE, assert_talks, id, linked_pair};

/// A peer that has a good certificate and does with QUIC whatever the test wants.
pub(crate) struct Raw {
    connection: Connection,
    _endpoint: Endpoint,
}

impl Raw {
    pub(crate) async fn connect(credentials: LinkCredentials, node: &str, address: SocketAddr) -> Self {
        let tls = link_client_config(&credentials).unwrap();
        let crypto = quinn::crypto::rustls::QuicClientConfig::try_from(tls).unwrap();
        let endpoint = Endpoint::client("127.0.0.1:0".parse().unwrap()).unwrap();
        let name = Identity::new(ORG, node.parse().unwrap()).unwrap().dns_name();
        let mut transport = TransportConfig::default();
        transport.keep_alive_interval(Some(Duration::from_secs(1)));
        let mut config = ClientConfig::new(Arc::new(crypto));
        config.transport_config(Arc::new(transport));
        let connection = endpoint.connect_with(config, address, &name).unwrap().await.unwrap();
        Self { connection, _endpoint: endpoint }
    }

    /// A hello that would be taken.
    pub(crate) fn hello(node: &str) -> Hello {
        Hello {
            protocol_min: PROTOCOL_MIN,
            protocol_max: PROTOCOL_MAX,
            node: id(node),
            epoch: NodeEpoch(1),
            generation: 1,
            dial: 1,
            kind: ConnectionKind::Signal,
            features: 0,
        }
    }

    /// Opens the two-way stream and writes one frame to it.
    pub(crate) async fn say(&self, body: &[u8]) -> (SendStream, RecvStream) {
        let (mut send, recv) = self.connection.open_bi().await.unwrap();
        // A peer that has refused already resets the stream; the test then looks at its reason.
        send.write_all(&framed(body)).await.ok();
        (send, recv)
    }

    /// Why the other end closed the connection.
    pub(crate) async fn closed(&self) -> (CloseCode, String) {
        match tokio::time::timeout(PATIENCE, self.connection.closed()).await.unwrap() {
            ConnectionError::ApplicationClosed(close) => {
                let code = CloseCode::from_number(close.error_code.into_inner());
                (code, String::from_utf8_lossy(&close.reason).into_owned())
            }
            other => panic!("not closed with a reason: {other}"),
        }
    }
}

fn framed(body: &[u8]) -> Vec<u8> {
    [&(body.len() as u32).to_be_bytes(), body].concat()
}

/// A complete link of `cn/east` to a parent, made by hand.
struct RawLink {
    signal: Raw,
    bulk: Raw,
    /// The signal connection's control stream.
    control: SendStream,
    /// Streams that would tell the parent something if they were dropped.
    _kept: (RecvStream, SendStream, RecvStream),
}

async fn raw_link(ca: &Ca, parent: &Node) -> RawLink {
    let signal = Raw::connect(ca.credentials("cn/east"), "cn", parent.address()).await;
    let bulk = Raw::connect(ca.credentials("cn/east"), "cn", parent.address()).await;
    let (control, mut recv) = signal.say(&Raw::hello("cn/east").encode()).await;
    let hello = Hello { kind: ConnectionKind::Bulk, ..Raw::hello("cn/east") };
    let (bulk_send, bulk_recv) = bulk.say(&hello.encode()).await;
    let mut length = [0; 4];
    recv.read_exact(&mut length).await.unwrap();
    let mut answer = vec![0; u32::from_be_bytes(length) as usize];
    recv.read_exact(&mut answer).await.unwrap();
    assert_eq!(Hello::decode(&answer).unwrap().node, id("cn"));
    RawLink { signal, bulk, control, _kept: (recv, bulk_send, bulk_recv) }
}

#[tokio::test]
async fn garbage_on_the_port_disturbs_no_link() {
    let ca = Ca::new();
    let (mut parent, down_link, mut child, up_link) = linked_pair(&ca).await;
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let mut state = 1_u64;
    for n in 0..5_000_usize {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        // Long and short headers, first bytes of every kind, sizes up to a full packet.
        let packet: Vec<u8> = (0..n % 1_400).map(|i| (state >> (i % 57)) as u8).collect();
        socket.send_to(&packet, parent.address()).ok();
    }
    assert_talks((&mut parent, &down_link), (&mut child, &up_link)).await;
}

#[tokio::test]
async fn a_length_beyond_the_bound_closes_that_link_alone() {
    let ca = Ca::new();
    let mut parent = Node::start(ca.config("cn"));
    let mut north = Node::start(ca.dialling("cn/north", "cn", parent.address()));
    let (down_link, up_link) = (parent.up().await, north.up().await);
    let mut link = raw_link(&ca, &parent).await;
    parent.up().await;
    link.control.write_all(&(FRAME_BYTES_MAX as u32 + 1).to_be_bytes()).await.unwrap();
    let (_, why) = parent.down().await;
    assert_eq!((why.by, why.refusal.code), (Side::Here, CloseCode::Frame));
    for raw in [link.signal, link.bulk] {
        let (code, reason) = raw.closed().await;
        assert_eq!(code, CloseCode::Frame);
        assert!(reason.contains("bytes") && reason.contains("Control"), "{reason}");
    }
    assert_talks((&mut parent, &down_link), (&mut north, &up_link)).await;
}

#[tokio::test]
async fn streams_of_unknown_kind_twice_or_ended_close_the_link() {
    for (streams, words) in [
        (vec![vec![77]], "unknown kind"),
        (vec![vec![2], vec![2]], "second or misplaced"),
        (vec![vec![3]], "second or misplaced"),
    ] {
        let ca = Ca::new();
        let mut parent = Node::start(ca.config("cn"));
        let link = raw_link(&ca, &parent).await;
        parent.up().await;
        let mut open = Vec::new();
        for stream in streams {
            let mut send = link.signal.connection.open_uni().await.unwrap();
            send.write_all(&stream).await.unwrap();
            open.push(send);
        }
        let (code, reason) = link.signal.closed().await;
        assert_eq!(code, CloseCode::Frame);
        assert!(reason.contains(words), "{reason}");
    }
}

#[tokio::test]
async fn a_stream_that_ends_closes_the_link() {
    let ca = Ca::new();
    let mut parent = Node::start(ca.config("cn"));
    let mut link = raw_link(&ca, &parent).await;
    parent.up().await;
    link.control.finish().unwrap();
    let (code, reason) = link.signal.closed().await;
    assert_eq!(code, CloseCode::Frame);
    assert!(reason.contains("ended"), "{reason}");
}

#[tokio::test]
async fn a_hello_of_garbage_or_of_any_size_is_refused() {
    let ca = Ca::new();
    let mut parent = Node::start(ca.config("cn"));
    for body in [b"garbage".to_vec(), vec![], vec![0x80], vec![0; 100_000]] {
        let raw = Raw::connect(ca.credentials("cn/east"), "cn", parent.address()).await;
        let _streams = raw.say(&body).await;
        assert_eq!(raw.closed().await.0, CloseCode::Hello);
        assert_eq!(parent.refused().await.1.refusal.code, CloseCode::Hello);
    }
}

#[tokio::test]
async fn whoever_says_nothing_or_half_is_given_up() {
    let ca = Ca::new();
    let parent = Node::start(ca.config("cn"));
    let silent = Raw::connect(ca.credentials("cn/north"), "cn", parent.address()).await;
    let half = Raw::connect(ca.credentials("cn/east"), "cn", parent.address()).await;
    let _streams = half.say(&Raw::hello("cn/east").encode()).await;
    assert_eq!(half.closed().await.0, CloseCode::Twin);
    assert_eq!(silent.closed().await.0, CloseCode::Hello);
}

#[tokio::test]
async fn when_one_connection_dies_the_link_is_down_as_a_whole() {
    let ca = Ca::new();
    let mut parent = Node::start(ca.config("cn"));
    let link = raw_link(&ca, &parent).await;
    parent.up().await;
    link.bulk.connection.close(0_u8.into(), b"gone");
    let (_, why) = parent.down().await;
    assert_eq!(why.to_string(), "the peer says: gone");
    let (code, reason) = link.signal.closed().await;
    assert_eq!(code, CloseCode::Twin);
    assert!(reason.contains("gone"), "{reason}");
}

#[tokio::test]
async fn a_peer_that_ends_and_comes_back_by_hand_has_a_new_number() {
    let ca = Ca::new();
    let mut parent = Node::start(ca.config("cn"));
    let link = raw_link(&ca, &parent).await;
    let first = parent.up().await;
    link.signal.connection.close(0_u8.into(), b"");
    assert_eq!(parent.down().await.0, first.number());
    let mut child = Node::start(ca.dialling("cn/east", "cn", parent.address()));
    let (second, up_link) = (parent.up().await, child.up().await);
    assert!(second.number() > first.number());
    assert!(first.send(Lane::Urgent, Bytes::from_static(b"late")).is_err());
    assert_talks((&mut parent, &second), (&mut child, &up_link)).await;
}
