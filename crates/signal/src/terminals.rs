//! The machine as a whole: its parts, its inputs, its outputs.

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;

use taoyao_auth::Account;
use taoyao_ortc::{Event, Recorded};
use taoyao_types::{
    ConnId, Instant, NodeEpoch, NodeId, Now, PartitionId, PartitionName, TerminalKey, TerminalName, limits,
};
use taoyao_wire::terminal::{ServerIds, UtcOffset};

use crate::accounts::Accounts;
use crate::alarm::{Kept, Outbox};
use crate::allowance::Allowances;
use crate::announcer::Announcer;
use crate::asks::Asks;
use crate::calls::Calls;
use crate::config::TerminalsConfig;
use crate::deed::{Deeds, Performed};
use crate::gatherings::Gatherings;
use crate::guest::Guest;
use crate::hlc::LoginClock;
use crate::index::Indexes;
use crate::io::{Dismissal, MeshEvent, Output, Verified};
use crate::lines::Lines;
use crate::pending::Pending;
use crate::registry::Registry;
use crate::room::{Checks, MediaDeadlines, MediaShares, NewsKept, PasswordDone, RoomIds, Rooms, Seats};
use crate::session_ids::SessionIds;
use crate::stats::Stats;
use crate::timers::{Alarm, Timers};
use crate::watch::Watch;

/// The terminals of one node. See the crate's documentation for the order of calls.
///
/// Each part keeps its own invariants; what happens between them is written by subject: `receive` (what a terminal
/// says), `mesh` (what the mesh says), `register`, `departure`, `presence`, `list`, `status`, `message`, `session`.
#[derive(Debug)]
pub struct Terminals {
    pub(crate) config: TerminalsConfig,
    pub(crate) offset: UtcOffset,
    pub(crate) partitions: BTreeMap<PartitionId, PartitionName>,
    pub(crate) registry: Registry,
    /// What accounts have of this node.
    pub(crate) accounts: Accounts,
    /// What they may send.
    pub(crate) allowances: Allowances,
    pub(crate) watch: Watch,
    pub(crate) announcer: Announcer,
    pub(crate) calls: Calls,
    pub(crate) asks: Asks,
    pub(crate) pending: Pending,
    pub(crate) timers: Timers,
    pub(crate) indexes: Indexes,
    pub(crate) logins: LoginClock,
    pub(crate) message_ids: ServerIds,
    pub(crate) session_ids: SessionIds,
    pub(crate) lines: Lines,
    /// Bytes of the longest message of connections that take no long ones.
    pub(crate) carriers: BTreeMap<ConnId, usize>,
    /// When a node was last told that nobody here is in a room of its.
    pub(crate) disowned: BTreeMap<NodeId, Instant>,
    pub(crate) rooms: Rooms,
    pub(crate) room_ids: RoomIds,
    pub(crate) checks: Checks,
    /// What the SFU and the recorder have been asked and when they should have answered.
    pub(crate) media_deadlines: MediaDeadlines,
    /// What accounts have of the SFU.
    pub(crate) media_shares: MediaShares,
    /// News of rooms for nodes that have missed them.
    pub(crate) kept: NewsKept,
    /// The lives of the nodes that have asked something of rooms here.
    pub(crate) lives: BTreeMap<NodeId, NodeEpoch>,
    /// Whether the rooms are looked after.
    pub(crate) rooms_watched: bool,
    pub(crate) gatherings: Gatherings,
    pub(crate) lists_watched: bool,
    pub(crate) seats: Seats,
    /// Whether a comparison of seats is due.
    pub(crate) seats_compared: bool,
    /// Alarms of the partitions of this node.
    pub(crate) alarms: Kept,
    /// Alarms of terminals here, for others.
    pub(crate) outbox: Outbox,
    pub(crate) deeds: Deeds,
    pub(crate) verifications: u64,
    /// Until when tickets of earlier lives are good; none before the first connection.
    pub(crate) tickets_until: Option<Instant>,
    pub(crate) draining: bool,
    pub(crate) outputs: VecDeque<Output>,
    pub(crate) stats: Stats,
}

/// One end of a peer-to-peer session, for people who look at a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionEnd {
    pub session: String,
    /// Connected to this node.
    pub terminal: TerminalName,
    pub peer: TerminalName,
}

