//! Ways through the tree: next hops, subtrees, and who may register what.
//!
//! The nodes stand in the order of a walk from the root, so a subtree is a range of indexes and every question here is
//! answered by a binary search.

use std::iter;
use std::ops::Range;

use taoyao_types::{NodeId, PartitionId};

use crate::topology::Topology;

impl Topology {
    /// `top` and all nodes below it, each parent before its children; nothing if `top` is unknown.
    pub fn subtree(&self, top: NodeId) -> impl Iterator<Item = NodeId> {
        let range = self.by_id.get(&top).map_or(0..0, |&top| self.range(top));
        self.nodes[range].iter().map(|node| node.id)
    }

    /// Whether `node` is `top` or lies below it.
    pub fn is_below(&self, node: NodeId, top: NodeId) -> bool {
        let (Some(node), Some(&top)) = (self.by_id.get(&node), self.by_id.get(&top)) else {
            return false;
        };
        self.range(top).contains(node)
    }

    /// The neighbour of `from` that is next on the way to `to`; `None` if they are the same or one is unknown.
    pub fn next_hop(&self, from: NodeId, to: NodeId) -> Option<NodeId> {
        let (&from, &to) = (self.by_id.get(&from)?, self.by_id.get(&to)?);
        self.hop(from, to).map(|next| self.nodes[next].id)
    }

    /// How many links lie between two nodes; `None` if one of them is unknown.
    pub fn hops(&self, from: NodeId, to: NodeId) -> Option<usize> {
        let (&from, &to) = (self.by_id.get(&from)?, self.by_id.get(&to)?);
        Some(iter::successors(Some(from), |&at| self.hop(at, to)).count() - 1)
    }

    /// The authority check on links: whether a node in `child`'s subtree owns or serves `partition`.
    ///
    /// If it is false, a record of that partition coming from `child` is refused.
    pub fn may_register(&self, child: NodeId, partition: PartitionId) -> bool {
        let (Some(&child), Some(partition)) = (self.by_id.get(&child), self.partition(partition)) else {
            return false;
        };
        first_in(&partition.at, &self.range(child)).is_some()
    }

    /// The neighbours of `from` behind which some node owns or serves `partition`, each once: where one copy of a
    /// broadcast goes.
    pub fn toward(&self, from: NodeId, partition: PartitionId) -> impl Iterator<Item = NodeId> {
        let from = self.by_id.get(&from).copied();
        let at = self.partition(partition).map_or(&[][..], |partition| &partition.at);
        let up = from.filter(|&from| self.lies_outside(from, at)).map(|from| self.ups[from]);
        let down = from.into_iter().flat_map(move |from| self.children_toward(from, at));
        up.into_iter().chain(down).map(|index| self.nodes[index].id)
    }

    fn range(&self, top: usize) -> Range<usize> {
        top..self.ends[top]
    }

    fn hop(&self, from: usize, to: usize) -> Option<usize> {
        if from == to {
            None
        } else if self.range(from).contains(&to) {
            Some(self.child_toward(from, to))
        } else {
            Some(self.ups[from])
        }
    }

    /// The child of `from` whose subtree holds `to`, which lies below `from`.
    fn child_toward(&self, from: usize, to: usize) -> usize {
        let children = &self.downs[from];
        children[children.partition_point(|&child| child <= to) - 1]
    }

    /// Whether one of the sorted indexes lies outside of `top`'s subtree.
    fn lies_outside(&self, top: usize, at: &[usize]) -> bool {
        let range = self.range(top);
        at.first().is_some_and(|first| *first < range.start)
            || at.last().is_some_and(|last| *last >= range.end)
    }

    /// The children of `from` whose subtrees hold one of the sorted indexes.
    fn children_toward(&self, from: usize, at: &[usize]) -> impl Iterator<Item = usize> {
        let below = from + 1..self.ends[from];
        let child_of = move |index| self.child_toward(from, index);
        let first = first_in(at, &below).map(child_of);
        iter::successors(first, move |&child| first_in(at, &(self.ends[child]..below.end)).map(child_of))
    }
}

/// The smallest of the sorted indexes that lies in `range`.
fn first_in(at: &[usize], range: &Range<usize>) -> Option<usize> {
    at.get(at.partition_point(|&index| index < range.start)).copied().filter(|index| range.contains(index))
}
