//! A seeded storm: terminals that talk, move and vanish while links break and nodes die, and then peace.

use std::time::Duration;

use serde_json::json;
use taoyao_topology::Topology;
use taoyao_types::{NodeId, TerminalName};

use crate::client::ClientIndex;
use crate::judge::Judge;
use crate::meeting::meet;
use crate::world::{PEACE, World};

/// How hard a storm blows.
#[derive(Debug, Clone, Copy)]
pub struct Storm {
    pub terminals: usize,
    pub duration: Duration,
    /// Faults (cuts, kills) per minute.
    pub faults_per_minute: u32,
    /// Whether a forger has the place of the root's first child that has children.
    pub has_forger: bool,
    /// Whether terminals meet in rooms besides.
    pub has_rooms: bool,
}

impl Default for Storm {
    fn default() -> Self {
        Self {
            terminals: 24,
            duration: Duration::from_secs(90),
            faults_per_minute: 8,
            has_forger: false,
            has_rooms: false,
        }
    }
}

/// What came of it.
#[derive(Debug)]
pub struct Outcome {
    pub seed: u64,
    /// Sentences that name the broken invariant; empty when all is well.
    pub wrong: Vec<String>,
    /// Messages between nodes, and requests of terminals by how they ended: shows that something happened at all.
    pub frames: u64,
    /// How often an honest node noticed that the forger went too far.
    pub alarms: u64,
    pub answers: std::collections::BTreeMap<String, u64>,
}

/// Plays one storm over the topology and judges the peace after it.
pub fn run(topology: Topology, seed: u64, storm: Storm) -> Outcome {
    let mut world = World::new(topology, seed);
    if storm.has_forger {
        let nodes = world.topology().nodes();
        let region = nodes.iter().find(|node| node.parent().is_some() && !node.children.is_empty());
        let region = region.expect("the tree has three tiers").id;
        world.put_forger(region);
    }
    let terminals = populate(&mut world, storm.terminals);
    world.run_for(Duration::from_secs(3));
    blow(&mut world, &terminals, storm);
    calm(&mut world, &terminals);
    let mut answers = std::collections::BTreeMap::new();
    for client in &world.clients {
        for (answer, count) in &client.answers {
            *answers.entry(answer.clone()).or_default() += count;
        }
    }
    Outcome { seed, wrong: Judge::verdict(&world), frames: world.frames, alarms: world.alarms, answers }
}

/// Terminals of every node's own partition, and some of a partition that several nodes serve.
fn populate(world: &mut World, count: usize) -> Vec<ClientIndex> {
    let partitions: Vec<_> = world
        .topology()
        .partitions()
        .filter(|partition| partition.servers.iter().any(|server| !world.is_forger(*server)))
        .map(|partition| partition.name.clone())
        .collect();
    (0..count)
        .map(|number| {
            let partition = partitions[number % partitions.len()].clone();
            let name: TerminalName = format!("t{number}@{partition}").parse().expect("made of good parts");
            let index = world.add_client(name.clone(), name.to_string());
            let node = home_for(world, index);
            world.connect(index, node);
            index
        })
        .collect()
}

/// A node that the terminal may attach to.
fn home_for(world: &mut World, index: ClientIndex) -> NodeId {
    let name = world.client(index).name.clone();
    let partition = taoyao_types::PartitionId::of(&name.partition);
    let mut servers = world.topology().partition(partition).map(|p| p.servers.clone()).unwrap_or_default();
    servers.retain(|server| !world.is_forger(*server));
    servers[world.rng.usize(0..servers.len())]
}

fn blow(world: &mut World, terminals: &[ClientIndex], storm: Storm) {
    let step = Duration::from_millis(50);
    let steps = storm.duration.as_millis() / step.as_millis();
    let chance = f64::from(storm.faults_per_minute) / 60.0 * step.as_secs_f64();
    for _ in 0..steps {
        if world.rng.f64() < chance {
            fault(world);
        }
        if world.rng.f64() < chance {
            mend(world);
        }
        for _ in 0..2 {
            let index = terminals[world.rng.usize(0..terminals.len())];
            if storm.has_rooms && world.client(index).is_registered && world.rng.bool() {
                meet(world, index);
            } else {
                act(world, index, terminals);
            }
        }
        world.forge();
        world.run_for(step);
        world.complain_of_silence();
    }
}

