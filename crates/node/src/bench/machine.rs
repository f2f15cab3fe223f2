//! The machine that was measured on: its processors, and how busy others keep it.

use std::fs;

use serde::Serialize;

/// Told beside the figures: a loaded machine makes all of them worse.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Machine {
    pub cores: usize,
    /// Processes that ran or wanted to, averaged over the last minute; 0 where the system does not tell.
    pub load_1m: f64,
    /// What the processor calls itself; empty where the system does not tell.
    pub processor: String,
}

impl Machine {
    /// As it is now.
    pub(super) fn look() -> Self {
        let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
        let processors = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        Self {
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            load_1m: load.split(' ').next().and_then(|text| text.parse().ok()).unwrap_or(0.0),
            processor: model(&processors).unwrap_or_default().to_owned(),
        }
    }
}

fn model(cpuinfo: &str) -> Option<&str> {
    let line = cpuinfo.lines().find(|line| line.starts_with("model name"))?;
    line.split_once(": ").map(|(_, name)| name.trim())
}
