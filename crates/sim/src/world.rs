//! Nodes, links, terminals and one clock: the mesh as a game that can be played again.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use taoyao_auth::{Account, AllowList};
use taoyao_core::{Input, Node, NodeConfig, Output, PasswordDone, PasswordWork, Verified};
use taoyao_topology::Topology;
use taoyao_types::{ConnId, Instant, NodeEpoch, NodeId, Now, Role, TerminalName, Wall, limits};
use taoyao_wire::link::Lane;

use crate::client::{Client, ClientIndex};
use crate::link::{Flight, Link};
use crate::queue::Queue;

/// Where wall clocks start: 2026-01-01.
const WALL_START_MS: u64 = 1_767_225_600_000;

/// The simulated mesh.
#[derive(Debug)]
pub struct World {
    pub(crate) topology: Arc<Topology>,
    pub(crate) rng: fastrand::Rng,
    pub(crate) now: Instant,
    seats: BTreeMap<NodeId, Seat>,
    pub(crate) links: BTreeMap<NodeId, Link>,
    pub(crate) clients: Vec<Client>,
    conns: BTreeMap<ConnId, (NodeId, ClientIndex)>,
    conn_count: u64,
    events: Queue<Event>,
    /// What terminals and nodes complained about; each names an invariant.
    pub(crate) complaints: Vec<String>,
    pub(crate) frames: u64,
}

/// A node's place, with or without a node that runs.
#[derive(Debug)]
struct Seat {
    node: Option<Node>,
    epoch: NodeEpoch,
    /// How far its wall clock is off, in milliseconds.
    skew_ms: i64,
    woken_at: Option<Instant>,
}

#[derive(Debug)]
enum Event {
    /// Something reaches a node, if that is still the same life of it.
    Input {
        node: NodeId,
        epoch: NodeEpoch,
        input: Input,
    },
    Wake {
        node: NodeId,
        epoch: NodeEpoch,
    },
    /// The next frame of a lane arrives.
    Arrival {
        link: NodeId,
        to: NodeId,
        lane: Lane,
    },
    /// One end gives up on a connection.
    Dead {
        link: NodeId,
        end: NodeId,
        generation: u64,
    },
    Dial {
        link: NodeId,
    },
    /// Both ends have a new connection.
    Accepted {
        link: NodeId,
        generation: u64,
    },
    ToClient {
        conn: ConnId,
        text: String,
    },
    CloseClient {
        conn: ConnId,
    },
}

impl World {
    /// A world with all nodes of the topology running and no terminal.
    pub fn new(topology: Topology, seed: u64) -> Self {
        let topology = Arc::new(topology);
        let mut world = Self {
            rng: fastrand::Rng::with_seed(seed),
            now: Instant(1_000_000),
            seats: BTreeMap::new(),
            links: BTreeMap::new(),
            clients: Vec::new(),
            conns: BTreeMap::new(),
            conn_count: 0,
            events: Queue::default(),
            complaints: Vec::new(),
            frames: 0,
            topology: Arc::clone(&topology),
        };
        for node in topology.nodes() {
            let skew_ms = world.rng.i64(-1_500..=1_500);
            world.seats.insert(node.id, Seat { node: None, epoch: NodeEpoch(0), skew_ms, woken_at: None });
            if let Some(parent) = node.parent() {
                world.links.insert(node.id, Link::new(node.id, parent));
            }
        }
        for node in topology.nodes() {
            world.start_node(node.id);
        }
        world
    }

    pub fn topology(&self) -> &Topology {
        &self.topology
    }

    pub fn now(&self) -> Instant {
        self.now
    }

    /// A running node's machine.
    pub fn node(&self, id: NodeId) -> Option<&Node> {
        self.seats.get(&id)?.node.as_ref()
    }

    pub fn client(&self, index: ClientIndex) -> &Client {
        &self.clients[index.0]
    }

    /// Adds a terminal that is not connected yet.
    pub fn add_client(&mut self, name: TerminalName, written: String) -> ClientIndex {
        self.clients.push(Client::new(name, written));
        ClientIndex(self.clients.len() - 1)
    }

