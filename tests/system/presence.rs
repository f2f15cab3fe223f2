//! Who stays is never said to have left, whatever overtakes what on the way to those who listen.

use std::time::Duration;

use fastrand::Rng;
use taoyao_sim::{ClientIndex, World};
use taoyao_topology::Topology;
use taoyao_types::{NodeId, TerminalName};

const DEMO: &str = include_str!("../../topology/demo.toml");
const SEEDS: u64 = 200;
/// Longer than a link's neighbours believe in it, shorter than the lease of what is behind it.
const CUT: Duration = Duration::from_secs(20);

#[test]
fn while_all_arrive_at_once_and_a_link_is_away_nobody_is_said_to_have_left() {
    let told: Vec<String> = (1..=SEEDS).flat_map(told_offline).collect();
    assert!(told.is_empty(), "{} times, among them {:#?}", told.len(), &told[..told.len().min(12)]);
}

/// What terminals that all stay were told, in sentences.
fn told_offline(seed: u64) -> Vec<String> {
    let mut rng = Rng::with_seed(seed);
    let topology = Topology::parse("demo.toml", DEMO).expect("the demo topology is well-formed");
    let mut world = World::new(topology, seed);
    world.run_for(Duration::from_secs(3));
    let terminals = arrive(&mut world, &mut rng);
    world.run_for(Duration::from_secs(2));
    let children: Vec<NodeId> =
        world.topology().nodes().iter().filter(|node| node.parent().is_some()).map(|node| node.id).collect();
    let away = children[rng.usize(..children.len())];
    world.cut(away);
    world.run_for(CUT);
    world.heal(away);
    world.run_for(Duration::from_secs(10));
    let told = terminals.into_iter().flat_map(|index| {
        let client = world.client(index);
        assert!(client.is_registered, "seed {seed}: {} has been thrown out", client.name);
        client
            .told_offline
            .iter()
            .map(move |other| format!("seed {seed}: {} was told of {other}", client.name))
    });
    told.collect()
}

/// Two terminals for every way in which one may attach, all within a second.
fn arrive(world: &mut World, rng: &mut Rng) -> Vec<ClientIndex> {
    let mut places: Vec<(TerminalName, NodeId)> = Vec::new();
    for partition in world.topology().partitions() {
        for (number, node) in partition.servers.iter().chain(&partition.servers).enumerate() {
            // Terminals whose id ends with 0 or 4 list the others as soon as they are registered.
            let name = format!("t{}4@{}", number, partition.name);
            places.push((name.parse().expect("made of good parts"), *node));
        }
    }
    rng.shuffle(&mut places);
    places
        .into_iter()
        .map(|(name, node)| {
            let index = world.add_client(name.clone(), name.to_string());
            world.connect(index, node);
            world.run_for(Duration::from_millis(rng.u64(0..80)));
            index
        })
        .collect()
}
