//! Puts one node together: everything that can fail fails here, before anything is served.

use std::collections::BTreeSet;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use taoyao_admin::{AdminRequest, AdminService, ApiToken, Hosts};
use taoyao_core::{Node, NodeConfig, NotInTopology};
use taoyao_gateway::{
    Gateway, GatewayConfig, GatewayEvent, ListenError, Origins, Rest, RestRequest, Services,
};
use taoyao_link::{Life, LinkConfig, LinkEvent, Links, ParentAddr, Transport};
use taoyao_topology::{Node as Place, Topology};
use taoyao_types::limits::{GATEWAY_EVENTS_MAX, LINK_EVENTS_MAX};
use taoyao_types::{NodeId, NodeName};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

use crate::clock::{Clock, wall_now};
use crate::credentials::{self, CredentialsError};
use crate::desk::Desk;
use crate::driver::{self, Driver, Sources};
use crate::expiry;
use crate::forwarder::{self, Forwarder};
use crate::logins::Logins;
use crate::question::{QUESTIONS_MAX, Question};
use crate::recordings::{Recordings, RecordingsError};
use crate::running::RunningNode;
use crate::sockets::{self, SocketsError};
use crate::state_dir::{StateDir, StateError, token_path};
use crate::supervisor::{Command, Supervisor};
use crate::users_file::UsersError;
use crate::{configuration, descriptors, nearest};

/// Admin requests that wait for the node.
const ADMIN_REQUESTS_MAX: usize = 16;
/// Requests of the REST interface that wait for the driver; those beyond wait with the caller.
const REST_REQUESTS_MAX: usize = 64;

/// What a node is started with besides the topology.
#[derive(Debug, Clone, Copy, Default)]
pub struct NodeOptions {
    /// How its links use the network.
    pub transport: Transport,
}

