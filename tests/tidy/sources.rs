//! Sources stay small, and outside tests they never unwrap.

use crate::{settle, tree};

const LINES_MAX: usize = 600;
/// Longer files, each with the reason. None at present.
const LONGER: [(&str, &str); 0] = [];

#[test]
fn no_source_is_longer_than_six_hundred_lines() {
    let mut wrong = Vec::new();
    for path in tree::files_with(&[".rs", ".js", ".mjs", ".css", ".html", ".sh"]) {
        let lines = tree::read(&path).lines().count();
        let is_excepted = LONGER.iter().any(|(excepted, _)| *excepted == path);
        if lines > LINES_MAX && !is_excepted {
            wrong.push(format!("{path} has {lines} lines; give a part of it a name and a file of its own"));
        }
        if lines <= LINES_MAX && is_excepted {
            wrong.push(format!("{path} is short again; remove its exception"));
        }
    }
    settle(wrong);
}

#[test]
fn nothing_unwraps_outside_tests() {
    let sources = tree::files_with(&[".rs"]);
    let is_product =
        |path: &String| path.starts_with("crates/") && path.contains("/src/") && !path.ends_with("/tests.rs");
    let product = sources.into_iter().filter(is_product);
    let wrong = product.flat_map(|path| {
        let lines = unwraps(&tree::read(&path));
        lines
            .into_iter()
            .map(move |line| format!("{path}:{line}: handle the case, or say by `expect` why it cannot be"))
    });
    settle(wrong.collect());
}

#[test]
fn tests_stand_last_in_their_file() {
    let sources = tree::files_with(&[".rs"]).into_iter().filter(|path| path.contains("/src/"));
    let wrong = sources.filter(|path| {
        let text = tree::read(path);
        let tests = text.split_once("\n#[cfg(test)]\nmod tests {\n");
        tests.is_some_and(|(_, rest)| {
            rest.split_once("\n}\n").is_some_and(|(_, after)| !after.trim().is_empty())
        })
    });
    settle(wrong.map(|path| format!("{path}: move `mod tests` to the end")).collect());
}

/// The numbers of the lines before the tests that unwrap.
fn unwraps(text: &str) -> Vec<usize> {
    let ends =
        ["\n#[cfg(test)]\nmod ", "\n#[cfg(test)]\npub(super) mod "].iter().filter_map(|end| text.find(end));
    let product = &text[..ends.min().unwrap_or(text.len())];
    let lines = product.lines().enumerate().filter(|(_, line)| {
        let code = line.split("//").next().unwrap_or(line);
        code.contains(".unwrap()") || code.contains(".unwrap_err()")
    });
    lines.map(|(index, _)| index + 1).collect()
}

#[test]
fn an_unwrap_is_seen_in_code_only() {
    let text = "/// x.unwrap()\nlet a = b.unwrap();\n\n#[cfg(test)]\nmod tests {\n    x.unwrap()\n}\n";
    assert_eq!(unwraps(text), [2]);
}
