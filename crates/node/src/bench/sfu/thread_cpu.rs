//! Processor time of one thread of this process, found by its name.

use std::fs;
use std::path::PathBuf;
use std::thread::sleep;
use std::time::Duration;

use super::super::error::{BenchError, io};

/// A thread that was found.
#[derive(Debug)]
pub(super) struct ThreadCpu {
    path: PathBuf,
}

impl ThreadCpu {
    /// A thread has its name a moment after its start.
    pub(super) fn find(name: &str) -> Result<Self, BenchError> {
        const TRIES: usize = 100;
        for _ in 0..TRIES {
            if let Some(found) = Self::look(name)? {
                return Ok(found);
            }
            sleep(Duration::from_millis(10));
        }
        Err(BenchError::Lacking(format!("there is no thread {name}: the system has no /proc/self/task")))
    }

    fn look(name: &str) -> Result<Option<Self>, BenchError> {
        const TASKS: &str = "/proc/self/task";
        for entry in fs::read_dir(TASKS).map_err(io(TASKS))? {
            let path = entry.map_err(io(TASKS))?.path();
            // A thread that ends meanwhile is not the one.
            if fs::read_to_string(path.join("comm")).is_ok_and(|comm| comm.trim() == name) {
                return Ok(Some(Self { path: path.join("schedstat") }));
            }
        }
        Ok(None)
    }

    /// User and system so far, to the nanosecond.
    pub(super) fn spent(&self) -> Result<Duration, BenchError> {
        let text = fs::read_to_string(&self.path).map_err(io(self.path.display().to_string()))?;
        let first = text.split_whitespace().next().and_then(|text| text.parse().ok());
        first
            .map(Duration::from_nanos)
            .ok_or_else(|| BenchError::Lacking(format!("the kernel tells no processor time: {text:?}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_that_works_is_found_and_its_time_grows() {
        let worked = std::thread::Builder::new().name("digger".to_owned()).spawn(|| {
            let cpu = ThreadCpu::find("digger").unwrap();
            let before = cpu.spent().unwrap();
            let begun = std::time::Instant::now();
            while begun.elapsed() < Duration::from_millis(50) {}
            cpu.spent().unwrap() > before
        });
        assert!(worked.unwrap().join().unwrap());
        assert!(ThreadCpu::find("nobody at all").is_err());
    }
}
