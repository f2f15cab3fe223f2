//! What is missing from a received stream, and when it is asked for again (RFC 4585 section 6.2.1).

use std::collections::VecDeque;
use std::time::Duration;

use taoyao_types::Instant;
use taoyao_types::limits::{MISSING_KEPT, MISSING_PACKETS_MAX};

/// Time for the peer to answer, on top of the round trip.
const ANSWER: Duration = Duration::from_millis(10);
/// Until a round trip is known.
const ROUND_TRIP: Duration = Duration::from_millis(100);
/// Requests for one packet. Then it is given up.
const REQUESTS_MAX: u8 = 10;
/// A step further than this is another stream, or the same begun anew.
const STEP_MAX: u16 = 2_000;
/// A packet that nobody misses and that lies further back than this is no late one; the next one behind it shows that the
/// sender has begun anew (RFC 3550, appendix A.1: `MAX_MISORDER`, `MIN_SEQUENTIAL`).
const MISORDER_MAX: u16 = 100;
/// So many of them in a row that lie nearer: a network that doubles packets does not double so many of them in their order.
const NEAR_STRAYS_MAX: u16 = 25;

/// Finds gaps, asks for what is in them at once and then once a round trip, and knows when only a key frame helps.
#[derive(Debug, Default)]
pub struct NackGenerator {
    highest: Option<u16>,
    /// In the order of sequence numbers.
    missing: VecDeque<Missing>,
    /// Nothing of `missing` is due before.
    next: Instant,
    /// The first packet of the newest key frame; what is older need not be complete.
    key_frame: Option<u16>,
    wants_key_frame: bool,
    round_trip: Option<Duration>,
    strays: Option<Strays>,
}

/// Packets in a row that are older than the newest one and were not missing.
#[derive(Debug, Clone, Copy)]
struct Strays {
    next: u16,
    count: u16,
}

#[derive(Debug, Clone, Copy)]
struct Missing {
    sequence: u16,
    found: Instant,
    due: Instant,
    requests: u8,
}

/// What a packet was to the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// The next one; `missed` before it did not arrive yet.
    New { missed: u16 },
    /// One that was missing, after so many requests: 0 if it was only late.
    Recovered { requests: u8 },
    /// It came before, or is too old.
    Repeated,
    /// The numbers begin anew here; all that was missing is forgotten.
    Restarted,
}

impl NackGenerator {
    pub fn handle_round_trip(&mut self, round_trip: Duration) {
        self.round_trip = Some(round_trip);
    }

    /// `starts_key_frame`: what is missing before it can be done without.
    pub fn handle_packet(&mut self, now: Instant, sequence: u16, starts_key_frame: bool) -> Seen {
        let seen = match self.place(now, sequence) {
            Seen::Repeated if self.has_begun_anew(sequence) => self.restart(sequence),
            Seen::Repeated => Seen::Repeated,
            seen => {
                self.strays = None;
                seen
            }
        };
        self.note_key_frame(sequence, starts_key_frame, seen);
        seen
    }

    /// The same of a retransmission: however old it is, its sender has not begun anew.
    pub fn handle_again(&mut self, now: Instant, sequence: u16, starts_key_frame: bool) -> Seen {
        let seen = self.place(now, sequence);
        self.note_key_frame(sequence, starts_key_frame, seen);
        seen
    }

    fn note_key_frame(&mut self, sequence: u16, starts_key_frame: bool, seen: Seen) {
        let is_first = self.key_frame.is_none_or(|newest| is_before(newest, sequence));
        if starts_key_frame && is_first && seen != Seen::Repeated {
            self.key_frame = Some(sequence);
            self.wants_key_frame = false;
        }
    }

    /// Counts a packet that is of no use where the numbers stand; whether there were enough of them in a row.
    fn has_begun_anew(&mut self, sequence: u16) -> bool {
        let behind = self.highest.map_or(0, |highest| highest.wrapping_sub(sequence));
        let run = self.strays.filter(|strays| strays.next == sequence && behind > 0);
        let count = run.map_or(1, |strays| strays.count + 1);
        self.strays = (behind > 0).then_some(Strays { next: sequence.wrapping_add(1), count });
        count >= if behind > MISORDER_MAX { 2 } else { NEAR_STRAYS_MAX }
    }

