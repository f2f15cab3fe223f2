//! Where the log goes and how it looks. `docs/OPERATIONS.md` says what each level is for.

use std::io::{self, IsTerminal};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;

/// The variable that filters the log, in the syntax of `tracing_subscriber::EnvFilter`: `debug`,
/// `info,taoyao_link=trace`. Without it the program's own default holds.
pub const FILTER_VARIABLE: &str = "TAOYAO_LOG";
/// Warnings of everybody, the life of nodes and links, and the audit log. `rtc_dtls` warns of every browser's handshake, for
/// extensions that it does not know and need not.
pub const DEFAULT_FILTER: &str = "warn,taoyao=info,audit=info,rtc_dtls=error";
/// Only what a person should look at: for a mesh at somebody's terminal, whose table should stay in sight.
pub const QUIET_FILTER: &str = "warn,audit=info,rtc_dtls=error";

/// How lines of the log look.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// For people; with colours where standard error is a terminal and `NO_COLOR` is not set.
    #[default]
    Human,
    /// One JSON object a line.
    Json,
}

/// Why logging cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    #[error("{FILTER_VARIABLE}={text}: {source}; write for example {FILTER_VARIABLE}=info,taoyao_link=debug")]
    Filter { text: String, source: ParseError },
    #[error("logging was begun before: {0}")]
    Twice(Box<dyn std::error::Error + Send + Sync>),
}

/// Begins to log to standard error; to be called once, first of all. `default` filters if the variable does not.
pub fn init(format: LogFormat, default: &str) -> Result<(), TelemetryError> {
    let filter = filter(std::env::var(FILTER_VARIABLE).ok(), default)?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
    match format {
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
        LogFormat::Human => {
            let colours = io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
            builder.with_ansi(colours).with_target(false).try_init()
        }
    }
    .map_err(TelemetryError::Twice)
}

fn filter(given: Option<String>, default: &str) -> Result<EnvFilter, TelemetryError> {
    let text = given.filter(|text| !text.is_empty()).unwrap_or_else(|| default.to_owned());
    EnvFilter::try_new(&text).map_err(|source| TelemetryError::Filter { text, source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_that_makes_no_sense_is_told() {
        assert!(filter(None, DEFAULT_FILTER).is_ok() && filter(None, QUIET_FILTER).is_ok());
        assert!(filter(Some(String::new()), DEFAULT_FILTER).is_ok());
        assert!(filter(Some("info,taoyao_link=debug".to_owned()), DEFAULT_FILTER).is_ok());
        let error = filter(Some("taoyao_link=loud".to_owned()), DEFAULT_FILTER).unwrap_err();
        assert!(error.to_string().contains("TAOYAO_LOG=taoyao_link=loud"), "{error}");
    }
}
