//! Where in the file a moment of an RTP stream lies.
//!
//! Each stream counts in its own clock from its own beginning. The first packet's arrival gives a first guess; sender
//! reports (RFC 3550, section 6.4.1) tell what the counts of all streams of a sender mean on its one wall clock, and
//! sound and picture lie as they were made, whatever their way took. Sources that jump, or that lie, are brought back to
//! when their packets arrived.

use std::collections::BTreeMap;

use crate::media::stillness::STEP;

/// Moments in the file are microseconds since the recording began.
pub(crate) type Micros = i64;

/// A correction smaller than this would be heard sooner than the shift that it corrects is seen.
const DEAD_BAND: Micros = 10_000;
/// A stream's own clock is not believed beyond this distance from the arrival of its packets.
const DOUBT: Micros = 3_000_000;
/// Senders report at least this often (RFC 3550, section 6.2): 5 s and a half of it.
const REPORTS_EVERY_MAX: Micros = 7_500_000;

/// One stream's clock.
#[derive(Debug)]
pub(crate) struct Timeline {
    rate: i64,
    /// An RTP timestamp and where in the file it lies.
    anchor: Option<(u32, Micros)>,
    /// Whether its sender has said how it stands.
    is_told: bool,
    /// Until then no report is believed that contradicts what was seen: it speaks of the time before a pause.
    distrust_until: Option<Micros>,
}

/// The wall clocks of senders, by name: what is to be added to get a place in the file.
#[derive(Debug, Default)]
pub(crate) struct SenderClocks(BTreeMap<Option<String>, Micros>);

/// That `rtp` was taken at `ntp` (Unix-like seconds in 32.32 bits, of any epoch).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Report {
    pub(crate) ntp: u64,
    pub(crate) rtp: u32,
}

impl Timeline {
    /// `rate` in counts a second; 0 is read as 1.
    pub(crate) fn new(rate: u32) -> Self {
        Self { rate: i64::from(rate.max(1)), anchor: None, is_told: false, distrust_until: None }
    }

    /// Whether a sender report has come: before, places are guesses.
    pub(crate) fn is_told(&self) -> bool {
        self.is_told
    }

    /// Where `rtp` lies, of a packet that arrived at `arrival`.
    pub(crate) fn place(&mut self, rtp: u32, arrival: Micros) -> Micros {
        let (from, at) = *self.anchor.get_or_insert((rtp, arrival));
        let place = at + self.span(from, rtp);
        let is_believed = (place - arrival).abs() <= DOUBT;
        // The anchor moves along, so that it is never half a turn of the counter away.
        let place = if is_believed { place } else { arrival };
        self.anchor = Some((rtp, place));
        place
    }

    /// Where `rtp` would lie by the stream's own clock; none of a stream that has not begun.
    pub(crate) fn expected(&self, rtp: u32) -> Option<Micros> {
        self.anchor.map(|(from, at)| at + self.span(from, rtp))
    }

    /// The clock stood still, as was seen at `now`: all that follows lies later by so much.
    pub(crate) fn shift(&mut self, by: Micros, now: Micros) {
        if let Some((_, at)) = &mut self.anchor {
            *at += by;
            self.distrust_until = Some(now + REPORTS_EVERY_MAX);
        }
    }

    /// Another stream in the place of this one: it is placed by its arrival.
    pub(crate) fn begin_anew(&mut self) {
        self.anchor = None;
    }

    /// Takes what a sender report says, once the stream has begun or before.
    pub(crate) fn report(
        &mut self,
        clocks: &mut SenderClocks,
        cname: Option<&str>,
        report: Report,
        arrival: Micros,
    ) {
        // Of a sender that has no clock (RFC 3550, section 6.4.1).
        if report.ntp == 0 {
            return;
        }
        self.is_told = true;
        let taken = micros_of_ntp(report.ntp);
        let name = cname.map(str::to_owned);
        let offset = *clocks.0.entry(name.clone()).or_insert(arrival - taken);
        let mut target = taken + offset;
        if (target - arrival).abs() > DOUBT {
            // The sender's wall clock was set.
            clocks.0.insert(name, arrival - taken);
            target = arrival;
        }
        let guess = self.expected(report.rtp);
        let differs = guess.is_some_and(|guess| (guess - target).abs() > STEP);
        if differs && self.distrust_until.is_some_and(|until| arrival < until) {
            return;
        }
        self.distrust_until = None;
        if guess.is_none_or(|guess| (guess - target).abs() > DEAD_BAND) {
            self.anchor = Some((report.rtp, target));
        }
    }

