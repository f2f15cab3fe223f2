//! One command runs all tests, and everything that runs tests runs that one.

use crate::{settle, tree};

const COMMAND: &str = "bash tests/run";

#[test]
fn one_command_runs_all_tests() {
    let places = [".ci/run", "README.md", "docs/TESTING.md", "docs/CONTRIBUTING.md"];
    let silent = places.into_iter().filter(|path| !tree::read(path).contains(COMMAND));
    settle(silent.map(|path| format!("{path} does not say `{COMMAND}`")).collect());
}

#[test]
fn every_test_binary_is_known_to_cargo() {
    let manifest = tree::read("tests/Cargo.toml");
    let mains =
        tree::files().into_iter().filter(|path| path.starts_with("tests/") && path.ends_with("/main.rs"));
    let unknown = mains
        .filter_map(|path| path.strip_prefix("tests/").map(str::to_owned))
        .filter(|path| !manifest.contains(&format!("path = \"{path}\"")));
    settle(unknown.map(|path| format!("tests/Cargo.toml: add a [[test]] with path = \"{path}\"")).collect());
}

#[test]
fn scripts_stop_at_the_first_mistake() {
    let scripts =
        tree::files().into_iter().filter(|path| tree::text(path).is_some_and(|text| text.starts_with("#!/")));
    let lax = scripts.filter(|path| {
        let text = tree::read(path);
        text.lines().next().is_some_and(|first| first.contains("bash")) && !text.contains("set -euo pipefail")
    });
    settle(lax.map(|path| format!("{path}: write `set -euo pipefail`")).collect());
}