    /// Lets `span` of virtual time pass.
    pub fn run_for(&mut self, span: Duration) {
        let until = self.now + span;
        while let Some((at, event)) = self.events.pop(until) {
            self.now = at;
            self.happen(event);
        }
        self.now = until;
    }

    /// Starts a node, in a new life.
    pub fn start_node(&mut self, id: NodeId) {
        let Some(seat) = self.seats.get_mut(&id).filter(|seat| seat.node.is_none()) else { return };
        seat.epoch = NodeEpoch(seat.epoch.0 + 1);
        seat.woken_at = None;
        let config = NodeConfig {
            own: id,
            epoch: seat.epoch,
            seed: self.rng.u64(..),
            secret: [7; 32],
            utc_offset_seconds: 8 * 3600,
        };
        let now = self.read_clocks(id);
        match Node::new(Arc::clone(&self.topology), &config, now) {
            Ok(node) => {
                if let Some(seat) = self.seats.get_mut(&id) {
                    seat.node = Some(node);
                }
            }
            Err(error) => self.complaints.push(error.to_string()),
        }
        self.plan_wake(id);
        if self.links.contains_key(&id) {
            self.plan_dial(id);
        }
    }

    /// Kills a node: its memory, its links and its terminals' connections are gone at once.
    pub fn kill_node(&mut self, id: NodeId) {
        let Some(seat) = self.seats.get_mut(&id) else { return };
        if seat.node.take().is_none() {
            return;
        }
        let touching: Vec<NodeId> = self
            .links
            .values()
            .filter(|link| link.child == id || link.parent == id)
            .map(|link| link.child)
            .collect();
        for key in touching {
            self.break_end(key, id);
        }
        let conns: Vec<ConnId> =
            self.conns.iter().filter(|(_, (node, _))| *node == id).map(|(c, _)| *c).collect();
        for conn in conns {
            self.drop_conn(conn);
        }
    }

    /// Cuts the link of a child to its parent. What is on its way waits until the link heals or somebody gives up.
    pub fn cut(&mut self, child: NodeId) {
        let Some(link) = self.links.get_mut(&child) else { return };
        if std::mem::replace(&mut link.is_cut, true) {
            return;
        }
        let (parent, generations) = (link.parent, [link.child_sees, link.parent_sees]);
        for (end, generation) in [child, parent].into_iter().zip(generations) {
            let Some(generation) = generation else { continue };
            let patience = Duration::from_millis(self.rng.u64(4_500..=5_500));
            self.events.push(self.now + patience, Event::Dead { link: child, end, generation });
        }
    }

    pub fn heal(&mut self, child: NodeId) {
        let Some(link) = self.links.get_mut(&child) else { return };
        if !std::mem::replace(&mut link.is_cut, false) {
            return;
        }
        for (to, lane) in link.release() {
            self.events.push(self.now + Duration::from_millis(200), Event::Arrival { link: child, to, lane });
        }
        self.plan_dial(child);
    }

    pub fn is_cut(&self, child: NodeId) -> bool {
        self.links.get(&child).is_some_and(|link| link.is_cut)
    }

    /// Connects a terminal to a node; an older connection of it stays until somebody closes it.
    pub fn connect(&mut self, index: ClientIndex, node: NodeId) {
        let Some(epoch) = self.life_of(node) else { return };
        self.conn_count += 1;
        let conn = ConnId(self.conn_count);
        self.conns.insert(conn, (node, index));
        self.clients[index.0].connect(node, conn);
        let ip = IpAddr::V4(Ipv4Addr::new(10, 0, (index.0 >> 8) as u8, index.0 as u8));
        let arrives = self.now + self.hop();
        self.events.push(arrives, Event::Input { node, epoch, input: Input::TerminalOpened { conn, ip } });
        let text = self.clients[index.0].register(self.now);
        self.say(index, text);
    }

    /// Breaks a terminal's connection without a farewell.
    pub fn disconnect(&mut self, index: ClientIndex) {
        let Some((node, conn)) = self.clients[index.0].at else { return };
        self.clients[index.0].disconnect();
        self.conns.remove(&conn);
        if let Some(epoch) = self.life_of(node) {
            let arrives = self.now + Duration::from_millis(60);
            self.events.push(arrives, Event::Input { node, epoch, input: Input::TerminalClosed { conn } });
        }
    }

