//! One connection: TLS handshake, HTTP requests, and the upgrade to a WebSocket; or frames from the start.

use std::future::pending;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::Router;
use bytes::Bytes;
use socket2::{SockRef, TcpKeepalive};
use taoyao_http::{Ended, Hosts, Times, serve};
use taoyao_wire::terminal::{Code, Outgoing};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::close::CloseReason;
use crate::config::GatewayConfig;
use crate::http::{Answers, Manners};
use crate::inbound::Inbound;
use crate::outbox::TerminalHandle;
use crate::protocol::Protocol;
use crate::registry::{Crowded, Registry};
use crate::seat::Seat;
use crate::session::Session;
use crate::socket::Socket;
use crate::stats::Counters;
use crate::stream::Stream;
use crate::tcp::Framing;
use crate::{linger, proxied};

/// Seconds after which somebody who was refused for want of a place may try again.
pub(crate) const RETRY_SECONDS: u64 = 5;
/// The close code of RFC 6455's registry.
const TRY_AGAIN_LATER: u16 = 1013;
/// The protocol's version in what is said before a terminal has named its own.
const VERSION: &str = "1.0.0";
/// What TLS may hold back for a socket that takes no more.
const TLS_BUFFER_BYTES: usize = 32 * 1024;
/// Bytes that the kernel may hold and has not sent yet: a writer is told of a slow reader's progress, and not only of megabytes.
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
    pub(crate) manners: Arc<Manners>,
    /// Connections that may be told at once why they are refused.
    pub(crate) refusals: Semaphore,
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
pub(crate) async fn attend(shared: Arc<Shared>, door: Door, tcp: TcpStream, peer: SocketAddr, seat: Seat) {
    if let Some(session) = Box::pin(greet(shared, door, tcp, peer.ip().to_canonical(), seat)).await {
        session.run().await;
    }
}

/// Leads a connection to where messages begin. Returns a session if it gets there.
async fn greet(
    shared: Arc<Shared>,
    door: Door,
    mut tcp: TcpStream,
    mut ip: IpAddr,
    mut seat: Seat,
) -> Option<Box<Session>> {
    if seat.is_proxys() {
        let is_required = matches!(door, Door::Frames { .. });
        match proxied::read(&mut tcp, is_required, shared.config.timeouts.handshake).await {
            Ok(client) => ip = client.unwrap_or(ip),
            Err(error) => {
                shared.counters.proxies_unread.add(1);
                if shared.counters.lines.admits() {
                    tracing::warn!(proxy = %ip, %error, "a trusted proxy's connection is closed");
                }
                return None;
            }
        }
        if let Err(crowded) = seat.assign(ip) {
            return refuse(&shared, door, tcp, ip, crowded).await;
        }
    }
    let Reached { stream, protocol, early, ip } = reach(&shared, door, tcp, ip, None).await?;
    if let Err(crowded) = seat.assign(ip) {
        shared.counters.refuse(crowded);
        return turn_away(&shared, stream, protocol, crowded).await;
    }
    Session::enter(shared, stream, protocol, early, ip, seat)
}

/// Tells a connection that there is no place for it, and closes it.
pub(crate) async fn refuse(
    shared: &Arc<Shared>,
    door: Door,
    tcp: TcpStream,
    ip: IpAddr,
    crowded: Crowded,
) -> Option<Box<Session>> {
    shared.counters.refuse(crowded);
    let Ok(_turn) = shared.refusals.try_acquire() else { return None };
    let telling = async {
        let Reached { stream, protocol, .. } = reach(shared, door, tcp, ip, Some(crowded)).await?;
        turn_away(shared, stream, protocol, crowded).await
    };
    // A connection that says nothing keeps nobody else from being told.
    timeout(2 * shared.config.timeouts.close, telling).await.ok().flatten()
}

/// Where messages begin.
struct Reached {
    stream: Stream,
    protocol: Protocol,
    /// Bytes that were read ahead of the protocol.
    early: Bytes,
    /// The address of the client, as far as a trusted proxy says.
    ip: IpAddr,
}

async fn reach(
    shared: &Shared,
    door: Door,
    tcp: TcpStream,
    ip: IpAddr,
    refused: Option<Crowded>,
) -> Option<Reached> {
    prepare(&tcp, shared.config.timeouts.idle);
    match door {
        Door::Https => {
            let stream = handshake(shared, &shared.tls, tcp).await?;
            let (stream, early, ip) = speak_http(shared, stream, ip, refused).await?;
            Some(Reached { stream, protocol: Protocol::websocket(), early, ip })
        }
        Door::Frames { tls, framing } => {
            let stream = match tls {
                Some(acceptor) => Stream::Tls(handshake(shared, &acceptor, tcp).await?),
                None => Stream::Plain(tcp),
            };
            Some(Reached { stream, protocol: Protocol::frames(framing), early: Bytes::new(), ip })
        }
    }
}

/// On a WebSocket a close with 1013 ("try again later"), which pages are told as they are not of an HTTP status; in frames an
/// error.
async fn turn_away(
    shared: &Shared,
    stream: Stream,
    protocol: Protocol,
    crowded: Crowded,
) -> Option<Box<Session>> {
    let told = format!("{crowded}; try again in {RETRY_SECONDS} s");
    let terminal = TerminalHandle::new();
    if !protocol.is_websocket() {
        let text = format!("{}：{told}", Code::Overloaded.text());
        terminal.send(Outgoing::error(VERSION, 0, Code::Overloaded, &text).encode());
    }
    let reason = CloseReason::ByUs { code: TRY_AGAIN_LATER, reason: told.into() };
    let mut socket = Socket::new(stream, protocol);
    let closing = socket.close(&reason, &terminal, &shared.counters);
    let closed = timeout(shared.config.timeouts.close, closing).await;
    tracing::debug!(%crowded, ?closed, "connection refused");
    None
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

/// Answers requests. Returns the stream, what was read ahead of it, and who is there, if the last one was an upgrade.
async fn speak_http(
    shared: &Shared,
    stream: TlsStream<TcpStream>,
    ip: IpAddr,
    refused: Option<Crowded>,
) -> Option<(Stream, Bytes, IpAddr)> {
    let timeouts = shared.config.timeouts;
    let upgraded = Arc::new(OnceLock::new());
    let answers = Answers {
        ip,
        router: shared.router.clone(),
        manners: Arc::clone(&shared.manners),
        going_away: shared.registry.is_closing(),
        refused,
        upgraded: Arc::clone(&upgraded),
    };
    let times = Times { head: timeouts.header, answer: timeouts.answer, stalled: timeouts.stalled };
    let Ended { stream, early, is_clean } = serve(stream, times, Hosts::Any, answers, pending()).await;
    let mut stream = Stream::Tls(stream);
    if let Some(client) = upgraded.get().filter(|_| is_clean) {
        return Some((stream, early, *client));
    }
    let closed = timeout(timeouts.close, linger::close(&mut stream)).await;
    tracing::trace!(is_clean, ?closed, "HTTP connection ended");
    None
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