fn fault(world: &mut World) {
    let children: Vec<NodeId> = world.links.keys().copied().collect();
    let nodes: Vec<NodeId> = world.running().into_iter().collect();
    if world.rng.bool() || nodes.len() < 2 {
        let child = children[world.rng.usize(0..children.len())];
        world.cut(child);
    } else {
        let node = nodes[world.rng.usize(0..nodes.len())];
        world.kill_node(node);
    }
}

fn mend(world: &mut World) {
    let cut: Vec<NodeId> = world.links.keys().copied().filter(|child| world.is_cut(*child)).collect();
    let running = world.running();
    let dead: Vec<NodeId> =
        world.topology().nodes().iter().map(|node| node.id).filter(|node| !running.contains(node)).collect();
    match (cut.first(), dead.first()) {
        (Some(child), None) => world.heal(*child),
        (None, Some(node)) => world.start_node(*node),
        (Some(child), Some(node)) => {
            if world.rng.bool() {
                world.heal(*child);
            } else {
                world.start_node(*node);
            }
        }
        (None, None) => {}
    }
}

/// One thing that a terminal might do.
fn act(world: &mut World, index: ClientIndex, all: &[ClientIndex]) {
    let client = world.client(index);
    let (is_connected, is_registered) = (client.at.is_some(), client.is_registered);
    if !is_connected {
        let node = home_for(world, index);
        return world.connect(index, node);
    }
    if !is_registered {
        return;
    }
    let other = all[world.rng.usize(0..all.len())];
    let target = world.client(other).name.clone();
    let (now, lifetime) = (world.now, world.client(index).at.map_or(0, |(_, conn)| conn.0));
    let dice = world.rng.u32(0..100);
    let client = &mut world.clients[index.0];
    let text = match dice {
        0..40 => client.unicast(&target, lifetime),
        40..55 if other != index => {
            client.request(now, "session::call", json!({ "clientId": target.to_string() }))
        }
        55..75 => match client.sessions.last().cloned() {
            Some(session) => client.exchange(&session, lifetime),
            None => return,
        },
        75..80 => client.request(now, "client::status", json!({ "clientId": target.to_string() })),
        80..84 => client.request(now, "client::list", json!({})),
        84..88 => client.push("client::broadcast", json!({ "hello": "everyone" })),
        88..92 => match client.sessions.pop() {
            Some(session) => client.push("session::close", json!({ "sessionId": session })),
            None => return,
        },
        92..95 => return world.disconnect(index),
        95..97 => {
            // Logs in again, here or at another node, without leaving first.
            let node = home_for(world, index);
            return world.connect(index, node);
        }
        _ => client.request(now, "client::heartbeat", json!({ "battery": 50 })),
    };
    world.say(index, text);
}

/// Everything is mended, everyone comes back, and then there is time to agree.
fn calm(world: &mut World, terminals: &[ClientIndex]) {
    let children: Vec<NodeId> = world.links.keys().copied().collect();
    let nodes: Vec<NodeId> = world.topology().nodes().iter().map(|node| node.id).collect();
    nodes.into_iter().for_each(|node| world.start_node(node));
    children.into_iter().for_each(|child| world.heal(child));
    for _ in 0..6 {
        for index in terminals {
            if world.client(*index).at.is_none() {
                let node = home_for(world, *index);
                world.connect(*index, node);
            }
        }
        world.forge();
        world.run_for(Duration::from_secs(10));
        world.complain_of_silence();
    }
    world.run_for(PEACE);
    // What is compared from time to time may be on its way just now.
    for _ in 0..20 {
        if world.is_at_rest() {
            break;
        }
        world.run_for(Duration::from_millis(50));
    }
    world.complain_of_silence();
}
