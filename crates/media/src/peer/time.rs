//! Our instants as those of the standard library, which the protocol crates speak in.

use std::sync::LazyLock;
use std::time::Duration;

use taoyao_types::Instant;

/// Any instant will do: both ways are relative to it.
static ORIGIN: LazyLock<std::time::Instant> = LazyLock::new(std::time::Instant::now);

pub(super) fn to_std(at: Instant) -> std::time::Instant {
    *ORIGIN + Duration::from_micros(at.0)
}

/// Rounded up: a timer that is called too early would be called again at once.
pub(super) fn from_std(at: std::time::Instant) -> Instant {
    let span = at.saturating_duration_since(*ORIGIN);
    Instant(u64::try_from(span.as_nanos().div_ceil(1_000)).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_comes_back_as_it_was() {
        let at = Instant(123_456_789);
        assert_eq!(from_std(to_std(at)), at);
        assert_eq!(from_std(to_std(at) + Duration::from_nanos(1)), Instant(123_456_790));
    }
}
