//! Addresses and directories: no two of one machine may be the same, and nobody is reached under another's address.

use std::collections::BTreeMap;

use super::listens::{any_clash, check_listens, meet};
use crate::mistake::{At, Report};
use crate::raw::{Advertised, RawNode};

/// Reports addresses and state directories that are used twice.
pub(crate) fn check_addresses(nodes: &[RawNode], report: &Report<'_>) {
    check_listens(nodes, report);
    check_advertised(nodes, report);
    check_states(nodes, report);
    check_recordings(nodes, report);
}

/// The machine that a node runs on: what the operator says, else the host under which others reach it.
pub(super) fn host_of(node: &RawNode) -> &str {
    if let Some(host) = &node.host {
        return &host.value;
    }
    match node.advertised().first() {
        Some(advertised) => &advertised.address.value.host,
        None => &node.name.value,
    }
}

fn check_advertised(nodes: &[RawNode], report: &Report<'_>) {
    let mut seen: BTreeMap<(bool, &str), Vec<(&RawNode, Advertised<'_>)>> = BTreeMap::new();
    for node in nodes {
        for advertised in node.advertised() {
            let At { value, span } = advertised.address;
            let of_host = seen.entry((advertised.is_udp, &value.host)).or_default();
            let first = of_host.iter().find(|(_, other)| meet(&other.ports, &advertised.ports));
            // Where the listening ports clash as well, that has been said.
            if let Some((first, other)) = first.filter(|(first, _)| !any_clash(first, node)) {
                let what = format!(
                    "`{}` and `{}` (line {}) are both reached under {value}",
                    node.name.value,
                    first.name.value,
                    report.line(&other.address.span),
                );
                report.add(span, what, "an address of its own: advertise = \"…\"");
            }
            of_host.push((node, advertised));
        }
    }
}

fn check_states(nodes: &[RawNode], report: &Report<'_>) {
    let mut seen = BTreeMap::new();
    for node in nodes {
        let key = (host_of(node), &node.state_dir.value);
        if let Some(first) = seen.insert(key, node)
            && first.name.value != node.name.value
        {
            let what = format!(
                "`{}` and `{}` keep their state in one directory, {}",
                first.name.value,
                node.name.value,
                node.state_dir.value.display()
            );
            report.add(&node.state_dir.span, what, format!("dir = \"../state/{}\"", node.name.value));
        }
    }
}

/// Each recorder takes all that is in its directory for its own.
fn check_recordings(nodes: &[RawNode], report: &Report<'_>) {
    let mut seen = BTreeMap::new();
    for node in nodes {
        let Some(recordings) = &node.recordings else { continue };
        let dir = &recordings.value.dir;
        let Some(first) = seen.insert((host_of(node), dir), node) else { continue };
        if first.name.value != node.name.value {
            let names = (&first.name.value, &node.name.value);
            let what =
                format!("`{}` and `{}` record into one directory, {}", names.0, names.1, dir.display());
            report.add(&recordings.span, what, format!("dir = \"../recordings/{}\"", node.name.value));
        }
    }
}
