//! The product speaks of itself only: no machine's paths, no unfinished notes, no registry of somebody's network.

use crate::{settle, tree};

/// Texts that no file may contain. Written in two parts, so that this file does not contain them either.
const BANNED: [(&str, &str, &str); 8] = [
    ("/ro", "ot/", "a path of one machine; write a relative one"),
    ("/wo", "rk/", "a path of one machine; write a relative one"),
    ("/ho", "me/", "a path of one machine; write a relative one"),
    ("/tm", "p/", "a path of one machine; ask the system for its temporary folder"),
    ("TO", "DO", "do it, or write an issue"),
    ("FIX", "ME", "fix it, or write an issue"),
    ("XX", "X", "say what is meant"),
    ("todo", "!(", "do it, or write an issue"),
];

#[test]
fn no_file_speaks_of_a_machine_or_of_unfinished_work() {
    // What locks hold is made by programs, and hashes spell what they like.
    let files = tree::files()
        .into_iter()
        .filter(|path| path != "LICENSE" && path != "Cargo.lock" && !path.ends_with("package-lock.json"));
    let wrong = files.flat_map(|path| tree::text(&path).map_or_else(Vec::new, |text| faults(&path, &text)));
    settle(wrong.collect());
}

#[test]
fn npm_locks_name_no_registry() {
    let locks = tree::files_with(&["package-lock.json"]).into_iter();
    let resolved = locks.filter(|path| tree::read(path).contains("\"resolved\""));
    let advice = "write it anew with `omit-lockfile-registry-resolved=true` in the folder's .npmrc";
    let mut wrong: Vec<String> = resolved.map(|path| format!("{path} names a registry; {advice}")).collect();
    let settings = tree::files_with(&[".npmrc", "config.toml"]).into_iter();
    let named = settings.filter(|path| {
        let text = tree::read(path);
        text.contains("registry=") || text.contains("replace-with")
    });
    wrong.extend(named.map(|path| format!("{path} chooses a registry; leave that to whoever builds")));
    settle(wrong);
}

#[test]
fn lines_end_plainly() {
    let mut wrong = Vec::new();
    for path in tree::files_with(&[
        ".rs",
        ".js",
        ".mjs",
        ".css",
        ".html",
        ".toml",
        ".md",
        ".json",
        "tests/run",
        ".ci/run",
    ]) {
        let text = tree::read(&path);
        if text.contains('\r') || text.contains('\t') {
            wrong.push(format!("{path}: line feeds and spaces only, please"));
        }
        if !text.ends_with('\n') {
            wrong.push(format!("{path}: end the last line"));
        }
        let trailing = text.lines().position(|line| line.ends_with(' '));
        wrong.extend(trailing.map(|index| format!("{path}:{}: spaces at the end of the line", index + 1)));
    }
    settle(wrong);
}

fn faults(path: &str, text: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let found = BANNED.iter().find(|(head, tail, _)| line.contains(&format!("{head}{tail}")));
        wrong.extend(
            found.map(|(head, tail, advice)| format!("{path}:{}: `{head}{tail}`: {advice}", index + 1)),
        );
    }
    wrong
}

#[test]
fn a_banned_word_is_found_with_its_line() {
    let text = format!("fine\nsee {}{}x\n", "/tm", "p/");
    let wrong = faults("a.md", &text);
    assert!(wrong.len() == 1 && wrong[0].starts_with("a.md:2:"), "{wrong:?}");
}
