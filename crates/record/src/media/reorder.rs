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
    /// When a packet came last that was not late.
    current_at: Option<Instant>,
    /// The number behind that of the last late one.
    late_next: Option<u16>,
    /// Where another stream begins that has not come out yet.
    anew: Option<u64>,
}

/// A packet in its turn.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Ordered {
    pub(crate) arrival: Instant,
    pub(crate) rtp: Rtp,
    /// Packets that are missing right before it.
    pub(crate) lost: u64,
    /// It is the first of another stream under the same name: its sender has begun anew.
    pub(crate) begins_anew: bool,
}

impl Reorder {
    /// Copies, and packets that come when their turn is over, are dropped.
    ///
    /// A sender that begins anew may do so with any number. One far away is known at once; one a little lower looks like a
    /// late packet, until two follow each other (RFC 3550, section A.1) while nothing else has come for a while: late ones
    /// are sent again among those that are not.
    pub(crate) fn push(&mut self, arrival: Instant, rtp: Rtp) {
        let Some(next) = self.next else {
            // Far enough from zero that no number before it is negative.
            let first = (1 << 32) + u64::from(rtp.sequence);
            (self.next, self.current_at) = (Some(first), Some(arrival));
            self.waiting.insert(first, (arrival, rtp));
            return;
        };
        let ahead = i64::from(rtp.sequence.wrapping_sub(next as u16) as i16);
        let Some(number) = next.checked_add_signed(ahead) else { return };
        if ahead.abs() > JUMP || ahead < 0 && self.is_restart(arrival, rtp.sequence) {
            self.waiting.clear();
            (self.next, self.anew) = (Some(number), Some(number));
        } else if ahead < 0 {
            self.late_next = Some(rtp.sequence.wrapping_add(1));
            return;
        }
        (self.current_at, self.late_next) = (Some(arrival), None);
        self.waiting.entry(number).or_insert((arrival, rtp));
    }

    fn is_restart(&self, arrival: Instant, sequence: u16) -> bool {
        let is_quiet = self.current_at.is_none_or(|at| arrival.since(at) >= RECORDER_REORDER_MAX);
        is_quiet && self.late_next == Some(sequence)
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
        let begins_anew = self.anew.take().is_some();
        Some(Ordered { arrival, rtp, lost, begins_anew })
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
    fn a_sender_that_begins_anew_with_a_lower_number_is_heard_soon() {
        for back in [1, 50, 150, 2_000, 2_999] {
            let mut reorder = Reorder::default();
            reorder.push(Instant(0), packet(10_000));
            order(&mut reorder, Instant(0));
            let mut heard = Vec::new();
            for number in 0..50_u16 {
                let at = Instant(20_000 * u64::from(number));
                reorder.push(at, packet(10_000 - back + number));
                while let Some(ordered) = reorder.pop(at) {
                    heard.push((number, ordered.begins_anew));
                }
            }
            // Half a second, and one more to be sure. Who is only one behind has caught up before.
            let first = if back == 1 { 2 } else { 25 };
            assert!(heard.first().is_some_and(|(number, _)| *number <= first + 1), "{back}: {heard:?}");
        }
    }

    #[test]
    fn packets_that_are_sent_again_are_no_new_beginning() {
        let mut reorder = Reorder::default();
        reorder.push(Instant(0), packet(1_000));
        order(&mut reorder, Instant(0));
        for number in 0..100_u16 {
            let at = Instant(1_000_000 + 10_000 * u64::from(number));
            reorder.push(at, packet(1_001 + number));
            reorder.push(at, packet(500 + 2 * number));
            reorder.push(at, packet(501 + 2 * number));
            assert_eq!(order(&mut reorder, at), [(1_001 + number, 0)]);
        }
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
