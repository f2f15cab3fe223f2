//! The topology as its users meet it: whole files in, a checked tree or a list of mistakes out.

mod examples;
mod files;
mod media;
mod mistakes;
mod nearest;
mod recordings;
mod rewriting;
mod scripts;
mod secrets;
mod sections;
mod tcp;
mod ways;

use taoyao_topology::{Mistakes, Topology};

/// A mesh of three tiers that is right; tests break it.
const MESH: &str = r#"org = "demo"
[[node]]
name = "cn"
partitions = ["cn", "mobile.cn"]
links = { listen = "127.0.0.1:7000" }
[[node]]
name = "east"
parent = ["cn"]
links = { listen = "127.0.0.1:7001" }
[[node]]
name = "sh"
parent = "east"
serves = ["mobile.cn"]
terminals = { listen = "127.0.0.1:8001" }
[[node]]
name = "hz"
parent = "east"
terminals = { listen = "127.0.0.1:8002" }
"#;

/// Parses a text that has no mistakes.
#[track_caller]
fn topology(text: &str) -> Topology {
    match Topology::parse("topology/t.toml", text) {
        Ok(topology) => topology,
        Err(mistakes) => panic!("{mistakes}"),
    }
}

/// Parses a text that has mistakes.
#[track_caller]
fn mistakes(text: &str) -> Mistakes {
    match Topology::parse("t.toml", text) {
        Ok(topology) => panic!("no mistake was found:\n{}", topology.draw()),
        Err(mistakes) => mistakes,
    }
}

/// [`MESH`] with one of its texts replaced by another.
#[track_caller]
fn mesh_with(old: &str, new: &str) -> String {
    assert_eq!(MESH.matches(old).count(), 1, "{old:?} must be in the mesh once");
    MESH.replace(old, new)
}
