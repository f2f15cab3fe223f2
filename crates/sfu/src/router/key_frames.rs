//! When a stream is asked for a key frame: for all who want one together, and not too often.

use std::time::Duration;

use taoyao_types::Instant;

/// Requests for key frames of one stream.
#[derive(Debug, Default)]
pub(super) struct KeyFrames {
    asked_at: Option<Instant>,
    is_wanted: bool,
    tries: u8,
}

/// Key frames are large: nobody gets them faster, whoever asks how often.
const INTERVAL: Duration = Duration::from_millis(300);
/// After this long without one, the request counts as lost.
const AGAIN: Duration = Duration::from_millis(1_000);
/// Then the sender cannot, or does not want to.
const TRIES_MAX: u8 = 10;

impl KeyFrames {
    pub(super) fn want(&mut self) {
        self.is_wanted = true;
        self.tries = 0;
    }

    pub(super) fn handle_key_frame(&mut self) {
        self.is_wanted = false;
        self.tries = 0;
    }

    /// When [`Self::poll`] will ask.
    pub(super) fn due(&self) -> Option<Instant> {
        if !self.is_wanted || self.tries >= TRIES_MAX {
            return None;
        }
        let pause = if self.tries == 0 { INTERVAL } else { AGAIN };
        Some(self.asked_at.map_or(Instant(0), |asked_at| asked_at + pause))
    }

    /// Whether the sender is to be asked now.
    pub(super) fn poll(&mut self, now: Instant) -> bool {
        let is_due = self.due().is_some_and(|due| due <= now);
        if is_due {
            self.asked_at = Some(now);
            self.tries += 1;
        }
        is_due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Instant {
        Instant(ms * 1_000)
    }

    #[test]
    fn many_wishes_become_one_request_and_a_lost_one_is_repeated() {
        let mut key_frames = KeyFrames::default();
        assert!(!key_frames.poll(at(0)));
        key_frames.want();
        key_frames.want();
        assert!(key_frames.poll(at(1)));
        assert!(!key_frames.poll(at(900)));
        assert!(key_frames.poll(at(1_001)));
        key_frames.handle_key_frame();
        assert_eq!(key_frames.due(), None);
    }

    #[test]
    fn a_wish_after_the_key_frame_waits_for_its_turn() {
        let mut key_frames = KeyFrames::default();
        key_frames.want();
        assert!(key_frames.poll(at(0)));
        key_frames.handle_key_frame();
        key_frames.want();
        assert!(!key_frames.poll(at(299)));
        assert!(key_frames.poll(at(300)));
    }

    #[test]
    fn a_sender_that_does_not_answer_is_left_alone_until_somebody_asks_again() {
        let mut key_frames = KeyFrames::default();
        key_frames.want();
        let asked = (0..100).filter(|second| key_frames.poll(at(second * 1_000))).count();
        assert_eq!(asked, usize::from(TRIES_MAX));
        key_frames.want();
        assert!(key_frames.poll(at(200_000)));
    }
}
