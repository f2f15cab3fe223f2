//! A mesh without links: as many machines as wanted, joined by direct calls, with a directory that is always right.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::IpAddr;
use std::time::Duration;

use serde_json::{Value, json};
use taoyao_auth::{Account, AllowList, Policy};
use taoyao_ortc::{Command, Event, Happening, RecordCommand, Recorded, RoomName};
use taoyao_signal::{
    AskId, Audit, Deed, Dismissal, MeshEvent, Output, PasswordDone, PasswordWork, RoomLimits, Terminals,
    TerminalsConfig, Token, Verified,
};
use taoyao_sim::ModelSfu;
use taoyao_types::{
    AccountLimits, ConnId, Instant, NodeEpoch, NodeId, NodeName, Now, PartitionId, PolicyRule, Role, SCOPES,
    Scope, SessionEpoch, SignalId, TerminalKey, TerminalName, Wall,
};
use taoyao_wire::link::{
    Complete, Failure, ListEntry, ListPage, ListQuery, Payload, PresenceNews, Reply, RoomAct, Target,
};

use crate::configs::configs;

/// 2023-06-01 12:00:00 UTC.
const START: u64 = 1_685_620_800_000;
pub(crate) const EVERYTHING: [Scope; 7] = SCOPES;

/// A terminal's connection: its node and its number there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Line(pub(crate) usize, pub(crate) ConnId);

pub(crate) struct World {
    pub(crate) nodes: Vec<Terminals>,
    pub(crate) now: Now,
    /// Checks of passwords are not answered while this is set; they gather here.
    pub(crate) hold_checks: bool,
    pub(crate) checks: Vec<(usize, ConnId, u64)>,
    /// Asks that reach their target, but whose replies are replaced by this failure.
    pub(crate) lose_replies: Option<Failure>,
    /// Whether what nodes say of members that have left is lost on the way.
    pub(crate) lose_farewells: bool,
    /// What was given to the mesh, for looking at.
    pub(crate) outputs: Vec<(usize, Output)>,
    /// What the audit logs say.
    /// Connections that are no strangers'.
    pub(crate) admitted: BTreeSet<Line>,
    pub(crate) audits: Vec<Audit>,
    /// What was to be done to a node, until somebody says that it is done.
    pub(crate) deeds: Vec<(usize, u64, Deed)>,
    /// Accounts by name; who is not in here is a plain terminal's.
    pub(crate) accounts: BTreeMap<String, Account>,
    /// What nodes hear of logins elsewhere waits for [`World::release_displaced`].
    pub(crate) hold_displaced: bool,
    displaced: VecDeque<(usize, MeshEvent)>,
    /// Nodes that nothing reaches and that reach nobody.
    pub(crate) cut: BTreeSet<usize>,
    names: Vec<NodeName>,
    configs: Vec<TerminalsConfig>,
    directory: BTreeMap<TerminalKey, (usize, SessionEpoch)>,
    watched: Vec<BTreeSet<PartitionId>>,
    heard: BTreeMap<Line, Vec<String>>,
    closed: BTreeMap<Line, (u16, String)>,
    asked: BTreeMap<u64, (usize, AskId)>,
    conns: u64,
    tokens: u64,
    /// How often each node has started.
    pub(crate) lives: Vec<u32>,
    pub(crate) sfus: Vec<ModelSfu>,
    /// What SFUs answer waits for [`World::release_media`].
    pub(crate) hold_media: bool,
    held: VecDeque<(usize, Event)>,
    /// All that SFUs were asked.
    pub(crate) commands: Vec<Command>,
    /// All that recorders were asked; they answer when a test does.
    pub(crate) recorder: Vec<RecordCommand>,
}

impl World {
    /// Nodes of these names, each with its own default partition, and everything allowed between all.
    pub(crate) fn new(names: &[&str]) -> Self {
        Self::with_policy(names, Policy::new(EVERYTHING.to_vec(), Vec::new()), false)
    }

