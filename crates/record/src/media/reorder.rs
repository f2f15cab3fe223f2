//! Puts the packets of one stream into order again and decides when a missing one is lost.

use std::collections::BTreeMap;

use taoyao_types::Instant;
use taoyao_types::limits::{RECORDER_REORDER_MAX, RECORDER_REORDER_PACKETS_MAX};

use crate::media::rtp::Rtp;

/// A jump of sequence numbers by more than this is a new stream, not a loss.
const JUMP: i64 = 3_000;

/// Waits a while for packets that are late or are being sent again.
#[derive(Debug, Default)]
pub(crate) struct Reorder {
    /// Of the next packet in order, extended to 64 bits.
    next: Option<u64>,
    waiting: BTreeMap<u64, (Instant, Rtp)>,
}

/// A packet in its turn.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Ordered {
    pub(crate) arrival: Instant,
    pub(crate) rtp: Rtp,
    /// Packets that are missing right before it.
    pub(crate) lost: u64,
}

impl Reorder {
    /// Copies, and packets that come when their turn is over, are dropped.
    pub(crate) fn push(&mut self, arrival: Instant, rtp: Rtp) {
        let Some(next) = self.next else {
            // Far enough from zero that no number before it is negative.
            let first = (1 << 32) + u64::from(rtp.sequence);
            self.next = Some(first);
            self.waiting.insert(first, (arrival, rtp));
            return;
        };
        let ahead = i64::from(rtp.sequence.wrapping_sub(next as u16) as i16);
        let Some(number) = next.checked_add_signed(ahead) else { return };
        if ahead.abs() > JUMP {
            self.waiting.clear();
            self.next = Some(number);
        } else if ahead < 0 {
            return;
        }
        self.waiting.entry(number).or_insert((arrival, rtp));
    }

    /// The next packet, if its turn has come: all before it are here, or have been waited for long enough.
    pub(crate) fn pop(&mut self, now: Instant) -> Option<Ordered> {
        let next = self.next?;
        let (number, (arrival, _)) = self.waiting.first_key_value()?;
        let lost = number - next;
        let is_due = lost == 0
            || now.since(*arrival) >= RECORDER_REORDER_MAX
            || self.waiting.len() > RECORDER_REORDER_PACKETS_MAX;
        is_due.then(|| self.take(lost)).flatten()
    }

    /// The next packet, whatever is missing before it.
    pub(crate) fn drain(&mut self) -> Option<Ordered> {
        let next = self.next?;
        let lost = self.waiting.first_key_value()?.0 - next;
        self.take(lost)
    }

    fn take(&mut self, lost: u64) -> Option<Ordered> {
        let (number, (arrival, rtp)) = self.waiting.pop_first()?;
        self.next = Some(number + 1);
        Some(Ordered { arrival, rtp, lost })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    fn packet(sequence: u16) -> Rtp {
        Rtp { is_marked: false, payload_type: 96, sequence, timestamp: 0, ssrc: 1, payload: Bytes::new() }
    }

    fn order(reorder: &mut Reorder, now: Instant) -> Vec<(u16, u64)> {
        std::iter::from_fn(|| reorder.pop(now)).map(|ordered| (ordered.rtp.sequence, ordered.lost)).collect()
    }

    #[test]
    fn packets_come_out_in_order_and_once_across_the_wrap() {
        let mut reorder = Reorder::default();
        for sequence in [65_534, 0, 65_535, 0, 1, 65_534] {
            reorder.push(Instant(0), packet(sequence));
        }
        assert_eq!(order(&mut reorder, Instant(0)), [(65_534, 0), (65_535, 0), (0, 0), (1, 0)]);
    }

    #[test]
    fn a_missing_packet_is_waited_for_and_then_lost() {
        let mut reorder = Reorder::default();
        for sequence in [1, 3, 4] {
            reorder.push(Instant(0), packet(sequence));
        }
        assert_eq!(order(&mut reorder, Instant(0)), [(1, 0)]);
        assert_eq!(order(&mut reorder, Instant(0) + RECORDER_REORDER_MAX), [(3, 1), (4, 0)]);
        reorder.push(Instant(0), packet(2));
        assert_eq!(order(&mut reorder, Instant(0) + RECORDER_REORDER_MAX), [], "its turn is over");
    }

    #[test]
    fn a_jump_begins_anew_and_is_no_loss() {
        let mut reorder = Reorder::default();
        reorder.push(Instant(0), packet(1));
        order(&mut reorder, Instant(0));
        reorder.push(Instant(0), packet(20_000));
        assert_eq!(order(&mut reorder, Instant(0)), [(20_000, 0)]);
    }
}
