//! Pure crates stay pure: nothing below them does IO, tells the time or draws lots, and clippy watches their own code.

use std::process::Command;

use crate::{arrows, settle, tree};

/// What no pure crate may bring in, however indirectly.
const BANNED: [&str; 16] = [
    "async-std",
    "axum",
    "fastrand",
    "getrandom",
    "hyper",
    "mio",
    "quinn",
    "rand",
    "reqwest",
    "rustls",
    "smol",
    "socket2",
    "tokio",
    "tokio-rustls",
    "tungstenite",
    "webrtc",
];
/// What a pure crate's `.clippy.toml` has to ban at least.
const METHODS: [&str; 6] = [
    "std::env::var",
    "std::fs::read_to_string",
    "std::net::UdpSocket::bind",
    "std::thread::spawn",
    "std::time::Instant::now",
    "std::time::SystemTime::now",
];

#[test]
fn pure_crates_bring_in_nothing_impure() {
    let mut wrong = Vec::new();
    for name in pure() {
        let below = all_below(&format!("taoyao-{name}"));
        assert!(below.contains(&format!("taoyao-{name}")), "cargo tree of {name} names the crate itself");
        let banned = BANNED.iter().filter(|banned| below.iter().any(|crate_name| crate_name == *banned));
        wrong.extend(banned.map(|banned| {
            format!("{name} is pure, but brings in {banned}: see `cargo tree -e normal -p taoyao-{name} -i {banned}`")
        }));
    }
    settle(wrong);
}

#[test]
fn pure_crates_carry_the_stricter_clippy_file_and_the_others_do_not() {
    let pure = pure();
    let mut wrong = Vec::new();
    for name in arrows::table().into_keys() {
        let path = format!("crates/{name}/.clippy.toml");
        match (pure.contains(&name), tree::exists(&path)) {
            (true, false) => wrong.push(format!("{path} is missing; copy another pure crate's")),
            (false, true) => {
                wrong.push(format!("{path}: this crate is not pure by the arrow table; remove it"))
            }
            (true, true) => wrong.extend(too_mild(&path, &tree::read(&path))),
            (false, false) => {}
        }
    }
    settle(wrong);
}

#[test]
fn pure_crates_share_one_clippy_file() {
    let first = tree::read("crates/types/.clippy.toml");
    let differs = |name: &String| tree::read(&format!("crates/{name}/.clippy.toml")) != first;
    let wrong = pure().into_iter().filter(differs);
    settle(wrong.map(|name| format!("crates/{name}/.clippy.toml differs from the one of types")).collect());
}

fn pure() -> Vec<String> {
    arrows::table().into_iter().filter(|(_, row)| row.kind == "pure").map(|(name, _)| name).collect()
}

/// A crate and everything that it is built with, but for what only its tests need.
fn all_below(package: &str) -> Vec<String> {
    let mut cargo = Command::new(std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned()));
    let arguments = ["tree", "--offline", "--locked", "--edges", "normal", "--prefix", "none"];
    cargo.args(arguments).args(["--package", package]).current_dir(tree::root());
    let output = cargo.output().expect("cargo runs this test, so it can be run");
    assert!(output.status.success(), "cargo tree: {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("crate names are ASCII");
    text.lines().filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
}

/// Clippy reads the nearest file only, so a pure crate's has to repeat the root's.
fn too_mild(path: &str, text: &str) -> Vec<String> {
    let rules: toml::Table = text.parse().expect("clippy has read it");
    let root: toml::Table = tree::read(".clippy.toml").parse().expect("clippy has read it");
    let banned = rules.get("disallowed-methods").map(ToString::to_string).unwrap_or_default();
    let methods = METHODS.iter().filter(|method| !banned.contains(&format!("\"{method}\"")));
    let mut wrong: Vec<String> = methods.map(|method| format!("{path} does not ban {method}")).collect();
    let forgotten = root.iter().filter(|(key, value)| rules.get(*key) != Some(*value));
    wrong.extend(forgotten.map(|(key, _)| format!("{path} does not repeat {key} of the root's file")));
    wrong
}

#[test]
fn a_mild_clippy_file_is_noticed() {
    let wrong = too_mild("x", "disallowed-methods = [{ path = \"std::env::var\", reason = \"r\" }]");
    assert!(wrong.iter().any(|sentence| sentence.contains("Instant::now")));
    assert!(wrong.iter().any(|sentence| sentence.contains("allow-unwrap-in-tests")));
    assert!(!wrong.iter().any(|sentence| sentence.contains("std::env::var")));
}