    /// The same, with this share for each account.
    pub(crate) fn with_shares(names: &[&str], account: AccountLimits) -> Self {
        let policy = Policy::new(EVERYTHING.to_vec(), Vec::new());
        Self::with_all(names, policy, false, (&account, &RoomLimits::default()))
    }

    /// The same, with an SFU at each node; terminals reach what it announces at the port's address of [`reached_at`].
    pub(crate) fn with_sfus(names: &[&str]) -> Self {
        Self::with_policy(names, Policy::new(EVERYTHING.to_vec(), Vec::new()), true)
    }

    /// The same, with rules above.
    pub(crate) fn with_rules(names: &[&str], rules: Vec<PolicyRule>) -> Self {
        Self::with_policy(names, Policy::new(EVERYTHING.to_vec(), rules), false)
    }

    /// With an SFU at each node, and these bounds.
    pub(crate) fn with_limits(names: &[&str], account: &AccountLimits, rooms: &RoomLimits) -> Self {
        let policy = Policy::new(EVERYTHING.to_vec(), Vec::new());
        Self::with_all(names, policy, true, (account, rooms))
    }

    pub(crate) fn with_policy(names: &[&str], policy: Policy, has_sfu: bool) -> Self {
        Self::with_all(names, policy, has_sfu, (&AccountLimits::default(), &RoomLimits::default()))
    }

    fn with_all(
        names: &[&str],
        policy: Policy,
        has_sfu: bool,
        (limits, rooms): (&AccountLimits, &RoomLimits),
    ) -> Self {
        let names: Vec<NodeName> = names.iter().map(|name| name.parse().unwrap()).collect();
        let configs = configs(&names, policy, has_sfu, (limits, rooms));
        let made = |(place, config): (usize, &TerminalsConfig)| Terminals::new(config.clone(), place as u64);
        Self {
            nodes: configs.iter().enumerate().map(made).collect(),
            configs,
            sfus: names.iter().map(|_| ModelSfu::default()).collect(),
            lives: vec![1; names.len()],
            hold_media: false,
            hold_displaced: false,
            displaced: VecDeque::new(),
            held: VecDeque::new(),
            commands: Vec::new(),
            recorder: Vec::new(),
            now: Now { mono: Instant(1_000_000), wall: Wall(START) },
            hold_checks: false,
            checks: Vec::new(),
            lose_replies: None,
            lose_farewells: false,
            outputs: Vec::new(),
            admitted: BTreeSet::new(),
            audits: Vec::new(),
            deeds: Vec::new(),
            accounts: BTreeMap::new(),
            cut: BTreeSet::new(),
            watched: vec![BTreeSet::new(); names.len()],
            names,
            directory: BTreeMap::new(),
            heard: BTreeMap::new(),
            closed: BTreeMap::new(),
            asked: BTreeMap::new(),
            conns: 0,
            tokens: 0,
        }
    }

    pub(crate) fn connect(&mut self, node: usize) -> Line {
        self.conns += 1;
        let line = Line(node, ConnId(self.conns));
        self.nodes[node].handle_opened(self.now, line.1, "10.0.0.7".parse().unwrap());
        self.run();
        line
    }

    /// Connects and registers; what it is told meanwhile is forgotten.
    pub(crate) fn register(&mut self, node: usize, client_id: &str) -> Line {
        self.register_as(node, client_id, "u")
    }

    /// The same, for this account.
    pub(crate) fn register_as(&mut self, node: usize, client_id: &str, username: &str) -> Line {
        let line = self.connect(node);
        let mut body = registration(client_id);
        body["username"] = json!(username);
        self.send(line, 1, "client::register", body);
        assert_eq!(self.hear(line)[0]["body"]["index"].as_u64().map(|index| index > 10_000), Some(true));
        line
    }

    /// Kills the node and starts it again: another life, in which nobody is there.
    pub(crate) fn restart(&mut self, node: usize) {
        self.lives[node] += 1;
        let config = TerminalsConfig { epoch: NodeEpoch(self.lives[node]), ..self.configs[node].clone() };
        self.nodes[node] = Terminals::new(config, u64::from(self.lives[node]) << 8 | node as u64);
        self.directory.retain(|_, (at, _)| *at != node);
        self.watched[node].clear();
        self.asked.retain(|_, (at, _)| *at != node);
    }

