//! Ids are short hashes of names: two names that share one cannot be in one mesh.

use std::collections::BTreeMap;

use taoyao_types::{NodeId, PartitionId};

use crate::check::{Delegation, Place};
use crate::mistake::Report;
use crate::raw::RawNode;

/// Reports nodes and partitions of different names with one id; needs names that are known to differ.
pub(crate) fn check_ids(
    places: &[Place],
    delegations: &[Delegation],
    nodes: &[RawNode],
    report: &Report<'_>,
) {
    let mut node_ids = BTreeMap::new();
    let mut partition_ids = BTreeMap::new();
    for (place, delegation) in places.iter().zip(delegations) {
        let span = &nodes[place.raw].name.span;
        if let Some(first) = node_ids.insert(NodeId::of(&place.name), &place.name) {
            let what = format!("the nodes `{first}` and `{}` have the same id by chance", place.name);
            report.add(span, what, "another name for one of the two");
        }
        for partition in &delegation.owned {
            if let Some(first) = partition_ids.insert(PartitionId::of(partition), partition) {
                let what = format!("the partitions `{first}` and `{partition}` have the same id by chance");
                report.add(span, what, "another name for one of the two");
            }
        }
    }
}
