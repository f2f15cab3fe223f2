//! Reads of Markdown what the rules need: where links lead, and what can be linked to.

use std::collections::{BTreeMap, BTreeSet};

/// The text without its fenced blocks, line by line, so that line numbers hold.
pub(crate) fn prose(text: &str) -> String {
    let mut is_fenced = false;
    let mut kept = String::new();
    for line in text.lines() {
        let is_fence = line.trim_start().starts_with("```");
        is_fenced ^= is_fence;
        if !is_fenced && !is_fence {
            kept.push_str(line);
        }
        kept.push('\n');
    }
    kept
}

/// Targets of inline links with their line's number. Code spans count as text.
pub(crate) fn links(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (index, line) in prose(text).lines().enumerate() {
        let line = without_code(line);
        for part in line.split("](").skip(1) {
            let target = part.split(')').next().unwrap_or(part);
            let target = target.split_whitespace().next().unwrap_or_default();
            found.push((index + 1, target.trim_matches(['<', '>']).to_owned()));
        }
    }
    found
}

/// The anchors of a document's headings, as forges make them.
pub(crate) fn anchors(text: &str) -> BTreeSet<String> {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut anchors = BTreeSet::new();
    for line in prose(text).lines().filter(|line| line.starts_with('#')) {
        let slug = slug(line.trim_start_matches('#'));
        let count = seen.entry(slug.clone()).or_default();
        anchors.insert(if *count == 0 { slug } else { format!("{slug}-{count}") });
        *count += 1;
    }
    anchors
}

/// The code spans of a document.
pub(crate) fn code_spans(text: &str) -> Vec<String> {
    let prose = prose(text);
    prose.lines().flat_map(|line| line.split('`').skip(1).step_by(2)).map(str::to_owned).collect()
}

fn slug(heading: &str) -> String {
    let kept = heading.trim().to_lowercase();
    let kept = kept.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

fn without_code(line: &str) -> String {
    line.split('`').enumerate().map(|(index, part)| if index % 2 == 0 { part } else { "code" }).collect()
}

#[test]
fn links_are_found_in_prose_only() {
    let text = "see [a](b.md#c) and [d](<e f.md>)\n```\n[x](y)\n```\n`[x](y)` [`code`](g.md \"title\")\n";
    assert_eq!(links(text), [(1, "b.md#c".into()), (1, "e".into()), (5, "g.md".into())]);
}

#[test]
fn headings_make_anchors() {
    let text = "# A title, with `code`!\n## Same\n## Same\n## 中文 标题\n```\n# no\n```\n";
    let expected = ["a-title-with-code", "same", "same-1", "中文-标题"];
    assert_eq!(anchors(text), expected.map(str::to_owned).into());
}
