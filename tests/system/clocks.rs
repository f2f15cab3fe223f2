//! A clock that was wrong once does no harm once it is right again, and a node that nobody listens to knows it.

use std::time::Duration;

use taoyao_sim::{ClientIndex, World};
use taoyao_topology::Topology;
use taoyao_types::{NodeEpoch, NodeId, TerminalName, limits};
use taoyao_wire::link::sync::RefusedReason;

const DEMO: &str = include_str!("../../topology/demo.toml");
const HOUR_MS: i64 = 3_600_000;
const SEEDS: u64 = 20;

#[test]
fn terminals_that_logged_in_while_a_clock_was_ahead_are_found_when_it_is_right_again() {
    for seed in 1..=SEEDS {
        let (mut world, site, root) = mesh(seed);
        world.set_clock(site, HOUR_MS);
        let early = arrive(&mut world, "early", site);
        world.run_for(Duration::from_secs(30));
        assert!(!is_found(&world, root, "early"), "seed {seed}: an hour ahead is taken");
        let not_taken = world.node(site).unwrap().router().not_taken().unwrap();
        assert_eq!((not_taken.terminals, not_taken.reason), (1, RefusedReason::ClockAhead), "seed {seed}");
        world.set_clock(site, 0);
        let late = arrive(&mut world, "late", site);
        world.run_for(2 * limits::RENEW_AFTER);
        for name in ["early", "late"] {
            assert!(is_found(&world, root, name), "seed {seed}: {name} is not found");
        }
        assert!([early, late].iter().all(|index| world.client(*index).is_registered), "seed {seed}");
        assert_eq!(world.node(site).unwrap().router().not_taken(), None, "seed {seed}");
    }
}

#[test]
fn a_node_in_a_life_that_is_past_knows_that_nobody_finds_its_terminals() {
    for seed in 1..=SEEDS {
        let (mut world, site, root) = mesh(seed);
        world.kill_node(site);
        world.start_node(site);
        world.run_for(Duration::from_secs(15));
        arrive(&mut world, "before", site);
        world.run_for(Duration::from_secs(5));
        assert!(is_found(&world, root, "before"), "seed {seed}");
        world.kill_node(site);
        world.set_life(site, NodeEpoch(1));
        world.start_node(site);
        world.run_for(Duration::from_secs(5));
        arrive(&mut world, "after", site);
        world.run_for(Duration::from_secs(10));
        let not_taken = world.node(site).unwrap().router().not_taken();
        assert_eq!(not_taken.map(|it| it.reason), Some(RefusedReason::PastLife), "seed {seed}");
        assert!(!is_found(&world, root, "after"), "seed {seed}");
    }
}

/// The demo mesh at rest, a site of it and its root.
fn mesh(seed: u64) -> (World, NodeId, NodeId) {
    let topology = Topology::parse("demo.toml", DEMO).expect("the demo topology is well-formed");
    let mut world = World::new(topology, seed);
    for node in world.topology().nodes().iter().map(|node| node.id).collect::<Vec<_>>() {
        world.set_clock(node, 0);
    }
    world.run_for(Duration::from_secs(15));
    let site = world.topology().nodes().iter().find(|node| node.tier == 3).expect("the tree has sites").id;
    let root = world.topology().root().id;
    (world, site, root)
}

fn arrive(world: &mut World, client: &str, node: NodeId) -> ClientIndex {
    let name = full(world, client);
    let index = world.add_client(name.clone(), name.to_string());
    world.connect(index, node);
    world.run_for(Duration::from_secs(1));
    index
}

fn is_found(world: &World, root: NodeId, client: &str) -> bool {
    let key = taoyao_types::TerminalKey::of(&full(world, client));
    world.node(root).is_some_and(|root| root.router().directory().find(key).is_some())
}

/// A terminal of the site's own partition.
fn full(world: &World, client: &str) -> TerminalName {
    let site = world.topology().nodes().iter().find(|node| node.tier == 3).expect("the tree has sites");
    format!("{client}@{}", site.home_partition()).parse().expect("made of good parts")
}
