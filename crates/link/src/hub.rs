//! All links of a node: takes what children dial, keeps the parents dialled, ends everything together.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use quinn::{Endpoint, Incoming};
use taoyao_pki::{BadIdentity, Identity, TlsError, link_client_config, link_server_config};
use taoyao_types::limits::{HANDSHAKES_MAX, HELLO_MAX};
use taoyao_types::{NodeId, NodeName};
use taoyao_wire::link::hello::{CloseCode, Refusal};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;

use crate::accept::{self, Candidate, TurnedAway};
use crate::dial::Dialler;
use crate::greet;
use crate::handle::close_number;
use crate::local::Local;
use crate::pairing::{Arrival, Pairing, Stamp};
use crate::run::Link;
use crate::{LinkConfig, LinkEvent, LinkHandle, LinkNo, Side, explain, transport};

/// How long [`Links::shutdown`] waits for peers to hear the reason.
const DRAIN_MAX: Duration = Duration::from_secs(2);
/// With more handshakes than this under way, strangers first have to show that their address is their own.
const RETRY_ABOVE: usize = 64;
/// Refusals of strangers that are logged as warnings in one [`QUIET_SPAN`]; more are logged at DEBUG.
const WARNINGS_MAX: u32 = 20;
const QUIET_SPAN: Duration = Duration::from_secs(10);

