//! The transcripts' files, and how one differs from what was played.

use std::path::{Path, PathBuf};
use std::{env, fs};

/// One file below this folder.
pub(crate) struct Transcript {
    /// From this folder, with `/`.
    pub(crate) path: String,
    pub(crate) text: String,
}

impl Transcript {
    pub(crate) fn write(&self, text: &str) {
        fs::write(folder().join(&self.path), text).unwrap();
    }
}

/// All transcripts in the order of their paths.
pub(crate) fn all() -> Vec<Transcript> {
    let folders = entries(&folder()).into_iter().filter(|path| path.is_dir());
    let files = folders.flat_map(|folder| entries(&folder));
    files.filter(|path| path.extension().is_some_and(|extension| extension == "txt")).map(read).collect()
}

/// Whether what is heard is to be written anew.
pub(crate) fn is_to_be_written() -> bool {
    env::var_os("TRANSCRIPTS").is_some_and(|word| word == "write")
}

/// The file of a signal: `media::consumer::set::priority` is in `media/consumer-set-priority.txt`.
pub(crate) fn path_of(signal: &str) -> String {
    let (family, name) = signal.split_once("::").expect("a signal has a family");
    format!("{family}/{}.txt", name.replace("::", "-"))
}

/// The lines between what both begin and what both end with: `-` as written, `+` as played.
pub(crate) fn difference(written: &str, played: &str) -> Option<String> {
    if written == played {
        return None;
    }
    let (written, played) = (written.lines().collect::<Vec<_>>(), played.lines().collect::<Vec<_>>());
    let same = |pair: &(&&str, &&str)| pair.0 == pair.1;
    let head = written.iter().zip(&played).take_while(same).count();
    let (written, played) = (&written[head..], &played[head..]);
    let tail = written.iter().rev().zip(played.iter().rev()).take_while(same).count();
    let lines = |mark: char, part: &[&str]| {
        let part = &part[..part.len() - tail];
        part.iter().map(|line| format!("{mark} {line}\n")).collect::<String>()
    };
    Some(format!("line {}:\n{}{}", head + 1, lines('-', written), lines('+', played)))
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("transcripts")
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut entries: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    entries
}

fn read(path: PathBuf) -> Transcript {
    let text = fs::read_to_string(&path).unwrap();
    let parts: Vec<String> = path
        .strip_prefix(folder())
        .unwrap()
        .components()
        .map(|part| part.as_os_str().to_string_lossy().into_owned())
        .collect();
    Transcript { path: parts.join("/"), text }
}

#[test]
fn a_difference_shows_what_is_written_and_what_was_played() {
    assert_eq!(difference("a\nb\n", "a\nb\n"), None);
    assert_eq!(difference("a\nb\nd\n", "a\nc\nd\n").unwrap(), "line 2:\n- b\n+ c\n");
    assert_eq!(difference("a\nd\n", "a\nc\nd\n").unwrap(), "line 2:\n+ c\n");
}