    /// Fills `out` with what is to be asked for now, in order, and returns how many there are.
    ///
    /// Call it until it returns less than there is room for.
    pub fn poll_nack(&mut self, now: Instant, out: &mut [u16]) -> usize {
        if self.missing.is_empty() || now < self.next {
            return 0;
        }
        self.give_up(now);
        let again = self.round_trip.unwrap_or(ROUND_TRIP) + ANSWER;
        let due = self.missing.iter_mut().filter(|missing| missing.due <= now);
        let mut count = 0;
        for (place, missing) in out.iter_mut().zip(due) {
            *place = missing.sequence;
            missing.requests += 1;
            missing.due = now + again;
            count += 1;
        }
        let dues = self.missing.iter().map(|missing| missing.due.min(missing.found + MISSING_KEPT));
        self.next = dues.min().unwrap_or(now);
        count
    }

    /// When [`Self::poll_nack`] has something to say; before, asking costs nothing.
    pub fn poll_timeout(&self) -> Option<Instant> {
        (!self.missing.is_empty()).then_some(self.next)
    }

    /// Whether packets were given up that nothing but a key frame can replace; true once.
    pub fn poll_key_frame(&mut self) -> bool {
        std::mem::take(&mut self.wants_key_frame)
    }

    /// Packets that are missing now.
    pub fn missing(&self) -> usize {
        self.missing.len()
    }

    fn place(&mut self, now: Instant, sequence: u16) -> Seen {
        let Some(highest) = self.highest else {
            self.highest = Some(sequence);
            return Seen::New { missed: 0 };
        };
        let step = sequence.wrapping_sub(highest);
        match step {
            0 => Seen::Repeated,
            1..=STEP_MAX => {
                self.highest = Some(sequence);
                self.miss(now, highest.wrapping_add(1), step - 1);
                Seen::New { missed: step - 1 }
            }
            _ if is_before(sequence, highest) && highest.wrapping_sub(sequence) <= STEP_MAX => {
                self.recover(sequence)
            }
            _ => self.restart(sequence),
        }
    }

    fn miss(&mut self, now: Instant, first: u16, count: u16) {
        if count > 0 {
            self.next = now;
        }
        for offset in 0..count {
            self.make_room();
            let sequence = first.wrapping_add(offset);
            self.missing.push_back(Missing { sequence, found: now, due: now, requests: 0 });
        }
    }

    /// With no room left, what is older than the newest key frame goes; if that is nothing, a key frame is the better way.
    fn make_room(&mut self) {
        if self.missing.len() < MISSING_PACKETS_MAX {
            return;
        }
        let key_frame = self.key_frame;
        let is_old = |missing: &Missing| key_frame.is_some_and(|first| is_before(missing.sequence, first));
        let old = self.missing.iter().take_while(|missing| is_old(missing)).count();
        if old > 0 {
            self.missing.drain(..old);
        } else {
            self.missing.clear();
            self.wants_key_frame = true;
        }
    }

    fn recover(&mut self, sequence: u16) -> Seen {
        let at = self.missing.partition_point(|missing| is_before(missing.sequence, sequence));
        match self.missing.get(at) {
            Some(missing) if missing.sequence == sequence => {
                let requests = missing.requests;
                self.missing.remove(at);
                Seen::Recovered { requests }
            }
            _ => Seen::Repeated,
        }
    }

    fn restart(&mut self, sequence: u16) -> Seen {
        self.highest = Some(sequence);
        self.strays = None;
        self.missing.clear();
        self.key_frame = None;
        self.wants_key_frame = true;
        Seen::Restarted
    }

    fn give_up(&mut self, now: Instant) {
        let key_frame = self.key_frame;
        let mut is_needed = false;
        self.missing.retain(|missing| {
            let asked_enough = missing.requests >= REQUESTS_MAX && missing.due <= now;
            let is_given_up = asked_enough || now.since(missing.found) >= MISSING_KEPT;
            is_needed |= is_given_up && key_frame.is_none_or(|first| is_before(first, missing.sequence));
            !is_given_up
        });
        self.wants_key_frame |= is_needed;
    }
}

