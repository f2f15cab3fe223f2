//! Which nodes a terminal should try first.

use std::cmp::Ordering;
use std::net::IpAddr;

use taoyao_types::{NodeId, NodeName, PartitionId, PartitionName};

use crate::node::{Geo, Node};
use crate::topology::{Partition, Topology};

/// What is known about the terminal that asks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Nearest {
    /// The terminal's address as the asked node sees it.
    pub address: IpAddr,
    /// The partition that it wants to register in, if it has chosen one.
    pub partition: Option<PartitionId>,
    /// Where the terminal says it is.
    pub geo: Option<Geo>,
    /// The node that was asked.
    pub asked: NodeId,
}

/// A partition and where its terminals may attach, best first; never without nodes.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidates {
    pub partition: PartitionName,
    pub nodes: Vec<Candidate>,
}

/// A node that a terminal may attach to.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    pub node: NodeName,
    /// Where to open the WebSocket.
    pub url: String,
    /// What to fetch for measuring the way.
    pub probe: String,
    /// Why it stands where it stands.
    pub reason: Reason,
    /// Links between it and the asked node.
    pub hops: usize,
}

/// What decided about a candidate's place.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Reason {
    /// The terminal's address lies in one of the node's networks; the longer the prefix, the better.
    Cidr { prefix_bits: u8 },
    /// Both places are known.
    Geo { km: f64 },
    /// Nothing better is known than the tree.
    Hops,
}

impl Topology {
    /// Where the terminal may attach: partitions in the order of their best node, and for each its nodes, best first.
    ///
    /// Order: networks (longest prefix first), then distance on Earth, then hops from the asked node. A partition that
    /// no node with a terminal listener owns or serves is left out.
    pub fn nearest(&self, query: &Nearest) -> Vec<Candidates> {
        let wanted = |partition: &&Partition| query.partition.is_none_or(|id| partition.id == id);
        let mut ranked: Vec<(Rank, bool, Candidates)> = self
            .partitions()
            .filter(wanted)
            .filter_map(|partition| self.candidates(partition, query))
            .collect();
        // Of the partitions at the best node the one that it owns is more likely the terminal's home.
        ranked.sort_by(|(rank_a, owns_a, a), (rank_b, owns_b, b)| {
            let by_name = || a.partition.cmp(&b.partition);
            rank_a.compare(rank_b).then(owns_b.cmp(owns_a)).then_with(by_name)
        });
        ranked.into_iter().map(|(_, _, candidates)| candidates).collect()
    }

    /// A partition's candidates, how good the best is, and whether the best owns the partition.
    fn candidates(&self, partition: &Partition, query: &Nearest) -> Option<(Rank, bool, Candidates)> {
        let mut ranked: Vec<(Rank, Candidate)> =
            partition.at.iter().filter_map(|&index| self.candidate(index, query)).collect();
        ranked.sort_by(|(a, _), (b, _)| a.compare(b));
        let best = ranked.first()?.0.clone();
        let owns = self.nodes[best.index].id == partition.owner;
        let nodes = ranked.into_iter().map(|(_, candidate)| candidate).collect();
        Some((best, owns, Candidates { partition: partition.name.clone(), nodes }))
    }

    fn candidate(&self, index: usize, query: &Nearest) -> Option<(Rank, Candidate)> {
        let node = &self.nodes[index];
        let terminals = node.terminals.as_ref()?;
        let prefix_bits = longest_prefix(node, query.address);
        let km = query.geo.zip(node.near.geo).map(|(terminal, node)| terminal.km_to(node));
        let hops = self.hops(query.asked, node.id).unwrap_or(0);
        let reason = match (prefix_bits, km) {
            (Some(prefix_bits), _) => Reason::Cidr { prefix_bits },
            (None, Some(km)) => Reason::Geo { km },
            (None, None) => Reason::Hops,
        };
        let candidate = Candidate {
            node: node.name.clone(),
            url: terminals.url(),
            probe: terminals.probe(),
            reason,
            hops,
        };
        Some((Rank { prefix_bits, km: km.unwrap_or(f64::INFINITY), hops, index }, candidate))
    }
}

/// The length of the longest of the node's networks that holds the address.
fn longest_prefix(node: &Node, address: IpAddr) -> Option<u8> {
    let address = address.to_canonical();
    node.near.cidr.iter().filter(|net| net.contains(&address)).map(ipnet::IpNet::prefix_len).max()
}

/// How good a candidate is.
#[derive(Debug, Clone)]
struct Rank {
    prefix_bits: Option<u8>,
    /// Infinite if one of the two places is unknown.
    km: f64,
    hops: usize,
    /// The place in the topology, so that the order is the same everywhere.
    index: usize,
}

impl Rank {
    /// `Less` is better.
    fn compare(&self, other: &Self) -> Ordering {
        let by_network = other.prefix_bits.cmp(&self.prefix_bits);
        let by_km = self.km.total_cmp(&other.km);
        by_network.then(by_km).then(self.hops.cmp(&other.hops)).then(self.index.cmp(&other.index))
    }
}