    /// Sends a terminal's message to its node.
    pub fn say(&mut self, index: ClientIndex, text: String) {
        let Some((node, conn)) = self.clients[index.0].at else { return };
        let Some(epoch) = self.life_of(node) else { return };
        // A fixed delay keeps a connection's messages in order.
        let arrives = self.now + Duration::from_millis(30);
        self.events.push(arrives, Event::Input { node, epoch, input: Input::TerminalText { conn, text } });
    }

    /// The terminals that are registered now, with their nodes: the truth that every directory is judged by.
    pub fn truth(&self) -> BTreeMap<TerminalName, NodeId> {
        let here = self.clients.iter().filter(|client| client.is_registered);
        here.filter_map(|client| Some((client.name.clone(), client.at?.0))).collect()
    }

    /// A number that tells the lives of a node's counters apart in messages.
    pub(crate) fn life_of(&self, node: NodeId) -> Option<NodeEpoch> {
        let seat = self.seats.get(&node)?;
        seat.node.as_ref().map(|_| seat.epoch)
    }

    pub(crate) fn running(&self) -> BTreeSet<NodeId> {
        self.seats.iter().filter(|(_, seat)| seat.node.is_some()).map(|(id, _)| *id).collect()
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Input { node, epoch, input } => self.input(node, epoch, input),
            Event::Wake { node, epoch } => self.wake(node, epoch),
            Event::Arrival { link, to, lane } => self.land(link, to, lane),
            Event::Dead { link, end, generation } => self.give_up(link, end, generation),
            Event::Dial { link } => self.dial(link),
            Event::Accepted { link, generation } => self.accepted(link, generation),
            Event::ToClient { conn, text } => self.hear(conn, &text),
            Event::CloseClient { conn } => self.drop_conn(conn),
        }
    }

    fn input(&mut self, id: NodeId, epoch: NodeEpoch, input: Input) {
        let now = self.read_clocks(id);
        let Some(node) = self.alive(id, epoch) else { return };
        node.handle_input(now, input);
        self.drain(id);
    }

    fn wake(&mut self, id: NodeId, epoch: NodeEpoch) {
        let now = self.read_clocks(id);
        let Some(node) = self.alive(id, epoch) else { return };
        if node.poll_timeout() <= now.mono {
            node.handle_timeout(now);
        }
        if let Some(seat) = self.seats.get_mut(&id) {
            seat.woken_at = None;
        }
        self.drain(id);
    }

    fn alive(&mut self, id: NodeId, epoch: NodeEpoch) -> Option<&mut Node> {
        let seat = self.seats.get_mut(&id).filter(|seat| seat.epoch == epoch)?;
        seat.node.as_mut()
    }

    fn drain(&mut self, id: NodeId) {
        let Some(epoch) = self.life_of(id) else { return };
        while let Some(output) = self.alive(id, epoch).and_then(Node::poll_output) {
            self.carry_out(id, epoch, output);
        }
        self.plan_wake(id);
    }

    fn carry_out(&mut self, id: NodeId, epoch: NodeEpoch, output: Output) {
        match output {
            Output::ToTerminal { conn, text } => {
                self.events.push(self.now + Duration::from_millis(30), Event::ToClient { conn, text });
            }
            Output::CloseTerminal { conn, .. } => {
                self.events.push(self.now + Duration::from_millis(30), Event::CloseClient { conn });
                let input = Input::TerminalClosed { conn };
                self.events
                    .push(self.now + Duration::from_millis(31), Event::Input { node: id, epoch, input });
            }
            Output::Verify { conn, number, .. } => {
                let verified = Verified::Accepted(Account::new(
                    "sim",
                    [Role::Terminal],
                    AllowList::default(),
                    Vec::new(),
                ));
                let input = Input::Verified { conn, number, verified };
                self.events
                    .push(self.now + Duration::from_millis(40), Event::Input { node: id, epoch, input });
            }
            Output::Password { number, work } => {
                let done = match work {
                    PasswordWork::Hash(password) => PasswordDone::Hashed(password.0),
                    PasswordWork::Check(password, hash) if password.0 == hash => PasswordDone::Matches,
                    PasswordWork::Check(..) => PasswordDone::Differs,
                };
                let input = Input::Password { number, done };
                self.events
                    .push(self.now + Duration::from_millis(20), Event::Input { node: id, epoch, input });
            }
            Output::ToLink { peer, lane, frame } => self.send(id, peer, lane, frame),
            Output::CloseLink { peer, reason } => {
                self.complaints.push(format!("{id} closes its link to {peer}: {reason}"));
            }
            Output::Audit(_) => {}
            Output::Alarm(alarm) => self.complaints.push(format!("I11: {id} raises {alarm:?}")),
            Output::Traced { .. } | Output::Listed { .. } => {}
        }
    }

    fn plan_wake(&mut self, id: NodeId) {
        let Some(seat) = self.seats.get_mut(&id) else { return };
        let Some(node) = &seat.node else { return };
        let due = node.poll_timeout().max(self.now + Duration::from_millis(1));
        if seat.woken_at.is_none_or(|planned| due < planned) {
            seat.woken_at = Some(due);
            self.events.push(due, Event::Wake { node: id, epoch: seat.epoch });
        }
    }

    fn read_clocks(&self, id: NodeId) -> Now {
        let skew = self.seats.get(&id).map_or(0, |seat| seat.skew_ms);
        let wall = (WALL_START_MS + self.now.0 / 1_000).saturating_add_signed(skew);
        Now { mono: self.now, wall: Wall(wall) }
    }

    fn hop(&mut self) -> Duration {
        Duration::from_micros(self.rng.u64(200..=20_000))
    }

    // Links

    fn link_between(&mut self, a: NodeId, b: NodeId) -> Option<(NodeId, &mut Link)> {
        let key = if self.links.get(&a).is_some_and(|link| link.parent == b) { a } else { b };
        self.links.get_mut(&key).map(|link| (key, link))
    }

    fn send(&mut self, from: NodeId, to: NodeId, lane: Lane, frame: Bytes) {
        self.frames += 1;
        let Some((key, link)) = self.link_between(from, to) else { return };
        let Some(generation) = link.seen_by(from) else { return };
        // QUIC sends a lost packet again: a loss on a stream is a delay.
        let resent = self.rng.u32(0..100) < 3;
        if lane == Lane::Datagram && resent {
            return;
        }
        let delay = self.hop() + Duration::from_millis(if resent { 120 } else { 0 });
        self.fly(key, Flight { to, generation, lane, frame }, delay);
    }

    fn fly(&mut self, key: NodeId, flight: Flight, delay: Duration) {
        let wanted = self.now + delay;
        let (to, lane) = (flight.to, flight.lane);
        let Some(link) = self.links.get_mut(&key) else { return };
        let arrives = link.depart(flight, wanted);
        self.events.push(arrives, Event::Arrival { link: key, to, lane });
    }

    fn land(&mut self, key: NodeId, to: NodeId, lane: Lane) {
        let Some(link) = self.links.get_mut(&key) else { return };
        let Some(flight) = link.arrive(to, lane) else { return };
        if link.seen_by(to) != Some(flight.generation) {
            return;
        }
        let peer = link.other(to);
        if let Some(epoch) = self.life_of(to) {
            self.input(to, epoch, Input::LinkFrame { peer, frame: flight.frame });
        }
    }

    /// One end of a link has vanished; the other one finds out by silence.
    fn break_end(&mut self, key: NodeId, end: NodeId) {
        let silence = Duration::from_millis(self.rng.u64(100..=5_000));
        let Some(link) = self.links.get_mut(&key) else { return };
        link.set_seen(end, None);
        let other = link.other(end);
        if let Some(generation) = link.seen_by(other) {
            self.events.push(self.now + silence, Event::Dead { link: key, end: other, generation });
        }
    }

    /// An end gives up on a connection, unless the cut that made it doubt has healed or a newer one is there.
    fn give_up(&mut self, key: NodeId, end: NodeId, generation: u64) {
        let Some(link) = self.links.get_mut(&key) else { return };
        let other = link.other(end);
        let is_whole = !link.is_cut && link.seen_by(other) == Some(generation);
        if link.seen_by(end) != Some(generation) || is_whole {
            return;
        }
        link.set_seen(end, None);
        let peer_waits = link.seen_by(other) == Some(generation);
        if let Some(epoch) = self.life_of(end) {
            let reason = "no sign of life for 5 s".to_owned();
            self.input(end, epoch, Input::LinkDown { peer: other, reason });
        }
        if peer_waits {
            let later = self.now + Duration::from_millis(self.rng.u64(100..=1_500));
            self.events.push(later, Event::Dead { link: key, end: other, generation });
        }
        self.plan_dial(key);
    }

    fn plan_dial(&mut self, key: NodeId) {
        let wait = Duration::from_millis(self.rng.u64(20..=800));
        self.events.push(self.now + wait, Event::Dial { link: key });
    }

    /// The child dials, whether or not the parent has noticed that the last connection is dead.
    fn dial(&mut self, key: NodeId) {
        let Some(link) = self.links.get(&key) else { return };
        let (child, parent) = (link.child, link.parent);
        let is_idle = link.child_sees.is_none() && !link.is_cut && !link.is_dialling;
        if !is_idle || self.life_of(child).is_none() {
            return;
        }
        if self.life_of(parent).is_none() {
            return self.plan_dial(key);
        }
        let delay = self.hop();
        let Some(link) = self.links.get_mut(&key) else { return };
        link.generation += 1;
        let generation = link.generation;
        link.is_dialling = true;
        self.events.push(self.now + delay, Event::Accepted { link: key, generation });
    }

    fn accepted(&mut self, key: NodeId, generation: u64) {
        let Some(link) = self.links.get_mut(&key) else { return };
        link.is_dialling = false;
        let (child, parent, is_cut) = (link.child, link.parent, link.is_cut);
        let (Some(child_epoch), Some(parent_epoch)) = (self.life_of(child), self.life_of(parent)) else {
            return self.plan_dial(key);
        };
        if is_cut {
            return;
        }
        if let Some(link) = self.links.get_mut(&key) {
            (link.child_sees, link.parent_sees) = (Some(generation), Some(generation));
        }
        self.input(parent, parent_epoch, Input::LinkUp { peer: child, epoch: child_epoch });
        self.input(child, child_epoch, Input::LinkUp { peer: parent, epoch: parent_epoch });
    }

    // Terminals

    fn hear(&mut self, conn: ConnId, text: &str) {
        let Some((_, index)) = self.conns.get(&conn).copied() else { return };
        let client = &mut self.clients[index.0];
        if client.at.map(|(_, current)| current) != Some(conn) {
            return;
        }
        let (replies, complaints) = client.hear(self.now, text);
        self.complaints.extend(complaints);
        for reply in replies {
            self.say(index, reply);
        }
    }

    fn drop_conn(&mut self, conn: ConnId) {
        let Some((_, index)) = self.conns.remove(&conn) else { return };
        let client = &mut self.clients[index.0];
        if client.at.map(|(_, current)| current) == Some(conn) {
            client.disconnect();
        }
    }

    /// Requests that have waited longer than a terminal would.
    pub(crate) fn complain_of_silence(&mut self) {
        let late = Duration::from_millis(5_200);
        for client in &mut self.clients {
            let name = &client.name;
            let over = client.pending.iter().filter(|(_, (_, since))| self.now.since(*since) > late);
            let over: Vec<(i64, &'static str)> = over.map(|(id, (signal, _))| (*id, *signal)).collect();
            for (id, signal) in over {
                self.complaints.push(format!("I8: {name} never got an answer to {signal}"));
                client.pending.remove(&id);
            }
        }
    }
}

/// Longer than every lease, tombstone and time-out: after this much peace everything must agree.
pub(crate) const PEACE: Duration = Duration::from_secs(limits::LEASE.as_secs() + 90);