/// In the circle of sequence numbers.
fn is_before(a: u16, b: u16) -> bool {
    b.wrapping_sub(a).wrapping_sub(1) < u16::MAX / 2
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Instant {
        Instant(1_000_000 + 1_000 * ms)
    }

    fn asked(generator: &mut NackGenerator, ms: u64) -> Vec<u16> {
        let mut out = [0; 8];
        let count = generator.poll_nack(at(ms), &mut out);
        out[..count].to_vec()
    }

    #[test]
    fn a_gap_is_asked_for_at_once_and_then_once_a_round_trip() {
        let mut generator = NackGenerator::default();
        generator.handle_round_trip(Duration::from_millis(40));
        assert_eq!(generator.handle_packet(at(0), 65_534, false), Seen::New { missed: 0 });
        assert_eq!(generator.handle_packet(at(1), 1, false), Seen::New { missed: 2 });
        assert_eq!(asked(&mut generator, 1), [65_535, 0]);
        assert_eq!(asked(&mut generator, 50), []);
        assert_eq!(generator.poll_timeout(), Some(at(51)));
        assert_eq!(generator.handle_packet(at(50), 65_535, false), Seen::Recovered { requests: 1 });
        assert_eq!(generator.handle_packet(at(50), 65_535, false), Seen::Repeated);
        assert_eq!(asked(&mut generator, 51), [0]);
    }

    #[test]
    fn what_never_comes_is_given_up_for_a_key_frame() {
        let mut generator = NackGenerator::default();
        generator.handle_packet(at(0), 1, true);
        generator.handle_packet(at(0), 3, false);
        let rounds = (0..40).filter(|round| !asked(&mut generator, 50 * round).is_empty()).count();
        assert!((5..=usize::from(REQUESTS_MAX)).contains(&rounds), "asked {rounds} times");
        assert!(generator.poll_key_frame());
        assert!(!generator.poll_key_frame(), "once");
        assert_eq!((generator.missing(), generator.poll_timeout()), (0, None));
    }

    #[test]
    fn what_lies_before_a_key_frame_is_given_up_silently() {
        let mut generator = NackGenerator::default();
        generator.handle_packet(at(0), 1, true);
        generator.handle_packet(at(0), 3, true);
        asked(&mut generator, 0);
        asked(&mut generator, 5_000);
        assert_eq!(generator.missing(), 0);
        assert!(!generator.poll_key_frame());
    }

    #[test]
    fn the_list_is_bounded() {
        let mut generator = NackGenerator::default();
        for n in 0..2_000_u16 {
            generator.handle_packet(at(0), n.wrapping_mul(3), false);
            assert!(generator.missing() <= MISSING_PACKETS_MAX);
        }
        assert!(generator.poll_key_frame());
    }

    #[test]
    fn numbers_that_begin_anew_are_a_new_stream() {
        let mut generator = NackGenerator::default();
        generator.handle_packet(at(0), 10, true);
        generator.handle_packet(at(0), 12, true);
        assert_eq!(generator.handle_packet(at(1), 30_000, false), Seen::Restarted);
        assert_eq!(generator.missing(), 0);
        assert!(generator.poll_key_frame());
        assert_eq!(generator.handle_packet(at(1), 30_001, false), Seen::New { missed: 0 });
    }

    /// The numbers of a sender that was at 5,000 and begins again: what it loses is no more than what shows that it did.
    #[test]
    fn a_sender_that_begins_anew_below_is_followed_after_its_second_packet() {
        for (first, lost) in [(0, 0), (3_001, 1), (4_898, 1), (4_901, 24), (40_000, 0)] {
            let mut generator = NackGenerator::default();
            (4_000..=5_000).for_each(|sequence| {
                generator.handle_packet(at(0), sequence, false);
            });
            let seen: Vec<_> =
                (0..30).map(|step| generator.handle_packet(at(1), first + step, false)).collect();
            let restarted = seen.iter().position(|seen| *seen == Seen::Restarted);
            assert_eq!(restarted, Some(lost), "{first}");
            assert!(
                seen[lost + 1..].iter().all(|seen| *seen == Seen::New { missed: 0 }),
                "{first}: {seen:?}"
            );
        }
    }

    #[test]
    fn what_is_late_doubled_or_sent_again_is_no_beginning() {
        let mut generator = NackGenerator::default();
        (0..1_000).filter(|sequence| sequence % 300 != 7).for_each(|sequence| {
            generator.handle_packet(at(0), sequence, false);
        });
        // Late, then doubled, both far behind; two in a row, but with a new one between them.
        assert_eq!(generator.handle_packet(at(1), 7, false), Seen::Recovered { requests: 0 });
        assert_eq!(generator.handle_packet(at(1), 7, false), Seen::Repeated);
        assert_eq!(generator.handle_packet(at(1), 1_000, false), Seen::New { missed: 0 });
        assert_eq!(generator.handle_packet(at(1), 8, false), Seen::Repeated);
        // All of a burst, doubled by the network.
        (1_001..1_020).for_each(|sequence| {
            generator.handle_packet(at(2), sequence, false);
        });
        for sequence in 1_001..1_020 {
            assert_eq!(generator.handle_packet(at(2), sequence, false), Seen::Repeated);
        }
        for sequence in 400..500 {
            assert_eq!(generator.handle_again(at(3), sequence, false), Seen::Repeated, "probes");
        }
    }
}