impl Terminals {
    /// A machine without terminals. `seed` must differ from start to start: ids of sessions are made from it.
    pub fn new(config: TerminalsConfig, seed: u64) -> Self {
        let offset = UtcOffset::from_seconds(config.utc_offset_seconds);
        let partitions = config.partitions.iter().chain(&config.serves);
        Self {
            offset,
            partitions: partitions.map(|name| (PartitionId::of(name), name.clone())).collect(),
            registry: Registry::default(),
            accounts: Accounts::new(config.account.terminals, config.terminals_max),
            allowances: Allowances::default(),
            watch: Watch::default(),
            announcer: Announcer::new(Instant::default()),
            calls: Calls::new(config.account.calls_unanswered),
            asks: Asks::default(),
            pending: Pending::default(),
            timers: Timers::default(),
            indexes: Indexes::default(),
            logins: LoginClock::default(),
            message_ids: ServerIds::new(config.server_index, offset),
            session_ids: SessionIds::new(seed, config.node_id),
            lines: Lines::default(),
            carriers: BTreeMap::new(),
            disowned: BTreeMap::new(),
            rooms: Rooms::new(config.account.rooms, config.rooms.sfu.rooms),
            room_ids: RoomIds::new(SessionIds::new(!seed, config.node_id)),
            checks: Checks::new(config.account.room_passwords),
            media_deadlines: MediaDeadlines::default(),
            media_shares: MediaShares::new(&config.account, &config.rooms.sfu),
            kept: NewsKept::default(),
            lives: BTreeMap::new(),
            rooms_watched: false,
            gatherings: Gatherings::default(),
            lists_watched: false,
            seats: Seats::default(),
            seats_compared: false,
            alarms: Kept::new(config.account.alarms),
            outbox: Outbox::new(config.account.alarms),
            deeds: Deeds::default(),
            verifications: 0,
            tickets_until: None,
            draining: false,
            outputs: VecDeque::new(),
            stats: Stats::default(),
            config,
        }
    }

    /// A terminal has connected from `ip`. It has [`limits::UNREGISTERED_MAX`] to register.
    pub fn handle_opened(&mut self, now: Now, conn: ConnId, ip: IpAddr) {
        self.tickets_until.get_or_insert(now.mono + limits::TICKETS_OUTLIVE);
        self.registry.open(conn, ip);
        self.timers.set(now.mono + limits::UNREGISTERED_MAX, Alarm::Unregistered(conn));
        self.settle(now);
    }

    /// What this connection is sent must have no more bytes: lists are cut to that, and what cannot be is the shell's to
    /// refuse. Without it a message has [`limits::TERMINAL_MESSAGE_BYTES_MAX`] at most.
    pub fn bound_messages(&mut self, conn: ConnId, bytes_max: usize) {
        self.carriers.insert(conn, bytes_max.min(limits::TERMINAL_MESSAGE_BYTES_MAX));
    }

    /// Somebody acts for an account, without a terminal, until [`Terminals::handle_closed`].
    pub fn handle_guest(&mut self, now: Now, conn: ConnId, account: Account) {
        let guest = Guest::new(account, &self.config.home, |partition| self.attaches(partition));
        self.registry.admit_guest(conn, guest);
        self.settle(now);
    }

    /// Whether this node has terminals of the partition, and may therefore speak for it.
    pub(crate) fn attaches(&self, partition: &PartitionName) -> bool {
        *partition == self.config.home || self.config.serves.contains(partition)
    }

    /// A terminal has sent a text message. One of a connection that was closed meanwhile is dropped.
    pub fn handle_text(&mut self, now: Now, conn: ConnId, text: &str) {
        self.stats.messages_in += 1;
        self.stats.bytes_in += text.len() as u64;
        if let Some(conn) = self.lines.inward(conn) {
            self.receive(now, conn, text);
        }
        self.settle(now);
    }

    /// The session of a terminal has to end, whatever it does at the moment. Ends nothing if it is over already.
    pub fn handle_dismissed(&mut self, now: Now, name: &TerminalName, why: Dismissal) {
        if let Some(conn) = self.registry.by_name(name) {
            self.send_away(now, conn, why);
        }
        self.settle(now);
    }

    /// The check of a password, asked for by [`Output::Verify`], has ended.
    pub fn handle_verified(&mut self, now: Now, conn: ConnId, number: u64, verified: Verified) {
        if let Some(conn) = self.lines.inward(conn) {
            self.verified(now, conn, number, verified);
        }
        self.settle(now);
    }

    /// The work of an [`Output::Password`] is done.
    pub fn handle_password(&mut self, now: Now, number: u64, done: PasswordDone) {
        self.password_done(now, number, done);
        self.settle(now);
    }

    /// The deed of an [`Output::Perform`] is done.
    pub fn handle_performed(&mut self, now: Now, number: u64, done: Performed) {
        self.deed_done(now, number, done);
        self.settle(now);
    }

