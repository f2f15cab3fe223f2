//! Names and parents: the nodes must be one tree with one root and not too many tiers.

use std::collections::BTreeMap;

use taoyao_types::name::check_label;
use taoyao_types::{NodeName, limits};

use crate::mistake::{At, Report};
use crate::raw::RawNode;
use crate::suggest::{closest, listed};

/// A node's place in the tree.
#[derive(Debug)]
pub(crate) struct Place {
    /// Which of the file's nodes it is.
    pub(crate) raw: usize,
    pub(crate) name: NodeName,
    /// 1 for the root.
    pub(crate) tier: usize,
    /// The parent's index among the places; always smaller than its own.
    pub(crate) parent: Option<usize>,
    /// The standby parents, as indexes among the file's nodes.
    pub(crate) standby: Vec<usize>,
}

/// Reports every fault of the tree; returns the sound part of it, each parent before its children, subtrees together.
pub(crate) fn check_tree(nodes: &[RawNode], report: &Report<'_>) -> Vec<Place> {
    if nodes.is_empty() && report.is_clean() {
        report.add(&(0..0), "the file has no node", "at least one: [[node]] and below it name = \"cn\"");
    }
    let by_name = check_names(nodes, report);
    let parents: Vec<Vec<usize>> =
        nodes.iter().map(|node| find_parents(node, nodes, &by_name, report)).collect();
    let cyclic = report_cycles(nodes, &parents, report);
    let root = check_root(nodes, cyclic, report);
    let children = children_of(nodes, &parents, &by_name);
    let places = root.map(|root| place_nodes(root, nodes, &parents, &children, report)).unwrap_or_default();
    check_standby(&places, nodes, report);
    check_links(&places, nodes, report);
    places
}

fn check_names<'n>(nodes: &'n [RawNode], report: &Report<'_>) -> BTreeMap<&'n str, usize> {
    let mut by_name = BTreeMap::new();
    for (index, node) in nodes.iter().enumerate() {
        let name = &node.name;
        if let Err(why) = check_label(&name.value) {
            let advice = "a short name like \"sh\" or \"site-42\"; the path is made of the parents' names";
            report.add(&name.span, format!("bad node name {:?}: {why}", name.value), advice);
        }
        match by_name.get(name.value.as_str()) {
            Some(&first) => {
                let first: &RawNode = &nodes[first];
                let what = format!(
                    "two nodes are called `{}`; the first is in line {}",
                    name.value,
                    report.line(&first.name.span)
                );
                report.add(&name.span, what, "a name that no other node of the file has");
            }
            None => {
                by_name.insert(name.value.as_str(), index);
            }
        }
    }
    by_name
}

/// The indexes of a node's parents that exist; the first is the primary one, without which there is none.
fn find_parents(
    node: &RawNode,
    nodes: &[RawNode],
    by_name: &BTreeMap<&str, usize>,
    report: &Report<'_>,
) -> Vec<usize> {
    let Some(written) = &node.parents else {
        return Vec::new();
    };
    if written.value.is_empty() {
        let what = format!("`parent` of node `{}` is an empty list", node.name.value);
        report.add(&written.span, what, "the parent's name, or no `parent` line at all for the root");
    }
    let mut found = Vec::new();
    for parent in &written.value {
        match by_name.get(parent.value.as_str()) {
            Some(&index) if found.contains(&index) => {
                let what = format!("node `{}` names its parent `{}` twice", node.name.value, parent.value);
                report.add(&parent.span, what, "each parent once: the primary first, then the standby ones");
            }
            Some(&index) => found.push(index),
            None => report_unknown_parent(node, parent, nodes, report),
        }
    }
    // Under a standby parent the node would stand in the wrong place, and that would look like further mistakes.
    let primary = written.value.first().and_then(|parent| by_name.get(parent.value.as_str()));
    if primary == found.first() { found } else { Vec::new() }
}

fn report_unknown_parent(node: &RawNode, parent: &At<String>, nodes: &[RawNode], report: &Report<'_>) {
    let what = format!("unknown parent `{}` of node `{}`", parent.value, node.name.value);
    let others = || nodes.iter().map(|node| node.name.value.as_str()).filter(|name| *name != node.name.value);
    let last = parent.value.rsplit('/').next().unwrap_or_default();
    let all = format!("the other nodes are: {}", listed(others()));
    let advice = match closest(last, others()) {
        Some(name) => format!("\"{name}\" ({all})"),
        None => all,
    };
    report.add(&parent.span, what, advice);
}

/// Reports each circle of primary parents once; whether there was any.
fn report_cycles(nodes: &[RawNode], parents: &[Vec<usize>], report: &Report<'_>) -> bool {
    let mut seen_in = vec![None; nodes.len()];
    let mut cyclic = false;
    for start in 0..nodes.len() {
        let mut walk = Vec::new();
        let mut at = Some(start);
        while let Some(index) = at.filter(|&index| seen_in[index].is_none()) {
            seen_in[index] = Some(start);
            walk.push(index);
            at = parents[index].first().copied();
        }
        let Some(back) = at.filter(|&index| seen_in[index] == Some(start)) else {
            continue;
        };
        cyclic = true;
        let circle: Vec<usize> = walk.into_iter().skip_while(|&index| index != back).collect();
        report_cycle(nodes, &circle, report);
    }
    cyclic
}

fn report_cycle(nodes: &[RawNode], circle: &[usize], report: &Report<'_>) {
    let closed = circle.iter().chain(circle.first());
    let names: Vec<&str> = closed.map(|&index| nodes[index].name.value.as_str()).collect();
    let what = match names.as_slice() {
        [name, _] => format!("node `{name}` is its own parent"),
        names => format!("these nodes are each other's parents in a circle: {}", names.join(" → ")),
    };
    let span = circle.first().and_then(|&index| nodes[index].parent_span()).cloned().unwrap_or(0..0);
    report.add(&span, what, "a parent nearer to the root, or no `parent` line if this is the root");
}

