//! Thins lines out before they are written: reads from each whose it is, and tells counts of what was left out.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time;

use taoyao_types::Instant;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

use super::thinning::{Origin, Thinned, Thinning};
use super::{AUDIT, LOG};

/// The fields that say who causes a line, the most telling one first. Names that anybody can make up come last.
const SUBJECTS: [&str; 8] = ["account", "peer", "address", "ip", "by", "terminal", "node", "log.target"];
/// Stands in the place of an account before there is one: then the address says who it is.
const NO_ACCOUNT: &str = "unknown";
/// Characters of a line's text, and of its subject, that are kept for the count.
const TEXT_MAX: usize = 96;

/// A layer above the one that writes. Clones share what they know.
#[derive(Debug, Clone)]
pub(super) struct ThinningLayer {
    thinning: Arc<Mutex<Thinning>>,
    start: time::Instant,
}

impl ThinningLayer {
    pub(super) fn new() -> Self {
        Self { thinning: Arc::default(), start: time::Instant::now() }
    }

    /// Writes the counts that are due.
    pub(super) fn tell(&self) {
        let due = self.thinning().poll(self.now());
        due.iter().for_each(tell);
    }

    fn now(&self) -> Instant {
        Instant(u64::try_from(self.start.elapsed().as_micros()).unwrap_or(u64::MAX))
    }

    fn thinning(&self) -> MutexGuard<'_, Thinning> {
        // Counting cannot leave it half done.
        self.thinning.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S: Subscriber> Layer<S> for ThinningLayer {
    fn event_enabled(&self, event: &Event<'_>, _: Context<'_, S>) -> bool {
        let metadata = event.metadata();
        if !is_thinned(metadata) {
            return true;
        }
        let mut found = Found::default();
        event.record(&mut found);
        let Found { subject, text, .. } = found;
        let origin = Origin { place: metadata.name(), subject };
        self.thinning().admits(self.now(), origin, metadata.target() == AUDIT, &text)
    }
}

/// Privileges that were used are all written, whoever used them. So is what somebody has asked for by a filter that shows
/// more than usual, and what the log says of itself.
fn is_thinned(metadata: &Metadata<'_>) -> bool {
    let is_privilege = metadata.target() == AUDIT && *metadata.level() == Level::INFO;
    let is_own = metadata.target() == LOG || metadata.module_path() == Some(module_path!());
    *metadata.level() <= Level::INFO && !is_privilege && !is_own
}

fn tell(Thinned { subject, is_audit, text, lines }: &Thinned) {
    let whose = if subject.is_empty() { "-" } else { subject };
    if *is_audit {
        tracing::warn!(target: AUDIT, of = %whose, like = %text, lines, "more of the same, counted only");
    } else {
        tracing::warn!(target: LOG, of = %whose, like = %text, lines, "more of the same, counted only");
    }
}

/// What an event says of its cause.
#[derive(Default)]
struct Found {
    subject: String,
    /// How telling the subject's field is: its place in [`SUBJECTS`], from the end.
    weight: usize,
    text: String,
}

impl Visit for Found {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.record_debug(field, &format_args!("{value}"));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            self.text = short(value);
        } else if let Some(place) = SUBJECTS.iter().position(|name| *name == field.name()) {
            let (weight, subject) = (SUBJECTS.len() - place, short(value));
            if weight > self.weight && subject != NO_ACCOUNT {
                (self.subject, self.weight) = (subject, weight);
            }
        }
    }
}

fn short(value: &dyn fmt::Debug) -> String {
    format!("{value:?}").chars().take(TEXT_MAX).collect()
}

#[cfg(test)]
mod tests {
    use taoyao_types::limits::LOG_LINES_MAX;
    use tracing_subscriber::layer::SubscriberExt;
    use tracing_subscriber::registry;

    use super::*;

    #[test]
    fn a_terminal_that_is_refused_for_ever_hides_neither_others_nor_privileges() {
        let lines = logged(|| {
            for nth in 0..2_500 {
                let terminal = format!("made-up-{nth}@cn");
                tracing::warn!(target: AUDIT, account = "mallory", %terminal, rule = "role", "denied");
            }
            for _ in 0..100 {
                tracing::info!(target: AUDIT, account = "ann", "carried out");
            }
            tracing::warn!(target: AUDIT, account = "bob", rule = "role", "denied");
        });
        let of = |text: &str| lines.iter().filter(|line| line.contains(text)).count();
        assert_eq!(of("mallory") as u64, LOG_LINES_MAX);
        assert_eq!((of("ann"), of("bob")), (100, 1));
    }

    #[test]
    fn whoever_has_no_account_is_told_apart_by_address() {
        let lines = logged(|| {
            for nth in 0..1_000 {
                let address = if nth % 100 == 0 { "192.0.2.9" } else { "192.0.2.7" };
                let who = format!("made-up-{nth}@cn");
                tracing::warn!(target: AUDIT, account = "unknown", address, who, rule = "login", "denied");
            }
        });
        let of = |text: &str| lines.iter().filter(|line| line.contains(text)).count();
        assert_eq!((of("192.0.2.7") as u64, of("192.0.2.9")), (LOG_LINES_MAX, 10));
    }

    #[test]
    fn every_line_that_is_not_asked_for_by_a_filter_is_thinned() {
        let lines = logged(|| {
            for nth in 0..1_000 {
                tracing::error!(nth, "a fault that comes again and again");
                tracing::debug!(nth, "a detail");
            }
        });
        let of = |text: &str| lines.iter().filter(|line| line.contains(text)).count();
        assert_eq!(of("a fault") as u64, LOG_LINES_MAX);
        assert_eq!(of("a detail"), 1_000);
    }

    /// What is written of what `happens` logs.
    fn logged(happens: impl FnOnce()) -> Vec<String> {
        let written = Written::default();
        let subscriber = registry().with(ThinningLayer::new()).with(written.clone());
        tracing::subscriber::with_default(subscriber, happens);
        let lines = written.0.lock().unwrap();
        lines.clone()
    }

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<String>>>);

    impl<S: Subscriber> Layer<S> for Written {
        fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
            let mut found = Found::default();
            event.record(&mut found);
            self.0.lock().unwrap().push(format!("{} {}", found.subject, found.text));
        }
    }
}
