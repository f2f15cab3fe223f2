//! The listeners: accept connections, count them, close them all at the end.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use taoyao_types::limits;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::{JoinError, JoinSet};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

use crate::config::{GatewayConfig, TcpConfig};
use crate::connection::{self, Door, Shared};
use crate::event::GatewayEvent;
use crate::http::{self, Entrance, Manners, Services};
use crate::inbound::Inbound;
use crate::seat::Seat;
use crate::stats::{Counters, GatewayStats};

/// Connections that the kernel completes before they are accepted.
const BACKLOG: u32 = 4096;
/// How long accepting rests when the process has no descriptor or memory left.
const ACCEPT_REST: Duration = Duration::from_millis(100);

/// All listeners for terminals, running. Dropping it ends all of its connections at once; [`Gateway::shutdown`] closes them properly.
pub struct Gateway {
    local: SocketAddr,
    tcp: Vec<SocketAddr>,
    shared: Arc<Shared>,
    /// One task for each listener, which ends the listener's connections when it is dropped.
    accepting: JoinSet<()>,
}

/// An address that cannot be listened at.
#[derive(Debug, thiserror::Error)]
#[error("TCP {address}: {source}")]
pub struct ListenError {
    pub address: SocketAddr,
    pub source: io::Error,
}

impl Gateway {
    /// Listens, and tells what happens through `events`; its capacity bounds how much may wait
    /// (`limits::GATEWAY_EVENTS_MAX` is a good one). Must be called inside a tokio runtime.
    ///
    /// # Errors
    /// The first address that cannot be listened at.
    pub fn start(
        config: GatewayConfig,
        services: Services,
        events: mpsc::Sender<GatewayEvent>,
    ) -> Result<Self, ListenError> {
        let (listener, local) = listen(config.listen)?;
        let bound: Vec<_> = config.tcp.iter().map(|tcp| listen(tcp.listen)).collect::<Result<_, _>>()?;
        let doors: Vec<Door> = config.tcp.iter().map(door).collect();
        let mut tls = (*config.tls).clone();
        tls.alpn_protocols = vec![b"http/1.1".to_vec()];
        let entrance = Entrance { inbound: Arc::new(Inbound::new(events)), registry: Arc::default() };
        let shared = Arc::new(Shared {
            tls: TlsAcceptor::from(Arc::new(tls)),
            router: http::router(services, entrance.clone()),
            inbound: entrance.inbound,
            registry: entrance.registry,
            counters: Counters::default(),
            manners: Arc::new(Manners::of(&config)),
            refusals: Semaphore::new(limits::TERMINAL_REFUSALS_AT_ONCE),
            config,
        });
        let mut accepting = JoinSet::new();
        accepting.spawn(accept(listener, Door::Https, Arc::clone(&shared)));
        let mut tcp = Vec::new();
        for ((listener, local), door) in bound.into_iter().zip(doors) {
            accepting.spawn(accept(listener, door, Arc::clone(&shared)));
            tcp.push(local);
        }
        Ok(Self { local, tcp, shared, accepting })
    }

    /// Where it listens for HTTPS and WebSockets.
    pub fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// Where it listens for frames, in the order of `GatewayConfig::tcp`.
    pub fn tcp_addrs(&self) -> &[SocketAddr] {
        &self.tcp
    }

    /// What it has counted so far.
    pub fn stats(&self) -> GatewayStats {
        let (connections, terminals) = self.shared.registry.counts();
        let counted = self.shared.counters.read();
        GatewayStats { connections: connections as u64, terminals: terminals as u64, ..counted }
    }

    /// Returns if it ever stops accepting by itself, which is a bug: the node should then end.
    pub async fn failed(&mut self) -> JoinError {
        match self.accepting.join_next().await {
            Some(Err(error)) => error,
            Some(Ok(())) | None => unreachable!("accepting has no end"),
        }
    }

    /// Closes every terminal (WebSockets with 1001 "node is going away"), accepts no more, and returns when all are gone or after
    /// `deadline`, whichever is first. Returns how many terminals had to be cut off.
    pub async fn shutdown(mut self, deadline: Duration) -> usize {
        self.shared.registry.close_all(1001, "node is going away");
        let all_gone = timeout(deadline, self.shared.registry.empty()).await.is_ok();
        let (_, terminals) = self.shared.registry.counts();
        let cut_off = if all_gone { 0 } else { terminals };
        self.accepting.shutdown().await;
        tracing::debug!(cut_off, "gateway stopped");
        cut_off
    }
}

fn door(config: &TcpConfig) -> Door {
    Door::Frames { tls: config.tls.clone().map(TlsAcceptor::from), framing: Arc::new(config.framing.clone()) }
}

fn listen(address: SocketAddr) -> Result<(TcpListener, SocketAddr), ListenError> {
    let bound = bind(address).and_then(|listener| {
        let local = listener.local_addr()?;
        Ok((listener, local))
    });
    bound.map_err(|source| ListenError { address, source })
}

fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Accepts for ever. The connections' tasks are its own: they end with it.
async fn accept(listener: TcpListener, door: Door, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((tcp, peer)) => admit(&mut connections, &shared, &door, tcp, peer),
                Err(error) => rest_if_exhausted(&shared, &error).await,
            },
            Some(ended) = connections.join_next() => {
                if let Err(error) = ended {
                    tracing::error!(%error, "a connection's task panicked; the other connections go on");
                }
            }
        }
    }
}

fn admit(connections: &mut JoinSet<()>, shared: &Arc<Shared>, door: &Door, tcp: TcpStream, peer: SocketAddr) {
    let (shared, door, ip) = (Arc::clone(shared), door.clone(), peer.ip().to_canonical());
    match Seat::take(&shared, ip) {
        Ok(seat) => drop(connections.spawn(connection::attend(shared, door, tcp, peer, seat))),
        Err(crowded) if shared.refusals.available_permits() > 0 => {
            connections.spawn(async move { drop(connection::refuse(&shared, door, tcp, ip, crowded).await) });
        }
        Err(crowded) => shared.counters.refuse(crowded),
    }
}

/// A connection that was reset before it was accepted is nothing; a lack of descriptors or memory needs a rest, in which
/// some may become free.
async fn rest_if_exhausted(shared: &Shared, error: &io::Error) {
    let single = [
        io::ErrorKind::ConnectionAborted,
        io::ErrorKind::ConnectionReset,
        io::ErrorKind::ConnectionRefused,
        io::ErrorKind::Interrupted,
    ];
    if !single.contains(&error.kind()) {
        shared.counters.accepts_failed.add(1);
        tracing::warn!(%error, "cannot accept connections at the moment");
        sleep(ACCEPT_REST).await;
    }
}
