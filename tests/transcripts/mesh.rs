//! The demo mesh in virtual time, as calm as can be: every link is up, every frame takes as long, nothing is drawn at
//! random. What terminals are told depends on what they say, and on nothing else.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use taoyao_auth::{Account, AllowList};
use taoyao_core::{Deed, Input, Node, NodeConfig, Output, PasswordDone, PasswordWork, Performed, Verified};
use taoyao_ortc::{Event, Happening, RecordCommand, Recorded, RoomName};
use taoyao_sim::{ModelRoom, ModelSfu};
use taoyao_topology::Topology;
use taoyao_types::{ConnId, Instant, NodeEpoch, NodeId, Now, Role, Wall};
use taoyao_wire::terminal::{Disk, Machine};

const DEMO: &str = include_str!("../../topology/demo.toml");
const POLICY_KEY: &str = "between_partitions = ";
/// Partitions keep nothing from each other here: what policy forbids is told in tests of its own.
const POLICY: &str =
    r#"between_partitions = ["see", "presence", "call", "broadcast", "control", "room", "record"]"#;
/// What accounts may run; nothing runs, see [`perform`].
const SCRIPTS: &str = r#"
[[script]]
name = "lights"
command = ["/usr/local/bin/lights"]
arguments = [{ one_of = ["on", "off"] }]
[[script]]
name = "platform::reboot"
command = ["/usr/local/bin/restart"]
[[script]]
name = "system::reboot"
command = ["/usr/local/bin/reboot"]
"#;
/// 2023-06-01 12:00:00 in Shanghai, where all nodes believe to be.
const START_MS: u64 = 1_685_592_000_000;
const EAST_OF_GREENWICH_S: i32 = 8 * 3600;
const LIFE: NodeEpoch = NodeEpoch(1);
/// Where every recording is.
const RECORDING: &str = "/recordings/1.webm";
/// What a frame takes over a link, and what else takes a moment.
const HOP: Duration = Duration::from_millis(5);
/// Timers ring this late at most, which keeps one that rings again at once from stopping time.
const TICK: Duration = Duration::from_millis(1);
/// Long enough for links to be in step, and for any signal to cross the mesh and come back.
const CALM: Duration = Duration::from_secs(1);

/// All nodes of the demo topology and what is on its way between them.
pub(crate) struct Mesh {
    topology: Arc<Topology>,
    nodes: BTreeMap<NodeId, Node>,
    sfus: BTreeMap<NodeId, ModelSfu>,
    now: Instant,
    coming: BTreeMap<(Instant, u64), (NodeId, Input)>,
    count: u64,
    heard: Vec<(ConnId, Heard)>,
}

/// What a connection gets from its node.
#[derive(Debug)]
pub(crate) enum Heard {
    Text(String),
    Closed { code: u16, reason: String },
}

impl Mesh {
    pub(crate) fn new() -> Self {
        let policy =
            DEMO.lines().find(|line| line.starts_with(POLICY_KEY)).expect("the demo says who may what");
        let text = DEMO.replace(policy, POLICY) + SCRIPTS;
        let topology =
            Arc::new(Topology::parse("demo.toml", &text).expect("the demo topology is well-formed"));
        let mut mesh = Self {
            topology,
            nodes: BTreeMap::new(),
            sfus: BTreeMap::new(),
            now: Instant(0),
            coming: BTreeMap::new(),
            count: 0,
            heard: Vec::new(),
        };
        mesh.start();
        mesh.settle();
        mesh
    }

    pub(crate) fn node(&self, short: &str) -> NodeId {
        let node = self.topology.nodes().iter().find(|node| node.name.short() == short);
        node.unwrap_or_else(|| panic!("the demo has no node {short}")).id
    }

    pub(crate) fn connect(&mut self, node: NodeId, ip: IpAddr) -> ConnId {
        let conn = self.next_conn();
        self.input(node, Input::TerminalOpened { conn, ip, message_max: None });
        conn
    }

    /// A call of the REST interface.
    pub(crate) fn admit_guest(&mut self, node: NodeId, account: &str) -> ConnId {
        let conn = ConnId(self.next_conn().0 | 1 << 63);
        self.input(node, Input::GuestOpened { conn, account: account_of(account) });
        conn
    }

    /// An SFU notices something of each of its rooms.
    pub(crate) fn notice(&mut self, what: impl Fn(&ModelRoom) -> Option<Happening>) {
        let rooms =
            self.sfus.iter().flat_map(|(node, sfu)| sfu.rooms().map(|(name, room)| (*node, name, room)));
        let happened =
            rooms.filter_map(|(node, name, room)| Some((node, RoomName::clone(name), what(room)?)));
        for (node, room, what) in happened.collect::<Vec<_>>() {
            self.input(node, Input::Media(Event::Happened { room, what }));
        }
    }

    /// What happens to a node now.
    pub(crate) fn input(&mut self, node: NodeId, input: Input) {
        self.plan(Duration::ZERO, node, input);
    }

    /// Lets a second pass, and returns what terminals were told in it.
    pub(crate) fn settle(&mut self) -> Vec<(ConnId, Heard)> {
        let end = self.now + CALM;
        while let Some(at) = self.next_at().filter(|at| *at <= end) {
            self.now = at;
            self.happen();
        }
        self.now = end;
        std::mem::take(&mut self.heard)
    }

    fn start(&mut self) {
        for node in self.topology.nodes() {
            let config = NodeConfig {
                own: node.id,
                epoch: LIFE,
                seed: 7,
                secret: [7; 32],
                utc_offset_seconds: EAST_OF_GREENWICH_S,
                sfu: taoyao_ortc::Capacity::default(),
            };
            let machine = Node::new(Arc::clone(&self.topology), &config, self.clocks());
            self.nodes.insert(node.id, machine.expect("it is in the topology"));
        }
        let links = self.topology.nodes().iter().filter_map(|node| Some((node.id, node.parent()?)));
        for (child, parent) in links.collect::<Vec<_>>() {
            self.input(child, Input::LinkUp { peer: parent, epoch: LIFE });
            self.input(parent, Input::LinkUp { peer: child, epoch: LIFE });
        }
    }

