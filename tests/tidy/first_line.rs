//! Every file begins by saying what it is for.

use crate::{manifest, settle, tree};

#[test]
fn every_file_says_at_once_what_it_is_for() {
    let endings = [".rs", ".js", ".mjs", ".css", ".toml", ".sh", ".md"];
    let scripts = ["tests/run", ".ci/run"].map(str::to_owned);
    let files = tree::files_with(&endings).into_iter().chain(scripts);
    settle(files.filter_map(|path| fault(&path, &tree::read(&path))).collect());
}

#[test]
fn every_package_has_a_description() {
    let nameless = manifest::packages().into_iter().filter(|package| {
        package.manifest["package"]
            .get("description")
            .and_then(toml::Value::as_str)
            .is_none_or(|text| text.len() < 20)
    });
    settle(
        nameless
            .map(|package| format!("{}: say in `description` what the package is for", package.path))
            .collect(),
    );
}

fn fault(path: &str, text: &str) -> Option<String> {
    if path.ends_with("/Cargo.toml") {
        // Its description says it, and cargo shows that.
        return None;
    }
    let mut lines = text.lines();
    let mut first = lines.next().unwrap_or_default();
    if first.starts_with("#!") && !first.starts_with("#![") {
        first = lines.next().unwrap_or_default();
    }
    let ending = path.rsplit_once('.').map_or("", |(_, ending)| ending);
    let marks: &[&str] = match ending {
        "rs" => &["//! "],
        "js" | "mjs" => &["// ", "/** ", "/* "],
        "css" => &["/* "],
        "md" => &["# "],
        _ => &["# "],
    };
    let said = marks.iter().find_map(|mark| first.strip_prefix(mark)).unwrap_or_default();
    let is_enough = if ending == "md" { !said.is_empty() } else { said.split_whitespace().count() >= 3 };
    let example = marks[0];
    (!is_enough).then(|| format!("{path}: begin with `{example}…`, one line on what the file is for"))
}

#[test]
fn a_file_that_says_nothing_is_noticed() {
    assert!(fault("a.rs", "use x;\n").is_some());
    assert!(fault("a.rs", "//! Two words\n").is_some());
    assert!(fault("a.rs", "//! Says what it is.\n").is_none());
    assert!(fault("run", "#!/usr/bin/env bash\n# Runs all the tests.\n").is_none());
    assert!(fault("a.css", ".x { }\n").is_some());
}
