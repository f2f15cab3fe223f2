//! Outputs that take nothing: a command ends with the code that it would have had, and never by a fault.

use std::fs::File;
use std::io::{Read, pipe};
use std::process::Stdio;

use crate::support::Site;

/// Commands that print, with the code that they end with.
const PRINTING: [(&[&str], i32); 6] = [
    (&["--help"], 0),
    (&["completion", "bash"], 0),
    (&["topology", "check", "mesh.toml"], 0),
    (&["topology", "show", "--json", "mesh.toml"], 0),
    (&["cert", "dev", "mesh.toml"], 0),
    (&["user", "list", "--topology", "mesh.toml"], 0),
];
/// Commands that complain, with the code that they end with.
const COMPLAINING: [(&[&str], i32); 4] = [
    (&["topology", "check", "none.toml"], 74),
    (&["stauts"], 64),
    (&["status", "--topology", "mesh.toml"], 69),
    (&["node", "nobody", "--topology", "mesh.toml"], 64),
];

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    let site = Site::new();
    for (arguments, code) in PRINTING {
        let (mut said, err) = pipe().unwrap();
        let (reader, out) = pipe().unwrap();
        drop(reader);
        assert_eq!(site.run_onto(arguments, out, err), Some(code), "{arguments:?}");
        let mut text = String::new();
        said.read_to_string(&mut text).unwrap();
        assert!(!text.contains("panicked") && !text.contains("pipe"), "{arguments:?}: {text}");
    }
}

#[test]
fn what_nobody_can_be_told_changes_no_exit_code() {
    let site = Site::new();
    for (arguments, code) in COMPLAINING {
        let full = File::options().write(true).open("/dev/full").unwrap();
        assert_eq!(site.run_onto(arguments, Stdio::null(), full), Some(code), "{arguments:?}");
        let (reader, closed) = pipe().unwrap();
        drop(reader);
        assert_eq!(site.run_onto(arguments, Stdio::null(), closed), Some(code), "{arguments:?}");
    }
}
