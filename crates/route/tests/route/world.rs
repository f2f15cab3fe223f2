//! A root whose two children are played by the test.

use std::collections::BTreeMap;
use std::sync::Arc;

use taoyao_route::{Alarm, Delivery, Output, Router};
use taoyao_topology::Topology;
use taoyao_types::{
    Instant, NodeEpoch, NodeId, Now, PartitionId, SessionEpoch, TerminalKey, TerminalName, Version, Wall,
};
use taoyao_wire::link::sync::{Change, RefusedReason, SnapshotMark};
use taoyao_wire::link::{Frame, Header, Kind, Record, Reply, Sync, frame};

const TWO_CHILDREN: &str = r#"
org = "acme"
[[node]]
name = "cn"
partitions = ["cn", "mobile.cn"]
terminals = { listen = "127.0.0.1:1" }
links = { listen = "127.0.0.1:2" }
[[node]]
name = "east"
parent = "cn"
terminals = { listen = "127.0.0.1:3" }
links = { listen = "127.0.0.1:4" }
[[node]]
name = "sh"
parent = "east"
serves = ["mobile.cn"]
terminals = { listen = "127.0.0.1:5" }
[[node]]
name = "hz"
parent = "east"
serves = ["mobile.cn"]
terminals = { listen = "127.0.0.1:7" }
[[node]]
name = "north"
parent = "cn"
serves = ["mobile.cn"]
terminals = { listen = "127.0.0.1:6" }
"#;
pub(crate) const LIFE: NodeEpoch = NodeEpoch(1);
pub(crate) const NOW: Now = Now { mono: Instant(1_000_000), wall: Wall(1_800_000_000_000) };

