//! Not to give and take a layer in turns: who had to give one back soon waits before trying again.

use std::time::Duration;

use taoyao_types::Instant;

/// A layer that stays for this long was no mistake.
const TRIAL: Duration = Duration::from_secs(8);
/// How long nobody rises after a mistake: the first one, and those that follow it.
const PAUSE_MIN: Duration = Duration::from_secs(4);
const PAUSE_MAX: Duration = Duration::from_secs(16);
/// An estimate this many percent of the one that was wrong is other news.
const NEWS_PERCENT: u64 = 150;

/// Remembers how rises of one transport ended.
#[derive(Debug)]
pub struct Caution {
    /// The last rise, and what was estimated then, in bit/s.
    rose: Option<(Instant, u64)>,
    /// No rise before this, unless more than this is estimated.
    until: Option<(Instant, u64)>,
    pause: Duration,
}

impl Default for Caution {
    fn default() -> Self {
        Self { rose: None, until: None, pause: PAUSE_MIN }
    }
}

impl Caution {
    /// Whether a layer may be tried with an estimate of `available` bit/s.
    pub fn may_rise(&self, now: Instant, available: u64) -> bool {
        self.until
            .is_none_or(|(until, wrong)| until <= now || available > wrong.saturating_mul(NEWS_PERCENT) / 100)
    }

    pub fn handle_rise(&mut self, now: Instant, available: u64) {
        self.rose = Some((now, available));
    }

    /// A layer was taken back because it no longer fits.
    pub fn handle_fall(&mut self, now: Instant) {
        match self.rose.take() {
            Some((rose, available)) if now.since(rose) < TRIAL => {
                self.until = Some((now + self.pause, available));
                self.pause = (2 * self.pause).min(PAUSE_MAX);
            }
            Some(_) => self.pause = PAUSE_MIN,
            // One of several steps down.
            None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: u64) -> Instant {
        Instant(1_000_000 * second)
    }

    #[test]
    fn a_layer_that_did_not_fit_is_not_tried_again_at_once() {
        let mut caution = Caution::default();
        assert!(caution.may_rise(at(0), 400_000));
        caution.handle_rise(at(0), 400_000);
        caution.handle_fall(at(2));
        caution.handle_fall(at(3));
        assert!(!caution.may_rise(at(5), 400_000) && caution.may_rise(at(6), 400_000));
        assert!(caution.may_rise(at(3), 700_000), "the way is another one");
        caution.handle_rise(at(6), 400_000);
        caution.handle_fall(at(8));
        assert!(!caution.may_rise(at(15), 400_000) && caution.may_rise(at(16), 400_000));
    }

    #[test]
    fn a_layer_that_stayed_for_a_while_is_no_mistake() {
        let mut caution = Caution::default();
        caution.handle_rise(at(0), 400_000);
        caution.handle_fall(at(20));
        assert!(caution.may_rise(at(20), 400_000));
    }
}