    /// Forgets what everybody has heard so far.
    pub(crate) fn hush(&mut self) {
        self.heard.clear();
        self.outputs.clear();
    }

    pub(crate) fn send(&mut self, line: Line, id: i64, signal: &str, body: Value) {
        let header = json!({"v": "1.0.0", "id": id, "signal": signal});
        self.say(line, &json!({"header": header, "body": body}).to_string());
    }

    pub(crate) fn say(&mut self, line: Line, text: &str) {
        self.nodes[line.0].handle_text(self.now, line.1, text);
        self.run();
    }

    pub(crate) fn hang_up(&mut self, line: Line) {
        self.nodes[line.0].handle_closed(self.now, line.1);
        self.run();
    }

    pub(crate) fn verify(&mut self, check: (usize, ConnId, u64), verified: Verified) {
        self.nodes[check.0].handle_verified(self.now, check.1, check.2, verified);
        self.run();
    }

    pub(crate) fn dismiss(&mut self, node: usize, name: &TerminalName, why: Dismissal) {
        self.nodes[node].handle_dismissed(self.now, name, why);
        self.run();
    }

    pub(crate) fn mesh(&mut self, node: usize, event: MeshEvent) {
        self.nodes[node].handle_mesh(self.now, event);
        self.run();
    }

    /// A request of the mesh itself; its reply ends in [`World::outputs`].
    pub(crate) fn request(
        &mut self,
        node: usize,
        target: &str,
        payload: Payload,
        remaining_ms: u32,
    ) -> Token {
        let token = self.token();
        let target = key(target);
        self.mesh(node, MeshEvent::Request { token, target, payload, remaining_ms });
        token
    }

    /// The same for the node itself, from another one of these.
    pub(crate) fn node_request(&mut self, node: usize, origin: usize, payload: Payload) -> Token {
        let token = self.token();
        let origin = NodeId::of(&self.names[origin]);
        self.mesh(node, MeshEvent::NodeRequest { token, origin, payload, remaining_ms: 1_000 });
        token
    }

    /// Lets time pass, waking each node when it wants.
    pub(crate) fn pass(&mut self, span: Duration) {
        let end = self.now.mono + span;
        loop {
            let next = self.nodes.iter().filter_map(Terminals::poll_timeout).min().filter(|at| *at <= end);
            self.go_to(next.unwrap_or(end));
            for node in 0..self.nodes.len() {
                self.nodes[node].handle_timeout(self.now);
            }
            self.run();
            if next.is_none() {
                return;
            }
        }
    }

    /// What a terminal has been sent since it was asked last.
    pub(crate) fn hear(&mut self, line: Line) -> Vec<Value> {
        let read = |text: String| serde_json::from_str(&text).unwrap_or_else(|why| panic!("{why}: {text}"));
        self.heard.remove(&line).unwrap_or_default().into_iter().map(read).collect()
    }

    /// Its only message.
    pub(crate) fn hear_one(&mut self, line: Line) -> Value {
        let mut heard = self.hear(line);
        assert_eq!(heard.len(), 1, "{heard:#?}");
        heard.remove(0)
    }

    pub(crate) fn hears_nothing(&mut self, line: Line) {
        assert_eq!(self.hear(line), Vec::<Value>::new());
    }

    pub(crate) fn closed(&self, line: Line) -> Option<(u16, &str)> {
        self.closed.get(&line).map(|(code, reason)| (*code, reason.as_str()))
    }

    /// The replies that node gave to requests made by [`World::request`].
    pub(crate) fn replies(&self) -> Vec<(Token, Reply)> {
        let reply = |(_, output): &(usize, Output)| match output {
            Output::Reply { token, reply } => Some((*token, reply.clone())),
            _ => None,
        };
        self.outputs.iter().filter_map(reply).collect()
    }

