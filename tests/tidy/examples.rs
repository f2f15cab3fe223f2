//! What lies there to be used is mentioned where people look: example topologies, assets, the licence.

use std::collections::BTreeSet;

use crate::{settle, tree};

#[test]
fn every_example_topology_is_explained() {
    let readme = tree::read("topology/README.md");
    let examples = files_in("topology/", ".toml");
    assert!(!examples.is_empty(), "topology/ has examples");
    let silent = examples.into_iter().filter(|name| !readme.contains(&format!("`{name}`")));
    settle(silent.map(|name| format!("topology/README.md: say what {name} shows")).collect());
}

#[test]
fn every_asset_of_the_web_terminal_is_used_by_another() {
    let assets: BTreeSet<String> =
        tree::files().into_iter().filter(|path| path.starts_with("crates/gateway/assets/")).collect();
    let texts: Vec<(String, String)> =
        assets.iter().filter_map(|path| Some((path.clone(), tree::text(path)?))).collect();
    let unused = assets.iter().filter(|path| {
        let name = path.rsplit('/').next().unwrap_or(path);
        name != "index.html" && !texts.iter().any(|(other, text)| other != *path && text.contains(name))
    });
    settle(unused.map(|path| format!("{path}: nothing loads it; remove it")).collect());
}

#[test]
fn the_web_terminal_loads_nothing_from_elsewhere() {
    let assets = tree::files().into_iter().filter(|path| path.starts_with("crates/gateway/assets/"));
    let wrong = assets.filter(|path| {
        let text = tree::text(path).unwrap_or_default();
        ["src=\"http", "from 'http", "import('http", "url(http", "@import \"http"]
            .iter()
            .any(|way| text.contains(way))
    });
    settle(wrong.map(|path| format!("{path} loads something from another server")).collect());
}

#[test]
fn the_licence_is_there_and_named_everywhere() {
    assert!(tree::read("LICENSE").contains("Apache License"), "LICENSE is the Apache License 2.0");
    assert!(tree::read("Cargo.toml").contains("license = \"Apache-2.0\""), "Cargo.toml names the licence");
    assert!(tree::read("README.md").contains("LICENSE"), "README.md links to LICENSE");
}

fn files_in(folder: &str, ending: &str) -> Vec<String> {
    let files = tree::files_with(&[ending]).into_iter();
    files
        .filter_map(|path| path.strip_prefix(folder).map(str::to_owned))
        .filter(|name| !name.contains('/'))
        .collect()
}
