//! The manifests of the workspace, read once and asked by name.

use std::collections::BTreeSet;

use crate::tree;

/// One package of the workspace.
pub(crate) struct Package {
    /// Path of its manifest from the root.
    pub(crate) path: String,
    /// Its name without `taoyao-`.
    pub(crate) name: String,
    pub(crate) manifest: toml::Table,
}

/// Every package of the workspace, by path.
pub(crate) fn packages() -> Vec<Package> {
    let manifests = tree::files().into_iter().filter(|path| path.ends_with("/Cargo.toml"));
    manifests.map(read).collect()
}

/// The workspace's own manifest.
pub(crate) fn workspace() -> toml::Table {
    tree::read("Cargo.toml").parse().expect("cargo has read it before this test")
}

/// Whether the package at this path is one of the product's crates.
pub(crate) fn is_crate(path: &str) -> bool {
    path.starts_with("crates/")
}

impl Package {
    /// A table of dependencies, e.g. `dev-dependencies`; empty if there is none.
    pub(crate) fn table(&self, kind: &str) -> toml::Table {
        self.manifest.get(kind).and_then(toml::Value::as_table).cloned().unwrap_or_default()
    }

    /// The packages of this workspace in a table of dependencies, without `taoyao-`.
    pub(crate) fn own(&self, kind: &str) -> BTreeSet<String> {
        self.table(kind).keys().filter_map(|name| name.strip_prefix("taoyao-")).map(str::to_owned).collect()
    }
}

fn read(path: String) -> Package {
    let manifest: toml::Table = tree::read(&path).parse().expect("cargo has read it before this test");
    let name = manifest["package"]["name"].as_str().expect("cargo has read it before this test");
    let name = name.strip_prefix("taoyao-").unwrap_or(name).to_owned();
    Package { path, name, manifest }
}
