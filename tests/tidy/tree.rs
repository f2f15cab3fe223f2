//! The files of the repository that people write, found by a walk.

use std::fs;
use std::path::{Path, PathBuf};

/// Folders of things that are made, not written.
const MADE: [&str; 5] = [".git", "node_modules", "state", "target", "coverage"];
/// Folders in which only these files are written; the rest is made beside them.
const KEPT_FILES: [(&str, &[&str]); 1] = [("certs", &["README.md", ".gitignore"])];
/// Files that are made wherever they lie.
const MADE_FILES: [&str; 2] = ["users.toml", ".DS_Store"];

/// The root of the repository.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("this package lies in the repository")
}

/// Every written file, as a path from the root with `/`, sorted.
pub(crate) fn files() -> Vec<String> {
    let mut found = Vec::new();
    collect(root(), "", &mut found);
    found.sort();
    found
}

/// The files whose names end in one of `endings`.
pub(crate) fn files_with(endings: &[&str]) -> Vec<String> {
    files().into_iter().filter(|path| endings.iter().any(|ending| path.ends_with(ending))).collect()
}

/// The text of a file; `None` of one that is no text.
pub(crate) fn text(path: &str) -> Option<String> {
    let bytes = fs::read(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
    String::from_utf8(bytes).ok()
}

/// The text of a file that has to be there.
pub(crate) fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Whether there is a file or folder at this path.
pub(crate) fn exists(path: &str) -> bool {
    root().join(path).exists()
}

fn collect(folder: &Path, prefix: &str, found: &mut Vec<String>) {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    // What vanishes during the walk was made, not written.
    for entry in entries.flatten() {
        let path: PathBuf = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        let full = format!("{prefix}{name}");
        if path.is_dir() {
            if !MADE.contains(&name.as_str()) {
                collect(&path, &format!("{full}/"), found);
            }
        } else if is_written(prefix.trim_end_matches('/'), &name) {
            found.push(full);
        }
    }
}

fn is_written(folder: &str, name: &str) -> bool {
    let top = folder.split('/').next().unwrap_or_default();
    let kept = KEPT_FILES.iter().find(|(made, _)| *made == top);
    kept.is_none_or(|(_, files)| files.contains(&name)) && !MADE_FILES.contains(&name)
}

#[test]
fn a_walk_finds_what_is_written_and_not_what_is_made() {
    let all = files();
    assert!(all.contains(&"tests/tidy/tree.rs".to_owned()));
    assert!(all.iter().all(|path| !path.starts_with("target/") && !path.contains("node_modules/")));
    assert!(is_written("certs", "README.md") && !is_written("certs/nodes", "cn.key"));
}
