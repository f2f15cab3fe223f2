//! Ways through the tree agree, on many random trees, with what a plain walk from parent to parent says.

use std::collections::BTreeSet;

use taoyao_topology::{Node, Topology};
use taoyao_types::{NodeId, PartitionId};

use crate::{MESH, topology};

const TREES: u64 = 40;

#[test]
fn every_hop_brings_one_nearer_to_its_target() {
    for mesh in (0..TREES).map(random_mesh) {
        for (from, to) in pairs(&mesh) {
            let way = plain_way(&mesh, from, to);
            assert_eq!(mesh.next_hop(from.id, to.id), way.get(1).copied(), "{} to {}", from.name, to.name);
            assert_eq!(mesh.hops(from.id, to.id), Some(way.len() - 1), "{} to {}", from.name, to.name);
        }
    }
}

#[test]
fn a_subtree_is_who_has_the_top_among_its_ancestors() {
    for mesh in (0..TREES).map(random_mesh) {
        for top in mesh.nodes() {
            let below: BTreeSet<NodeId> = mesh.subtree(top.id).collect();
            for node in mesh.nodes() {
                let is_below = way_up(&mesh, node).contains(&top.id);
                assert_eq!(below.contains(&node.id), is_below);
                assert_eq!(mesh.is_below(node.id, top.id), is_below);
            }
        }
    }
}

#[test]
fn a_partition_may_be_registered_by_whoever_has_a_server_below() {
    for mesh in (0..TREES).map(random_mesh) {
        for partition in mesh.partitions() {
            for child in mesh.nodes() {
                let has = partition.servers.iter().any(|server| mesh.is_below(*server, child.id));
                assert_eq!(mesh.may_register(child.id, partition.id), has);
                assert_eq!(mesh.may_attach(child.id, partition.id), partition.servers.contains(&child.id));
            }
        }
    }
}

#[test]
fn a_broadcast_goes_once_to_each_neighbour_with_servers_behind_it() {
    for mesh in (0..TREES).map(random_mesh) {
        for partition in mesh.partitions() {
            for from in mesh.nodes() {
                let hops: Vec<NodeId> = mesh.toward(from.id, partition.id).collect();
                let once: BTreeSet<NodeId> = hops.iter().copied().collect();
                let wanted = partition.servers.iter().filter_map(|server| mesh.next_hop(from.id, *server));
                assert_eq!(once, wanted.collect(), "{} from {}", partition.name, from.name);
                assert_eq!(once.len(), hops.len(), "a neighbour is named twice");
            }
        }
    }
}

#[test]
fn nodes_are_listed_with_parents_before_children() {
    for mesh in (0..TREES).map(random_mesh) {
        let mut seen = BTreeSet::new();
        for node in mesh.nodes() {
            assert!(node.parent().is_none_or(|parent| seen.contains(&parent)));
            assert!(node.children.iter().all(|child| mesh.node(*child).unwrap().parent() == Some(node.id)));
            seen.insert(node.id);
        }
        assert_eq!(mesh.root().tier, 1);
    }
}

#[test]
fn strangers_lead_nowhere() {
    let mesh = topology(MESH);
    let (root, stranger) = (mesh.root().id, NodeId(1));
    let partition = mesh.partitions().next().unwrap().id;
    assert_eq!(mesh.next_hop(root, stranger), None);
    assert_eq!(mesh.next_hop(stranger, root), None);
    assert_eq!(mesh.hops(root, stranger), None);
    assert_eq!(mesh.subtree(stranger).count(), 0);
    assert_eq!(mesh.toward(stranger, partition).count(), 0);
    assert_eq!(mesh.toward(root, PartitionId(1)).count(), 0);
    assert!(!mesh.may_register(stranger, partition) && !mesh.may_register(root, PartitionId(1)));
    assert!(!mesh.is_below(stranger, root) && !mesh.is_below(root, stranger));
}

#[test]
fn standby_parents_are_kept_behind_the_primary_one() {
    let text = MESH.replace("parent = [\"cn\"]\nlinks", "parent = \"cn\"\nlinks")
        + "[[node]]\nname = \"bj\"\nparent = [\"cn\", \"east\"]\n";
    let mesh = topology(&text);
    let bj = mesh.by_name("bj").unwrap();
    assert_eq!(bj.name.as_str(), "cn/bj");
    assert_eq!(bj.parents, [mesh.root().id, mesh.by_name("east").unwrap().id]);
    assert_eq!(mesh.by_name("east").unwrap().children.len(), 2);
}

/// A tree of up to 40 nodes with partitions that some of the nodes below their owner serve.
fn random_mesh(seed: u64) -> Topology {
    let mut dice = Dice(seed);
    let mut text =
        "org = \"x\"\n[[node]]\nname = \"n0\"\nlinks = { listen = \"127.0.0.1:7000\" }\n".to_owned();
    let mut partitions: Vec<Vec<String>> = vec![vec!["n0".to_owned()]];
    let mut tiers = vec![1];
    for node in 1..2 + dice.roll(39) {
        let parent = loop {
            let parent = dice.roll(node);
            if tiers[parent] < 6 {
                break parent;
            }
        };
        let above = partitions[parent].clone();
        let serves: Vec<&String> = above.iter().filter(|_| dice.roll(3) == 0).collect();
        text += &format!("[[node]]\nname = \"n{node}\"\nparent = \"n{parent}\"\nserves = {serves:?}\n");
        text += &format!("links = {{ listen = \"127.0.0.1:{}\" }}\n", 7000 + node);
        tiers.push(tiers[parent] + 1);
        let own = format!("n{node}.{}", above.last().expect("a parent owns its own"));
        partitions.push(above.into_iter().chain([own]).collect());
    }
    topology(&text)
}

/// A linear congruential generator (Knuth's MMIX constants): the same trees in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("31 bits fit") % sides
    }
}

fn pairs(mesh: &Topology) -> impl Iterator<Item = (&Node, &Node)> {
    mesh.nodes().iter().flat_map(|from| mesh.nodes().iter().map(move |to| (from, to)))
}

/// The node and its ancestors, the root last.
fn way_up(mesh: &Topology, node: &Node) -> Vec<NodeId> {
    std::iter::successors(Some(node), |node| node.parent().and_then(|parent| mesh.node(parent)))
        .map(|node| node.id)
        .collect()
}

/// Up to the nearest common ancestor and down again.
fn plain_way(mesh: &Topology, from: &Node, to: &Node) -> Vec<NodeId> {
    let (up, down) = (way_up(mesh, from), way_up(mesh, to));
    let turn = *up.iter().find(|id| down.contains(id)).expect("the root is common");
    let rise = up.iter().copied().take_while(|id| *id != turn);
    let fall = down.iter().copied().take_while(|id| *id != turn).collect::<Vec<_>>();
    rise.chain([turn]).chain(fall.into_iter().rev()).collect()
}
