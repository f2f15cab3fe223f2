//! Nodes, links, terminals and one clock: the mesh as a game that can be played again.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use taoyao_auth::{Account, AllowList};
use taoyao_core::{Alarm, Input, Node, NodeConfig, Output, PasswordDone, PasswordWork, Verified};
use taoyao_ortc::Command;
use taoyao_topology::Topology;
use taoyao_types::{ConnId, Instant, NodeEpoch, NodeId, Now, PartitionId, Role, TerminalName, Wall, limits};
use taoyao_wire::link::Lane;

use crate::client::{Client, ClientIndex};
use crate::forger::{Forger, Forgeries};
use crate::link::Link;
use crate::queue::Queue;
use crate::sfu::ModelSfu;

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
    /// Rooms that terminals tell each other of.
    pub(crate) rooms: Vec<String>,
    conns: BTreeMap<ConnId, (NodeId, ClientIndex)>,
    conn_count: u64,
    pub(crate) events: Queue<Event>,
    /// What terminals and nodes complained about; each names an invariant.
    pub(crate) complaints: Vec<String>,
    pub(crate) frames: u64,
    forger: Option<Forger>,
    /// How often an honest node noticed that the forger went too far.
    pub(crate) alarms: u64,
}

/// A node's place, with or without a node that runs.
#[derive(Debug)]
struct Seat {
    node: Option<Node>,
    sfu: ModelSfu,
    /// Counts its starts, to tell what was meant for an earlier one.
    epoch: NodeEpoch,
    /// In which it greets its neighbours: the same, unless its state was restored or it was outlived.
    life: NodeEpoch,
    /// How far its wall clock is off, in milliseconds.
    skew_ms: i64,
    woken_at: Option<Instant>,
}

impl Seat {
    /// Counts another start, in another life.
    fn begin(&mut self) {
        self.epoch = NodeEpoch(self.epoch.0 + 1);
        self.life = NodeEpoch(self.life.0 + 1);
    }
}

