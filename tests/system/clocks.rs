//! A node whose clock is wrong, or whose state was restored from a backup, is heard all the same.

use std::time::Duration;

use taoyao_sim::{ClientIndex, World};
use taoyao_topology::Topology;
use taoyao_types::{NodeEpoch, NodeId, TerminalName, limits};

const DEMO: &str = include_str!("../../topology/demo.toml");
const HOUR_MS: i64 = 3_600_000;
const SEEDS: u64 = 20;

#[test]
fn a_node_whose_clock_is_wrong_goes_by_its_parents_and_its_terminals_are_found() {
    for seed in 1..=SEEDS {
        for off in [HOUR_MS, -HOUR_MS] {
            let (mut world, site, root) = mesh(seed);
            world.set_clock(site, off);
            let wrong = arrive(&mut world, "wrong", site);
            world.run_for(Duration::from_secs(2));
            assert!(is_found(&world, root, "wrong"), "seed {seed}: {off} ms off");
            world.set_clock(site, 0);
            let right = arrive(&mut world, "right", site);
            world.run_for(Duration::from_secs(2));
            assert!(is_found(&world, root, "right"), "seed {seed}: right again after {off} ms");
            assert!([wrong, right].iter().all(|index| world.client(*index).is_registered), "seed {seed}");
            assert_eq!(world.node(site).unwrap().router().not_taken(), None, "seed {seed}");
        }
    }
}

#[test]
fn terminals_that_logged_in_by_a_wrong_clock_while_the_parent_was_away_are_found_when_it_is_back() {
    for seed in 1..=SEEDS {
        let (mut world, site, root) = mesh(seed);
        world.kill_node(site);
        world.cut(site);
        world.set_clock(site, HOUR_MS);
        world.start_node(site);
        let early = arrive(&mut world, "early", site);
        world.run_for(Duration::from_secs(10));
        assert!(!is_found(&world, root, "early"), "seed {seed}");
        world.heal(site);
        world.run_for(Duration::from_secs(15) + 2 * limits::RENEW_AFTER);
        assert!(is_found(&world, root, "early"), "seed {seed}: numbered anew by the parent's clock");
        assert!(world.client(early).is_registered, "seed {seed}");
        assert_eq!(world.node(site).unwrap().router().not_taken(), None, "seed {seed}");
    }
}

#[test]
fn a_region_whose_clock_is_wrong_makes_none_of_its_sites_wrong() {
    let (mut world, site, root) = mesh(1);
    let region = world.topology().node(site).and_then(|node| node.parent()).expect("a site has a parent");
    world.set_clock(region, HOUR_MS);
    world.run_for(2 * limits::CLOCK_TOLD_EVERY);
    arrive(&mut world, "below", site);
    world.run_for(Duration::from_secs(2));
    assert!(is_found(&world, root, "below"));
}

#[test]
fn a_node_that_returns_in_a_life_that_is_past_takes_a_higher_one_and_keeps_its_terminals() {
    for seed in 1..=SEEDS {
        let (mut world, site, root) = mesh(seed);
        for life in ["first", "second"] {
            world.kill_node(site);
            world.start_node(site);
            world.run_for(Duration::from_secs(15));
            arrive(&mut world, life, site);
            world.run_for(Duration::from_secs(5));
            assert!(is_found(&world, root, life), "seed {seed}");
        }
        world.kill_node(site);
        world.set_life(site, NodeEpoch(1));
        world.cut(site);
        world.start_node(site);
        // It is there before the parent says what it remembers.
        let early = arrive(&mut world, "early", site);
        world.run_for(Duration::from_secs(5));
        world.heal(site);
        world.run_for(Duration::from_secs(20));
        let late = arrive(&mut world, "late", site);
        world.run_for(Duration::from_secs(5));
        for name in ["early", "late"] {
            assert!(is_found(&world, root, name), "seed {seed}: {name} is not found");
        }
        assert!([early, late].iter().all(|index| world.client(*index).is_registered), "seed {seed}");
        assert_eq!(world.node(site).unwrap().router().not_taken(), None, "seed {seed}");
        assert!(world.node(site).unwrap().router().is_synced(), "seed {seed}");
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
