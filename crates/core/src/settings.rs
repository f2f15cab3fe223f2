//! What the topology says to the terminals' machine of one node.

use std::sync::Arc;

use taoyao_auth::{Policy, Sealer};
use taoyao_signal::{Reachable, RoomLimits, TerminalsConfig};
use taoyao_topology::{Ice, Topology};
use taoyao_types::limits;
use taoyao_wire::signals::Signal;
use taoyao_wire::terminal::{IceConfig, MediaConfig, StunServer, TurnServer};

use crate::node::NodeConfig;

/// The version that nodes write into `header.v`, which is the original's (reference section 2.2).
const VERSION: &str = "1.0.0";

/// The terminals' settings of the node; none if the topology does not name it.
pub(crate) fn terminals(topology: &Arc<Topology>, config: &NodeConfig) -> Option<TerminalsConfig> {
    let node = topology.node(config.own)?;
    let policy = topology.policy();
    let place = topology.nodes().iter().position(|other| other.id == config.own)?;
    Some(TerminalsConfig {
        node: node.name.clone(),
        node_id: node.id,
        nodes: topology.nodes().iter().map(|node| (node.id, node.name.clone())).collect(),
        home: node.home_partition().clone(),
        serves: node.attachable().cloned().collect(),
        partitions: topology.partitions().map(|partition| partition.name.clone()).collect(),
        owners: topology.partitions().map(|partition| (partition.id, partition.owner)).collect(),
        servers: topology
            .partitions()
            .filter(|partition| partition.owner == node.id)
            .map(|partition| (partition.id, partition.servers.iter().copied().collect()))
            .collect(),
        scripts: topology
            .scripts_of(node.id)
            .filter(|script| !script.is_order())
            .map(|script| script.name.clone())
            .collect(),
        orders: topology.scripts_of(node.id).filter_map(|script| Signal::of(&script.name)).collect(),
        epoch: config.epoch,
        server_index: (place % 10) as u8,
        utc_offset_seconds: config.utc_offset_seconds,
        version: VERSION.to_owned(),
        media: MediaConfig::default(),
        ice: ice(topology.ice()),
        has_sfu: node.media.is_some(),
        has_recorder: node.recordings.is_some(),
        reachable: reachable(topology),
        sealer: Sealer::new(config.secret),
        policy: Arc::new(Policy::new(policy.between_partitions.clone(), policy.rules.clone())),
        list_max: u32::try_from(topology.limits().list_entries_max.min(limits::LIST_ENTRIES_MAX))
            .unwrap_or(u32::MAX),
        terminals_max: topology.limits().terminals_max,
        account: topology.limits().account.clone(),
        rooms: RoomLimits {
            sfu: config.sfu.clone(),
            empty_kept: topology.limits().room_empty,
            empty_kept_max: topology.limits().room_empty_max,
        },
    })
}

/// The rules of the node that has the SFU.
fn reachable(topology: &Arc<Topology>) -> Reachable {
    let topology = Arc::clone(topology);
    Reachable(Arc::new(move |host, announced, client| {
        topology.node(host).map_or(announced, |host| host.rewrite(announced, client))
    }))
}

fn ice(ice: &Ice) -> IceConfig {
    let stun =
        ice.stun.iter().map(|server| StunServer { host: server.host.clone(), port: server.port }).collect();
    let turn = ice.turn.iter().map(|server| TurnServer {
        host: server.address.host.clone(),
        port: server.address.port,
        username: server.username.clone(),
        password: server.password.reveal().to_owned(),
    });
    IceConfig { stun, turn: turn.collect() }
}
