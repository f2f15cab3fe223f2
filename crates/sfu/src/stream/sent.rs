//! What one receiver was sent lately, under its own numbers.

use std::time::Duration;

use taoyao_types::Instant;
use taoyao_types::limits::{STORE_KEPT, STORE_PACKETS_MAX};

/// Where a sent packet came from, and what was rewritten in it.
#[derive(Debug, Clone, Copy)]
pub struct Sent {
    /// The receiver's sequence number, extended.
    pub output: u64,
    /// The producer's, extended.
    pub input: u64,
    /// Which of the producer's streams, and how often that had begun anew.
    pub stream: u8,
    pub epoch: u32,
    pub timestamp: u32,
    pub has_marker: bool,
    pub picture: u16,
    pub tl0: u8,
    pub frame_offset: u16,
    pub first_sent: Instant,
    pub last_sent: Instant,
    pub resent: u8,
}

/// The last packets by the receiver's sequence number. Grows like the producer's store.
#[derive(Debug, Default)]
pub struct SentRing {
    ring: Vec<Option<Sent>>,
    highest: u64,
}

/// How often one packet is sent again.
const RESENT_MAX: u8 = 10;
const CAPACITY_MIN: usize = 64;

impl SentRing {
    pub fn push(&mut self, sent: Sent) {
        self.make_room(&sent);
        let slot = self.slot(sent.output);
        self.highest = self.highest.max(sent.output);
        self.ring[slot] = Some(sent);
    }

    /// What is meant by the sequence number of a NACK, if it may be sent again now: once in a round trip.
    pub fn resend(&mut self, now: Instant, sequence: u16, round_trip: Duration) -> Option<Sent> {
        let behind = (self.highest as u16).wrapping_sub(sequence);
        let output = self.highest.checked_sub(behind.into())?;
        let slot = self.slot(output);
        let sent = self.ring.get_mut(slot)?.as_mut().filter(|sent| sent.output == output)?;
        let is_early = sent.resent > 0 && now.since(sent.last_sent) < round_trip;
        if is_early || sent.resent >= RESENT_MAX {
            return None;
        }
        sent.resent += 1;
        sent.last_sent = now;
        Some(*sent)
    }

    fn make_room(&mut self, sent: &Sent) {
        let capacity = self.ring.len();
        if capacity == 0 {
            self.ring = vec![None; CAPACITY_MIN];
        } else if capacity < STORE_PACKETS_MAX {
            let oldest = self.ring[self.slot(sent.output)];
            let is_young = |oldest: Sent| sent.first_sent.since(oldest.first_sent) < STORE_KEPT;
            if oldest.is_some_and(|oldest| oldest.output != sent.output && is_young(oldest)) {
                let old = std::mem::replace(&mut self.ring, vec![None; 2 * capacity]);
                for sent in old.into_iter().flatten() {
                    let slot = self.slot(sent.output);
                    self.ring[slot] = Some(sent);
                }
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

    fn sent(output: u64, now: Instant) -> Sent {
        Sent {
            output,
            input: output + 1_000,
            stream: 0,
            epoch: 0,
            timestamp: 0,
            has_marker: false,
            picture: 0,
            tl0: 0,
            frame_offset: 0,
            first_sent: now,
            last_sent: now,
            resent: 0,
        }
    }

    #[test]
    fn a_packet_is_sent_again_once_in_a_round_trip() {
        let mut ring = SentRing::default();
        ring.push(sent(65_536 + 5, Instant(0)));
        assert_eq!(ring.resend(Instant(1_000), 5, ROUND_TRIP).map(|sent| sent.input), Some(66_541));
        assert!(ring.resend(Instant(2_000), 5, ROUND_TRIP).is_none());
        assert!(ring.resend(Instant(60_000), 5, ROUND_TRIP).is_some());
        assert!(ring.resend(Instant(60_000), 6, ROUND_TRIP).is_none(), "never sent");
        let later = (1..100).filter(|n| ring.resend(Instant(n * 1_000_000), 5, ROUND_TRIP).is_some());
        assert_eq!(later.count(), usize::from(RESENT_MAX) - 2);
    }

    #[test]
    fn numbers_are_found_over_the_wrap() {
        let mut ring = SentRing::default();
        for output in 65_500..65_600 {
            ring.push(sent(output, Instant(0)));
        }
        assert!(ring.resend(Instant(0), 65_500, ROUND_TRIP).is_some());
        assert!(ring.resend(Instant(0), 63, ROUND_TRIP).is_some());
        assert!(ring.resend(Instant(0), 64, ROUND_TRIP).is_none());
    }
}
