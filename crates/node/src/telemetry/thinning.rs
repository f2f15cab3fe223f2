//! Keeps one account, neighbour or address from filling the log: its first lines of a kind are written, the rest are counted.

use std::collections::BTreeMap;

use taoyao_types::Instant;
use taoyao_types::limits::{LOG_LINES_MAX, LOG_LINES_SPAN, LOG_SUBJECTS_MAX};

/// Stands for all subjects beyond those that are told apart.
const OTHERS: &str = "others";

/// One kind of line that one subject causes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Origin {
    /// The place in the program that writes it.
    pub(super) place: &'static str,
    /// An account, a neighbour, an address; empty where a line names none.
    pub(super) subject: String,
}

/// What is said about lines that were not written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Thinned {
    pub(super) subject: String,
    pub(super) is_audit: bool,
    /// The text that they began with.
    pub(super) text: String,
    pub(super) lines: u64,
}

/// The lines of the last [`LOG_LINES_SPAN`], by their origin.
#[derive(Debug, Default)]
pub(super) struct Thinning {
    origins: BTreeMap<Origin, Lines>,
    next_look: Instant,
}

#[derive(Debug)]
struct Lines {
    since: Instant,
    count: u64,
    is_audit: bool,
    text: String,
}

impl Thinning {
    /// Whether a line may be written now; `text` and `is_audit` describe it to who reads the count later.
    pub(super) fn admits(&mut self, now: Instant, mut origin: Origin, is_audit: bool, text: &str) -> bool {
        if self.origins.len() >= LOG_SUBJECTS_MAX && !self.origins.contains_key(&origin) {
            OTHERS.clone_into(&mut origin.subject);
        }
        let lines = self.origins.entry(origin).or_insert_with(|| Lines {
            since: now,
            count: 0,
            is_audit,
            text: text.to_owned(),
        });
        lines.count += 1;
        lines.count <= LOG_LINES_MAX
    }

    /// The counts of all spans that are over, several times in a span at most; their origins begin anew.
    pub(super) fn poll(&mut self, now: Instant) -> Vec<Thinned> {
        if now < self.next_look {
            return Vec::new();
        }
        self.next_look = now + LOG_LINES_SPAN / 10;
        let over = self.origins.extract_if(.., |_, lines| now.since(lines.since) >= LOG_LINES_SPAN);
        let thinned = over.filter(|(_, lines)| lines.count > LOG_LINES_MAX).map(|(origin, lines)| Thinned {
            subject: origin.subject,
            is_audit: lines.is_audit,
            text: lines.text,
            lines: lines.count - LOG_LINES_MAX,
        });
        thinned.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_cut_counted_and_speaks_again_after_its_span() {
        let mut thinning = Thinning::default();
        let admitted = (0..2_500).filter(|ms| admits(&mut thinning, ms * 1_000, "ann")).count() as u64;
        assert_eq!(admitted, LOG_LINES_MAX);
        assert!(thinning.poll(Instant(0) + LOG_LINES_SPAN / 2).is_empty());
        let told = thinning.poll(Instant(0) + LOG_LINES_SPAN + LOG_LINES_SPAN / 10);
        assert_eq!(told, [thinned("ann", 2_500 - LOG_LINES_MAX)]);
        assert!(admits(&mut thinning, LOG_LINES_SPAN.as_micros() as u64 * 2, "ann"));
    }

    #[test]
    fn nobody_is_silenced_by_anybody_else() {
        let mut thinning = Thinning::default();
        let admitted = (0..2_500).filter(|us| admits(&mut thinning, *us, "ann")).count() as u64;
        assert_eq!(admitted, LOG_LINES_MAX);
        assert!(admits(&mut thinning, 2_500, "bob"));
        let other = Origin { place: "elsewhere", subject: "ann".to_owned() };
        assert!(thinning.admits(Instant(2_500), other, false, "another thing"));
    }

    #[test]
    fn subjects_that_somebody_makes_up_share_one_count_beyond_the_bound() {
        let mut thinning = Thinning::default();
        let made_up = 10 * LOG_SUBJECTS_MAX;
        let admitted = (0..made_up).filter(|nth| admits(&mut thinning, 0, &nth.to_string())).count();
        assert_eq!(admitted, LOG_SUBJECTS_MAX + LOG_LINES_MAX as usize);
        assert!(thinning.origins.len() <= LOG_SUBJECTS_MAX + 1);
        let told = thinning.poll(Instant(0) + LOG_LINES_SPAN);
        assert_eq!(told, [thinned(OTHERS, (made_up - admitted) as u64)]);
    }

    fn admits(thinning: &mut Thinning, us: u64, subject: &str) -> bool {
        let origin = Origin { place: "here", subject: subject.to_owned() };
        thinning.admits(Instant(us), origin, true, "denied")
    }

    fn thinned(subject: &str, lines: u64) -> Thinned {
        Thinned { subject: subject.to_owned(), is_audit: true, text: "denied".to_owned(), lines }
    }
}