/// A node whose neighbours are played by the test: a root with two children, unless another is named.
pub(crate) struct World {
    pub(crate) root: Router,
    topology: Arc<Topology>,
    /// How many changes each child has told.
    told: BTreeMap<NodeId, u64>,
    refused: Vec<RefusedReason>,
    pub(crate) alarms: usize,
    /// What each child was told, in order.
    heard: Vec<(NodeId, Sync)>,
    requests: Vec<Header>,
    replies: usize,
    news: usize,
    /// How requests of neighbours ended, in order.
    answers: Vec<Reply>,
    /// What the node's terminals were brought, in order.
    delivered: Vec<Delivery>,
    /// How the last trace of the node's operator ended.
    pub(crate) traced: Option<Result<taoyao_wire::link::Trace, taoyao_wire::link::Failure>>,
    pub(crate) denials: usize,
    /// The lives that the node was told of, above which it is to count.
    pub(crate) outlived: Vec<NodeEpoch>,
    own: NodeId,
    counted: u64,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::at("cn", "")
    }

    /// A node of the same tree, under this `[policy]`.
    pub(crate) fn at(own: &str, policy: &str) -> Self {
        let text = format!("{TWO_CHILDREN}\n{policy}");
        let topology = Arc::new(Topology::parse("two.toml", &text).unwrap());
        let own = topology.by_name(own).unwrap();
        let (children, parent) = (own.children.clone(), own.parent());
        let own = own.id;
        let root = Router::new(Arc::clone(&topology), own, LIFE, NOW).unwrap();
        let (told, refused, heard, requests) = Default::default();
        let (answers, delivered, traced) = Default::default();
        let mut world = Self {
            root,
            topology,
            told,
            refused,
            alarms: 0,
            heard,
            requests,
            replies: 0,
            news: 0,
            answers,
            delivered,
            traced,
            denials: 0,
            outlived: Vec::new(),
            own,
            counted: 0,
        };
        for child in children {
            world.root.handle_link_up(NOW, child, LIFE);
            world.tell(child, &Sync::Journal { applied: 0 });
        }
        if let Some(parent) = parent {
            world.root.handle_link_up(NOW, parent, LIFE);
            world.drain();
        }
        world
    }

    pub(crate) fn own(&self) -> NodeId {
        self.own
    }

    /// A number for a neighbour's next signal.
    pub(crate) fn next_count(&mut self) -> u64 {
        self.counted += 1;
        self.counted
    }

    /// How requests of neighbours ended since the last call.
    pub(crate) fn answers(&mut self) -> Vec<Reply> {
        self.drain();
        std::mem::take(&mut self.answers)
    }

    /// What the node's terminals were brought since the last call.
    pub(crate) fn delivered(&mut self) -> Vec<Delivery> {
        self.drain();
        std::mem::take(&mut self.delivered)
    }

    pub(crate) fn partition(&self, node: &str) -> PartitionId {
        PartitionId::of(self.topology.by_name(node).unwrap().home_partition())
    }

    /// A terminal at a node, by its full name or of the node's own partition.
    pub(crate) fn record(&self, node: &str, terminal: &str, seq: u64) -> Record {
        let node = self.topology.by_name(node).unwrap();
        let name = TerminalName::resolve(terminal, node.home_partition()).unwrap();
        let key = TerminalKey::of(&name);
        let version = Version { session: SessionEpoch(NOW.wall.0 << 16), epoch: LIFE, seq };
        Record { key, origin: node.id, version }
    }

    pub(crate) fn change(&mut self, child: &str, change: Change) {
        let child = self.node(child);
        let told = self.told.entry(child).or_default();
        *told += 1;
        let changes = Sync::Changes { first: *told, changes: vec![change] };
        self.tell(child, &changes);
    }

    /// Everything that was refused since the last call.
    pub(crate) fn refused(&mut self) -> Vec<RefusedReason> {
        std::mem::take(&mut self.refused)
    }

    /// The child's link breaks, and it comes back in a life in which it knows only `records`.
    pub(crate) fn come_back_with(&mut self, child: &str, records: Vec<Record>) {
        let child = self.node(child);
        self.root.handle_link_down(NOW, child, "a test");
        self.root.handle_link_up(NOW, child, NodeEpoch(LIFE.0 + 1));
        let mark = SnapshotMark { id: 1, at: 0, after: None };
        self.told.insert(child, 0);
        self.tell(child, &Sync::SnapshotBegin { mark });
        let until = records.last().map(|record| record.key);
        if let Some(until) = until {
            self.tell(child, &Sync::SnapshotChunk { id: 1, after: None, until, records });
        }
        self.tell(child, &Sync::SnapshotEnd { id: 1, after: until });
    }

    /// A neighbour sends a signal.
    pub(crate) fn signal(&mut self, child: &str, header: &Header, body: &[u8]) {
        let child = self.node(child);
        self.root.handle_frame(NOW, child, frame::encode_signal(header, body));
        self.drain();
    }

    /// The signals that the root sent since the last call.
    pub(crate) fn requests(&mut self) -> Vec<Header> {
        self.drain();
        std::mem::take(&mut self.requests)
    }

    /// How many requests of the root's terminals ended since the last call.
    pub(crate) fn replies(&mut self) -> usize {
        std::mem::take(&mut self.replies)
    }

    /// How much news the root's terminals heard since the last call.
    pub(crate) fn news(&mut self) -> usize {
        std::mem::take(&mut self.news)
    }

    /// What a child was told since the last call.
    pub(crate) fn heard_by(&mut self, child: &str) -> Vec<Sync> {
        self.drain();
        let child = self.node(child);
        let heard = std::mem::take(&mut self.heard);
        heard.into_iter().filter(|(to, _)| *to == child).map(|(_, message)| message).collect()
    }

    pub(crate) fn tell(&mut self, child: NodeId, message: &Sync) {
        self.root.handle_frame(NOW, child, frame::encode_sync(message));
        self.drain();
    }

    /// Takes what the root wants done; everything but what it tells the children ends here.
    fn drain(&mut self) {
        while let Some(output) = self.root.poll_output() {
            match output {
                Output::ToLink { peer, frame, .. } => match Frame::decode(frame).unwrap() {
                    Frame::Sync(message) => {
                        if let Sync::Refused { reason, .. } = message {
                            self.refused.push(reason);
                        }
                        self.heard.push((peer, message));
                    }
                    Frame::Signal(header, body) => {
                        if header.kind == Kind::Answer {
                            self.answers.push(Reply::decode(&body).unwrap());
                        }
                        self.requests.push(header);
                    }
                },
                Output::Deliver(delivery) => {
                    self.replies += usize::from(matches!(delivery, Delivery::Reply { .. }));
                    self.news += usize::from(matches!(delivery, Delivery::Presence(_)));
                    self.delivered.push(delivery);
                }
                Output::ListWanted { gather, .. } => self.root.handle_local_list(NOW, gather, Vec::new()),
                Output::Traced { result, .. } => self.traced = Some(result),
                Output::Alarm(Alarm::Authority { .. }) => self.alarms += 1,
                Output::Alarm(Alarm::Denied { .. }) => self.denials += 1,
                Output::Outlived { last } => self.outlived.push(last),
                Output::CloseLink { reason, .. } => panic!("the link is closed: {reason}"),
                _ => {}
            }
        }
    }

    pub(crate) fn node(&self, short: &str) -> NodeId {
        self.topology.by_name(short).unwrap().id
    }
}