/// Why a node cannot start. Each text says what to do.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    NotInTopology(#[from] NotInTopology),
    #[error(transparent)]
    State(#[from] StateError),
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
    #[error(transparent)]
    Sockets(#[from] SocketsError),
    #[error(transparent)]
    Users(#[from] UsersError),
    #[error("terminals cannot be served on TCP {address}: {source}; is another node running there?")]
    Terminals { address: SocketAddr, source: io::Error },
    #[error("operators cannot be served on TCP {address}: {source}; is another node running there?")]
    Admin { address: SocketAddr, source: io::Error },
    #[error(transparent)]
    Links(#[from] taoyao_link::StartError),
    #[error("media cannot be served: {0}; is another node running there?")]
    Media(#[from] taoyao_media::StartError),
    #[error(transparent)]
    Recordings(#[from] RecordingsError),
    #[error("no random numbers from the system: {0}")]
    Random(getrandom::Error),
}

/// A node that is ready to run: certificates and users read, state directory locked, listeners bound.
pub struct NodeApp {
    name: NodeName,
    driver: Driver,
    sources: Sources,
    questions: mpsc::Sender<Question>,
    commands: (mpsc::Sender<Command>, mpsc::Receiver<Command>),
    gateway: Option<Gateway>,
    links: Option<Links>,
    admin: Option<Admin>,
    desk: Desk,
}

/// The admin listener before it serves.
struct Admin {
    listener: TcpListener,
    service: AdminService,
    hosts: Hosts,
    requests: mpsc::Receiver<AdminRequest>,
}

impl NodeApp {
    /// Prepares the node `own` of the topology. Must be called within a tokio runtime; reads and writes small files.
    pub fn build(topology: Arc<Topology>, own: NodeId, options: NodeOptions) -> Result<Self, StartError> {
        let place = topology.node(own).ok_or(NotInTopology(own))?;
        let files = descriptors::raise();
        let state_dir = StateDir::open(&place.state_dir)?;
        let logins = Logins::open(topology.login(), place.home_partition().clone(), fresh_key()?)?;
        let epoch = state_dir.next_epoch(wall_now())?;
        let clock = Clock::start();
        let seed = getrandom::u64().map_err(StartError::Random)?;
        let secret = state_dir.ticket_key()?;
        let (utc_offset_seconds, sfu) = (utc_offset_seconds(), forwarder::capacity(place));
        let life = Life::new(epoch);
        let config = NodeConfig { own, epoch, seed, secret, utc_offset_seconds, sfu };
        let node = Node::new(Arc::clone(&topology), &config, clock.now())?;

        let admin = place.admin.map(|address| bind_admin(address, &state_dir, place)).transpose()?;
        let (gateway, (gateway_events, calls)) = open_gateway(&topology, place, files)?;
        let (links, link_events) = open_links(&topology, place, &life, options)?.unzip();
        let (forwarder, media) = Forwarder::start(place)?;
        let (recordings, recorder) = Recordings::open(place, &forwarder)?;
        let (questions, asked) = mpsc::channel(QUESTIONS_MAX);
        let commands = mpsc::channel(1);
        let name = place.name.clone();
        let desk =
            Desk::new(Arc::clone(&topology), own, questions.clone(), forwarder.clone(), recordings.clone());
        let certificates = expiry::in_use(&topology, place);
        let place = driver::Place { topology, own, life, state_dir, certificates };
        Ok(Self {
            name,
            driver: Driver::new(node, place, clock, logins, forwarder, recordings, commands.0.clone()),
            sources: Sources {
                gateway: gateway_events,
                rest: calls,
                links: link_events,
                media,
                recorder,
                questions: asked,
            },
            questions,
            commands,
            gateway,
            links,
            admin,
            desk,
        })
    }

    /// Begins to serve.
    pub fn spawn(self) -> RunningNode {
        tracing::info!(node = %self.name, epoch = self.driver.place.life.get().0, "node started");
        let (mut driver, mut admin) = (JoinSet::new(), JoinSet::new());
        let (machine, sources) = (self.driver, self.sources);
        let recordings = machine.recordings.clone();
        let mut tidying = JoinSet::new();
        tidying.spawn(recordings.clone().tidy());
        tidying.spawn(expiry::remind(self.name.clone(), machine.place.certificates.clone()));
        driver.spawn(machine.run(sources));
        let (_nobody_asks, mut admin_requests) = mpsc::channel(1);
        let (stop_admin, stopping) = oneshot::channel();
        if let Some(Admin { listener, service, hosts, requests }) = self.admin {
            admin_requests = requests;
            let counters = Arc::clone(service.counters());
            admin.spawn(async move {
                let router = taoyao_admin::router(service);
                taoyao_admin::serve(listener, router, hosts, &counters, ended(stopping)).await;
                Ok(())
            });
        }
        let (commands, commanded) = self.commands;
        let supervisor = Supervisor {
            node: self.name,
            gateway: self.gateway,
            links: self.links,
            driver,
            admin,
            admin_requests,
            stop_admin,
            recordings,
            tidying,
            questions: self.questions,
            commands: commanded,
            desk: self.desk,
        };
        RunningNode::start(supervisor, commands)
    }
}

/// Of this process alone.
fn fresh_key() -> Result<[u8; 32], StartError> {
    let mut key = [0; 32];
    getrandom::fill(&mut key).map_err(StartError::Random)?;
    Ok(key)
}

fn bind_admin(address: SocketAddr, state_dir: &StateDir, place: &Place) -> Result<Admin, StartError> {
    let listener = bind(address).map_err(|source| StartError::Admin { address, source })?;
    let (sender, requests) = mpsc::channel(ADMIN_REQUESTS_MAX);
    let token_file = token_path(&place.state_dir);
    let token = ApiToken::new(state_dir.new_token()?, token_file.display().to_string())
        .with_reader(state_dir.new_reader_token()?);
    let service = AdminService::new(sender, token);
    Ok(Admin { listener, service, hosts: admin_hosts(place), requests })
}

/// Names under which operators may ask: those that the topology gives for it, and those under which others reach the node.
fn admin_hosts(place: &Place) -> Hosts {
    let terminals = place.terminals.iter().map(|terminals| terminals.advertise.host.as_str());
    let links = place.links.iter().map(|links| links.advertise.host.as_str());
    Hosts::ours(place.admin_hosts.iter().map(String::as_str).chain(terminals).chain(links))
}

/// Completes when the supervisor lets go of the other end.
async fn ended(stopping: oneshot::Receiver<()>) {
    let _let_go = stopping.await;
}

fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket =
        if address.is_ipv4() { tokio::net::TcpSocket::new_v4()? } else { tokio::net::TcpSocket::new_v6()? };
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(128)
}

type Opened<T, E> = Option<(T, mpsc::Receiver<E>)>;

/// The listeners, and what comes out of them: from terminals, and from callers of the REST interface.
type OpenedGateway =
    (Option<Gateway>, (Option<mpsc::Receiver<GatewayEvent>>, Option<mpsc::Receiver<RestRequest>>));

fn open_gateway(topology: &Arc<Topology>, place: &Place, files: usize) -> Result<OpenedGateway, StartError> {
    let Some(terminals) = &place.terminals else { return Ok((None, (None, None))) };
    let tls = credentials::for_terminals(topology.certs(), place, terminals)?;
    let (events, received) = mpsc::channel(GATEWAY_EVENTS_MAX);
    let mut config = GatewayConfig::new(terminals.listen, tls);
    config.tcp = sockets::listeners(topology.certs(), place, terminals)?;
    let (limits, guard) = (topology.limits(), &terminals.guard);
    config.connections_max = descriptors::connections(config.connections_max, files);
    config.connections_per_address_max = limits.connections_per_address;
    config.strangers_per_address_max = limits.strangers_per_address;
    config.trusted_proxies = guard.trusted_proxies.clone();
    config.hsts = guard.hsts.unwrap_or(terminals.tls.is_some());
    let nodes = topology.nodes().iter().filter_map(|node| node.terminals.as_ref());
    config.origins = Origins {
        listed: guard.origins.clone(),
        hosts: nodes.map(|terminals| terminals.advertise.host.clone()).collect(),
    };
    sockets::warn(place);
    let (requests, calls) = mpsc::channel(REST_REQUESTS_MAX);
    let (mesh, asked) = (Arc::clone(topology), place.id);
    let services = Services {
        nearest: Arc::new(move |query| nearest::answer(&mesh, asked, &query)),
        rest: Rest::new(requests, configuration::of(topology, place)),
    };
    let gateway = Gateway::start(config, services, events)
        .map_err(|ListenError { address, source }| StartError::Terminals { address, source })?;
    Ok((Some(gateway), (Some(received), Some(calls))))
}

/// Standby parents are not dialled yet: the first is the only one that a node registers with.
fn open_links(
    topology: &Topology,
    place: &Place,
    life: &Life,
    transport: NodeOptions,
) -> Result<Opened<Links, LinkEvent>, StartError> {
    let parent = place.parent().and_then(|id| topology.node(id));
    if parent.is_none() && place.children.is_empty() {
        return Ok(None);
    }
    let address_of = |parent: &Place| {
        let links = parent.links.as_ref()?;
        Some(ParentAddr { name: parent.name.clone(), address: links.advertise.to_string() })
    };
    let names = |nodes: &[NodeId]| -> BTreeSet<NodeName> {
        nodes.iter().filter_map(|id| topology.node(*id)).map(|node| node.name.clone()).collect()
    };
    let (events, received) = mpsc::channel(LINK_EVENTS_MAX);
    let config = LinkConfig {
        org: topology.org().to_owned(),
        own: place.name.clone(),
        life: life.clone(),
        generation: topology.generation(),
        features: 0,
        listen: place.links.as_ref().map(|links| links.listen),
        parents: parent.and_then(address_of).into_iter().collect(),
        children: names(&place.children),
        known: topology.nodes().iter().map(|node| node.name.clone()).collect(),
        credentials: credentials::for_links(topology.certs(), place)?,
        transport: transport.transport,
    };
    Ok(Some((Links::start(config, events)?, received)))
}

/// East of Greenwich, now. Terminals are shown local times (reference section 2.1).
fn utc_offset_seconds() -> i32 {
    jiff::tz::TimeZone::system().to_offset(jiff::Timestamp::now()).seconds()
}
