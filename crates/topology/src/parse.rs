//! From the file's text to a checked [`Topology`], or to everything that is wrong with it.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use taoyao_types::{NodeId, PartitionId};

use crate::certs::Certs;
use crate::check::{
    Delegation, FileSpans, NodeFileSpans, Place, check_addresses, check_ids, check_partitions, check_policy,
    check_scripts, check_tree, default_plain_ports,
};
use crate::media::Media;
use crate::mistake::{Mistakes, Report, Source};
use crate::node::{Listener, Node, Terminals, TlsFiles};
use crate::raw::{RawListener, RawMedia, RawNode, RawTcp, RawTopology};
use crate::tcp::Tcp;
use crate::topology::{Partition, Policy, Topology};

impl Topology {
    /// Reads and checks a topology file's text.
    ///
    /// `file` is the file's name: mistakes show it, and the paths in the file are seen from its directory. All mistakes
    /// are reported at once, except that a text which is not TOML is not looked at any further.
    pub fn parse(file: &str, text: &str) -> Result<Topology, Mistakes> {
        let source = Source { file: file.to_owned(), text: text.to_owned() };
        let report = Report::new(&source);
        let built = RawTopology::read(&source, &report).and_then(|raw| check(raw, &source, &report));
        report.finish()?;
        Ok(built.expect("a file without mistakes makes a topology"))
    }
}

/// Runs all checks; `None` only if at least one mistake was reported.
fn check(raw: RawTopology, source: &Source, report: &Report<'_>) -> Option<Topology> {
    let places = check_tree(&raw.nodes, report);
    let delegations = check_partitions(&places, &raw.nodes, report);
    check_addresses(&raw.nodes, report);
    let rules = check_policy(&raw.policy, &delegations, report);
    let scripts = check_scripts(raw.scripts, &places, report);
    if report.is_clean() {
        check_ids(&places, &delegations, &raw.nodes, report);
    }
    if !report.is_clean() {
        return None;
    }
    let spans = FileSpans {
        certs_dir: raw.certs_dir.span,
        nodes: places.iter().map(|place| spans_of(&raw.nodes[place.raw])).collect(),
    };
    let nodes = build_nodes(&places, delegations, &raw.nodes);
    let ups = places.iter().map(|place| place.parent.unwrap_or(0)).collect();
    Some(Topology {
        org: raw.org?.value,
        generation: raw.generation,
        certs: Certs::new(raw.certs_dir.value),
        limits: raw.limits,
        login: raw.login,
        ice: raw.ice,
        scripts,
        policy: Policy { between_partitions: raw.policy.between_partitions, rules },
        ends: subtree_ends(&places),
        downs: children(&places),
        ups,
        by_id: nodes.iter().enumerate().map(|(index, node)| (node.id, index)).collect(),
        partitions: build_partitions(&nodes),
        nodes,
        source: source.clone(),
        spans,
    })
}

fn spans_of(raw: &RawNode) -> NodeFileSpans {
    let tls = raw.terminals_tls.as_ref().map(|tls| (tls.cert.span.clone(), tls.key.span.clone()));
    let secrets = raw.terminals_tcp.iter().map(|tcp| tcp.secret_file.clone()).collect();
    NodeFileSpans { name: raw.name.span.clone(), tls, secrets }
}

fn build_nodes(places: &[Place], delegations: Vec<Delegation>, raw: &[RawNode]) -> Vec<Node> {
    let ids: BTreeMap<usize, NodeId> =
        places.iter().map(|place| (place.raw, NodeId::of(&place.name))).collect();
    let children = children(places);
    let plain_ports = default_plain_ports(raw);
    let mut nodes = Vec::with_capacity(places.len());
    for ((place, delegation), children) in places.iter().zip(delegations).zip(children) {
        let parents =
            place.parent.map(|parent| places[parent].raw).into_iter().chain(place.standby.iter().copied());
        let parents = parents.filter_map(|raw| ids.get(&raw).copied()).collect();
        let children = children.into_iter().map(|child| NodeId::of(&places[child].name)).collect();
        let plain_ports = plain_ports[place.raw].clone();
        nodes.push(build_node(place, parents, children, delegation, &raw[place.raw], plain_ports));
    }
    nodes
}