    fn go_to(&mut self, at: Instant) {
        let passed = at.since(self.now.mono);
        self.now.wall = Wall(self.now.wall.0 + passed.as_millis() as u64);
        self.now.mono = at.max(self.now.mono);
    }

    fn token(&mut self) -> Token {
        self.tokens += 1;
        Token(SignalId { origin: NodeId(0), epoch: NodeEpoch(0), count: self.tokens })
    }

    /// Carries everything on until all nodes are quiet.
    pub(crate) fn run(&mut self) {
        let mut todo: VecDeque<(usize, Output)> = VecDeque::new();
        loop {
            for node in 0..self.nodes.len() {
                while let Some(output) = self.nodes[node].poll_output() {
                    todo.push_back((node, output));
                }
            }
            let Some((node, output)) = todo.pop_front() else { return };
            self.outputs.push((node, output.clone()));
            self.carry(node, output);
        }
    }

    fn carry(&mut self, node: usize, output: Output) {
        match output {
            Output::ToTerminal { conn, text } => {
                self.heard.entry(Line(node, conn)).or_default().push(text);
            }
            Output::Close { conn, code, reason } => {
                self.closed.insert(Line(node, conn), (code, reason));
                self.nodes[node].handle_closed(self.now, conn);
            }
            Output::Verify { conn, number, .. } if self.hold_checks => self.checks.push((node, conn, number)),
            Output::Verify { conn, number, username, password, vouched, .. } => {
                let told = vouched.map(|vouched| (self.account(&vouched.account), vouched.version));
                if let Some((account, _)) =
                    told.clone().filter(|(account, version)| account.version == *version)
                {
                    let verified = Verified::Accepted(account);
                    return self.nodes[node].handle_verified(self.now, conn, number, verified);
                }
                if told.is_some() && username.is_empty() {
                    return self.nodes[node].handle_verified(self.now, conn, number, Verified::Refused);
                }
                let accepted = Verified::Accepted(self.account(&username));
                let verified = if password.0 == "wrong" { Verified::Refused } else { accepted };
                self.nodes[node].handle_verified(self.now, conn, number, verified);
            }
            Output::Register { key, session } => self.note(node, key, session),
            Output::Withdraw { key, session } => {
                if self.directory.get(&key) == Some(&(node, session)) {
                    self.directory.remove(&key);
                }
            }
            Output::Ask { ask, payload: Payload::Room(request), .. }
                if self.lose_farewells && request.act == RoomAct::Leave =>
            {
                let reply = Reply::Failed(Failure::Deadline);
                self.nodes[node].handle_mesh(self.now, MeshEvent::Reply { ask, reply });
            }
            Output::Ask { ask, target, payload, .. } => self.ask(node, ask, target, payload),
            Output::Tell { target, payload, .. } => self.tell(node, target, payload),
            Output::Audit(audit) => self.audits.push(audit),
            Output::Admitted { conn } => {
                self.admitted.insert(Line(node, conn));
            }
            Output::Media(command) => self.ask_sfu(node, command),
            Output::Record(command) => self.recorder.push(command),
            Output::Perform { number, deed } => self.deeds.push((node, number, deed)),
            Output::Password { number, work } => {
                let done = match work {
                    PasswordWork::Hash(password) => PasswordDone::Hashed(format!("hash of {}", password.0)),
                    PasswordWork::Check(password, hash) if hash == format!("hash of {}", password.0) => {
                        PasswordDone::Matches
                    }
                    PasswordWork::Check(..) => PasswordDone::Differs,
                };
                self.nodes[node].handle_password(self.now, number, done);
            }
            Output::Reply { token, reply } => {
                if let Some((at, ask)) = self.asked.remove(&token.0.count) {
                    let reply = self.lose_replies.clone().map_or(reply, Reply::Failed);
                    self.nodes[at].handle_mesh(self.now, MeshEvent::Reply { ask, reply });
                }
            }
            Output::Gather { ask, query, .. } => {
                let page = self.gather(&query);
                self.nodes[node].handle_mesh(self.now, MeshEvent::Gathered { ask, page });
            }
            Output::Broadcast { partition, payload, .. } => {
                for at in (0..self.nodes.len()).filter(|at| *at != node) {
                    let event = MeshEvent::Broadcast { partition, payload: payload.clone() };
                    self.nodes[at].handle_mesh(self.now, event);
                }
            }
            Output::Publish { partition, changes, complete } => {
                let origin = NodeId::of(&self.names[node]);
                let id = PartitionId::of(&partition);
                let complete = complete.then(Complete::lost);
                let news = PresenceNews { partition, origin, complete, changes };
                for at in (0..self.nodes.len()).filter(|at| *at != node) {
                    if self.watched[at].contains(&id) {
                        self.nodes[at].handle_mesh(self.now, MeshEvent::Presence(news.clone()));
                    }
                }
            }
            Output::Watch { partitions } => {
                let fresh: Vec<_> = partitions.difference(&self.watched[node]).copied().collect();
                self.watched[node] = partitions;
                for at in (0..self.nodes.len()).filter(|at| *at != node && !fresh.is_empty()) {
                    let event = MeshEvent::Refresh { partitions: fresh.clone() };
                    self.nodes[at].handle_mesh(self.now, event);
                }
            }
        }
    }

