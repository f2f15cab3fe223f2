//! How long this machine keeps threads waiting: what a clock in this process measured too much.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

const TICK: Duration = Duration::from_millis(20);

/// The sum of all stalls since the first call; the difference of two calls is what lay between them.
pub(crate) fn so_far() -> Duration {
    static STALLED_US: OnceLock<&'static AtomicU64> = OnceLock::new();
    let stalled_us = STALLED_US.get_or_init(|| {
        let stalled_us: &'static AtomicU64 = Box::leak(Box::default());
        std::thread::spawn(move || watch(stalled_us));
        stalled_us
    });
    Duration::from_micros(stalled_us.load(Relaxed))
}

fn watch(stalled_us: &AtomicU64) {
    loop {
        let begin = Instant::now();
        std::thread::sleep(TICK);
        let late = begin.elapsed().saturating_sub(2 * TICK);
        stalled_us.fetch_add(late.as_micros() as u64, Relaxed);
    }
}
