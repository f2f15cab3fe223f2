//! The node's own end, and that nothing is left of terminals that have gone.

use std::time::Duration;

use serde_json::json;
use taoyao_signal::Output;

use crate::world::{World, error, registration};

#[test]
fn a_draining_node_takes_its_terminals_out_of_the_mesh_and_lets_nobody_in() {
    let mut world = World::new(&["cn", "cn/east"]);
    let (a, viewer, waiting) = (world.register(1, "a"), world.register(0, "v@east.cn"), world.connect(1));
    world.hush();
    world.nodes[1].handle_drain(world.now);
    world.run();
    for line in [a, waiting] {
        assert_eq!(world.closed(line), Some((1001, "node is going away")));
    }
    assert_eq!(world.hear_one(viewer)["body"], json!({"clientId": "a"}));
    assert!(world.outputs.iter().any(|(_, output)| matches!(output, Output::Withdraw { .. })));
    let late = world.connect(1);
    world.send(late, 3, "client::register", registration("late"));
    assert_eq!(error(&world.hear_one(late)).0, "3503");
}

#[test]
fn nothing_is_left_of_terminals_that_have_gone() {
    let mut world = World::new(&["cn", "cn/east"]);
    for round in 0..20 {
        let (a, b) = (world.register(0, "a"), world.register(1, "b"));
        world.send(a, 2, "client::list", json!({}));
        world.send(a, 3, "session::call", json!({"clientId": "b@east.cn"}));
        world.send(b, 4, "client::broadcast", json!({"round": round}));
        world.hang_up(if round % 2 == 0 { a } else { b });
        world.hang_up(if round % 2 == 0 { b } else { a });
    }
    world.pass(Duration::from_secs(600));
    for node in &world.nodes {
        let stats = node.stats();
        let now = [
            stats.connections,
            stats.registered,
            stats.session_ends,
            stats.asks_open,
            stats.pending_open,
            stats.announcements_waiting,
            stats.partitions_watched,
        ];
        assert_eq!(now, [0; 7]);
        assert_eq!(node.poll_timeout(), None);
    }
}
