//! What a neighbour may say, by its place in the topology, and what policy lets be asked of this node.
//!
//! A node is believed about its own part of the tree and nothing else: a child about what lies at and below it, a parent
//! about what does not lie below this node. So a stolen key is worth the partitions of its node, and no more.

use std::collections::{BTreeMap, BTreeSet};

use taoyao_auth::Policy;
use taoyao_topology::Topology;
use taoyao_types::{NodeId, PartitionId, PartitionName, Scope};
use taoyao_wire::link::{Failure, Header, Kind, ListEntry, ListPage, ListQuery, PresenceNews, Target};

use super::Router;
use crate::output::Alarm;

/// Policy between partitions, and which presence the nodes behind a neighbour may follow: looked up once, for a topology
/// does not change while a node runs.
#[derive(Debug)]
pub(super) struct Rights {
    policy: Policy,
    follows: BTreeMap<(NodeId, PartitionId), bool>,
}

impl Rights {
    pub(super) fn of(topology: &Topology) -> Self {
        let policy = topology.policy();
        let policy = Policy::new(policy.between_partitions.clone(), policy.rules.clone());
        Self { policy, follows: BTreeMap::new() }
    }

    /// Whether terminals of one partition may find those of another.
    fn may_see(&self, from: &PartitionName, to: &PartitionName) -> Result<(), Failure> {
        match self.policy.authorise(Scope::See, from, to) {
            Ok(_) => Ok(()),
            Err(denied) => Err(Failure::Denied { rule: denied.rule.to_string() }),
        }
    }
}

impl Router {
    /// Whether a neighbour may send this signal: its maker lies on the neighbour's side of the link, and so does the
    /// partition that it speaks for, at the maker itself.
    pub(super) fn is_allowed(&mut self, from: NodeId, header: &Header) -> bool {
        let (maker, spoken_for) = match header.target {
            Target::Watchers(partition) => (header.id.origin, partition),
            _ => (header.id.origin, header.source.partition()),
        };
        let is_allowed = match (header.kind, header.target) {
            // An answer has the id of a request that somebody else made, and the name of whom it was for. What a parent
            // answers may be about anybody: nodes on the way answer in the place of those whom they do not find.
            (Kind::Answer, _) => !self.is_child(from) || self.speaks_for(from, spoken_for),
            // News of a node that is lost is told by the node that has lost it.
            (_, Target::Watchers(_)) => self.is_behind(from, maker) && self.speaks_for(from, spoken_for),
            _ => self.is_behind(from, maker) && self.topology.may_attach(maker, spoken_for),
        };
        if !is_allowed {
            let (node, partition) = (self.name_of(maker), self.name_of_partition(spoken_for));
            self.accuse(from, format!("a signal of node {node} for partition {partition}"));
        }
        is_allowed
    }

    /// Whether a list may be collected for a neighbour: it asks for itself, for a partition of its side of the link.
    pub(super) fn may_list(&mut self, from: NodeId, maker: NodeId, query: &ListQuery) -> Result<(), Failure> {
        if maker == from && self.speaks_for(from, PartitionId::of(&query.home)) {
            return Ok(());
        }
        self.accuse(from, format!("a list of node {} for partition {}", self.name_of(maker), query.home));
        Err(Failure::Denied { rule: "home".to_owned() })
    }

    /// A neighbour's part of a list without what cannot be there.
    pub(super) fn believable(&mut self, from: NodeId, mut page: ListPage) -> ListPage {
        let named = page.entries.len();
        page.entries.retain(|ListEntry { name, origin, .. }| {
            self.is_behind(from, *origin)
                && self.topology.may_attach(*origin, PartitionId::of(&name.partition))
        });
        if page.entries.len() < named {
            self.accuse(from, format!("{} entries of a list", named - page.entries.len()));
        }
        page
    }

    /// Whether the way to a terminal of one partition may be shown to another partition. That is as much as finding it.
    pub(super) fn may_see(&mut self, from: PartitionId, to: PartitionId) -> Result<(), Failure> {
        let name = |id| self.topology.partition(id).map(|partition| &partition.name);
        let (Some(from), Some(to)) = (name(from), name(to)) else { return Err(Failure::NoSuchTerminal) };
        let may = self.rights.may_see(from, to);
        if let Err(Failure::Denied { rule }) = &may {
            let what = format!("the way from partition {from} to partition {to} is not shown by rule {rule}");
            self.stats.policy_refused += 1;
            self.alarm(Alarm::Denied { what });
        }
        may
    }

    /// Those of the partitions whose presence somebody on the neighbour's side of the link may follow.
    pub(super) fn may_follow(&mut self, peer: NodeId, wanted: Vec<PartitionId>) -> BTreeSet<PartitionId> {
        let known = wanted.into_iter().filter(|id| self.topology.partition(*id).is_some());
        let (allowed, denied): (Vec<_>, Vec<_>) =
            known.collect::<Vec<_>>().into_iter().partition(|id| self.follows(peer, *id));
        for id in denied {
            let partition = self.name_of_partition(id);
            let what =
                format!("a wish for the presence of partition {partition}, which nobody there may follow");
            self.accuse(peer, what);
        }
        allowed.into_iter().collect()
    }

    fn follows(&mut self, peer: NodeId, wanted: PartitionId) -> bool {
        if let Some(known) = self.rights.follows.get(&(peer, wanted)) {
            return *known;
        }
        let Some(to) = self.topology.partition(wanted) else { return false };
        let policy = &self.rights.policy;
        let may = self.topology.partitions().any(|from| {
            self.speaks_for(peer, from.id) && policy.authorise(Scope::Presence, &from.name, &to.name).is_ok()
        });
        self.rights.follows.insert((peer, wanted), may);
        may
    }

    /// Whether news of presence comes from one who can know: a node tells of itself, of what it may have lost below it,
    /// and to those below it of what may be lost above; and of partitions that the node in question has.
    pub(super) fn may_tell_of(&self, teller: NodeId, news: &PresenceNews) -> bool {
        let knows = self.topology.is_below(news.origin, teller) || self.topology.is_below(self.own, teller);
        knows && self.topology.may_attach(news.origin, PartitionId::of(&news.partition))
    }

    /// Counts and tells that a neighbour did what its place does not allow.
    pub(super) fn accuse(&mut self, peer: NodeId, what: String) {
        self.stats.authority_violations += 1;
        self.alarm(Alarm::Authority { peer, what });
    }

    fn is_child(&self, peer: NodeId) -> bool {
        self.neighbours.get(&peer).is_some_and(|neighbour| !neighbour.is_parent())
    }

    /// Whether a node lies on a neighbour's side of its link.
    fn is_behind(&self, peer: NodeId, node: NodeId) -> bool {
        match self.is_child(peer) {
            true => self.topology.is_below(node, peer),
            false => self.topology.node(node).is_some() && !self.topology.is_below(node, self.own),
        }
    }

    /// Whether some node on a neighbour's side of its link has terminals of this partition.
    fn speaks_for(&self, peer: NodeId, partition: PartitionId) -> bool {
        self.topology.toward(self.own, partition).any(|neighbour| neighbour == peer)
    }
}
