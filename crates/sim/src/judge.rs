//! What must hold when the mesh has been quiet for a while: the invariants of the design, each by its number.

use std::collections::{BTreeMap, BTreeSet};

use taoyao_types::{NodeId, PartitionId, PartitionName, TerminalKey, TerminalName, limits};

use crate::meeting::everybody_agrees_who_meets;
use crate::studio::everybody_receives_the_others;
use crate::world::World;

/// Compares a quiet world with what is true. Where a forger is, that is what its place does not give it power over: the
/// nodes behind it are not judged by what they know, and partitions that it may register are not judged at all.
#[derive(Debug)]
pub struct Judge;

impl Judge {
    /// Everything that is wrong, in sentences; empty when all is well.
    pub fn verdict(world: &World) -> Vec<String> {
        let mut truth = world.truth();
        truth.retain(|name, _| !world.is_tainted(PartitionId::of(&name.partition)));
        let mut wrong = world.complaints.clone();
        for node in world.topology().nodes() {
            if !world.is_behind_forger(node.id) {
                wrong.extend(directory_agrees(world, node.id, &truth));
                wrong.extend(neighbours_agree(world, node.id));
            }
            wrong.extend(nothing_is_left_over(world, node.id));
            wrong.extend(shares_are_what_is_there(world, node.id));
        }
        wrong.extend(watchers_see_the_truth(world, &truth));
        wrong.extend(everybody_agrees_who_meets(world));
        wrong.extend(everybody_receives_the_others(world));
        wrong
    }
}

/// What accounts are charged for is what their rooms have, however those came to be and ended.
fn shares_are_what_is_there(world: &World, id: NodeId) -> Option<String> {
    let tallies = world.node(id)?.terminals().tallies();
    let is_right = tallies.iter().all(|(held, there)| held == there);
    (!is_right)
        .then(|| format!("{id:?} charges for rooms, transports and ports (charged, there): {tallies:?}"))
}

/// I5 and I6: a node's directory holds the terminals of its subtree, at their nodes, and nothing else.
fn directory_agrees(world: &World, id: NodeId, truth: &BTreeMap<TerminalName, NodeId>) -> Vec<String> {
    let Some(node) = world.node(id) else { return vec![format!("{} does not run", id.hex())] };
    let directory = node.router().directory();
    let subtree: BTreeSet<NodeId> = world.topology().subtree(id).collect();
    let expected: BTreeMap<TerminalKey, (&TerminalName, NodeId)> = truth
        .iter()
        .filter(|(_, at)| subtree.contains(at))
        .map(|(name, at)| (TerminalKey::of(name), (name, *at)))
        .collect();
    let name = world.topology().node(id).map_or_else(|| id.hex(), |node| node.name.to_string());
    let mut wrong = Vec::new();
    for (key, (terminal, at)) in &expected {
        match directory.find(*key) {
            Some(entry) if entry.origin == *at => {}
            Some(entry) => {
                let (shown, truly) = (entry.origin.hex(), at.hex());
                wrong.push(format!("I5: {name} has {terminal} at {shown}, it is at {truly}"));
            }
            None => wrong.push(format!("I5: {name} does not know {terminal} at {}", at.hex())),
        }
    }
    let is_tainted = |key: &TerminalKey| world.is_tainted(key.partition());
    let untainted = || directory.walk(None).filter(|(key, _)| !is_tainted(key));
    let extra = untainted().filter(|(key, _)| !expected.contains_key(key));
    wrong.extend(extra.map(|(key, entry)| format!("I6: {name} still has {key} of {}", entry.origin.hex())));
    let tainted = directory.walk(None).count() - untainted().count();
    let counted = directory.len() - tainted;
    if counted != expected.len() {
        wrong.push(format!("I5: {name} counts {counted} terminals, there are {}", expected.len()));
    }
    wrong
}

/// I7, I8 and I9: no loop was ever met, nothing waits any more, and what is kept is within its bound.
fn nothing_is_left_over(world: &World, id: NodeId) -> Vec<String> {
    let Some(node) = world.node(id) else { return Vec::new() };
    let (router, name) = (node.router(), id.hex());
    let mut wrong = Vec::new();
    if router.stats().ttl_expired > 0 {
        wrong.push(format!("I7: {name} met {} signals that had gone too far", router.stats().ttl_expired));
    }
    if router.pending() > 0 || router.running() > 0 {
        wrong.push(format!(
            "I8: {name} still has {} pending, {} running",
            router.pending(),
            router.running()
        ));
    }
    if router.directory().tombstones() > limits::TOMBSTONES_MAX {
        wrong.push(format!("I9: {name} keeps {} tombstones", router.directory().tombstones()));
    }
    if router.stats().authority_violations > 0 && !world.has_forger() {
        wrong.push(format!("I11: {name} saw {} violations", router.stats().authority_violations));
    }
    wrong
}

/// I5: every link is up, and both ends agree on what is behind it.
fn neighbours_agree(world: &World, id: NodeId) -> Vec<String> {
    let neighbours = world.node(id).map(|node| node.neighbours()).unwrap_or_default();
    let apart = neighbours.iter().filter(|other| !other.is_synced && !world.is_forger(other.id));
    apart
        .map(|other| format!("I5: {} is not synced with {}: {}", id.hex(), other.name, other.reason))
        .collect()
}

/// I5 for people: who has listed the others sees them come and go until the list is the truth again.
fn watchers_see_the_truth(world: &World, truth: &BTreeMap<TerminalName, NodeId>) -> Vec<String> {
    let mut wrong = Vec::new();
    let watching = world.clients.iter().filter(|client| client.is_registered && client.is_watching);
    for client in watching.filter(|client| client.at.is_some_and(|(node, _)| !world.is_behind_forger(node))) {
        let home: &PartitionName = &client.name.partition;
        let is_judged = |id: &String| {
            let name = TerminalName::resolve(id, home);
            *id != client.written
                && name.is_ok_and(|name| !world.is_tainted(PartitionId::of(&name.partition)))
        };
        let others = truth.keys().filter(|name| **name != client.name);
        let expected: BTreeSet<String> = others.map(|name| name.seen_from(home)).collect();
        let seen: BTreeSet<String> = client.sees.iter().filter(|id| is_judged(id)).cloned().collect();
        if seen != expected {
            let missing: Vec<_> = expected.difference(&seen).collect();
            let ghosts: Vec<_> = seen.difference(&expected).collect();
            wrong.push(format!("I5: {} misses {missing:?} and sees the ghosts {ghosts:?}", client.name));
        }
    }
    wrong
}
