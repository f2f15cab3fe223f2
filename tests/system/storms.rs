//! Storms by seed. `SIMULATION_SEEDS=20000` runs more, `SIMULATION_SEED=7` replays one.

use std::collections::BTreeMap;
use std::env;

use taoyao_sim::{Outcome, Storm, run};
use taoyao_topology::Topology;

const DEMO: &str = include_str!("../../topology/demo.toml");
const SEEDS: u64 = 200;
const FORGED_SEEDS: u64 = 100;
const ROOM_SEEDS: u64 = 100;

#[test]
fn after_every_storm_the_mesh_agrees_with_the_truth() {
    let outcomes = on_all_cores(seeds(SEEDS), Storm::default());
    expect_none_wrong(&outcomes);
    report(&outcomes);
}

#[test]
fn what_a_forging_region_says_of_others_changes_nothing() {
    let storm = Storm { has_forger: true, ..Storm::default() };
    let outcomes = on_all_cores(seeds(FORGED_SEEDS), storm);
    expect_none_wrong(&outcomes);
    assert!(outcomes.iter().all(|outcome| outcome.alarms > 10), "forgeries are noticed in every storm");
}

#[test]
fn after_every_storm_all_agree_who_meets_where() {
    let storm = Storm { has_rooms: true, ..Storm::default() };
    let outcomes = on_all_cores(seeds(ROOM_SEEDS), storm);
    expect_none_wrong(&outcomes);
    let entered: u64 = outcomes.iter().filter_map(|outcome| outcome.answers.get("room::enter 0000")).sum();
    assert!(entered > 100 * outcomes.len() as u64, "{entered} entries: these terminals hardly met");
    let count = |answer: &str| outcomes.iter().filter_map(|outcome| outcome.answers.get(answer)).sum::<u64>();
    let produced = count("media::produce 0000");
    assert!(produced > 10 * outcomes.len() as u64, "{produced} producers: these terminals hardly sent");
}

#[test]
fn the_same_seed_is_the_same_storm() {
    let (first, second) = (play(7, Storm::default()), play(7, Storm::default()));
    assert_eq!((first.frames, &first.answers), (second.frames, &second.answers));
    assert!(first.frames > 1_000, "a storm of {} frames is none", first.frames);
}

fn expect_none_wrong(outcomes: &[Outcome]) {
    let failed: Vec<&Outcome> = outcomes.iter().filter(|outcome| !outcome.wrong.is_empty()).collect();
    for outcome in failed.iter().take(5) {
        eprintln!("seed {}: replay with SIMULATION_SEED={}", outcome.seed, outcome.seed);
        outcome.wrong.iter().take(12).for_each(|wrong| eprintln!("  {wrong}"));
    }
    assert!(failed.is_empty(), "{} of {} storms broke an invariant", failed.len(), outcomes.len());
}

fn seeds(by_default: u64) -> Vec<u64> {
    let number = |name: &str| env::var(name).ok().and_then(|text| text.parse().ok());
    match number("SIMULATION_SEED") {
        Some(seed) => vec![seed],
        None => (1..=number("SIMULATION_SEEDS").unwrap_or(by_default)).collect(),
    }
}

fn play(seed: u64, storm: Storm) -> Outcome {
    let topology = Topology::parse("demo.toml", DEMO).expect("the demo topology is well-formed");
    run(topology, seed, storm)
}

fn on_all_cores(seeds: Vec<u64>, storm: Storm) -> Vec<Outcome> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..cores)
            .map(|core| {
                let mine: Vec<u64> = seeds.iter().copied().skip(core).step_by(cores).collect();
                scope.spawn(move || mine.into_iter().map(|seed| play(seed, storm)).collect::<Vec<_>>())
            })
            .collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("a storm panicked")).collect()
    })
}

/// What the terminals got: a storm in which nothing happened proves nothing.
fn report(outcomes: &[Outcome]) {
    let mut totals: BTreeMap<&String, u64> = BTreeMap::new();
    for (answer, count) in outcomes.iter().flat_map(|outcome| &outcome.answers) {
        *totals.entry(answer).or_insert(0) += count;
    }
    eprintln!("{} storms, {} frames", outcomes.len(), outcomes.iter().map(|o| o.frames).sum::<u64>());
    for (answer, count) in &totals {
        eprintln!("  {answer}: {count}");
    }
    for expected in
        ["client::register 0000", "client::list 0000", "client::status 0000", "session::call 0000"]
    {
        let count = totals.get(&expected.to_owned()).copied().unwrap_or_default();
        assert!(count > outcomes.len() as u64, "{expected} only {count} times: these storms were none");
    }
}
