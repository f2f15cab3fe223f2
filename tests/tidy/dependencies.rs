//! Versions and features are written once, in the root manifest, and nothing is there that nobody uses.

use std::collections::BTreeSet;

use crate::manifest::{Package, packages, workspace};
use crate::{settle, tree};

const KINDS: [&str; 3] = ["dependencies", "dev-dependencies", "build-dependencies"];
/// The formats that only one crate may know.
const KEPT_IN: [(&str, &str); 4] =
    [("rmp-serde", "wire"), ("quinn", "link"), ("clap", "node"), ("rcgen", "pki")];
const RECORD: &str = "docs/adr/0010-dependencies.md";
const INDEX: &str = "registry+https://github.com/rust-lang/crates.io-index";

#[test]
fn versions_and_features_are_written_in_the_root_manifest_only() {
    settle(packages().iter().flat_map(own_versions).collect());
}

#[test]
fn every_dependency_of_the_workspace_is_used() {
    let used: BTreeSet<String> = packages()
        .iter()
        .flat_map(|package| KINDS.map(|kind| package.table(kind)))
        .flatten()
        .map(|(name, _)| name)
        .collect();
    let root = workspace();
    let listed = root["workspace"]["dependencies"].as_table().expect("the workspace has dependencies");
    // `node` is the top; it is listed for tests and examples.
    let unused = listed.keys().filter(|name| !used.contains(*name) && !name.starts_with("taoyao-"));
    settle(unused.map(|name| format!("Cargo.toml: no crate uses {name}; remove it")).collect());
}

#[test]
fn every_dependency_has_its_reason_in_the_record() {
    let reasons = tree::read(RECORD);
    let root = workspace();
    let listed = root["workspace"]["dependencies"].as_table().expect("the workspace has dependencies");
    let silent =
        listed.keys().filter(|name| !name.starts_with("taoyao-") && !reasons.contains(&format!("`{name}`")));
    settle(
        silent
            .map(|name| format!("{RECORD}: say why {name} was taken, its licence and who keeps it"))
            .collect(),
    );
}

#[test]
fn dependencies_stand_in_order() {
    let root = workspace();
    let text = tree::read("Cargo.toml");
    let listed = root["workspace"]["dependencies"].as_table().expect("the workspace has dependencies");
    let place = |name: &str| text.find(&format!("\n{name} = ")).unwrap_or(usize::MAX);
    let mut names: Vec<&String> = listed.keys().filter(|name| !name.starts_with("taoyao-")).collect();
    names.sort();
    let pairs = names.windows(2).filter(|pair| place(pair[0]) > place(pair[1]));
    settle(pairs.map(|pair| format!("Cargo.toml: {} belongs before {}", pair[0], pair[1])).collect());
}

#[test]
fn every_package_inherits_lints_and_the_package_table() {
    let mut wrong = Vec::new();
    for package in packages() {
        let inherits = |table: &str, key: &str| {
            let value = package.manifest.get(table).and_then(|table| table.get(key));
            value.and_then(|value| value.get("workspace")).and_then(toml::Value::as_bool) == Some(true)
        };
        if package.table("lints").get("workspace").and_then(toml::Value::as_bool) != Some(true) {
            wrong.push(format!("{}: write `[lints] workspace = true`", package.path));
        }
        let keys = ["version", "edition", "rust-version", "license", "publish"];
        let own = keys.iter().filter(|key| !inherits("package", key));
        wrong.extend(own.map(|key| format!("{}: write `{key}.workspace = true`", package.path)));
        if package.manifest.contains_key("features") {
            wrong.push(format!("{}: the house has no feature flags", package.path));
        }
    }
    settle(wrong);
}

#[test]
fn heavy_and_format_crates_stay_where_they_are_kept() {
    let mut wrong = Vec::new();
    for package in packages() {
        for (name, keeper) in KEPT_IN {
            if package.name != keeper && package.table("dependencies").contains_key(name) {
                wrong.push(format!("{}: {name} is kept in {keeper}; ask that crate", package.path));
            }
        }
    }
    settle(wrong);
}

#[test]
fn everything_comes_from_the_public_registry() {
    let lock: toml::Table = tree::read("Cargo.lock").parse().expect("cargo wrote it");
    let packages = lock["package"].as_array().expect("cargo wrote it");
    let foreign = packages
        .iter()
        .filter_map(|package| package.get("source")?.as_str())
        .filter(|source| *source != INDEX);
    settle(foreign.map(|source| format!("Cargo.lock: {source} is not the public registry")).collect());
}

fn own_versions(package: &Package) -> Vec<String> {
    let path = &package.path;
    KINDS.into_iter().flat_map(|kind| foreign(path, kind, &package.table(kind))).collect()
}

/// Tests may switch on what is made for tests, such as tokio's virtual clock; nothing else adds a feature.
fn foreign(path: &str, kind: &str, table: &toml::Table) -> Vec<String> {
    let is_foreign = |value: &toml::Value| {
        let entry = value.as_table();
        let is_inherited = entry.and_then(|entry| entry.get("workspace")).and_then(toml::Value::as_bool);
        let adds = entry.is_some_and(|entry| entry.len() > 1) && kind != "dev-dependencies";
        is_inherited != Some(true) || adds
    };
    let foreign = table.iter().filter(|(_, value)| is_foreign(value));
    let advice = "and the rest into the root manifest";
    foreign.map(|(name, _)| format!("{path}: write `{name}.workspace = true` {advice}")).collect()
}

#[test]
fn a_version_and_a_feature_of_its_own_are_both_noticed() {
    let manifest =
        "[dependencies]\na = \"1\"\nb = { workspace = true, features = [\"x\"] }\nc.workspace = true";
    let package = Package { path: "p".into(), name: "p".into(), manifest: manifest.parse().unwrap() };
    let wrong = own_versions(&package);
    assert_eq!(wrong.len(), 2, "{wrong:?}");
    assert!(wrong[0].contains("`a.workspace") && wrong[1].contains("`b.workspace"));
}
