//! Files that are made from the code: held against it, or written anew with `PROTOCOL=write`.

#![expect(
    clippy::disallowed_methods,
    reason = "a test of documents reads them, and writes them where it is asked to"
)]

use std::path::{Path, PathBuf};

/// The whole file is this text.
pub(crate) fn hold(path: &str, text: &str) {
    if is_written() {
        return std::fs::write(place(path), text).unwrap();
    }
    assert!(read(path) == text, "{path} is not what the code says; run this test with PROTOCOL=write");
}

/// What stands between `<!-- NAME:begin -->` and `<!-- NAME:end -->` in the file is this text.
pub(crate) fn hold_part(path: &str, name: &str, text: &str) {
    let document = read(path);
    let (begin, end) = (format!("<!-- {name}:begin -->\n"), format!("<!-- {name}:end -->"));
    let (before, rest) = document.split_once(&begin).unwrap_or_else(|| panic!("no {begin} in {path}"));
    let (_, after) = rest.split_once(&end).unwrap_or_else(|| panic!("no {end} in {path}"));
    hold(path, &[before, &begin, text, &end, after].concat());
}

pub(crate) fn read(path: &str) -> String {
    read_file(&place(path))
}

pub(crate) fn read_file(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|why| panic!("{}: {why}", path.display()))
}

pub(crate) fn place(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}

fn is_written() -> bool {
    std::env::var("PROTOCOL").is_ok_and(|value| value == "write")
}