#[derive(Debug)]
pub(crate) enum Event {
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
            rooms: Vec::new(),
            conns: BTreeMap::new(),
            conn_count: 0,
            events: Queue::default(),
            complaints: Vec::new(),
            frames: 0,
            forger: None,
            alarms: 0,
            topology: Arc::clone(&topology),
        };
        for node in topology.nodes() {
            let skew_ms = world.rng.i64(-1_500..=1_500);
            world.seats.insert(
                node.id,
                Seat {
                    node: None,
                    sfu: ModelSfu::default(),
                    epoch: NodeEpoch(0),
                    life: NodeEpoch(0),
                    skew_ms,
                    woken_at: None,
                },
            );
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

    /// What the SFU of a node was asked for.
    pub fn sfu(&self, id: NodeId) -> Option<&ModelSfu> {
        self.seats.get(&id).map(|seat| &seat.sfu)
    }

    pub fn client(&self, index: ClientIndex) -> &Client {
        &self.clients[index.0]
    }

    /// Adds a terminal that is not connected yet.
    pub fn add_client(&mut self, name: TerminalName, written: String) -> ClientIndex {
        if let Some(forger) = &mut self.forger {
            forger.aim_at(name.clone());
        }
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
        if self.is_forger(id) {
            return;
        }
        let Some(seat) = self.seats.get_mut(&id).filter(|seat| seat.node.is_none()) else { return };
        seat.begin();
        seat.woken_at = None;
        seat.sfu = ModelSfu::default();
        let config = NodeConfig {
            own: id,
            epoch: seat.life,
            seed: self.rng.u64(..),
            secret: [7; 32],
            utc_offset_seconds: 8 * 3600,
            sfu: taoyao_ortc::Capacity::default(),
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

    /// Puts a forger into the place of a node that has a parent. It stays there.
    pub fn put_forger(&mut self, id: NodeId) {
        let Some(parent) = self.links.get(&id).map(|link| link.parent) else { return };
        self.kill_node(id);
        if let Some(seat) = self.seats.get_mut(&id) {
            seat.begin();
        }
        self.forger = Some(Forger::new(Arc::clone(&self.topology), id, parent));
        self.plan_dial(id);
    }

    pub(crate) fn has_forger(&self) -> bool {
        self.forger.is_some()
    }

    pub fn is_forger(&self, id: NodeId) -> bool {
        self.forger.as_ref().is_some_and(|forger| forger.own == id)
    }

    /// Whether the terminals of this partition are at the forger's mercy.
    pub(crate) fn is_tainted(&self, partition: PartitionId) -> bool {
        self.forger.as_ref().is_some_and(|forger| forger.may_register(partition))
    }

    /// Whether a node is the forger or behind it.
    pub(crate) fn is_behind_forger(&self, node: NodeId) -> bool {
        self.forger.as_ref().is_some_and(|forger| self.topology.is_below(node, forger.own))
    }

    /// Lets the forger do one thing that it may not.
    pub(crate) fn forge(&mut self) {
        let Some(mut forger) = self.forger.take() else { return };
        let forgeries = forger.forge(self.read_clocks(forger.own), &mut self.rng);
        self.utter(forger, forgeries);
    }

    /// Puts the forger back and sends what it says.
    fn utter(&mut self, forger: Forger, forgeries: Forgeries) {
        let (own, parent) = (forger.own, forger.parent);
        self.forger = Some(forger);
        for (lane, frame) in forgeries {
            self.send(own, parent, lane, frame);
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

    /// Puts a node's wall clock ahead or behind, by so many milliseconds of the true time.
    pub fn set_clock(&mut self, id: NodeId, skew_ms: i64) {
        if let Some(seat) = self.seats.get_mut(&id) {
            seat.skew_ms = skew_ms;
        }
    }

    /// As if a backup of its state were restored: the next start of the node is in this life.
    pub fn set_life(&mut self, id: NodeId, life: NodeEpoch) {
        if let Some(seat) = self.seats.get_mut(&id) {
            seat.life = NodeEpoch(life.0.saturating_sub(1));
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
        self.events.push(
            arrives,
            Event::Input { node, epoch, input: Input::TerminalOpened { conn, ip, message_max: None } },
        );
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
        (seat.node.is_some() || self.is_forger(node)).then_some(seat.epoch)
    }

    /// The life in which a node greets its neighbours.
    pub(crate) fn greets_in(&self, node: NodeId) -> Option<NodeEpoch> {
        self.life_of(node)?;
        self.seats.get(&node).map(|seat| seat.life)
    }

    /// The node lives on in a higher life than its neighbours remember, and greets them in it.
    fn live_on(&mut self, id: NodeId, epoch: NodeEpoch, last: NodeEpoch) {
        let life = NodeEpoch(last.0 + 1);
        if let Some(seat) = self.seats.get_mut(&id) {
            seat.life = life;
        }
        self.events.push(self.now, Event::Input { node: id, epoch, input: Input::NewLife { epoch: life } });
        let touching = self.links.values().filter(|link| link.child == id || link.parent == id);
        for (child, parent) in touching.map(|link| (link.child, link.parent)).collect::<Vec<_>>() {
            let peer = if child == id { parent } else { child };
            self.close_link(id, peer, "a higher life".to_owned());
        }
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

    pub(crate) fn input(&mut self, id: NodeId, epoch: NodeEpoch, input: Input) {
        if let Some(mut forger) = self.forger.take_if(|forger| forger.own == id) {
            let forgeries = forger.hear(input);
            return self.utter(forger, forgeries);
        }
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
            Output::CloseLink { peer, reason } if self.is_forger(peer) => {
                self.alarms += 1;
                self.close_link(id, peer, reason);
            }
            Output::CloseLink { peer, reason } => {
                self.complaints.push(format!("{} closes its link to {}: {reason}", id.hex(), peer.hex()));
            }
            // No account of a storm may do anything to a node, and no client has a share that a stranger has not.
            Output::Perform { .. } | Output::Audit(_) | Output::Admitted { .. } => {}
            Output::Media(command) => self.ask_sfu(id, epoch, command),
            // No terminal of a storm records another.
            Output::Record(_) => {}
            Output::Outlived { last } => self.live_on(id, epoch, last),
            // Clocks of storms are further apart than a node takes for well.
            Output::Alarm(Alarm::Clock { .. }) => {}
            Output::Alarm(Alarm::Authority { peer, .. }) if self.is_forger(peer) => self.alarms += 1,
            Output::Alarm(alarm) => self.complaints.push(format!("I11: {} raises {alarm:?}", id.hex())),
            Output::Traced { .. } | Output::Listed { .. } => {}
        }
    }

    /// A node's SFU dies with its node. A fixed delay keeps its answers in order.
    fn ask_sfu(&mut self, id: NodeId, epoch: NodeEpoch, command: Command) {
        let Some(seat) = self.seats.get_mut(&id) else { return };
        if let Some(event) = seat.sfu.carry_out(command) {
            let (at, input) = (self.now + Duration::from_millis(10), Input::Media(event));
            self.events.push(at, Event::Input { node: id, epoch, input });
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

    pub(crate) fn hop(&mut self) -> Duration {
        Duration::from_micros(self.rng.u64(200..=20_000))
    }

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

    /// Whether no node waits for an answer.
    pub(crate) fn is_at_rest(&self) -> bool {
        self.topology
            .nodes()
            .iter()
            .filter_map(|node| self.node(node.id))
            .all(|node| node.router().pending() == 0)
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
