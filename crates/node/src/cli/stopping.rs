//! How a running node or mesh is stopped: a first signal drains, a second one ends at once, and how it ended is told.

use std::io;
use std::time::Duration;

use taoyao_node::{DrainReport, NodeFailure};
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::exit::{Exit, Failed};
use super::output::{self, counted};

/// How long terminals have to close when a person waits for the end.
pub(crate) const DRAIN_MAX: Duration = Duration::from_secs(5);

/// Ctrl-C and the signal that service managers send.
pub(crate) struct Stop {
    interrupt: Signal,
    terminate: Signal,
    /// Taken so that a file of the longest length that the system allows fails to be written, and does not end the process.
    _file_size: Signal,
}

impl Stop {
    /// Takes over the signals. Must be called within a runtime, before anything is started.
    pub(crate) fn listen() -> Result<Self, Failed> {
        let on = |kind| {
            signal(kind).map_err(|error: io::Error| {
                Failed::new(Exit::Io, format!("signals cannot be listened for: {error}"))
            })
        };
        Ok(Self {
            interrupt: on(SignalKind::interrupt())?,
            terminate: on(SignalKind::terminate())?,
            _file_size: on(SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw()))?,
        })
    }

    /// Returns when either signal comes. Cancel safe.
    pub(crate) async fn wanted(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// Says how each node ended, and the exit code of that: a drain is fine even if some terminals had to be cut off.
pub(crate) fn tell(ended: Vec<Result<DrainReport, NodeFailure>>) -> Result<Exit, Failed> {
    let (mut reports, mut failures) = (Vec::new(), Vec::new());
    for end in ended {
        match end {
            Ok(report) => reports.push(report),
            Err(failure) => failures.push(failure.to_string()),
        }
    }
    output::note(summary(&reports));
    if failures.is_empty() { Ok(Exit::Fine) } else { Err(Failed::new(Exit::Bug, failures.join("\n       "))) }
}

/// Says that nothing was waited for. What runs is dropped by then, which ends it.
pub(crate) fn ended_at_once() -> Result<Exit, Failed> {
    output::note("ended at once; terminals and neighbours find out by themselves");
    Ok(Exit::NotWell)
}

fn summary(reports: &[DrainReport]) -> String {
    let terminals: u64 = reports.iter().map(|report| report.terminals).sum();
    let cut_off: u64 = reports.iter().map(|report| report.cut_off).sum();
    let took = reports.iter().map(|report| report.took).max().unwrap_or_default();
    let nodes = counted(reports.len(), "node");
    let terminals = counted(usize::try_from(terminals).unwrap_or(usize::MAX), "terminal");
    let how = match cut_off {
        0 => "all closed properly".to_owned(),
        _ => format!("{cut_off} did not close in time and were cut off"),
    };
    format!("ended: {nodes} drained in {:.1} s, {terminals}, {how}", took.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_is_told_with_counts_and_time() {
        let report = |terminals, cut_off, ms| DrainReport {
            node: "cn".parse().unwrap(),
            terminals,
            cut_off,
            took: Duration::from_millis(ms),
        };
        assert_eq!(
            summary(&[report(2, 0, 120), report(1, 0, 310)]),
            "ended: 2 nodes drained in 0.3 s, 3 terminals, all closed properly"
        );
        assert!(summary(&[report(2, 1, 5_000)]).ends_with("1 did not close in time and were cut off"));
    }
}