fn build_node(
    place: &Place,
    parents: Vec<NodeId>,
    children: Vec<NodeId>,
    delegation: Delegation,
    raw: &RawNode,
    plain_ports: RangeInclusive<u16>,
) -> Node {
    Node {
        id: NodeId::of(&place.name),
        name: place.name.clone(),
        tier: place.tier,
        parents,
        children,
        partitions: delegation.owned,
        serves: delegation.serves,
        terminals: raw.terminals.as_ref().map(|terminals| build_terminals(terminals, raw)),
        links: raw.links.as_ref().map(build_listener),
        media: raw.media.as_ref().map(|media| build_media(media, plain_ports)),
        recordings: raw.recordings.as_ref().map(|recordings| recordings.value.clone()),
        admin: raw.admin.as_ref().map(|admin| admin.value),
        admin_hosts: raw.admin_hosts.clone(),
        near: raw.near.clone(),
        rewrite: raw.rewrite.clone(),
        state_dir: raw.state_dir.value.clone(),
    }
}

fn build_terminals(listener: &RawListener, raw: &RawNode) -> Terminals {
    let Listener { listen, advertise } = build_listener(listener);
    let tls = raw.terminals_tls.as_ref();
    let tls = tls.map(|tls| TlsFiles { cert: tls.cert.value.clone(), key: tls.key.value.clone() });
    let tcp = raw.terminals_tcp.iter().map(build_tcp).collect();
    Terminals { listen, advertise, tls, tcp, guard: raw.terminals_guard.clone() }
}

fn build_tcp(raw: &RawTcp) -> Tcp {
    let RawTcp { listen, mode, frame_bytes_max, .. } = raw;
    Tcp { listen: listen.value, mode: mode.clone(), frame_bytes_max: *frame_bytes_max }
}

fn build_media(raw: &RawMedia, free: RangeInclusive<u16>) -> Media {
    let Listener { listen, advertise } = build_listener(&raw.listener);
    let RawMedia { workers, tcp, ref plain_ports, bitrate_in_max, room_transports_per_worker, .. } = *raw;
    Media {
        listen,
        advertise,
        workers,
        tcp,
        plain_ports: plain_ports.as_ref().map_or(free, |ports| ports.value.clone()),
        bitrate_in_max,
        room_transports_per_worker,
    }
}

fn build_listener(raw: &RawListener) -> Listener {
    Listener { listen: raw.listen.value, advertise: raw.advertise.value.clone() }
}

/// For each place the indexes of its children, sorted.
fn children(places: &[Place]) -> Vec<Vec<usize>> {
    let mut children = vec![Vec::new(); places.len()];
    for (index, place) in places.iter().enumerate() {
        if let Some(parent) = place.parent {
            children[parent].push(index);
        }
    }
    children
}

/// For each place the index behind its last descendant.
fn subtree_ends(places: &[Place]) -> Vec<usize> {
    let mut ends: Vec<usize> = (1..=places.len()).collect();
    for (index, place) in places.iter().enumerate().rev() {
        if let Some(parent) = place.parent {
            ends[parent] = ends[parent].max(ends[index]);
        }
    }
    ends
}

fn build_partitions(nodes: &[Node]) -> BTreeMap<PartitionId, Partition> {
    let mut partitions = BTreeMap::new();
    for (index, node) in nodes.iter().enumerate() {
        for name in &node.partitions {
            let id = PartitionId::of(name);
            let (owner, servers, at) = (node.id, vec![node.id], vec![index]);
            partitions.insert(id, Partition { id, name: name.clone(), owner, servers, at });
        }
    }
    // A server lies below the owner, so it comes later than the owner and the indexes are sorted.
    for (index, node) in nodes.iter().enumerate() {
        for partition in &node.serves {
            if let Some(partition) = partitions.get_mut(&PartitionId::of(partition)) {
                partition.servers.push(node.id);
                partition.at.push(index);
            }
        }
    }
    partitions
}
