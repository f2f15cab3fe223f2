//! The node's two clocks, read at one place: machines are told the time, they never ask for it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use taoyao_types::{Instant, Now, Wall};

/// Counts the node's own time from its start, by tokio's clock, so that tests with a paused clock move everything.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    start: tokio::time::Instant,
}

impl Clock {
    pub(crate) fn start() -> Self {
        Self { start: tokio::time::Instant::now() }
    }

    pub(crate) fn now(&self) -> Now {
        let micros = self.start.elapsed().as_micros();
        Now { mono: Instant(u64::try_from(micros).unwrap_or(u64::MAX)), wall: wall_now() }
    }

    /// The moment on tokio's clock, for sleeping until it.
    pub(crate) fn at(&self, instant: Instant) -> tokio::time::Instant {
        self.start + Duration::from_micros(instant.0)
    }
}

/// The wall clock: Unix milliseconds.
pub(crate) fn wall_now() -> Wall {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Wall(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
