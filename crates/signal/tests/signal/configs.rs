//! The settings of the nodes of a test's mesh: what they own, serve and allow.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use taoyao_auth::{Policy, Sealer};
use taoyao_signal::{Reachable, RoomLimits, TerminalsConfig};
use taoyao_types::{AccountLimits, NodeEpoch, NodeId, NodeName, PartitionId};
use taoyao_wire::signals::Signal;
use taoyao_wire::terminal::{IceConfig, MediaConfig};

use crate::world::reached_at;

/// What `platform::script` may name in every node of these meshes.
pub(crate) const SCRIPTS: [&str; 2] = ["lights", "sirens"];

/// One for each name, in their order. Each owns its default partition; the first serves them all.
pub(crate) fn configs(
    names: &[NodeName],
    policy: Policy,
    has_sfu: bool,
    (limits, rooms): (&AccountLimits, &RoomLimits),
) -> Vec<TerminalsConfig> {
    let policy = Arc::new(policy);
    let partitions: BTreeSet<_> = names.iter().map(NodeName::default_partition).collect();
    let node = |(place, name): (usize, &NodeName)| {
        TerminalsConfig {
            node: name.clone(),
            node_id: NodeId::of(name),
            home: name.default_partition(),
            // The first node also serves the others' terminals.
            serves: if place == 0 { partitions.clone() } else { BTreeSet::from([name.default_partition()]) },
            partitions: partitions.clone(),
            nodes: names.iter().map(|name| (NodeId::of(name), name.clone())).collect(),
            epoch: NodeEpoch(1),
            sealer: Sealer::new([place as u8; 32]),
            server_index: place as u8,
            utc_offset_seconds: 8 * 3600,
            version: "1.0.0".into(),
            media: MediaConfig::default(),
            ice: IceConfig::default(),
            has_sfu,
            has_recorder: has_sfu,
            reachable: Reachable(Arc::new(|_, announced, client| reached_at(announced, client))),
            owners: names
                .iter()
                .map(|name| (PartitionId::of(&name.default_partition()), NodeId::of(name)))
                .collect(),
            // The owner's own, and the first node's, which serves them all.
            servers: BTreeMap::from([(
                PartitionId::of(&name.default_partition()),
                [name, &names[0]].map(NodeId::of).into(),
            )]),
            scripts: SCRIPTS.iter().map(|name| (*name).to_owned()).collect(),
            orders: BTreeSet::from([Signal::SystemReboot]),
            policy: Arc::clone(&policy),
            list_max: 1_000,
            terminals_max: 10_000,
            account: limits.clone(),
            rooms: rooms.clone(),
        }
    };
    names.iter().enumerate().map(node).collect()
}
