//! What one receiver was sent lately, under its own numbers. Kept by stretches of packets that were rewritten in one way,
//! not by packet: a steady stream is one stretch, and costs its receivers no memory.

use std::collections::VecDeque;
use std::time::Duration;

use taoyao_types::Instant;
use taoyao_types::limits::{STORE_KEPT, STORE_PACKETS_MAX};

/// Which packet was sent under a number, and how it was rewritten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sent {
    /// The receiver's sequence number, extended.
    pub output: u64,
    /// The producer's, extended.
    pub input: u64,
    pub rewriting: Rewriting,
}

/// What was added to the numbers of a packet, modulo their widths.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rewriting {
    /// Which of the producer's streams, and how often that had begun anew.
    pub stream: u8,
    pub epoch: u32,
    pub timestamp: u32,
    pub picture: u16,
    pub tl0: u8,
    pub frame: u16,
    /// Whether the marker was set or taken away.
    pub toggles_marker: bool,
}

/// The last packets by the receiver's sequence number.
#[derive(Debug, Default)]
pub struct SentLog {
    /// In place, as it is looked at for every packet.
    newest: Option<Stretch>,
    /// Before it, rising, and apart from each other.
    older: VecDeque<Stretch>,
    repeats: Repeats,
}

/// Outputs that follow each other. Those of packets that never came may be among them.
#[derive(Debug, Clone, Copy)]
struct Stretch {
    first: u64,
    last: u64,
    /// `output − input`.
    shift: u64,
    rewriting: Rewriting,
}

/// Older stretches that are kept: a second in which each picture is rewritten in another way than the one before.
const STRETCHES_MAX: usize = 256;

impl SentLog {
    pub fn push(&mut self, sent: &Sent) {
        let next = Stretch {
            first: sent.output,
            last: sent.output,
            shift: sent.output.wrapping_sub(sent.input),
            rewriting: sent.rewriting,
        };
        match &mut self.newest {
            Some(newest) if sent.output <= newest.last => self.place_late(next),
            Some(newest) if newest.is_like(&next) => newest.last = sent.output,
            newest => {
                let older = newest.replace(next);
                if self.older.len() >= STRETCHES_MAX {
                    self.older.pop_front();
                }
                self.older.extend(older);
            }
        }
    }

    /// What is meant by the sequence number of a NACK, if it may be sent again now: once in a round trip.
    pub fn resend(&mut self, now: Instant, sequence: u16, round_trip: Duration) -> Option<Sent> {
        let highest = self.newest?.last;
        let behind = (highest as u16).wrapping_sub(sequence);
        let output = highest.checked_sub(behind.into())?;
        let stretch = self.older.get(self.place(output)).copied().or(self.newest);
        let stretch = stretch.filter(|stretch| stretch.first <= output)?;
        self.repeats.admit(now, output, round_trip).then(|| Sent {
            output,
            input: output.wrapping_sub(stretch.shift),
            rewriting: stretch.rewriting,
        })
    }

    /// The first older stretch that does not lie before an output.
    fn place(&self, output: u64) -> usize {
        self.older.partition_point(|stretch| stretch.last < output)
    }

    /// A packet that others have overtaken fills a hole: in a stretch, at the edge of one, or between two.
    fn place_late(&mut self, late: Stretch) {
        let at = self.place(late.first);
        let next = self.older.get(at).or(self.newest.as_ref());
        if next.is_some_and(|next| next.first <= late.first) {
            return;
        }
        let before = at.checked_sub(1).and_then(|before| self.older.get_mut(before));
        if let Some(before) = before.filter(|before| before.is_like(&late)) {
            before.last = late.last;
            return;
        }
        let next = self.older.get_mut(at).or(self.newest.as_mut());
        if let Some(next) = next.filter(|next| next.is_like(&late)) {
            next.first = late.first;
        } else if self.older.len() < STRETCHES_MAX {
            self.older.insert(at, late);
        }
    }
}

impl Stretch {
    fn is_like(&self, other: &Stretch) -> bool {
        (self.shift, self.rewriting) == (other.shift, other.rewriting)
    }
}

/// How often packets were sent again, by their outputs. Empty until something is lost, then as large as is needed.
#[derive(Debug, Default)]
struct Repeats {
    ring: Vec<Option<Repeat>>,
}

#[derive(Debug, Clone, Copy)]
struct Repeat {
    output: u64,
    last: Instant,
    count: u8,
}

/// How often one packet is sent again.
const REPEATS_MAX: u8 = 10;
const CAPACITY_MIN: usize = 64;