    fn ask_sfu(&mut self, node: usize, command: Command) {
        self.commands.push(command.clone());
        if let Some(event) = self.sfus[node].carry_out(command) {
            self.held.push_back((node, event));
        }
        if !self.hold_media {
            self.release_media();
        }
    }

    /// What the SFUs have answered reaches their nodes.
    pub(crate) fn release_media(&mut self) {
        self.hold_media = false;
        while let Some((node, event)) = self.held.pop_front() {
            self.nodes[node].handle_media(self.now, event);
        }
    }

    /// A recorder has done something, well or not.
    pub(crate) fn recorded(&mut self, node: usize, recorded: Recorded) {
        self.nodes[node].handle_recorded(self.now, recorded);
        self.run();
    }

    /// An SFU notices something of a room.
    pub(crate) fn happen(&mut self, node: usize, room: &str, what: Happening) {
        let event = Event::Happened { room: RoomName::from(room), what };
        self.nodes[node].handle_media(self.now, event);
        self.run();
    }

    /// A newer login displaces an older one at another node.
    fn note(&mut self, node: usize, key: TerminalKey, session: SessionEpoch) {
        let origin = NodeId::of(&self.names[node]);
        match self.directory.get(&key).copied() {
            Some((at, older)) if at != node && older < session => {
                self.directory.insert(key, (node, session));
                let outbid = SessionEpoch(session.0 + 1);
                self.displace(at, MeshEvent::Displaced { key, origin: Some(origin), outbid });
            }
            Some((at, newer)) if at != node => {
                let origin = NodeId::of(&self.names[at]);
                let outbid = SessionEpoch(newer.0 + 1);
                self.displace(node, MeshEvent::Displaced { key, origin: Some(origin), outbid });
            }
            _ => drop(self.directory.insert(key, (node, session))),
        }
    }

    fn displace(&mut self, node: usize, event: MeshEvent) {
        match self.hold_displaced {
            true => self.displaced.push_back((node, event)),
            false => self.nodes[node].handle_mesh(self.now, event),
        }
    }

    pub(crate) fn release_displaced(&mut self) {
        self.hold_displaced = false;
        while let Some((node, event)) = self.displaced.pop_front() {
            self.mesh(node, event);
        }
    }