    fn next_conn(&mut self) -> ConnId {
        self.count += 1;
        ConnId(self.count)
    }

    fn plan(&mut self, after: Duration, node: NodeId, input: Input) {
        self.count += 1;
        self.coming.insert((self.now + after, self.count), (node, input));
    }

    fn next_at(&self) -> Option<Instant> {
        let timer = self.nodes.values().map(|node| node.poll_timeout().max(self.now + TICK)).min();
        let input = self.coming.keys().next().map(|(at, _)| *at);
        timer.into_iter().chain(input).min()
    }

    /// Whatever is due now.
    fn happen(&mut self) {
        let now = self.clocks();
        while let Some(entry) = self.coming.first_entry().filter(|entry| entry.key().0 <= now.mono) {
            let (id, input) = entry.remove();
            self.nodes.get_mut(&id).expect("nodes do not vanish").handle_input(now, input);
            self.drain(id);
        }
        for id in self.nodes.keys().copied().collect::<Vec<_>>() {
            let node = self.nodes.get_mut(&id).expect("nodes do not vanish");
            if node.poll_timeout() <= now.mono {
                node.handle_timeout(now);
                self.drain(id);
            }
        }
    }

    fn drain(&mut self, id: NodeId) {
        while let Some(output) = self.nodes.get_mut(&id).and_then(Node::poll_output) {
            self.carry_out(id, output);
        }
    }

    fn carry_out(&mut self, id: NodeId, output: Output) {
        match output {
            Output::ToTerminal { conn, text } => self.heard.push((conn, Heard::Text(text))),
            Output::CloseTerminal { conn, code, reason } => {
                self.heard.push((conn, Heard::Closed { code, reason }));
                self.plan(HOP, id, Input::TerminalClosed { conn });
            }
            Output::Verify { conn, number, username, password, .. } => {
                let accepted = Verified::Accepted(account_of(&username));
                let verified = if password.0 == "wrong" { Verified::Refused } else { accepted };
                self.plan(HOP, id, Input::Verified { conn, number, verified });
            }
            Output::Password { number, work } => {
                let done = match work {
                    PasswordWork::Hash(password) => PasswordDone::Hashed(password.0),
                    PasswordWork::Check(password, hash) if password.0 == hash => PasswordDone::Matches,
                    PasswordWork::Check(..) => PasswordDone::Differs,
                };
                self.plan(HOP, id, Input::Password { number, done });
            }
            Output::Perform { number, deed } => {
                if let Some(done) = perform(&deed) {
                    self.plan(HOP, id, Input::Performed { number, done });
                }
            }
            Output::Media(command) => {
                let sfu = self.sfus.entry(id).or_default();
                if let Some(event) = sfu.carry_out(command) {
                    self.plan(HOP, id, Input::Media(event));
                }
            }
            Output::Record(RecordCommand { room, member, number, .. }) => {
                let (result, recording) = (Ok(Some(RECORDING.to_owned())), number);
                let recorded = Recorded { room, member, number, recording, result, end: None };
                self.plan(HOP, id, Input::Recorded(recorded));
            }
            Output::ToLink { peer, frame, .. } => self.plan(HOP, peer, Input::LinkFrame { peer: id, frame }),
            // For operators, not for terminals.
            Output::Audit(_) | Output::Admitted { .. } => {}
            other => panic!("nobody here can do this: {other:?}"),
        }
    }

    fn clocks(&self) -> Now {
        Now { mono: self.now, wall: Wall(START_MS + self.now.0 / 1_000) }
    }
}

/// A machine as small as can be, and scripts that take `on` and say so.
fn perform(deed: &Deed) -> Option<Performed> {
    const GIB: u64 = 1 << 30;
    match deed {
        Deed::Look => Some(Performed::Looked(Box::new(Machine {
            disks: vec![Disk { path: "/".into(), free: 12 * GIB, total: 20 * GIB }],
            memory_total: 4 * GIB,
            memory_free: 3 * GIB,
            os_arch: "x86_64".into(),
            os_name: "Linux".into(),
            os_version: "6.1".into(),
            processors: 2,
            program: "taoyao".into(),
            version: "0.1.0".into(),
        }))),
        Deed::Run { arguments, .. } if arguments.iter().any(|argument| argument != "on") => {
            Some(Performed::Refused("lights takes on or off".into()))
        }
        Deed::Run { arguments, .. } => {
            Some(Performed::Ran { exit: Some(0), output: format!("{}\n", arguments.join(" ")) })
        }
        Deed::Stop => None,
    }
}

/// Accounts are told by their names: `operator` has the role, `service` is named for what has to be named, and all others
/// may register terminals.
fn account_of(name: &str) -> Account {
    const NAMED: [&str; 12] = [
        "client::*",
        "control::*",
        "media::*",
        "platform::*",
        "room::*",
        "session::*",
        "system::*",
        "platform::reboot",
        "platform::script",
        "platform::shutdown",
        "system::reboot",
        "system::shutdown",
    ];
    match name {
        "operator" => Account::new(name, [Role::Terminal, Role::Operator], AllowList::default(), Vec::new()),
        "service" => {
            let list = AllowList(NAMED.map(str::to_owned).to_vec());
            Account::new(name, [Role::Terminal, Role::Operator], list, Vec::new())
        }
        _ => Account::new(name, [Role::Terminal], AllowList::default(), Vec::new()),
    }
}