impl Repeats {
    fn admit(&mut self, now: Instant, output: u64, round_trip: Duration) -> bool {
        self.make_room(now, output);
        let slot = self.slot(output);
        let known = self.ring[slot].filter(|known| known.output == output);
        let is_early = known.is_some_and(|known| now.since(known.last) < round_trip);
        let count = known.map_or(0, |known| known.count);
        if is_early || count >= REPEATS_MAX {
            return false;
        }
        self.ring[slot] = Some(Repeat { output, last: now, count: count + 1 });
        true
    }

    fn make_room(&mut self, now: Instant, output: u64) {
        let capacity = self.ring.len();
        if capacity == 0 {
            self.ring = vec![None; CAPACITY_MIN];
        }
        let is_in_use = |known: Repeat| known.output != output && now.since(known.last) < STORE_KEPT;
        if (1..STORE_PACKETS_MAX).contains(&capacity) && self.ring[self.slot(output)].is_some_and(is_in_use) {
            let old = std::mem::replace(&mut self.ring, vec![None; 2 * capacity]);
            for repeat in old.into_iter().flatten() {
                let slot = self.slot(repeat.output);
                self.ring[slot] = Some(repeat);
            }
        }
    }

    fn slot(&self, output: u64) -> usize {
        (output & (self.ring.len() as u64).wrapping_sub(1)) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROUND_TRIP: Duration = Duration::from_millis(50);

    /// By `shift` and with a timestamp of its own for each shift.
    fn push(log: &mut SentLog, output: u64, shift: u64) {
        let rewriting = Rewriting { timestamp: shift as u32, ..Rewriting::default() };
        log.push(&Sent { output, input: output - shift, rewriting });
    }

    fn input(log: &mut SentLog, sequence: u16) -> Option<u64> {
        let sent = log.resend(Instant(0), sequence, Duration::ZERO)?;
        assert_eq!(sent.output as u16, sequence);
        assert_eq!(u64::from(sent.rewriting.timestamp), sent.output - sent.input);
        Some(sent.input)
    }

    #[test]
    fn a_packet_is_sent_again_once_in_a_round_trip() {
        let mut log = SentLog::default();
        push(&mut log, 65_536 + 5, 1_000);
        let mut resend = |us, sequence| log.resend(Instant(us), sequence, ROUND_TRIP);
        assert_eq!(resend(1_000, 5).map(|sent| sent.input), Some(64_541));
        assert!(resend(2_000, 5).is_none());
        assert!(resend(60_000, 5).is_some());
        assert!(resend(60_000, 6).is_none(), "never sent");
        let later = (1..100).filter(|n| resend(n * 1_000_000, 5).is_some());
        assert_eq!(later.count(), usize::from(REPEATS_MAX) - 2);
    }

    #[test]
    fn numbers_are_found_over_the_wrap_and_a_steady_stream_takes_no_room() {
        let mut log = SentLog::default();
        for output in 65_500..95_000 {
            push(&mut log, output, 7);
        }
        assert!(log.older.is_empty());
        assert_eq!(input(&mut log, 29_463), Some(94_999 - 7));
        assert_eq!(input(&mut log, 29_464), None);
        assert_eq!(input(&mut log, 65_500), Some(65_500 - 7));
        assert_eq!(input(&mut log, 65_499), None);
    }

    /// Left out: what would be input 10 at shift 0 and the one after the second stretch; lost for a while: its neighbours.
    #[test]
    fn holes_between_stretches_are_nobodys_until_they_are_filled() {
        let mut log = SentLog::default();
        for (output, shift) in [(108, 100), (109, 100), (112, 99), (115, 98)] {
            push(&mut log, output, shift);
        }
        for hole in [110, 111, 113, 114] {
            assert_eq!(input(&mut log, hole), None, "{hole}");
        }
        push(&mut log, 110, 100);
        push(&mut log, 111, 99);
        assert_eq!((input(&mut log, 110), input(&mut log, 111)), (Some(10), Some(12)));
        assert_eq!(log.older.len(), 2, "they grow at both edges");
        push(&mut log, 113, 5);
        assert_eq!((input(&mut log, 113), input(&mut log, 114)), (Some(108), None));
        assert_eq!((input(&mut log, 112), input(&mut log, 115)), (Some(13), Some(17)));
    }

    #[test]
    fn its_bounds_hold_whatever_is_sent_and_asked_for() {
        let mut log = SentLog::default();
        for output in 10_000..60_000 {
            push(&mut log, output, output % 3);
        }
        assert_eq!(log.older.len(), STRETCHES_MAX);
        for sequence in 0..=u16::MAX {
            log.resend(Instant(u64::from(sequence)), sequence, ROUND_TRIP);
        }
        assert!(log.repeats.ring.len() <= STORE_PACKETS_MAX);
        assert!(input(&mut log, 59_999).is_some() && input(&mut log, 10_000).is_none());
    }
}
