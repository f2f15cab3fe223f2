//! Every link within the repository leads somewhere, and every file that the architecture names is there.

use std::path::{Component, Path, PathBuf};

use crate::{markdown, settle, tree};

#[test]
fn links_within_the_repository_lead_somewhere() {
    let mut wrong = Vec::new();
    for path in tree::files_with(&[".md"]) {
        for (line, target) in markdown::links(&tree::read(&path)) {
            wrong.extend(fault(&path, &target).map(|fault| format!("{path}:{line}: {fault}")));
        }
    }
    settle(wrong);
}

#[test]
fn files_that_documents_name_are_there() {
    let mut wrong = Vec::new();
    for path in tree::files_with(&[".md"]) {
        for span in markdown::code_spans(&tree::read(&path)) {
            let names_file = ["crates/", "docs/", "tests/", "topology/", "certs/", "examples/", ".ci/"]
                .iter()
                .any(|top| span.starts_with(top));
            let is_plain = span.chars().all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c));
            // What is made later, such as certs/ca.crt, is described, but not kept.
            let is_made = span.starts_with("certs/") || span.ends_with("users.toml") || span.contains("NNNN");
            if names_file && is_plain && !is_made && !tree::exists(&span) {
                wrong.push(format!("{path} names {span}, which is not there"));
            }
        }
    }
    settle(wrong);
}

/// What is wrong with a link of the document at `path`.
fn fault(path: &str, target: &str) -> Option<String> {
    if target.contains("://") || target.starts_with("mailto:") {
        return None;
    }
    let (file, anchor) = target.split_once('#').map_or((target, None), |(file, anchor)| (file, Some(anchor)));
    let full = if file.is_empty() { path.to_owned() } else { resolve(path, file)? };
    if !tree::exists(&full) {
        return Some(format!("the link to {target} leads to {full}, which is not there"));
    }
    let anchor = anchor.filter(|_| full.ends_with(".md"))?;
    let anchors = markdown::anchors(&tree::read(&full));
    (!anchors.contains(anchor)).then(|| format!("{full} has no heading #{anchor}; it has {anchors:?}"))
}

/// `file` as seen from the document at `path`, as a path from the root; outside the root it stays as it is.
fn resolve(path: &str, file: &str) -> Option<String> {
    let mut full = PathBuf::new();
    for part in Path::new(path).parent()?.join(file).components() {
        match part {
            Component::ParentDir if full.pop() => {}
            Component::CurDir => {}
            other => full.push(other),
        }
    }
    Some(full.to_string_lossy().into_owned())
}

#[test]
fn a_broken_link_and_a_broken_anchor_are_noticed() {
    assert_eq!(resolve("docs/zh/a.md", "../adr/b.md").as_deref(), Some("docs/adr/b.md"));
    assert!(fault("docs/ARCHITECTURE.md", "nowhere.md").is_some());
    assert!(fault("docs/ARCHITECTURE.md", "#no-such-heading").is_some());
    assert!(fault("docs/ARCHITECTURE.md", "#crates-and-arrows").is_none());
    assert!(fault("docs/ARCHITECTURE.md", "https://example.com/nowhere").is_none());
}