/// The root's index, if there is one to go on with.
fn check_root(nodes: &[RawNode], cyclic: bool, report: &Report<'_>) -> Option<usize> {
    let mut roots = nodes.iter().enumerate().filter(|(_, node)| !node.has_parent);
    let root = roots.next();
    for (_, other) in roots {
        let first = root.map(|(_, node)| node.name.value.as_str()).unwrap_or_default();
        let what = format!("two roots: neither `{first}` nor `{}` has a parent", other.name.value);
        report.add(&other.name.span, what, format!("parent = [\"{first}\"], or another node below it"));
    }
    if let (None, false, Some(first)) = (root, cyclic, nodes.first()) {
        let what = format!("no root: every node has a parent, `{}` too", first.name.value);
        report.add(&first.name.span, what, "no `parent` line in the one node that is the root");
    }
    root.map(|(index, _)| index)
}

/// For each node its children. Of two nodes with one name only the first is anybody's child.
fn children_of(
    nodes: &[RawNode],
    parents: &[Vec<usize>],
    by_name: &BTreeMap<&str, usize>,
) -> Vec<Vec<usize>> {
    let mut children = vec![Vec::new(); nodes.len()];
    for (index, parents) in parents.iter().enumerate() {
        let is_first = by_name.get(nodes[index].name.value.as_str()) == Some(&index);
        if let Some(&parent) = parents.first().filter(|_| is_first) {
            children[parent].push(index);
        }
    }
    children
}

/// Walks down from the root: each node before its children, children in the order of the file.
fn place_nodes(
    root: usize,
    nodes: &[RawNode],
    parents: &[Vec<usize>],
    children: &[Vec<usize>],
    report: &Report<'_>,
) -> Vec<Place> {
    let mut places: Vec<Place> = Vec::new();
    let mut ahead: Vec<(usize, Option<usize>)> = vec![(root, None)];
    while let Some((raw, parent)) = ahead.pop() {
        let Some(name) = path_of(&nodes[raw], parent.map(|parent| &places[parent]), report) else {
            continue;
        };
        report_too_many(&nodes[raw], children[raw].len(), report);
        let place = places.len();
        let tier = parent.map_or(1, |parent| places[parent].tier + 1);
        let standby = parents[raw].iter().skip(1).copied().collect();
        places.push(Place { raw, name, tier, parent, standby });
        ahead.extend(children[raw].iter().rev().map(|&child| (child, Some(place))));
    }
    places
}

fn path_of(node: &RawNode, parent: Option<&Place>, report: &Report<'_>) -> Option<NodeName> {
    let path = match parent {
        Some(parent) => format!("{}/{}", parent.name, node.name.value),
        None => node.name.value.clone(),
    };
    let tiers = path.split('/').count();
    if tiers > limits::TIERS_MAX {
        let what = format!("node `{}` is on tier {tiers}: `{path}`", node.name.value);
        let advice = format!("a parent nearer to the root: a mesh has at most {} tiers", limits::TIERS_MAX);
        report.add(node.parent_span().unwrap_or(&node.name.span), what, advice);
        return None;
    }
    let name: Result<NodeName, _> = path.parse();
    if let Err(why) = &name
        && check_label(&node.name.value).is_ok()
    {
        report.add(&node.name.span, format!("the path `{path}` is no node name: {why}"), "shorter names");
    }
    name.ok()
}

fn report_too_many(node: &RawNode, children: usize, report: &Report<'_>) {
    if children > limits::CHILDREN_MAX {
        let what = format!("node `{}` has {children} children", node.name.value);
        let advice = format!("a tier between: a node has at most {} children", limits::CHILDREN_MAX);
        report.add(&node.name.span, what, advice);
    }
}

/// A standby parent must not hang below the node itself, or a switch to it would cut both off.
fn check_standby(places: &[Place], nodes: &[RawNode], report: &Report<'_>) {
    for place in places {
        for &standby in &place.standby {
            let below = places.iter().any(|other| other.raw == standby && is_below(other, place));
            if below {
                let node = &nodes[place.raw];
                let standby = &nodes[standby].name.value;
                let what =
                    format!("the standby parent `{standby}` of node `{}` lies below it", node.name.value);
                let span = node.parent_span().unwrap_or(&node.name.span);
                report.add(span, what, "a standby parent outside of the node's own subtree");
            }
        }
    }
}

fn is_below(node: &Place, top: &Place) -> bool {
    let rest = node.name.as_str().strip_prefix(top.name.as_str());
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Whoever is somebody's parent, standby or not, must listen for links.
fn check_links(places: &[Place], nodes: &[RawNode], report: &Report<'_>) {
    let mut children: BTreeMap<usize, &str> = BTreeMap::new();
    for place in places {
        let primary = place.parent.map(|parent| places[parent].raw);
        for parent in primary.into_iter().chain(place.standby.iter().copied()) {
            children.entry(parent).or_insert(nodes[place.raw].name.value.as_str());
        }
    }
    for (parent, child) in children {
        let node = &nodes[parent];
        if !node.has_links {
            let what = format!(
                "node `{}` does not listen for links, so its child `{child}` cannot dial it",
                node.name.value
            );
            report.add(&node.name.span, what, LISTEN_EXAMPLE);
        }
    }
}

const LISTEN_EXAMPLE: &str =
    "below it: links = { listen = \"0.0.0.0:7000\", advertise = \"east.example.com:7000\" }";
