//! One connection: TLS handshake, HTTP requests, and the upgrade to a WebSocket; or frames from the start.

use std::future::pending;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use bytes::Bytes;
use socket2::{SockRef, TcpKeepalive};
use taoyao_http::{Ended, Hosts, Times, serve};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::config::GatewayConfig;
use crate::http::Answers;
use crate::inbound::Inbound;
use crate::linger;
use crate::protocol::Protocol;
use crate::registry::Registry;
use crate::session::Session;
use crate::stats::Counters;
use crate::stream::Stream;
use crate::tcp::Framing;

/// What TLS may hold back for a socket that takes no more.
const TLS_BUFFER_BYTES: usize = 32 * 1024;
/// What the kernel may hold that it has not sent yet: a writer is told of a slow reader's progress, and not only of megabytes.
#[cfg(target_os = "linux")]
const UNSENT_BYTES: u32 = 128 * 1024;

/// What all connections of one gateway share.
pub(crate) struct Shared {
    pub(crate) config: GatewayConfig,
    pub(crate) tls: TlsAcceptor,
    pub(crate) router: Router,
    pub(crate) inbound: Arc<Inbound>,
    pub(crate) registry: Arc<Registry>,
    pub(crate) counters: Counters,
}

/// What is expected of the connections of one listener.
#[derive(Clone)]
pub(crate) enum Door {
    /// TLS, then HTTP.
    Https,
    /// Frames, within TLS or not.
    Frames { tls: Option<TlsAcceptor>, framing: Arc<Framing> },
}

/// Serves an admitted connection to its end.
///
/// What the handshake and HTTP need, and the session itself, are boxed: the task of a WebSocket that has outlived them is
/// hardly more than a pointer to its session.
pub(crate) async fn attend(shared: Arc<Shared>, door: Door, tcp: TcpStream, peer: SocketAddr) {
    let _admitted = Admitted { shared: Arc::clone(&shared), ip: peer.ip() };
    if let Some(session) = Box::pin(greet(shared, door, tcp, peer.ip().to_canonical())).await {
        session.run().await;
    }
}

/// Leads a connection to where messages begin. Returns a session if it gets there.
async fn greet(shared: Arc<Shared>, door: Door, tcp: TcpStream, ip: IpAddr) -> Option<Box<Session>> {
    prepare(&tcp, shared.config.timeouts.idle);
    match door {
        Door::Https => {
            let stream = handshake(&shared, &shared.tls, tcp).await?;
            let (stream, early) = speak_http(&shared, stream, ip).await?;
            Session::enter(shared, stream, Protocol::websocket(), early, ip)
        }
        Door::Frames { tls, framing } => {
            let stream = match tls {
                Some(acceptor) => Stream::Tls(handshake(&shared, &acceptor, tcp).await?),
                None => Stream::Plain(tcp),
            };
            Session::enter(shared, stream, Protocol::frames(framing), Bytes::new(), ip)
        }
    }
}

async fn handshake(shared: &Shared, acceptor: &TlsAcceptor, tcp: TcpStream) -> Option<TlsStream<TcpStream>> {
    let stream = shake_hands(shared.config.timeouts.handshake, acceptor, tcp).await;
    if stream.is_none() {
        shared.counters.handshakes_failed.add(1);
    }
    stream
}

async fn shake_hands(
    time_max: Duration,
    acceptor: &TlsAcceptor,
    tcp: TcpStream,
) -> Option<TlsStream<TcpStream>> {
    match timeout(time_max, acceptor.accept(tcp)).await {
        Ok(Ok(mut stream)) => {
            stream.get_mut().1.set_buffer_limit(Some(TLS_BUFFER_BYTES));
            Some(stream)
        }
        Ok(Err(error)) => {
            tracing::debug!(%error, "TLS handshake failed");
            None
        }
        Err(_) => {
            tracing::debug!("TLS handshake took too long");
            None
        }
    }
}

/// Answers requests. Returns the stream, and what was read ahead of it, if the last one was an upgrade.
async fn speak_http(shared: &Shared, stream: TlsStream<TcpStream>, ip: IpAddr) -> Option<(Stream, Bytes)> {
    let timeouts = shared.config.timeouts;
    let upgraded = Arc::new(AtomicBool::new(false));
    let answers = Answers {
        ip,
        router: shared.router.clone(),
        going_away: shared.registry.is_closing(),
        upgraded: Arc::clone(&upgraded),
    };
    let times = Times { head: timeouts.header, answer: timeouts.answer, stalled: timeouts.stalled };
    let Ended { stream, early, is_clean } = serve(stream, times, Hosts::Any, answers, pending()).await;
    let mut stream = Stream::Tls(stream);
    if upgraded.load(Ordering::Relaxed) && is_clean {
        return Some((stream, early));
    }
    let closed = timeout(timeouts.close, linger::close(&mut stream)).await;
    tracing::trace!(is_clean, ?closed, "HTTP connection ended");
    None
}

/// Counts the connection out, however it ends.
struct Admitted {
    shared: Arc<Shared>,
    ip: IpAddr,
}

impl Drop for Admitted {
    fn drop(&mut self) {
        self.shared.registry.dismiss(self.ip);
    }
}

/// Small messages leave at once, and a peer that vanished is noticed within the idle time if it is written to, and within
/// twice that time if not.
fn prepare(tcp: &TcpStream, unacknowledged_max: Duration) {
    let socket = SockRef::from(tcp);
    let alive = TcpKeepalive::new().with_time(unacknowledged_max.max(Duration::from_secs(1)));
    let set = socket.set_tcp_nodelay(true).and(socket.set_tcp_keepalive(&alive));
    #[cfg(target_os = "linux")]
    let set = set
        .and(socket.set_tcp_user_timeout(Some(unacknowledged_max)))
        .and(socket.set_tcp_notsent_lowat(UNSENT_BYTES));
    if let Err(error) = set {
        tracing::debug!(%error, "a socket option could not be set");
    }
}
