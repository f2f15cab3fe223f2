//! Whether somebody at an address wants to be sent plain RTP: nothing in the protocol says so but that packets come from there.

use std::time::Duration;

use taoyao_types::Instant;
use taoyao_types::limits::{PLAIN_SILENCE_MAX, PLAIN_UNANSWERED_BYTES_MAX};

/// The signs of life of one transport's peer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Consent {
    /// When something came last; before anything has, when sending may begin.
    since: Instant,
    has_answered: bool,
    /// Bytes that were sent before anything came.
    unanswered: u64,
}

impl Consent {
    /// An address that was told: a few packets are sent there, to be answered.
    pub(super) fn awaited(now: Instant) -> Self {
        Self { since: now, has_answered: false, unanswered: 0 }
    }

    /// Something came from there, which was meant for this transport.
    pub(super) fn shown(now: Instant) -> Self {
        Self { since: now, has_answered: true, unanswered: 0 }
    }

    pub(super) fn holds(&self, now: Instant) -> bool {
        let is_in_time = now.since(self.since) < PLAIN_SILENCE_MAX;
        is_in_time && (self.has_answered || self.unanswered < PLAIN_UNANSWERED_BYTES_MAX)
    }

    /// Whether nothing has come for this long.
    pub(super) fn is_silent(&self, now: Instant, span: Duration) -> bool {
        now.since(self.since) >= span
    }

    /// When it ends if nothing comes.
    pub(super) fn ends_at(&self) -> Instant {
        self.since + PLAIN_SILENCE_MAX
    }

    pub(super) fn note_sent(&mut self, bytes: usize) {
        if !self.has_answered {
            self.unanswered += bytes as u64;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_ends_with_silence_and_before_any_answer_with_so_many_bytes() {
        let begun = Instant(1_000);
        let mut awaited = Consent::awaited(begun);
        awaited.note_sent(PLAIN_UNANSWERED_BYTES_MAX as usize - 1);
        assert!(awaited.holds(begun));
        awaited.note_sent(1);
        assert!(!awaited.holds(begun), "whatever is sent there, it is no more than that");
        let mut shown = Consent::shown(begun);
        shown.note_sent(usize::MAX);
        assert!(shown.holds(begun));
        assert!(!shown.holds(shown.ends_at()));
        assert_eq!(shown.ends_at(), begun + PLAIN_SILENCE_MAX);
    }
}
