//! What a node's links are started with.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use taoyao_pki::LinkCredentials;
use taoyao_types::{NodeEpoch, NodeName};

/// The node's life as its links greet in it: one value for all of them, which may rise while they are up.
#[derive(Debug, Clone)]
pub struct Life(Arc<AtomicU32>);

impl Life {
    pub fn new(epoch: NodeEpoch) -> Self {
        Self(Arc::new(AtomicU32::new(epoch.0)))
    }

    pub fn get(&self) -> NodeEpoch {
        NodeEpoch(self.0.load(Relaxed))
    }

    /// Greets in this life from now on. Links that are up do so when they connect anew.
    pub fn set(&self, epoch: NodeEpoch) {
        self.0.store(epoch.0, Relaxed);
    }
}

/// Everything that links need to know about their node and its neighbours.
#[derive(Debug, Clone)]
pub struct LinkConfig {
    /// The organisation that every certificate on this node's links must name.
    pub org: String,
    pub own: NodeName,
    pub life: Life,
    /// The generation of the topology that this comes from; neighbours with another one are warned about.
    pub generation: u64,
    /// What this node can do beyond the protocol's version (see `taoyao_wire::link::hello::Hello`).
    pub features: u64,
    /// Where children dial; a node without children has none. Port 0 takes a free one (see `Links::local_addr`).
    pub listen: Option<SocketAddr>,
    /// Whom this node dials and keeps dialling.
    pub parents: Vec<ParentAddr>,
    /// Who may dial this node.
    pub children: BTreeSet<NodeName>,
    /// Every node of the topology; tells a stranger from a neighbour in the wrong role.
    pub known: BTreeSet<NodeName>,
    pub credentials: LinkCredentials,
    pub transport: Transport,
}

/// A node to dial.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParentAddr {
    pub name: NodeName,
    /// `host:port`; resolved anew at each dial.
    pub address: String,
}

/// How links use the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transport {
    pub congestion: Congestion,
    /// The largest UDP payload to try for, bytes; cut to 1,200 up to [`Transport::MTU_LIMIT`].
    pub mtu_max: u16,
}

impl Transport {
    /// Ten packets, which quinn hands to the kernel at once (its `MAX_TRANSMIT_SEGMENTS`), have to fit one UDP datagram
    /// of 65,507 bytes. Beyond it the kernel answers EMSGSIZE, and the ten packets are lost without a word.
    pub const MTU_LIMIT: u16 = 6_500;
}

impl Default for Transport {
    /// BBR, and packets as large as the path and [`Transport::MTU_LIMIT`] allow.
    fn default() -> Self {
        Self { congestion: Congestion::default(), mtu_max: Self::MTU_LIMIT }
    }
}

/// The congestion controller of both connections.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Congestion {
    /// Twenty times CUBIC's throughput on a path that loses 1 % of its packets; quinn calls it experimental.
    #[default]
    Bbr,
    /// The cautious choice where links share a line with other traffic.
    Cubic,
}
