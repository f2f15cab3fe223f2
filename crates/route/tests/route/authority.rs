//! What a child may say of terminals, and what is refused because the topology does not give it the right.

use std::sync::Arc;

use taoyao_route::{Alarm, Output, Router};
use taoyao_topology::Topology;
use taoyao_types::{Instant, NodeEpoch, NodeId, Now, PartitionId, SessionEpoch, TerminalKey, Version, Wall};
use taoyao_wire::link::sync::{Change, RefusedReason};
use taoyao_wire::link::{Frame, Record, Sync, frame};

const TWO_CHILDREN: &str = r#"
org = "acme"
[[node]]
name = "cn"
terminals = { listen = "127.0.0.1:1" }
links = { listen = "127.0.0.1:2" }
[[node]]
name = "east"
parent = "cn"
terminals = { listen = "127.0.0.1:3" }
[[node]]
name = "north"
parent = "cn"
terminals = { listen = "127.0.0.1:4" }
"#;
const LIFE: NodeEpoch = NodeEpoch(1);
const NOW: Now = Now { mono: Instant(1_000_000), wall: Wall(1_800_000_000_000) };

#[test]
fn a_child_buries_only_what_it_could_have_registered() {
    let mut world = World::new();
    let own = world.record("east", "a", 1);
    world.change("east", Change::Add(own));
    let foreign = Record { version: NEWEST, ..world.record("north", "late", 1) };
    world.change("east", Change::Withdraw(foreign));
    assert_eq!(world.refused(), [RefusedReason::NotDelegated]);
    assert_eq!((world.root.stats().authority_violations, world.alarms), (1, 1));

    let late = world.record("north", "late", 1);
    world.change("north", Change::Add(late));
    assert!(world.root.directory().find(late.key).is_some(), "nothing keeps it from coming");

    world.change("east", Change::Withdraw(own));
    assert!(world.root.directory().find(own.key).is_none());
    assert_eq!(world.refused(), []);
}

#[test]
fn a_child_cannot_withdraw_a_node_that_is_not_below_it() {
    let mut world = World::new();
    let there = world.record("north", "b", 1);
    world.change("north", Change::Add(there));
    let borrowed = Record { key: world.record("east", "a", 1).key, ..there };
    for change in [
        Change::Withdraw(there),
        Change::Withdraw(borrowed),
        Change::Lose(there),
        Change::WithdrawOrigin { origin: there.origin, epoch: NodeEpoch(u32::MAX) },
    ] {
        world.change("east", change);
        assert!(world.root.directory().find(there.key).is_some(), "{change:?}");
    }
    assert_eq!(world.refused(), [RefusedReason::NotDelegated, RefusedReason::ForeignOrigin]);
}

#[test]
fn a_withdrawal_from_the_future_is_refused_and_the_terminal_can_come_back() {
    let mut world = World::new();
    let gone = world.record("east", "a", 1);
    world.change("east", Change::Withdraw(Record { version: NEWEST, ..gone }));
    assert_eq!(world.refused(), [RefusedReason::ClockAhead]);
    world.change("east", Change::Add(gone));
    assert!(world.root.directory().find(gone.key).is_some());
}

const NEWEST: Version =
    Version { session: SessionEpoch(u64::MAX), epoch: NodeEpoch(u32::MAX), seq: u64::MAX };

/// A root with two children, of which the test plays both.
struct World {
    root: Router,
    topology: Arc<Topology>,
    /// How many changes each child has told.
    told: std::collections::BTreeMap<NodeId, u64>,
    refused: Vec<RefusedReason>,
    alarms: usize,
}

impl World {
    fn new() -> Self {
        let topology = Arc::new(Topology::parse("two.toml", TWO_CHILDREN).unwrap());
        let root = Router::new(Arc::clone(&topology), topology.root().id, LIFE, NOW).unwrap();
        let mut world = Self { root, topology, told: Default::default(), refused: Vec::new(), alarms: 0 };
        for child in ["east", "north"] {
            let child = world.node(child);
            world.root.handle_link_up(NOW, child, LIFE);
            world.tell(child, &Sync::Journal { applied: 0 });
        }
        world
    }

    /// A terminal of the child's own partition.
    fn record(&self, child: &str, terminal: &str, seq: u64) -> Record {
        let node = self.topology.by_name(child).unwrap();
        let partition = node.home_partition().clone();
        let key = TerminalKey::of(&format!("{terminal}@{partition}").parse().unwrap());
        assert_eq!(key.partition(), PartitionId::of(&partition));
        let version = Version { session: SessionEpoch(NOW.wall.0 << 16), epoch: LIFE, seq };
        Record { key, origin: node.id, version }
    }

    fn change(&mut self, child: &str, change: Change) {
        let child = self.node(child);
        let told = self.told.entry(child).or_default();
        *told += 1;
        let changes = Sync::Changes { first: *told, changes: vec![change] };
        self.tell(child, &changes);
    }

    /// Everything that was refused since the last call.
    fn refused(&mut self) -> Vec<RefusedReason> {
        std::mem::take(&mut self.refused)
    }

    fn tell(&mut self, child: NodeId, message: &Sync) {
        self.root.handle_frame(NOW, child, frame::encode_sync(message));
        while let Some(output) = self.root.poll_output() {
            match output {
                Output::ToLink { frame, .. } => {
                    if let Ok(Frame::Sync(Sync::Refused { reason, .. })) = Frame::decode(frame) {
                        self.refused.push(reason);
                    }
                }
                Output::Alarm(Alarm::Authority { .. }) => self.alarms += 1,
                Output::CloseLink { reason, .. } => panic!("the link is closed: {reason}"),
                _ => {}
            }
        }
    }

    fn node(&self, short: &str) -> NodeId {
        self.topology.by_name(short).unwrap().id
    }
}
