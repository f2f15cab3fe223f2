//! A limit that nothing enforces is a promise that nobody keeps.

use crate::{settle, tree};

const LIMITS: &str = "crates/types/src/limits.rs";

#[test]
fn every_limit_is_enforced_somewhere() {
    let limits = names(&tree::read(LIMITS));
    assert!(limits.len() > 50, "{LIMITS} is read: {limits:?}");
    let sources = tree::files_with(&[".rs"]).into_iter();
    let product =
        sources.filter(|path| path.starts_with("crates/") && path.contains("/src/") && path != LIMITS);
    let text: String = product.map(|path| tree::read(&path)).collect();
    let own = tree::read(LIMITS);
    let unused = limits.iter().filter(|name| !has_word(&text, name) && uses(&own, name) < 2);
    settle(
        unused.map(|name| format!("{LIMITS}: nothing enforces {name}; enforce it or remove it")).collect(),
    );
}

#[test]
fn every_limit_has_its_reason() {
    let text = tree::read(LIMITS);
    let lines: Vec<&str> = text.lines().collect();
    let bare = lines.windows(2).filter(|pair| {
        let is_limit = pair[1].starts_with("pub const ");
        // Two limits of one kind may share a reason.
        is_limit && !pair[0].starts_with("/// ") && !pair[0].starts_with("pub const ")
    });
    settle(bare.map(|pair| format!("{LIMITS}: say why, and what happens beyond it: {}", pair[1])).collect());
}

fn names(text: &str) -> Vec<String> {
    let lines = text.lines().filter_map(|line| line.strip_prefix("pub const "));
    lines.filter_map(|line| line.split(':').next()).map(str::to_owned).collect()
}

/// How often code names it; comments do not count.
fn uses(text: &str, name: &str) -> usize {
    text.lines().filter(|line| !line.starts_with("//") && has_word(line, name)).count()
}

fn has_word(text: &str, name: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.match_indices(name).any(|(start, _)| {
        let before = text[..start].chars().next_back();
        let after = text[start + name.len()..].chars().next();
        !before.is_some_and(is_part) && !after.is_some_and(is_part)
    })
}

#[test]
fn a_name_within_a_longer_name_does_not_count() {
    assert_eq!(names("/// x\npub const A_MAX: usize = 1;\n"), ["A_MAX"]);
    assert!(has_word("x < limits::A_MAX;", "A_MAX"));
    assert!(!has_word("x < limits::A_MAX_2 + BA_MAX", "A_MAX"));
}
