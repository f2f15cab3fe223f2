//! What `rtc-dtls` logs says whose handshake it is of.

#[expect(dead_code, reason = "other tests use all of it, this one a part")]
mod pair;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use pair::{Pair, PairSetup};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

#[test]
fn dtls_runs_under_the_name_of_its_transport() {
    let entered = Arc::new(AtomicU64::new(0));
    tracing::subscriber::with_default(Entered(Arc::clone(&entered)), || {
        let mut pair = Pair::new(PairSetup::default());
        pair.sfu.log_as(tracing::warn_span!("transport", id = 7));
        pair.run(Duration::from_secs(5));
        assert_eq!(pair.sfu.stats().dtls_state, "connected");
    });
    // Each datagram of a handshake, and its timers.
    assert!(entered.load(Relaxed) >= 3, "{entered:?}");
}

/// Counts how often a span is entered.
struct Entered(Arc<AtomicU64>);

impl Subscriber for Entered {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_span() && metadata.name() == "transport"
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, _: &Event<'_>) {}

    fn enter(&self, _: &Id) {
        self.0.fetch_add(1, Relaxed);
    }

    fn exit(&self, _: &Id) {}
}
