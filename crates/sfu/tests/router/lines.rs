//! What a viewer gets of simulcast over lines of several widths.
//!
//! `cargo test -p taoyao-sfu --test router lines -- --nocapture` prints a row for each second.

use std::time::Duration;

use taoyao_ortc::MediaKind;
use taoyao_sfu::TransportSetup;

use crate::camera::{BITRATES, Camera, HALVES, NAMES, QUARTERS};
use crate::link::{Capacity, LinkConfig};
use crate::viewer::Viewer;
use crate::world::{World, rids, video};

const MBIT: f64 = 1e6;
const TURN: Duration = Duration::from_millis(1);

/// One camera and one viewer.
struct Room {
    world: World,
    camera: Camera,
    viewer: Viewer,
    turns: u64,
}

impl Room {
    fn new(config: LinkConfig, bitrates: [f64; 3], pattern: &'static [(u8, f64)], seed: u64) -> Self {
        let mut world = World::new();
        world.join(0);
        world.join_as(1, TransportSetup { has_congestion_control: true, ..TransportSetup::default() });
        let producer = world.produce(0, MediaKind::Video, &video("v", rids(&NAMES)));
        world.consume(1, producer);
        let camera = Camera::new(0, world.now, bitrates, pattern, seed);
        let viewer = Viewer::new(1, world.now, config, seed);
        Self { world, camera, viewer, turns: 0 }
    }

    fn run_until(&mut self, second: u64) {
        while self.turns < 1_000 * second {
            self.turns += 1;
            self.camera.turn(&mut self.world);
            let mut left = self.world.flush();
            left.extend(self.world.pass(TURN));
            left.extend(self.world.flush());
            self.camera.obey(&left);
            self.viewer.turn(&mut self.world, &left);
        }
    }
}

#[expect(clippy::print_stdout, reason = "the table is for who asks for it by `--nocapture`")]
fn print(name: &str, viewer: &Viewer) {
    for (at, second) in &viewer.seconds {
        println!(
            "{name:<16} {at:>3} s: estimate {:>5}, arrived {:>5}, media {:>5} kbit/s, frames {:>2?}, lost {} of {}",
            second.estimate / 1_000,
            second.bits / 1_000,
            second.media_bits / 1_000,
            second.frames,
            second.lost,
            second.packets
        );
    }
}

/// A line that is wide, then narrow, then wide again.
const CUT: Capacity = &[(0, 50.0 * MBIT), (20, 0.3 * MBIT), (60, 50.0 * MBIT)];
/// Of which the middle size fits into 300 kbit/s with half of its pictures.
const SMALL: [f64; 3] = [100_000.0, 350_000.0, 1_200_000.0];
const SEEDS: u64 = 3;

fn rooms(
    name: &str,
    config: &LinkConfig,
    bitrates: [f64; 3],
    pattern: &'static [(u8, f64)],
    seconds: u64,
) -> Vec<Viewer> {
    let viewers = (0..SEEDS).map(|seed| {
        let mut room = Room::new(config.clone(), bitrates, pattern, seed);
        room.run_until(seconds);
        print(name, &room.viewer);
        room.viewer
    });
    viewers.collect()
}

#[test]
fn a_wide_line_brings_all_pictures_at_once_and_for_good() {
    for (name, pattern) in [("wide, halves", HALVES), ("wide, quarters", QUARTERS)] {
        for viewer in rooms(name, &LinkConfig::new(&[(0, 50.0 * MBIT)]), BITRATES, pattern, 30) {
            assert!(viewer.second_of(0, 2).is_some_and(|second| second <= 3));
            assert!(viewer.frame_rates(4, 30)[2] >= 29.8, "{:?}", viewer.frame_rates(4, 30));
            assert_eq!(viewer.switches(4, 30), 0);
        }
    }
}

#[test]
fn a_narrow_line_is_used_without_losses_and_changes() {
    let config = LinkConfig::new(CUT);
    for viewer in rooms("narrow, small", &config, SMALL, QUARTERS, 60) {
        let used = viewer.media_bitrate(28, 58) / (0.3 * MBIT);
        assert!((0.7..0.95).contains(&used), "{used:.2}");
        assert!(viewer.loss(23, 60) <= 0.01, "{:.3}", viewer.loss(23, 60));
        assert!(viewer.switches(28, 60) <= 4, "{}", viewer.switches(28, 60));
        assert!(viewer.mean_queue(25, 60) <= Duration::from_millis(100), "{:?}", viewer.mean_queue(25, 60));
    }
}

#[test]
fn a_line_that_is_wide_again_is_found_soon() {
    for (name, pattern) in [("cut, halves", HALVES), ("cut, quarters", QUARTERS)] {
        for viewer in rooms(name, &LinkConfig::new(CUT), BITRATES, pattern, 75) {
            assert!(
                viewer.frame_rates(25, 60).iter().sum::<f64>() >= 14.0,
                "{:?}",
                viewer.frame_rates(25, 60)
            );
            assert!(viewer.loss(23, 60) <= 0.01, "{:.3}", viewer.loss(23, 60));
            assert!(
                viewer.second_of(60, 2).is_some_and(|second| second <= 72),
                "{:?}",
                viewer.second_of(60, 2)
            );
        }
    }
}

#[test]
fn jitter_does_not_cost_pictures() {
    let config = LinkConfig { jitter: Duration::from_millis(40), ..LinkConfig::new(&[(0, 50.0 * MBIT)]) };
    for viewer in rooms("jitter", &config, BITRATES, QUARTERS, 60) {
        let rates = viewer.frame_rates(10, 60);
        assert!(rates[2] >= 27.0, "{rates:?}");
    }
}

#[test]
fn a_line_that_stands_still_now_and_then_brings_most_pictures() {
    let stalls = Some((Duration::from_millis(3_700), Duration::from_millis(150)));
    let config = LinkConfig { stalls, ..LinkConfig::new(&[(0, 50.0 * MBIT)]) };
    for viewer in rooms("stalls", &config, BITRATES, QUARTERS, 60) {
        let rates = viewer.frame_rates(10, 60);
        assert!(rates[2] >= 27.0, "{rates:?}");
    }
}

#[test]
fn a_size_that_is_no_longer_sent_is_replaced_until_it_is_sent_again() {
    let mut room = Room::new(LinkConfig::new(&[(0, 50.0 * MBIT)]), BITRATES, HALVES, 1);
    room.run_until(10);
    room.camera.set_sent(2, false);
    room.run_until(20);
    room.camera.set_sent(2, true);
    room.run_until(30);
    print("stopped", &room.viewer);
    let viewer = &room.viewer;
    assert!(viewer.longest(10, 20) <= Duration::from_millis(1_200), "{:?}", viewer.longest(10, 20));
    assert_eq!(viewer.second_of(10, 1), Some(11));
    assert!(viewer.second_of(20, 2).is_some_and(|second| second <= 22), "{:?}", viewer.second_of(20, 2));
    assert_eq!(viewer.switches(9, 30), 2, "down and up");
    assert!(viewer.longest(12, 30) <= Duration::from_millis(150), "{:?}", viewer.longest(12, 30));
}
