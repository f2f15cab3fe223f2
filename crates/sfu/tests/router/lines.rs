//! What a viewer gets of simulcast over lines of several widths.
//!
//! `cargo test -p taoyao-sfu --test router lines -- --nocapture` prints a row for each second.

use std::time::Duration;

use taoyao_ortc::MediaKind;
use taoyao_sfu::TransportSetup;

use crate::camera::{Camera, HALVES, NAMES, QUARTERS};
use crate::link::LinkConfig;
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
    fn new(config: LinkConfig, pattern: &'static [(u8, f64)], seed: u64) -> Self {
        let mut world = World::new();
        world.join(0);
        world.join_as(1, TransportSetup { has_congestion_control: true, ..TransportSetup::default() });
        let producer = world.produce(0, MediaKind::Video, &video("v", rids(&NAMES)));
        world.consume(1, producer);
        let camera = Camera::new(0, world.now, pattern, seed);
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

#[test]
fn explore() {
    for (name, config) in [
        ("free", LinkConfig::new(&[(0, 50.0 * MBIT)])),
        ("cut", LinkConfig::new(&[(0, 50.0 * MBIT), (20, 0.3 * MBIT), (60, 50.0 * MBIT)])),
    ] {
        for (pattern, with) in [(HALVES, "halves"), (QUARTERS, "quarters")] {
            let mut room = Room::new(config.clone(), pattern, 1);
            room.run_until(90);
            print(&format!("{name} {with}"), &room.viewer);
        }
    }
}
