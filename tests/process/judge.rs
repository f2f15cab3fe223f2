//! Whether a mesh agrees with the truth, once it has had time to.

use std::collections::{BTreeMap, BTreeSet};

use crate::crowd::Crowd;
use crate::mesh::Mesh;
use crate::patience::until;
use crate::shape::Place;

/// Waits until everything that the nodes and the terminals of a mesh believe is true, and nothing is left over.
pub(crate) async fn settled(mesh: &Mesh, crowd: &Crowd) {
    until("in agreement with the truth", async || {
        let mut wrong = root_knows_all(mesh, crowd).await;
        for place in mesh.places() {
            wrong.extend(node_is_well(mesh, crowd, place).await);
        }
        wrong.extend(terminals_see_each_other(crowd));
        wrong
    })
    .await;
}

/// Waits until no node has a request under way, and checks that nothing happened that is never right.
pub(crate) async fn quiet(mesh: &Mesh) {
    until("quiet", async || {
        let mut left = Vec::new();
        for place in mesh.places() {
            for name in ["taoyao_requests_pending", "taoyao_requests_running"] {
                let count = mesh.admin(place.short).metric(name).await;
                left.extend((count > 0).then(|| format!("{}: {count} {name}", place.name)));
            }
        }
        left
    })
    .await;
    for place in mesh.places() {
        for never in ["taoyao_ttl_expired_total", "taoyao_authority_violations_total", "taoyao_alarms_total"]
        {
            assert_eq!(mesh.admin(place.short).metric(never).await, 0, "{} {never}", place.name);
        }
    }
}

/// The root's list of terminals, with their nodes, is the truth.
async fn root_knows_all(mesh: &Mesh, crowd: &Crowd) -> Vec<String> {
    let report = mesh.terminals("cn").await;
    let listed: BTreeMap<String, String> =
        report.terminals.iter().map(|entry| (entry.name.to_string(), entry.node.to_string())).collect();
    let truth: BTreeMap<String, String> =
        crowd.players.iter().map(|player| (player.name.to_string(), player.node.to_string())).collect();
    let missing = truth.iter().filter(|(name, node)| listed.get(*name) != Some(node));
    let mut wrong: Vec<String> = missing
        .map(|(name, node)| format!("the root lists {name} at {:?}, not at {node}", listed.get(name)))
        .collect();
    wrong.extend(
        listed.keys().filter(|name| !truth.contains_key(*name)).map(|name| format!("{name} is a ghost")),
    );
    wrong.extend(report.incomplete.iter().map(|node| format!("{node} does not tell the root its terminals")));
    wrong
}

/// A node's links are synced, and it has exactly one record for each terminal at or below it.
async fn node_is_well(mesh: &Mesh, crowd: &Crowd, place: &Place) -> Vec<String> {
    let status = mesh.status(place.short).await;
    let subtree: BTreeSet<String> = mesh.subtree(place).map(|below| below.name.to_string()).collect();
    let expected =
        crowd.players.iter().filter(|player| subtree.contains(player.node.as_str())).count() as u64;
    let mut wrong = Vec::new();
    if status.directory_records != expected {
        wrong.push(format!("{} has {} records, not {expected}", place.name, status.directory_records));
    }
    let unwell = status.links.iter().filter(|link| !link.is_synced);
    wrong.extend(
        unwell.map(|link| format!("{} is not synced with {}: {}", place.name, link.peer, link.reason)),
    );
    wrong
}

/// Everybody who has listed the others is shown exactly those who are there.
fn terminals_see_each_other(crowd: &Crowd) -> Vec<String> {
    let mut wrong = Vec::new();
    for player in &crowd.players {
        let others = crowd.players.iter().filter(|other| other.name != player.name);
        let expected: BTreeSet<String> =
            others.map(|other| other.name.seen_from(&player.name.partition)).collect();
        let own = [player.name.to_string(), player.name.client.to_string()];
        let mut seen = player.noted(|notes| notes.sees.clone());
        seen.retain(|id| !own.contains(id));
        if seen != expected {
            let (missing, ghosts) = (expected.difference(&seen), seen.difference(&expected));
            let (missing, ghosts) = (missing.collect::<Vec<_>>(), ghosts.collect::<Vec<_>>());
            wrong.push(format!("{} misses {missing:?} and sees the ghosts {ghosts:?}", player.name));
        }
    }
    wrong
}
