//! The two clocks of the SFU's threads: all of a process count from the same start.

use std::sync::LazyLock;
use std::time::{Instant as Monotonic, SystemTime, UNIX_EPOCH};

use taoyao_types::{Instant, Now, Wall};

static START: LazyLock<Monotonic> = LazyLock::new(Monotonic::now);

/// Both clocks, once per turn of a worker.
pub(crate) fn now() -> Now {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Now { mono: mono(), wall: Wall(u64::try_from(since.as_millis()).unwrap_or(u64::MAX)) }
}

/// Microseconds since the first call of the process.
pub(crate) fn mono() -> Instant {
    Instant(u64::try_from(START.elapsed().as_micros()).unwrap_or(u64::MAX))
}
