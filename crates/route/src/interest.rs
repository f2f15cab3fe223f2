//! Who wants to hear of whom: per neighbour the set of partitions whose presence it watches.

use std::collections::{BTreeMap, BTreeSet};

use taoyao_topology::Topology;
use taoyao_types::{NodeId, PartitionId};

/// Complete sets, replaced as a whole, so that nothing has to be counted up and down.
#[derive(Debug)]
pub struct Interest {
    own: NodeId,
    local: BTreeSet<PartitionId>,
    /// What each neighbour wants from this node.
    wanted_by: BTreeMap<NodeId, BTreeSet<PartitionId>>,
    /// What this node last told each neighbour that it wants.
    told: BTreeMap<NodeId, BTreeSet<PartitionId>>,
}

/// What has to be told to a neighbour: the complete set, and the partitions in it whose
/// present members are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    pub peer: NodeId,
    pub partitions: BTreeSet<PartitionId>,
    pub new: BTreeSet<PartitionId>,
}

impl Interest {
    pub fn new(own: NodeId) -> Self {
        Self { own, local: BTreeSet::new(), wanted_by: BTreeMap::new(), told: BTreeMap::new() }
    }

    /// Replaces what this node's terminals want; what of it is new.
    pub fn set_local(&mut self, partitions: BTreeSet<PartitionId>) -> BTreeSet<PartitionId> {
        let new = partitions.difference(&self.local).copied().collect();
        self.local = partitions;
        new
    }

    /// Replaces what `peer` wants.
    pub fn set_peer(&mut self, peer: NodeId, partitions: BTreeSet<PartitionId>) {
        self.wanted_by.insert(peer, partitions);
    }

    /// The link is gone, and with it what either side told the other.
    pub fn forget(&mut self, peer: NodeId) {
        self.wanted_by.remove(&peer);
        self.told.remove(&peer);
    }

    pub fn is_local(&self, partition: PartitionId) -> bool {
        self.local.contains(&partition)
    }

    /// The partitions that this node or a neighbour of it watches.
    pub fn watched(&self) -> BTreeSet<PartitionId> {
        self.wanted_by.values().chain([&self.local]).flatten().copied().collect()
    }

    /// The neighbours that watch `partition`, without `except`.
    pub fn watchers(&self, partition: PartitionId, except: Option<NodeId>) -> Vec<NodeId> {
        let wanting = self
            .wanted_by
            .iter()
            .filter(|(peer, wanted)| Some(**peer) != except && wanted.contains(&partition));
        wanting.map(|(peer, _)| *peer).collect()
    }

    /// What this node wants from `peer`, if that has changed since it last said so or if the present members of one
    /// of the partitions in `refresh` are wanted.
    pub fn wish(
        &mut self,
        peer: NodeId,
        topology: &Topology,
        refresh: &BTreeSet<PartitionId>,
    ) -> Option<Wish> {
        let others = self.wanted_by.iter().filter(|(other, _)| **other != peer).map(|(_, wanted)| wanted);
        let partitions: BTreeSet<PartitionId> = others
            .chain([&self.local])
            .flatten()
            .copied()
            .filter(|partition| topology.toward(self.own, *partition).any(|next| next == peer))
            .collect();
        let told = self.told.get(&peer);
        let wanted_now = |p: &&PartitionId| refresh.contains(p) || told.is_none_or(|told| !told.contains(p));
        let new: BTreeSet<PartitionId> = partitions.iter().filter(wanted_now).copied().collect();
        let unchanged = told == Some(&partitions) || (told.is_none() && partitions.is_empty());
        if unchanged && new.is_empty() {
            return None;
        }
        self.told.insert(peer, partitions.clone());
        Some(Wish { peer, partitions, new })
    }
}