    /// What the node's SFU says: the end of a command of [`Output::Media`], or what it noticed.
    pub fn handle_media(&mut self, now: Now, event: Event) {
        self.media_said(now, event);
        self.settle(now);
    }

    /// What the node's recorder says: the end of a command of [`Output::Record`], or of a recording.
    pub fn handle_recorded(&mut self, now: Now, recorded: Recorded) {
        self.recorder_said(now, recorded);
        self.settle(now);
    }

    /// A connection is gone, whoever closed it.
    pub fn handle_closed(&mut self, now: Now, conn: ConnId) {
        self.carriers.remove(&conn);
        if let Some(conn) = self.lines.inward(conn)
            && !self.linger(now, conn)
        {
            self.hang_up(now, conn);
        }
        self.settle(now);
    }

    /// What the mesh brings.
    pub fn handle_mesh(&mut self, now: Now, event: MeshEvent) {
        self.receive_mesh(now, event);
        self.settle(now);
    }

    /// The time that [`Terminals::poll_timeout`] named has come. Too early does no harm.
    pub fn handle_timeout(&mut self, now: Now) {
        while let Some(alarm) = self.timers.due(now.mono) {
            self.ring(now, alarm);
        }
        self.settle(now);
    }

    /// The node lives on in a higher life than it began with; its terminals stay.
    pub fn handle_new_life(&mut self, epoch: NodeEpoch) {
        self.config.epoch = epoch;
    }

    /// The node is about to end: all terminals leave the mesh and are closed; new ones are not let in.
    pub fn handle_drain(&mut self, now: Now) {
        self.draining = true;
        self.dismiss_all(now);
        self.settle(now);
    }

    /// The next thing to do, in the order in which it must be done.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When [`Terminals::handle_timeout`] wants to be called; changes with every `handle_*`.
    pub fn poll_timeout(&self) -> Option<Instant> {
        [self.timers.next(), self.announcer.ready_at()].into_iter().flatten().min()
    }

    /// The key of a terminal that is connected to this node.
    pub fn find(&self, name: &TerminalName) -> Option<TerminalKey> {
        let conn = self.registry.by_name(name)?;
        self.registry.terminal(conn).map(|terminal| terminal.key)
    }

    /// The terminals of this node, and whose each is.
    pub fn accounts(&self) -> impl Iterator<Item = (&TerminalName, &Account)> {
        self.registry.terminals().map(|terminal| (&terminal.name, &terminal.account))
    }

    /// The ends of peer-to-peer sessions at this node; a session within the node has two.
    pub fn sessions(&self) -> impl Iterator<Item = SessionEnd> {
        self.calls.iter().filter_map(|(session, conn, peer)| {
            let terminal = self.registry.terminal(conn)?.name.clone();
            Some(SessionEnd { session: session.to_owned(), terminal, peer: peer.clone() })
        })
    }

    pub fn stats(&self) -> &Stats {
        &self.stats
    }

    /// Whether the topology has this partition: what it has not is remembered nowhere, so that names cannot pile up.
    pub(crate) fn knows(&self, partition: &PartitionName) -> bool {
        self.config.partitions.contains(partition) || self.config.serves.contains(partition)
    }

    /// What every turn ends with: announcements that may go, interest that changed, numbers of now.
    fn settle(&mut self, now: Now) {
        self.announce_waiting(now);
        if let Some(partitions) = self.watch.settle() {
            self.outputs.push_back(Output::Watch { partitions });
        }
        let stats = &mut self.stats;
        stats.connections = self.registry.connections() as u64;
        stats.registered = self.registry.registered() as u64;
        stats.accounts = self.accounts.len() as u64;
        stats.calls_unanswered = self.calls.unanswered() as u64;
        stats.away = self.lines.away() as u64;
        stats.rooms = self.rooms.len() as u64;
        (stats.transports, stats.plain_ports) = {
            let (transports, plain_ports) = self.media_shares.total();
            (transports as u64, plain_ports as u64)
        };
        stats.room_passwords = self.checks.len() as u64;
        stats.room_news_bytes = self.kept.bytes() as u64;
        stats.alarms_kept = self.alarms.len() as u64;
        stats.alarms_waiting = self.outbox.len() as u64;
        stats.session_ends = self.calls.len() as u64;
        stats.asks_open = self.asks.len() as u64;
        stats.pending_open = self.pending.len() as u64;
        stats.announcements_waiting = self.announcer.len() as u64;
        stats.lists_waiting = self.gatherings.waiting() as u64;
        stats.partitions_watched = self.watch.partitions() as u64;
    }
}
