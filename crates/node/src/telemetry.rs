//! Where the log goes and how it looks. `docs/OPERATIONS.md` says what each level is for.
//!
//! Nothing that runs waits for the log, and nothing ends because of it: lines go by a bounded queue to a thread of their own.
//! Whatever a running node says on standard error takes the same way.

mod layer;
mod queue;
mod thinning;
mod writer;

use std::backtrace::{Backtrace, BacktraceStatus};
use std::io::{self, IsTerminal};
use std::panic::{self, PanicHookInfo};
use std::sync::OnceLock;
use std::sync::atomic::Ordering::Relaxed;
use std::thread;
use std::time::Duration;

use tracing_subscriber::filter::ParseError;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};
use tracing_subscriber::{EnvFilter, Layer, fmt, registry};

use self::layer::ThinningLayer;
use self::queue::{LogQueue, Rank, log_queue};
use self::writer::{Beside, LogWriter};

/// The target of the audit log.
pub(crate) const AUDIT: &str = "audit";
/// The target of what the log says of itself.
const LOG: &str = "taoyao::log";
/// How long the program's end waits for what is not written yet: nobody waits for a reader that has stopped.
const END_MAX: Duration = Duration::from_secs(1);

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
    Twice(#[from] TryInitError),
    #[error("no thread for the log: {0}")]
    Thread(#[from] io::Error),
}

/// What became of the log's lines since the program's start, of all nodes of this process.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LogStats {
    /// Lines that were not written: the output failed, or took less than there was.
    pub(crate) dropped: u64,
    pub(crate) failed_writes: u64,
}

/// The log is the one thing of a process that is global.
static QUEUE: OnceLock<LogQueue> = OnceLock::new();

/// Begins to log to standard error; to be called once, first of all. `default` filters if the variable does not.
pub fn init(format: LogFormat, default: &str) -> Result<(), TelemetryError> {
    let filter = filter(std::env::var(FILTER_VARIABLE).ok(), default)?;
    let (queue, lines) = log_queue();
    let thinning = ThinningLayer::new();
    // Whoever reads that a line could not be written would read the line, too.
    let output = fmt::layer().with_writer(queue.clone()).log_internal_errors(false);
    let output = match format {
        LogFormat::Json => output.json().flatten_event(true).boxed(),
        LogFormat::Human => output.with_ansi(has_colours()).with_target(false).boxed(),
    };
    registry().with(output).with(thinning.clone()).with(filter).try_init()?;
    let writer = LogWriter::new(lines, io::stderr(), Accounts(thinning));
    thread::Builder::new().name("log".to_owned()).spawn(move || writer.run())?;
    if QUEUE.set(queue).is_ok() {
        panic::set_hook(Box::new(log_panic));
    }
    Ok(())
}

/// Whether standard error shows colours.
pub fn has_colours() -> bool {
    io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none()
}

/// Puts a text among the lines of the log, as it is and whatever the filter; `false` if there is no log yet.
pub fn say(text: &str) -> bool {
    let queue = QUEUE.get();
    if let Some(queue) = queue {
        queue.push(text.as_bytes(), Rank::Ordinary);
    }
    queue.is_some()
}

/// Waits until everything is written, but not for long; to be called last of all.
pub fn end() {
    if let Some(queue) = QUEUE.get() {
        // Never a message: it ends with the mark, or the time is over.
        let _passed = queue.mark().recv_timeout(END_MAX).is_err();
    }
}

/// Zeros before the log begins.
pub(crate) fn stats() -> LogStats {
    let counts = QUEUE.get().map(LogQueue::counts);
    counts.map_or_else(LogStats::default, |counts| LogStats {
        dropped: counts.dropped.load(Relaxed),
        failed_writes: counts.failed_writes.load(Relaxed),
    })
}

/// What the writing thread says of the log itself.
struct Accounts(ThinningLayer);

impl Beside for Accounts {
    fn tell_dropped(&mut self, lines: u64) {
        tracing::warn!(target: LOG, lines, "lines were dropped: standard error took no more of them");
    }

    fn turn(&mut self) {
        self.0.tell();
    }
}

/// The standard library's own hook writes to standard error, and a full pipe would hold up the thread that has panicked.
fn log_panic(panic: &PanicHookInfo<'_>) {
    let thread = thread::current();
    let thread = thread.name().unwrap_or("-");
    // There if RUST_BACKTRACE asks for it.
    let trace = Backtrace::capture();
    let trace = (trace.status() == BacktraceStatus::Captured).then(|| tracing::field::display(trace));
    tracing::error!(target: "taoyao::panic", thread, %panic, trace, "a fault in taoyao; please report it");
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
