//! One `taoyao node` process with its log.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::patience::PATIENCE;
use crate::program::taoyao;

/// Lines of a log that are shown when a test fails.
const SHOWN_LINES: usize = 30;

/// A running node. It is killed with its handle, and shows the end of its log if that happens because a test fails.
pub(crate) struct Node {
    name: String,
    child: Child,
    log: PathBuf,
}

impl Node {
    /// Starts the node `name` of a topology file; what it says goes to the end of `log`.
    pub(crate) fn start(name: &str, topology: &Path, log: PathBuf) -> Self {
        let file = File::options().create(true).append(true).open(&log).unwrap();
        Self::start_saying(name, topology, log, file.into(), None)
    }

    /// The same with another standard error, and a filter for what it says there.
    pub(crate) fn start_saying(
        name: &str,
        topology: &Path,
        log: PathBuf,
        errors: Stdio,
        filter: Option<&str>,
    ) -> Self {
        Self::start_limited(name, topology, log, (errors, filter), "")
    }

    /// The same for a process that may have so many files open.
    pub(crate) fn start_with_files(name: &str, topology: &Path, log: PathBuf, files: u32) -> Self {
        let file = File::options().create(true).append(true).open(&log).unwrap();
        Self::start_limited(name, topology, log, (file.into(), None), &format!("ulimit -Hn {files}; "))
    }

    fn start_limited(
        name: &str,
        topology: &Path,
        log: PathBuf,
        (errors, filter): (Stdio, Option<&str>),
        limit: &str,
    ) -> Self {
        let file = File::options().create(true).append(true).open(&log).unwrap();
        // With a soft limit that is lower than any node needs: it raises it by itself.
        let child = Command::new("sh")
            .args(["-c", &format!("ulimit -Sn 64; {limit}exec \"$0\" \"$@\"")])
            .arg(taoyao())
            .args(["node", name, "--topology"])
            .arg(topology)
            .stdin(Stdio::null())
            .envs(filter.map(|filter| ("TAOYAO_LOG", filter)))
            .stdout(file)
            .stderr(errors)
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        Self { name: name.to_owned(), child, log }
    }

    /// Fails if the process has ended.
    pub(crate) fn assert_runs(&mut self) {
        let ended = self.child.try_wait().unwrap();
        assert!(ended.is_none(), "{} ended: {ended:?}\n{}", self.name, self.log());
    }

    /// Sends the signal of this name, as `kill -s` knows it.
    pub(crate) async fn signal(&self, signal: &str) {
        let process = self.process().to_string();
        // A shell has `kill` built in wherever there is no program of that name.
        let sent = Command::new("sh").args(["-c", "kill -s \"$0\" \"$1\"", signal, &process]).status().await;
        assert!(sent.unwrap().success(), "{signal} does not reach {}", self.name);
    }

    /// `kill -9`, and waits until the process is gone.
    pub(crate) async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }

    /// Waits for the process to end by itself.
    pub(crate) async fn ended(&mut self) -> ExitStatus {
        let ended = timeout(PATIENCE, self.child.wait()).await;
        ended.unwrap_or_else(|_| panic!("{} does not end\n{}", self.name, self.log())).unwrap()
    }

    /// Everything that this node's processes have said so far.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Memory that the process has in use.
    pub(crate) fn resident_kib(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    /// Leaves a log line time to be written, then says whether all words are in one line.
    pub(crate) async fn says(&self, words: &[&str]) -> bool {
        for _ in 0..100 {
            if self.log().lines().any(|line| words.iter().all(|word| line.contains(word))) {
                return true;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        false
    }

    pub(crate) fn process(&self) -> u32 {
        self.child.id().expect("the process has not been waited for")
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = self.log();
            let lines: Vec<&str> = log.lines().collect();
            let last = &lines[lines.len().saturating_sub(SHOWN_LINES)..];
            eprintln!("-- the last lines of {}:\n{}", self.name, last.join("\n"));
        }
    }
}