/// Why links cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("the certificate for links: {0}")]
    Tls(#[from] TlsError),
    #[error("links cannot be served on UDP {address}: {source}; is another node running there?")]
    Listen { address: SocketAddr, source: io::Error },
    #[error("no UDP socket to dial from: {0}")]
    Socket(io::Error),
    #[error("node {node}: {source}")]
    Identity { node: NodeName, source: BadIdentity },
    #[error("the link's certificates have no cipher that QUIC can start with")]
    Cipher(#[from] quinn::crypto::rustls::NoInitialCipherSuite),
    #[error("no random numbers from the system: {0}")]
    Random(getrandom::Error),
}

/// A node's links, up for as long as this lives. Dropping it ends them without a word; see [`Links::shutdown`].
#[derive(Debug)]
pub struct Links {
    stop: watch::Sender<Option<Refusal>>,
    hub: JoinSet<()>,
    local_addr: Option<SocketAddr>,
}

impl Links {
    /// Opens the sockets and begins to listen and to dial; must be called within a tokio runtime.
    ///
    /// Events are sent as the node takes them: while `events` is full, links stop reading and QUIC slows peers down.
    pub fn start(config: LinkConfig, events: mpsc::Sender<LinkEvent>) -> Result<Self, StartError> {
        let (stop, stopping) = watch::channel(None);
        let local = Arc::new(Local::new(&config, events, stopping));
        let listener = listener_of(&config)?;
        let local_addr = listener.as_ref().and_then(|endpoint| endpoint.local_addr().ok());
        let diallers = diallers_of(&config, &local)?;
        let mut hub = JoinSet::new();
        hub.spawn(Hub::new(local, listener, diallers)?.run());
        Ok(Self { stop, hub, local_addr })
    }

    /// Where children dial; `None` if nobody may.
    pub fn local_addr(&self) -> Option<SocketAddr> {
        self.local_addr
    }

    /// Ends all links with a reason that peers hear, and waits for that, two seconds at most. Every link's `Down` has
    /// been sent by then if the events were taken.
    pub async fn shutdown(mut self, reason: &str) {
        self.stop.send_replace(Some(Refusal::new(CloseCode::Shutdown, reason)));
        if tokio::time::timeout(DRAIN_MAX, self.hub.join_next()).await.is_err() {
            tracing::warn!("some neighbours did not hear in time that this node stops");
        }
    }
}

fn listener_of(config: &LinkConfig) -> Result<Option<Endpoint>, StartError> {
    let Some(address) = config.listen else { return Ok(None) };
    let tls = link_server_config(&config.credentials)?;
    let server = transport::server_config(tls, config.transport)?;
    let endpoint = transport::listen(address, server, config.transport, &config.credentials.key);
    endpoint.map(Some).map_err(|source| StartError::Listen { address, source })
}

fn diallers_of(config: &LinkConfig, local: &Arc<Local>) -> Result<Vec<Dialler>, StartError> {
    if config.parents.is_empty() {
        return Ok(Vec::new());
    }
    let tls = link_client_config(&config.credentials)?;
    let client = transport::client_config(tls, config.transport)?;
    let endpoint = transport::dialler(config.transport).map_err(StartError::Socket)?;
    let dialler = |parent: &crate::ParentAddr| {
        let identity = Identity::new(&config.org, parent.name.clone())
            .map_err(|source| StartError::Identity { node: parent.name.clone(), source })?;
        let (local, endpoint, config) = (local.clone(), endpoint.clone(), client.clone());
        Ok(Dialler { local, endpoint, config, parent: parent.clone(), identity })
    };
    config.parents.iter().map(dialler).collect()
}

/// The one task that owns all others.
struct Hub {
    local: Arc<Local>,
    listener: Option<Endpoint>,
    endpoints: Vec<Endpoint>,
    diallers: JoinSet<()>,
    greetings: JoinSet<Result<Candidate, TurnedAway>>,
    links: JoinSet<(NodeId, LinkNo)>,
    pairing: Pairing<Candidate>,
    live: BTreeMap<NodeId, Live>,
    warnings: u32,
}

/// A link that a child dialled.
struct Live {
    handle: LinkHandle,
    /// Resolves when the link's `Down` has been sent.
    ended: oneshot::Receiver<()>,
}

impl Hub {
    fn new(
        local: Arc<Local>,
        listener: Option<Endpoint>,
        diallers: Vec<Dialler>,
    ) -> Result<Self, StartError> {
        let dialling = diallers.first().map(|dialler| dialler.endpoint.clone());
        let endpoints = listener.iter().cloned().chain(dialling).collect();
        let mut tasks = JoinSet::new();
        for dialler in diallers {
            tasks.spawn(dialler.run(getrandom::u64().map_err(StartError::Random)?));
        }
        Ok(Self {
            local,
            listener,
            endpoints,
            diallers: tasks,
            greetings: JoinSet::new(),
            links: JoinSet::new(),
            pairing: Pairing::default(),
            live: BTreeMap::new(),
            warnings: 0,
        })
    }

    async fn run(mut self) {
        let local = self.local.clone();
        let mut ticks = tokio::time::interval(HELLO_MAX / 5);
        let mut quiet = tokio::time::interval(QUIET_SPAN);
        loop {
            tokio::select! {
                refusal = local.stopped() => return self.stop(refusal).await,
                incoming = next_of(self.listener.as_ref()) => match incoming {
                    Some(incoming) => self.take(incoming),
                    None => self.listener = None,
                },
                Some(greeting) = self.greetings.join_next() => match greeting {
                    Ok(Ok(candidate)) => self.admit(candidate),
                    Ok(Err(turned_away)) => self.report(turned_away),
                    Err(error) => tracing::error!(%error, "a handshake's task failed"),
                },
                Some(ended) = self.links.join_next() => self.forget(ended),
                Some(ended) = self.diallers.join_next() => {
                    if let Err(error) = ended {
                        tracing::error!(%error, "a dialler failed; its parent is not dialled again until the node restarts");
                    }
                }
                _ = ticks.tick() => self.give_up_halves(),
                _ = quiet.tick() => self.warnings = 0,
            }
        }
    }

    /// Begins a handshake, if there are not too many already.
    fn take(&mut self, incoming: Incoming) {
        let busy = self.greetings.len();
        if busy >= HANDSHAKES_MAX {
            incoming.refuse();
        } else if busy >= RETRY_ABOVE && incoming.may_retry() {
            // Fails only for a validated address, which may not retry.
            let _validated = incoming.retry();
        } else {
            self.greetings.spawn(accept::greet(incoming, self.local.clone()));
        }
    }

    /// Joins a child's connection with its twin, or sends it away.
    fn admit(&mut self, candidate: Candidate) {
        let hello = candidate.greeted.hello;
        let stamp = Stamp { epoch: hello.epoch, dial: hello.dial };
        let now = tokio::time::Instant::now().into_std();
        match self.pairing.arrive(hello.node, stamp, hello.kind, candidate, now) {
            Arrival::Waits { superseded } => {
                for old in superseded {
                    let reason = format!("{stamp} came before the other half of this dial");
                    self.dismiss(old, CloseCode::Replaced, reason);
                }
            }
            Arrival::Refused { half, newer } => {
                let reason =
                    format!("{}: {stamp} is not newer than {newer}, which is here already", half.name);
                self.dismiss(half, CloseCode::Duplicate, reason);
            }
            Arrival::Pairs { signal, bulk, replaces } => {
                if let Some((_, old)) = replaces {
                    self.replace(hello.node, stamp, old);
                }
                self.open(signal, bulk, stamp);
            }
        }
    }

    fn replace(&mut self, peer: NodeId, stamp: Stamp, old: Stamp) {
        if let Some(live) = self.live.get(&peer) {
            let name = live.handle.peer_name();
            let reason = format!("{name}: {stamp} takes over from {old}");
            live.handle.close(CloseCode::Replaced, &reason);
        }
    }

    /// Starts a link; its `Up` waits for the `Down` of the one that it replaces.
    fn open(&mut self, signal: Candidate, bulk: Candidate, stamp: Stamp) {
        let (name, greeted) = (signal.name, signal.greeted);
        let peer = NodeId::of(&name);
        let link = Link::new(&self.local, name, greeted, bulk.greeted);
        let (handle, number) = (link.handle.clone(), link.handle.number());
        let (done, ended) = oneshot::channel();
        let before = self.live.insert(peer, Live { handle, ended });
        self.pairing.up(peer, number, stamp);
        self.links.spawn(serve(link, self.local.clone(), stamp.dial, before.map(|live| live.ended), done));
    }

    fn forget(&mut self, ended: Result<(NodeId, LinkNo), tokio::task::JoinError>) {
        let (peer, number) = match ended {
            Ok(link) => link,
            Err(error) => {
                tracing::error!(%error, "a link's task failed");
                return;
            }
        };
        self.pairing.down(peer, number);
        if self.live.get(&peer).is_some_and(|live| live.handle.number() == number) {
            self.live.remove(&peer);
        }
    }

    fn give_up_halves(&mut self) {
        let now = tokio::time::Instant::now().into_std();
        for half in self.pairing.expire(now, HELLO_MAX) {
            let reason = format!("the link's other connection did not come within {} s", HELLO_MAX.as_secs());
            self.dismiss(half, CloseCode::Twin, reason);
        }
    }

    fn dismiss(&mut self, half: Candidate, code: CloseCode, reason: String) {
        let connection = half.greeted.connection;
        let why = explain::here(code, reason);
        greet::turn_away(&connection, &why);
        self.report(TurnedAway { name: Some(half.name), remote: connection.remote_address(), why });
    }

    /// Tells log and node. Strangers can cause this at will, so neither waits for it.
    fn report(&mut self, TurnedAway { name, remote, why }: TurnedAway) {
        let peer = name.as_ref().map_or("?", NodeName::as_str);
        if why.by == Side::Peer && why.refusal.code == CloseCode::Unspecified {
            // A child that dials several addresses of this node leaves all but the first that answers.
            tracing::debug!(%remote, peer, "a connection was left before its hello");
            return;
        }
        if self.warnings < WARNINGS_MAX {
            self.warnings += 1;
            tracing::warn!(%remote, peer, %why, "link refused");
        } else {
            tracing::debug!(%remote, peer, %why, "link refused");
        }
        if self.local.events.try_send(LinkEvent::Refused { peer: name, remote, why }).is_err() {
            tracing::debug!("the node is too busy to hear of a refused link");
        }
    }

    async fn stop(mut self, refusal: Refusal) {
        for endpoint in &self.endpoints {
            endpoint.close(close_number(refusal.code), refusal.reason.as_bytes());
        }
        self.greetings.shutdown().await;
        while self.links.join_next().await.is_some() {}
        while self.diallers.join_next().await.is_some() {}
        for endpoint in &self.endpoints {
            endpoint.wait_idle().await;
        }
    }
}

/// The accepting end of one link, from the answers to the child's hellos to the end.
async fn serve(
    mut link: Link,
    local: Arc<Local>,
    dial: u64,
    before: Option<oneshot::Receiver<()>>,
    done: oneshot::Sender<()>,
) -> (NodeId, LinkNo) {
    let id = (link.handle.peer(), link.handle.number());
    if let Some(before) = before {
        // Resolves either way when the older link's task has ended.
        let _ended = before.await;
    }
    match link.answer(&local, dial).await {
        Ok(()) => {
            link.run(&local).await;
        }
        Err(why) => link.never_up(&local, why).await,
    }
    drop(done);
    id
}

async fn next_of(listener: Option<&Endpoint>) -> Option<Incoming> {
    match listener {
        Some(endpoint) => endpoint.accept().await,
        None => std::future::pending().await,
    }
}
