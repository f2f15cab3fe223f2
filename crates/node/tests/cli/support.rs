//! Runs the program in a directory of its own, to its end or until it is told to stop.

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::ports;

/// Generous: a loaded machine is slow, a broken program never gets there.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// The name, parent and short name of every node of the test mesh: a root, two regions, a site under each.
const NODES: [(&str, &str); 5] =
    [("cn", ""), ("east", "cn"), ("north", "cn"), ("sh", "east"), ("bj", "north")];

/// A directory with the topology file `mesh.toml` in it, on ports that were free a moment ago.
pub(crate) struct Site {
    dir: TempDir,
    ports: Vec<(&'static str, u16)>,
}

/// What a run of the program left.
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Site {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut text = String::from(
            "org = \"test\"\n[certs]\ndir = \"certs\"\n[login]\ndevelopment = true\n\
             shared_account = { username = \"taoyao\", password = \"taoyao\" }\n",
        );
        let mut ports = Vec::new();
        for (name, parent) in NODES {
            let terminals = ports::free();
            ports.push((name, terminals));
            write_node(&mut text, name, parent, terminals);
        }
        fs::write(dir.path().join("mesh.toml"), text).unwrap();
        Self { dir, ports }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn terminal_url(&self, node: &str) -> String {
        let (_, port) = self.ports.iter().find(|(name, _)| *name == node).unwrap();
        format!("wss://127.0.0.1:{port}/websocket.signal")
    }

    /// Runs the program to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Run {
        self.run_with_input(arguments, "")
    }

    /// The same with something on standard input.
    pub(crate) fn run_with_input(&self, arguments: &[&str], input: &str) -> Run {
        let mut child = program(self.dir.path(), arguments).stdin(Stdio::piped()).spawn().unwrap();
        // A program that fails early does not read its input.
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap_or_default();
        let output = child.wait_with_output().unwrap();
        Run {
            code: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Runs the program to its end with other outputs; returns its exit code.
    pub(crate) fn run_onto(
        &self,
        arguments: &[&str],
        out: impl Into<Stdio>,
        err: impl Into<Stdio>,
    ) -> Option<i32> {
        let mut command = program(self.dir.path(), arguments);
        command.stdin(Stdio::null()).stdout(out).stderr(err).status().unwrap().code()
    }

    /// Starts the program and leaves it running.
    pub(crate) fn start(&self, arguments: &[&str]) -> Started {
        let mut child = program(self.dir.path(), arguments).stdin(Stdio::null()).spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        Started { child, out }
    }
}

impl Run {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}{}", self.out, self.err))
    }

    /// Checks the exit code, and shows everything if it is another.
    #[track_caller]
    pub(crate) fn ends_with(self, code: i32) -> Self {
        assert_eq!(self.code, code, "\n--- out\n{}--- err\n{}", self.out, self.err);
        self
    }
}

/// A program that runs; ended at the latest with the test.
pub(crate) struct Started {
    child: Child,
    out: BufReader<ChildStdout>,
}

impl Started {
    /// The next JSON value that it prints, or `None` if it ended instead.
    pub(crate) fn next_json(&mut self) -> Option<Value> {
        let mut text = String::new();
        while self.out.read_line(&mut text).unwrap() > 0 {
            if let Ok(value) = serde_json::from_str(&text) {
                return Some(value);
            }
        }
        None
    }

    /// Sends a signal, `INT` or `TERM`, and waits for the end.
    pub(crate) fn stop(self, signal: &str) -> (ExitStatus, String) {
        let kill = format!("kill -{signal} {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
        self.ended()
    }

    /// Waits for the end; returns how it ended and what it said on stderr.
    pub(crate) fn ended(mut self) -> (ExitStatus, String) {
        let status = self.wait();
        let mut said = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        (status, said)
    }

    fn wait(&mut self) -> ExitStatus {
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < end, "it does not end");
            thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        // It has ended already where the test went well.
        self.child.kill().unwrap_or_default();
        self.child.wait().map(|_| ()).unwrap_or_default();
    }
}

fn program(dir: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_taoyao"));
    command.args(arguments).current_dir(dir).stdout(Stdio::piped()).stderr(Stdio::piped());
    for variable in ["TAOYAO_TOPOLOGY", "TAOYAO_LOG", "NO_COLOR", "CLICOLOR_FORCE"] {
        command.env_remove(variable);
    }
    command
}

fn write_node(text: &mut String, name: &str, parent: &str, terminals: u16) {
    writeln!(text, "[[node]]\nname = \"{name}\"").unwrap();
    if !parent.is_empty() {
        writeln!(text, "parent = [\"{parent}\"]").unwrap();
    }
    if parent.is_empty() || parent == "cn" {
        writeln!(text, "links = {{ listen = \"127.0.0.1:{}\" }}", ports::free()).unwrap();
    }
    writeln!(text, "terminals = {{ listen = \"127.0.0.1:{terminals}\" }}").unwrap();
    writeln!(text, "admin = {{ listen = \"127.0.0.1:{}\" }}", ports::free()).unwrap();
    writeln!(text, "state = {{ dir = \"state/{name}\" }}").unwrap();
}