    /// RTP time between two timestamps.
    pub(crate) fn span(&self, from: u32, to: u32) -> Micros {
        i64::from(to.wrapping_sub(from) as i32) * 1_000_000 / self.rate
    }
}

fn micros_of_ntp(ntp: u64) -> Micros {
    let micros = (u128::from(ntp) * 1_000_000) >> 32;
    i64::try_from(micros).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Micros = 1_000_000;

    fn ntp(micros: u64) -> u64 {
        u64::try_from((u128::from(micros) << 32) / 1_000_000).unwrap()
    }

    #[test]
    fn arrival_is_the_first_guess_and_the_streams_clock_goes_on_from_there() {
        let mut video = Timeline::new(90_000);
        assert_eq!(video.place(u32::MAX, SECOND), SECOND);
        assert_eq!(video.place(89_999, 2 * SECOND + 70_000), 2 * SECOND, "jitter does not matter");
    }

    #[test]
    fn a_report_without_a_time_says_nothing() {
        let (mut clocks, mut audio) = (SenderClocks::default(), Timeline::new(48_000));
        assert_eq!(audio.place(0, 0), 0);
        audio.report(&mut clocks, None, Report { ntp: 0, rtp: 960_000 }, SECOND);
        assert!(!audio.is_told());
        assert_eq!(audio.place(48_000, SECOND), SECOND);
        audio.report(&mut clocks, None, Report { ntp: ntp(5_000_000), rtp: 96_000 }, 2 * SECOND);
        assert_eq!(audio.place(144_000, 3 * SECOND), 3 * SECOND);
    }

    #[test]
    fn after_a_pause_only_a_report_that_knows_of_it_is_believed() {
        let (mut clocks, mut audio) = (SenderClocks::default(), Timeline::new(48_000));
        audio.report(&mut clocks, None, Report { ntp: ntp(5_000_000), rtp: 0 }, 0);
        audio.place(48_000, SECOND);
        audio.shift(2 * SECOND, 3 * SECOND);
        assert_eq!(audio.place(48_960, 3 * SECOND + 20_000), 3 * SECOND + 20_000);
        audio.report(&mut clocks, None, Report { ntp: ntp(8_500_000), rtp: 168_000 }, 3 * SECOND + 500_000);
        assert_eq!(audio.place(96_000, 4 * SECOND), 4 * SECOND);
        audio.report(&mut clocks, None, Report { ntp: ntp(9_000_000), rtp: 96_960 }, 4 * SECOND);
        assert_eq!(audio.place(96_960, 4 * SECOND), 4 * SECOND);
    }

    #[test]
    fn reports_bring_two_streams_onto_one_clock() {
        let (mut clocks, mut audio, mut video) =
            (SenderClocks::default(), Timeline::new(48_000), Timeline::new(90_000));
        // Both were taken at the same moment; the picture took 200 ms longer.
        assert_eq!(audio.place(0, 0), 0);
        assert_eq!(video.place(0, 200_000), 200_000);
        audio.report(&mut clocks, None, Report { ntp: ntp(5_000_000), rtp: 48_000 }, SECOND);
        video.report(&mut clocks, None, Report { ntp: ntp(5_000_000), rtp: 90_000 }, SECOND + 200_000);
        let difference = audio.place(96_000, 2 * SECOND) - video.place(180_000, 2 * SECOND + 200_000);
        assert!(difference.abs() < 1_000, "{difference}");
    }

    #[test]
    fn a_clock_that_jumps_is_brought_back_to_the_packets_arrival() {
        let (mut clocks, mut video) = (SenderClocks::default(), Timeline::new(90_000));
        video.place(0, 0);
        assert_eq!(video.place(0x7000_0000, SECOND), SECOND);
        video.report(&mut clocks, None, Report { ntp: ntp(1_000_000), rtp: 0x7000_0000 }, SECOND);
        video.report(&mut clocks, None, Report { ntp: ntp(900_000_000), rtp: 0x7000_0000 }, SECOND);
        assert_eq!(video.place(0x7000_0000 + 90_000, 2 * SECOND), 2 * SECOND);
    }
}
