//! Notices that a sender's RTP clock stood still while nothing was sent: what comes after a pause then seems to belong right
//! behind what came before it.
//!
//! Packets that a network held back look alike at first, but they catch up: all of them come at once. So what comes after a
//! pause is looked at for a second.

use crate::media::timeline::Micros;

/// A pause, and a delay, shorter than this is the network's.
pub(crate) const STEP: Micros = 300_000;
/// Who comes as close to the usual delay again has caught up.
const CAUGHT_UP: Micros = 150_000;
const LOOK_FOR: Micros = 1_000_000;
/// The usual delay falls at once, and rises by this part of the difference.
const RISE: Micros = 32;

#[derive(Debug, Default)]
pub(crate) struct Stillness {
    /// How much longer everything took to arrive than it was apart in RTP time, added up.
    late: Micros,
    usual: Option<Micros>,
    arrived: Option<Micros>,
    open: Option<Pause>,
}

/// Something that came after a pause, and how late all behind it is.
#[derive(Debug, Clone, Copy)]
struct Pause {
    since: Micros,
    least: Micros,
}

/// All that arrived from `since` on lies too early by so much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shift {
    pub(crate) since: Micros,
    pub(crate) by: Micros,
}

impl Stillness {
    /// Something arrived that is `span` of RTP time behind what arrived before.
    pub(crate) fn note(&mut self, arrival: Micros, span: Micros) {
        let Some(before) = self.arrived.replace(arrival) else { return };
        let pause = arrival - before;
        self.late += pause - span;
        let late = self.late;
        let usual = *self.usual.get_or_insert(late);
        if let Some(open) = &mut self.open {
            open.least = open.least.min(late);
            if late - usual < CAUGHT_UP {
                self.open = None;
            }
        } else if pause >= STEP && late - usual >= STEP {
            self.open = Some(Pause { since: arrival, least: late });
        } else {
            self.usual = Some(if late < usual { late } else { usual + (late - usual) / RISE });
        }
    }

    /// Whether it is not known yet where the newest belongs.
    pub(crate) fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// That the clock stood still, once that is sure: at the latest when nothing more comes (`is_over`).
    pub(crate) fn verdict(&mut self, now: Micros, is_over: bool) -> Option<Shift> {
        let Pause { since, least } = self.open.filter(|open| is_over || now - open.since >= LOOK_FOR)?;
        self.open = None;
        let by = least - self.usual.unwrap_or(least);
        self.late -= by;
        Some(Shift { since, by })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Packets of 20 ms, the first ten of them before a pause of 2 s; when those behind it arrive, and their RTP time goes on
    /// by `span` over the pause.
    fn after_a_pause(span: Micros, arrival: impl Fn(Micros) -> Micros) -> Option<Shift> {
        let mut stillness = Stillness::default();
        (0..10).for_each(|number| stillness.note(20_000 * number, 20_000));
        let mut shift = None;
        for number in 0..60 {
            let at = arrival(number);
            stillness.note(at, if number == 0 { span } else { 20_000 });
            shift = shift.or(stillness.verdict(at, false));
        }
        shift
    }

    #[test]
    fn a_clock_that_stood_still_is_told_from_a_network_that_did() {
        let evenly = |number: Micros| 2_180_000 + 20_000 * number;
        let stood = after_a_pause(20_000, |number| evenly(number) + 1_000 * (number % 3));
        assert_eq!(stood, Some(Shift { since: 2_180_000, by: 1_980_000 }));
        assert_eq!(after_a_pause(2_000_000, evenly), None, "the clock went on");
        let at_once = |number: Micros| 2_180_000 + (20_000 * (number - 99)).max(100 * number);
        assert_eq!(after_a_pause(20_000, at_once), None, "it catches up");
    }

    #[test]
    fn a_line_that_grows_slower_is_no_pause() {
        let mut stillness = Stillness::default();
        for number in 0..200 {
            stillness.note(30_000 * number, 20_000);
        }
        assert!(!stillness.is_open());
    }
}
