//! Packets that were sent with transport-wide sequence numbers, until feedback says what became of them.

use std::collections::VecDeque;
use std::time::Duration;

use taoyao_types::Instant;
use taoyao_types::limits::SENT_PACKETS_MAX;

use crate::rtcp::Status;

/// Feedback that is older than this is of no use.
const KEPT: Duration = Duration::from_secs(5);

/// Gives out the numbers, and remembers what was sent under them.
#[derive(Debug, Default)]
pub(super) struct SendHistory {
    /// The number of the front of `packets`, without wrapping.
    first: u64,
    packets: VecDeque<Sent>,
    in_flight: usize,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Sent {
    pub(super) at: Instant,
    pub(super) bytes: u32,
    /// Which probe it was part of; 0: none.
    pub(super) cluster: u32,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    InFlight,
    Lost,
    Arrived,
}

/// What a status says that was not known before.
#[derive(Debug, Clone, Copy)]
pub(super) enum Fate {
    Arrived { sent: Sent, arrival_us: i64, was_lost: bool },
    Lost,
}

impl SendHistory {
    pub(super) fn handle_sent(&mut self, now: Instant, bytes: usize, cluster: u32) -> u16 {
        self.forget(now);
        let sequence = (self.first + self.packets.len() as u64) as u16;
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        self.packets.push_back(Sent { at: now, bytes, cluster, state: State::InFlight });
        self.in_flight += 1;
        sequence
    }

    /// None if it is unknown, or nothing new.
    pub(super) fn handle_status(&mut self, status: Status) -> Option<Fate> {
        let offset = status.sequence.wrapping_sub(self.first as u16);
        let sent = self.packets.get_mut(usize::from(offset))?;
        let before = sent.state;
        sent.state = match (before, status.arrival_us) {
            (State::Arrived, _) | (State::Lost, None) => return None,
            (State::InFlight, None) => State::Lost,
            (_, Some(_)) => State::Arrived,
        };
        if before == State::InFlight {
            self.in_flight -= 1;
        }
        let sent = *sent;
        let was_lost = before == State::Lost;
        Some(match status.arrival_us {
            Some(arrival_us) => Fate::Arrived { sent, arrival_us, was_lost },
            None => Fate::Lost,
        })
    }

    /// Whether feedback is to be expected.
    pub(super) fn has_in_flight(&self) -> bool {
        self.in_flight > 0
    }

    fn forget(&mut self, now: Instant) {
        while let Some(front) = self.packets.front() {
            let is_over = front.state == State::Arrived || now.since(front.at) > KEPT;
            if !is_over && self.packets.len() < SENT_PACKETS_MAX {
                return;
            }
            self.in_flight -= usize::from(front.state == State::InFlight);
            self.packets.pop_front();
            self.first += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(sequence: u16, arrival_us: Option<i64>) -> Status {
        Status { sequence, arrival_us }
    }

    #[test]
    fn each_fate_is_told_once_and_late_arrivals_correct_losses() {
        let mut history = SendHistory { first: 65_535, ..SendHistory::default() };
        assert_eq!(history.handle_sent(Instant(0), 100, 0), 65_535);
        assert_eq!(history.handle_sent(Instant(1), 200, 7), 0);
        assert!(matches!(history.handle_status(status(65_535, None)), Some(Fate::Lost)));
        assert!(history.handle_status(status(65_535, None)).is_none());
        let fate = history.handle_status(status(65_535, Some(9)));
        assert!(matches!(fate, Some(Fate::Arrived { was_lost: true, arrival_us: 9, .. })), "{fate:?}");
        assert!(history.handle_status(status(65_535, Some(9))).is_none());
        assert!(history.has_in_flight());
        let fate = history.handle_status(status(0, Some(9)));
        assert!(matches!(fate, Some(Fate::Arrived { sent: Sent { bytes: 200, cluster: 7, .. }, .. })));
        assert!(!history.has_in_flight());
        assert!(history.handle_status(status(1, Some(9))).is_none(), "was never sent");
    }

    #[test]
    fn the_history_is_bounded() {
        let mut history = SendHistory::default();
        for n in 0..3 * SENT_PACKETS_MAX as u64 {
            history.handle_sent(Instant(n), 100, 0);
        }
        assert!(history.packets.len() <= SENT_PACKETS_MAX && history.in_flight <= SENT_PACKETS_MAX);
        history.handle_sent(Instant(60_000_000), 100, 0);
        assert_eq!((history.packets.len(), history.in_flight), (1, 1));
    }
}
