//! `--log`: how the log of a running node looks.

use clap::ValueEnum;
use taoyao_node::telemetry::{self, LogFormat};

use super::exit::{Exit, Failed};

/// The two forms of the log, which goes to standard error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Log {
    /// Lines for people
    Human,
    /// One JSON object a line
    Json,
}

impl Log {
    /// Begins to log; TAOYAO_LOG filters, else `default` does.
    pub(crate) fn begin(self, default: &str) -> Result<(), Failed> {
        let format = match self {
            Log::Human => LogFormat::Human,
            Log::Json => LogFormat::Json,
        };
        telemetry::init(format, default).map_err(|error| Failed::new(Exit::Usage, error))
    }
}