    fn ask(&mut self, node: usize, ask: AskId, target: Target, payload: Payload) {
        let Some(at) = self.place_of(target) else {
            let reply = Reply::Failed(Failure::NoSuchTerminal);
            return self.nodes[node].handle_mesh(self.now, MeshEvent::Reply { ask, reply });
        };
        if self.is_cut(node, at) {
            let failure = Failure::Unreachable { node: self.names[at].clone(), reason: "cut".into() };
            let reply = Reply::Failed(failure);
            return self.nodes[node].handle_mesh(self.now, MeshEvent::Reply { ask, reply });
        }
        let life = NodeEpoch(self.lives[node]);
        let token = Token(SignalId { epoch: life, ..self.token().0 });
        self.asked.insert(token.0.count, (node, ask));
        let (origin, remaining_ms) = (NodeId::of(&self.names[node]), 4_000);
        let event = match target {
            Target::Terminal(target) => MeshEvent::Request { token, target, payload, remaining_ms },
            _ => MeshEvent::NodeRequest { token, origin, payload, remaining_ms },
        };
        self.nodes[at].handle_mesh(self.now, event);
    }

    fn tell(&mut self, node: usize, target: Target, payload: Payload) {
        let Some(at) = self.place_of(target).filter(|at| !self.is_cut(node, *at)) else { return };
        let event = match target {
            Target::Terminal(target) => MeshEvent::Event { target, payload },
            _ => MeshEvent::NodeEvent { origin: NodeId::of(&self.names[node]), payload },
        };
        self.nodes[at].handle_mesh(self.now, event);
    }

    fn place_of(&self, target: Target) -> Option<usize> {
        match target {
            Target::Terminal(key) => self.directory.get(&key).map(|(at, _)| *at),
            Target::Node(id) => self.names.iter().position(|name| NodeId::of(name) == id),
            Target::Members(_) | Target::Watchers(_) => None,
        }
    }

    fn is_cut(&self, from: usize, to: usize) -> bool {
        from != to && (self.cut.contains(&from) || self.cut.contains(&to))
    }

    pub(crate) fn account(&self, name: &str) -> Account {
        let plain = || Account::new(name, [Role::Terminal], AllowList::default(), Vec::new());
        self.accounts.get(name).cloned().unwrap_or_else(plain)
    }

    fn gather(&self, query: &ListQuery) -> ListPage {
        let mut entries: Vec<ListEntry> = self.nodes.iter().flat_map(|node| node.local_list(query)).collect();
        let rank = |entry: &ListEntry| (entry.name.partition != query.home, entry.name.clone());
        entries.sort_by_key(rank);
        entries.truncate(query.limit as usize);
        ListPage { entries, incomplete: Vec::new() }
    }
}

/// What terminals find an SFU at, in meshes with SFUs: its own network's gateway is theirs, too.
pub(crate) fn reached_at(announced: IpAddr, client: IpAddr) -> IpAddr {
    match (announced, client) {
        (IpAddr::V4(_), IpAddr::V4(client)) if client.is_private() => IpAddr::from([10, 0, 0, 1]),
        _ => announced,
    }
}

pub(crate) fn registration(client_id: &str) -> Value {
    json!({
        "clientId": client_id, "name": format!("Name of {client_id}"), "clientType": "web",
        "username": "u", "password": "p", "battery": 87.5, "charging": true,
    })
}

pub(crate) fn key(name: &str) -> TerminalKey {
    TerminalKey::of(&name.parse::<TerminalName>().unwrap())
}

/// The signals of messages, for a glance.
pub(crate) fn signals(messages: &[Value]) -> Vec<&str> {
    messages.iter().map(|message| message["header"]["signal"].as_str().unwrap()).collect()
}

/// Code, text and id of a `platform::error`, whose body must be `{}`.
pub(crate) fn error(message: &Value) -> (&str, &str, i64) {
    assert_eq!(message["header"]["signal"], "platform::error", "{message}");
    assert_eq!(message["body"], json!({}), "{message}");
    let text = |name: &str| message[name].as_str().unwrap();
    (text("code"), text("message"), message["header"]["id"].as_i64().unwrap())
}

/// Whether an id was made by a node: its low eight digits are below those of every terminal's own.
pub(crate) fn is_server_id(message: &Value) -> bool {
    message["header"]["id"].as_i64().unwrap() % 100_000_000 < 10_000_000
        && message["header"]["id"].as_i64() > Some(1 << 40)
}
