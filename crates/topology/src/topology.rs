//! The checked topology: who is who, and what stands where. Nothing in it has to be checked again.

use std::collections::BTreeMap;
use std::path::Path;

use taoyao_types::{NodeId, PartitionId, PartitionName, PolicyRule, Scope};

use crate::certs::Certs;
use crate::check::{CertFault, CertFiles, FileSpans, Look, check_files};
use crate::mistake::{Mistakes, Report, Source};
use crate::node::Node;
use crate::script::Script;
use crate::settings::{Ice, Limits, Login};
use crate::suggest::{closest, instead_of};

/// A partition and the nodes that its terminals may attach to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Partition {
    pub id: PartitionId,
    pub name: PartitionName,
    pub owner: NodeId,
    /// The owner first, then the nodes that serve it, in the order of [`Topology::nodes`].
    pub servers: Vec<NodeId>,
    /// The indexes of `servers` among the topology's nodes, sorted.
    pub(crate) at: Vec<usize>,
}

/// What partitions may do with each other; within a partition everything is allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// What holds where no rule says otherwise; default: see, presence and call.
    pub between_partitions: Vec<Scope>,
    /// In the order of the file.
    pub rules: Vec<PolicyRule>,
}

/// An organisation's nodes as one tree, with what each owns and where it is found.
///
/// Made by [`Topology::parse`] only, so every name is known, every parent exists and every id is unique.
#[derive(Debug, Clone)]
pub struct Topology {
    pub(crate) org: String,
    pub(crate) generation: u64,
    pub(crate) certs: Certs,
    pub(crate) limits: Limits,
    pub(crate) login: Login,
    pub(crate) ice: Ice,
    pub(crate) policy: Policy,
    pub(crate) scripts: Vec<Script>,
    /// Each parent before its children, each subtree without gaps; never empty.
    pub(crate) nodes: Vec<Node>,
    /// For each node the index behind its subtree's last node.
    pub(crate) ends: Vec<usize>,
    /// For each node its parent's index; the root is its own.
    pub(crate) ups: Vec<usize>,
    /// For each node the indexes of its children, sorted.
    pub(crate) downs: Vec<Vec<usize>>,
    pub(crate) by_id: BTreeMap<NodeId, usize>,
    pub(crate) partitions: BTreeMap<PartitionId, Partition>,
    pub(crate) source: Source,
    pub(crate) spans: FileSpans,
}

impl Topology {
    /// The trust domain of the nodes' identities: `spiffe://<org>/node/<path>`.
    pub fn org(&self) -> &str {
        &self.org
    }

    /// Counts the operator's changes to the file; default 1.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// Where the certificates lie.
    pub fn certs(&self) -> &Certs {
        &self.certs
    }

    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    pub fn login(&self) -> &Login {
        &self.login
    }

    pub fn ice(&self) -> &Ice {
        &self.ice
    }

    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// What accounts may have a node run, in the order of the file.
    pub fn scripts_of(&self, node: NodeId) -> impl Iterator<Item = &Script> {
        self.scripts.iter().filter(move |script| script.is_at(node))
    }

    /// All nodes: the root first, each parent before its children, each subtree together.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The node without a parent.
    pub fn root(&self) -> &Node {
        &self.nodes[0]
    }

    pub fn node(&self, id: NodeId) -> Option<&Node> {
        self.by_id.get(&id).map(|&index| &self.nodes[index])
    }

    /// Finds a node by its short name (`sh`) or its full path (`cn/east/sh`).
    pub fn by_name(&self, name: &str) -> Option<&Node> {
        self.nodes.iter().find(|node| node.name.short() == name || node.name.as_str() == name)
    }

    pub fn partition(&self, id: PartitionId) -> Option<&Partition> {
        self.partitions.get(&id)
    }

    /// All partitions in the order of their ids, which is the order of the keys of their terminals.
    pub fn partitions(&self) -> impl Iterator<Item = &Partition> {
        self.partitions.values()
    }

    /// Whether terminals of `partition` may attach to `node`: it owns or serves the partition.
    pub fn may_attach(&self, node: NodeId, partition: PartitionId) -> bool {
        let partition = self.partition(partition);
        self.by_id
            .get(&node)
            .is_some_and(|index| partition.is_some_and(|partition| partition.at.binary_search(index).is_ok()))
    }

    /// What to say to somebody who has named a partition that there is not.
    pub fn instead_of_partition(&self, name: &str) -> String {
        let mut known: Vec<&str> = self.partitions().map(|partition| partition.name.as_str()).collect();
        known.sort_unstable();
        instead_of(name, &known)
    }

    /// The same for a node, by its short or full name.
    pub fn instead_of_node(&self, name: &str) -> String {
        let short: Vec<&str> = self.nodes.iter().map(|node| node.name.short()).collect();
        let full = self.nodes.iter().map(|node| node.name.as_str());
        match closest(name, full) {
            Some(full) if name.contains('/') => format!("did you mean {full:?}?"),
            _ => instead_of(name, &short),
        }
    }

    /// Reports the certificates that are missing for `node`, or for all nodes if it is `None`.
    ///
    /// This crate touches no files; `exists` says whether one is there.
    pub fn check_files(&self, node: Option<NodeId>, exists: &dyn Fn(&Path) -> bool) -> Result<(), Mistakes> {
        self.check_certificates(node, exists, &|_| Vec::new())
    }

    /// The same, and what `examine` finds wrong with the certificates that are there.
    pub fn check_certificates(
        &self,
        node: Option<NodeId>,
        exists: &dyn Fn(&Path) -> bool,
        examine: &dyn Fn(&CertFiles<'_>) -> Vec<CertFault>,
    ) -> Result<(), Mistakes> {
        let report = Report::new(&self.source);
        let wanted = self.nodes.iter().zip(&self.spans.nodes);
        let wanted = wanted.filter(|(candidate, _)| node.is_none_or(|id| candidate.id == id));
        check_files(&self.certs, wanted, &self.spans, Look { exists, examine }, &report);
        report.finish()
    }
}
