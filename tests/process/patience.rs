//! Waiting for something to become true, with bounds that a loaded machine keeps.

use std::time::{Duration, Instant};

/// Far more than anything takes on a loaded machine; only a failure waits this long.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// How often a condition is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Waits until `look` finds nothing that is missing; fails with what it found last.
pub(crate) async fn until(wanted: &str, mut look: impl AsyncFnMut() -> Vec<String>) {
    let begin = Instant::now();
    loop {
        let missing = look().await;
        if missing.is_empty() {
            return;
        }
        assert!(begin.elapsed() < PATIENCE, "not {wanted} within {PATIENCE:?}:\n  {}", missing.join("\n  "));
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// Fails with everything that is wrong.
#[track_caller]
pub(crate) fn settle(wrong: &[String]) {
    assert!(wrong.is_empty(), "{} things are wrong:\n  {}", wrong.len(), wrong.join("\n  "));
}
