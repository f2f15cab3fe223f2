//! What the terminals' machine is told once, when it is made.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use taoyao_auth::{Policy, Sealer};
use taoyao_types::{AccountLimits, NodeEpoch, NodeId, NodeName, PartitionId, PartitionName};
use taoyao_wire::signals::Signal;
use taoyao_wire::terminal::{IceConfig, MediaConfig};

use crate::room::RoomLimits;

/// Who this node is to its terminals, and what it lets them do.
#[derive(Debug, Clone)]
pub struct TerminalsConfig {
    pub node: NodeName,
    pub node_id: NodeId,
    /// The names of all nodes of the topology.
    pub nodes: BTreeMap<NodeId, NodeName>,
    /// The partition of terminals that register with a bare client id.
    pub home: PartitionName,
    /// The partitions whose terminals may attach here: owned and served, `home` among them.
    pub serves: BTreeSet<PartitionName>,
    /// All partitions of the topology.
    pub partitions: BTreeSet<PartitionName>,
    /// The node that owns each of them, and has its rooms and alarms.
    pub owners: BTreeMap<PartitionId, NodeId>,
    /// For each partition of this node, the nodes where its terminals may attach.
    pub servers: BTreeMap<PartitionId, BTreeSet<NodeId>>,
    /// The scripts of the operator that `platform::script` may name.
    pub scripts: BTreeSet<String>,
    /// The signals `platform::reboot`, `system::reboot` and `system::shutdown` that the operator gave a script.
    pub orders: BTreeSet<Signal>,
    /// This life of the node.
    pub epoch: NodeEpoch,
    /// 0 to 9, a digit of the message ids that this node makes.
    pub server_index: u8,
    /// Local time minus UTC, for dates and message ids.
    pub utc_offset_seconds: i32,
    /// What `header.v` says in messages that this node starts.
    pub version: String,
    pub media: MediaConfig,
    /// Whether the node carries the media of its rooms.
    pub has_sfu: bool,
    /// Whether the node records what its SFU carries.
    pub has_recorder: bool,
    pub reachable: Reachable,
    pub ice: IceConfig,
    /// Of this life of the node.
    pub sealer: Sealer,
    pub policy: Arc<Policy>,
    /// Entries of one `client::list` answer at most.
    pub list_max: u32,
    /// Terminals registered at this node at once.
    pub terminals_max: usize,
    /// What one account may have of this node.
    pub account: AccountLimits,
    /// What all rooms of this node may take together.
    pub rooms: RoomLimits,
}

impl TerminalsConfig {
    /// A node's name; its hex digits if another generation of the topology has it.
    pub(crate) fn name_of(&self, node: NodeId) -> String {
        self.nodes.get(&node).map_or_else(|| node.hex(), NodeName::to_string)
    }
}

/// Under which address a terminal reaches the SFU of a node (reference section 9): the node, the address that its SFU
/// announces, the terminal's own.
#[derive(Clone)]
pub struct Reachable(pub Arc<dyn Fn(NodeId, IpAddr, IpAddr) -> IpAddr + Send + Sync>);

/// As announced.
impl Default for Reachable {
    fn default() -> Self {
        Self(Arc::new(|_, announced, _| announced))
    }
}

impl fmt::Debug for Reachable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reachable")
    }
}
