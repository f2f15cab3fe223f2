//! The listener: accepts connections, counts them, closes them all at the end.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::mpsc;
use tokio::task::{JoinError, JoinHandle, JoinSet};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

use crate::config::GatewayConfig;
use crate::connection::{self, Shared};
use crate::event::GatewayEvent;
use crate::http::{self, Services};
use crate::inbound::Inbound;
use crate::registry::Registry;
use crate::stats::{Counters, GatewayStats};

/// Connections that the kernel completes before they are accepted.
const BACKLOG: u32 = 4096;
/// How long accepting rests when the process has no descriptor or memory left.
const ACCEPT_REST: Duration = Duration::from_millis(100);

/// A running listener. Dropping it ends all of its connections at once; [`Gateway::shutdown`] closes them properly.
pub struct Gateway {
    local: SocketAddr,
    shared: Arc<Shared>,
    accepting: JoinHandle<()>,
}

impl Gateway {
    /// Listens, and tells what happens through `events`; its capacity bounds how much may wait
    /// (`limits::GATEWAY_EVENTS_MAX` is a good one). Must be called inside a tokio runtime.
    ///
    /// # Errors
    /// The operating system's, if the address cannot be listened at.
    pub fn start(
        config: GatewayConfig,
        services: Services,
        events: mpsc::Sender<GatewayEvent>,
    ) -> io::Result<Self> {
        let listener = listen(config.listen)?;
        let local = listener.local_addr()?;
        let mut tls = (*config.tls).clone();
        tls.alpn_protocols = vec![b"http/1.1".to_vec()];
        let shared = Arc::new(Shared {
            tls: TlsAcceptor::from(Arc::new(tls)),
            router: http::router(services),
            inbound: Inbound::new(events),
            registry: Registry::default(),
            counters: Counters::default(),
            config,
        });
        let accepting = tokio::spawn(accept(listener, Arc::clone(&shared)));
        Ok(Self { local, shared, accepting })
    }

    /// Where it listens.
    pub fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// What it has counted so far.
    pub fn stats(&self) -> GatewayStats {
        let (connections, terminals) = self.shared.registry.counts();
        let counted = self.shared.counters.read();
        GatewayStats { connections: connections as u64, terminals: terminals as u64, ..counted }
    }

    /// Returns if it ever stops accepting by itself, which is a bug: the node should then end.
    pub async fn failed(&mut self) -> JoinError {
        match (&mut self.accepting).await {
            Err(error) => error,
            Ok(()) => unreachable!("accepting has no end"),
        }
    }

    /// Closes every terminal with 1001 "node is going away", accepts no more, and returns when all are gone or after
    /// `deadline`, whichever is first. Returns how many terminals had to be cut off.
    pub async fn shutdown(mut self, deadline: Duration) -> usize {
        self.shared.registry.close_all(1001, "node is going away");
        let all_gone = timeout(deadline, self.shared.registry.empty()).await.is_ok();
        let (_, terminals) = self.shared.registry.counts();
        let cut_off = if all_gone { 0 } else { terminals };
        self.accepting.abort();
        let ended = (&mut self.accepting).await;
        tracing::debug!(cut_off, ?ended, "gateway stopped");
        cut_off
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Accepts for ever. The connections' tasks are its own: they end with it.
async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((tcp, peer)) => admit(&mut connections, &shared, tcp, peer),
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

fn admit(connections: &mut JoinSet<()>, shared: &Arc<Shared>, tcp: TcpStream, peer: SocketAddr) {
    let GatewayConfig { connections_max, connections_per_address_max, .. } = shared.config;
    if shared.registry.admit(peer.ip(), connections_max, connections_per_address_max) {
        connections.spawn(connection::serve(Arc::clone(shared), tcp, peer));
    } else {
        shared.counters.connections_refused.add(1);
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
