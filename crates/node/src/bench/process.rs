//! A child process: started with its log in a file, measured through /proc, killed when it is dropped.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::error::{BenchError, io};

/// Clock ticks per second in /proc; Linux has shown 100 to programs since version 2.6, whatever its own clock does.
const TICKS_PER_SECOND: f64 = 100.0;
/// Bytes of a dead process's log that its error shows.
const LOG_TAIL_BYTES: usize = 600;

/// A running process of the benchmark.
#[derive(Debug)]
pub(super) struct Process {
    name: String,
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts `command` with both of its outputs in `NAME.log` of `dir`.
    pub(super) fn start(name: &str, command: &mut Command, dir: &Path) -> Result<Self, BenchError> {
        let log = dir.join(format!("{name}.log"));
        let file = File::create(&log).map_err(io(log.display().to_string()))?;
        let again = file.try_clone().map_err(io(log.display().to_string()))?;
        command.stdin(Stdio::null()).stdout(file).stderr(again);
        let child = command.spawn().map_err(io(format!("{name} cannot be started")))?;
        Ok(Self { name: name.to_owned(), child, log })
    }

    /// An error with the end of its log if the process is over.
    pub(super) fn check(&mut self) -> Result<(), BenchError> {
        match self.child.try_wait() {
            Ok(None) => Ok(()),
            _ => Err(BenchError::Ended(self.name.clone(), self.log_tail())),
        }
    }

    /// Processor time of all its threads so far, user and system.
    pub(super) fn cpu(&self) -> Result<Duration, BenchError> {
        let stat = self.read("stat")?;
        let ticks = cpu_ticks(&stat).ok_or_else(|| BenchError::Answer(format!("/proc says {stat:?}")))?;
        Ok(Duration::from_secs_f64(ticks as f64 / TICKS_PER_SECOND))
    }

    /// Bytes of memory that are in use for it now.
    pub(super) fn resident_bytes(&self) -> Result<u64, BenchError> {
        let status = self.read("status")?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|text| text.trim().strip_suffix(" kB")).and_then(|text| text.parse().ok());
        kib.map(|kib: u64| kib * 1024)
            .ok_or_else(|| BenchError::Answer(format!("/proc tells no memory of {}", self.name)))
    }

    fn read(&self, what: &str) -> Result<String, BenchError> {
        let path = format!("/proc/{}/{what}", self.child.id());
        fs::read_to_string(&path).map_err(io(path))
    }

    fn log_tail(&self) -> String {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let start = log.floor_char_boundary(log.len().saturating_sub(LOG_TAIL_BYTES));
        log[start..].trim().to_owned()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Fails only for a process that is over already.
        let _over = self.child.kill().is_err();
        let _reaped = self.child.wait();
    }
}

/// Fields 14 and 15 of `/proc/PID/stat`, counted from 1; the second field is a name that may hold anything.
fn cpu_ticks(stat: &str) -> Option<u64> {
    let (_, fields) = stat.rsplit_once(") ")?;
    let mut fields = fields.split(' ').skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processor_time_is_found_behind_any_name() {
        let stat = "42 (a) b (c) S 1 42 42 0 -1 4194304 100 0 0 0 250 50 0 0 20 0 3 0 1 2 3";
        assert_eq!(cpu_ticks(stat), Some(300));
        assert_eq!(cpu_ticks("nothing"), None);
    }

    #[test]
    fn a_process_is_measured_while_it_lives_and_its_log_is_told_after() {
        let dir = tempfile::tempdir().unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", "echo 'no such place'; exec sleep 60"]);
        let mut process = Process::start("sleeper", &mut command, dir.path()).unwrap();
        process.check().unwrap();
        assert!(process.resident_bytes().unwrap() > 0);
        process.cpu().unwrap();
        process.child.kill().unwrap();
        process.child.wait().unwrap();
        let error = process.check().unwrap_err().to_string();
        assert!(error.starts_with("sleeper ended"), "{error}");
    }
}
