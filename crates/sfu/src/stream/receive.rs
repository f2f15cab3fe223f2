//! What arrived of one stream: loss and jitter as reports tell them (RFC 3550, section 6.4.1 and appendix A).

use taoyao_types::Instant;

use super::{Rate, Unwrap};
use crate::rtcp::ReportBlock;

/// Counts the packets of one SSRC.
#[derive(Debug, Clone, Default)]
pub struct Receive {
    pub rate: Rate,
    numbers: Unwrap<16>,
    first: Option<u64>,
    highest: u64,
    /// Packets of this SSRC, those of retransmissions too.
    received: u64,
    transit: Option<u32>,
    /// Sixteen times the jitter, in units of the stream's clock.
    jitter_16: u32,
    /// At the last report: expected, received.
    reported: (u64, u64),
    pub fraction_lost: u8,
    pub first_arrival: Option<Instant>,
    pub last_arrival: Option<Instant>,
    pub repeated: u64,
    pub recovered: u64,
}

impl Receive {
    /// Of the same stream under another SSRC: numbers go on well above those before, and statistics go on.
    #[must_use]
    pub fn under_another_ssrc(&self) -> Self {
        let mut numbers = self.numbers;
        numbers.restart(0);
        Self { rate: self.rate.clone(), numbers, repeated: self.repeated, ..Self::default() }
    }

    /// A packet that came for the first time; the answer is its extended sequence number.
    pub fn handle_packet(&mut self, now: Instant, sequence: u16, bytes: usize) -> u64 {
        self.rate.add(now, bytes);
        self.received += 1;
        self.first_arrival.get_or_insert(now);
        self.last_arrival = Some(now);
        let extended = self.numbers.extend(sequence);
        let first = self.first.get_or_insert(extended);
        *first = (*first).min(extended);
        self.highest = self.highest.max(extended);
        extended
    }

    /// The numbers begin anew with this packet.
    pub fn handle_restart(&mut self, now: Instant, sequence: u16, bytes: usize) -> u64 {
        let extended = self.numbers.restart(sequence);
        self.first = Some(extended);
        self.received = 0;
        self.reported = (0, 0);
        self.transit = None;
        self.handle_packet(now, sequence, bytes)
    }

    /// Not called for retransmissions: their delay is not the way's.
    pub fn handle_timing(&mut self, now: Instant, timestamp: u32, clock_rate: u32) {
        let arrival = super::ticks(now.0.cast_signed(), clock_rate);
        let transit = arrival.wrapping_sub(timestamp);
        if let Some(last) = self.transit.replace(transit) {
            let distance = transit.wrapping_sub(last).cast_signed().unsigned_abs();
            let change = i64::from(distance) - i64::from((self.jitter_16 + 8) >> 4);
            self.jitter_16 = (i64::from(self.jitter_16) + change).clamp(0, i64::from(u32::MAX / 2)) as u32;
        }
    }

    /// In units of the stream's clock.
    pub fn jitter(&self) -> u32 {
        self.jitter_16 >> 4
    }

    /// Expected and not received, less what came twice.
    pub fn lost(&self) -> i64 {
        self.expected().cast_signed() - self.received.cast_signed()
    }

    /// The block of a report; `last_report` and `delay` are the sender's report's.
    pub fn report(&mut self, ssrc: u32, last_report: u32, delay: u32) -> ReportBlock {
        let expected = self.expected();
        let (expected_before, received_before) =
            std::mem::replace(&mut self.reported, (expected, self.received));
        let span = expected.saturating_sub(expected_before);
        let lost = span.saturating_sub(self.received.saturating_sub(received_before));
        self.fraction_lost = (lost * 256).checked_div(span).unwrap_or(0).min(255) as u8;
        ReportBlock {
            ssrc,
            fraction_lost: self.fraction_lost,
            lost: self.lost().clamp(i32::MIN.into(), i32::MAX.into()) as i32,
            // Numbers begin one circle up.
            highest: (self.highest as u32).wrapping_sub(1 << 16),
            jitter: self.jitter(),
            last_report,
            delay,
        }
    }

    pub fn expected(&self) -> u64 {
        self.first.map_or(0, |first| self.highest.saturating_sub(first) + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loss_is_what_is_missing_between_first_and_highest() {
        let mut receive = Receive::default();
        for sequence in [65_534_u16, 65_535, 1, 2, 4] {
            receive.handle_packet(Instant(0), sequence, 100);
        }
        let block = receive.report(9, 1, 2);
        assert_eq!((receive.lost(), block.lost), (2, 2));
        assert_eq!(block.fraction_lost, (2 * 256 / 7) as u8);
        assert_eq!(block.highest, (1 << 16) + 4);
        receive.handle_packet(Instant(0), 3, 100);
        assert_eq!(receive.report(9, 1, 2).lost, 1);
    }

    #[test]
    fn jitter_is_the_mean_change_of_transit() {
        let mut receive = Receive::default();
        for frame in 0..200_u32 {
            let late_us = if frame % 2 == 0 { 0 } else { 10_000 };
            let now = Instant(u64::from(frame) * 20_000 + late_us);
            receive.handle_timing(now, frame * 960, 48_000);
        }
        assert!((450..=490).contains(&receive.jitter()), "{} ticks are 10 ms", receive.jitter());
    }

    #[test]
    fn a_restart_is_no_loss() {
        let mut receive = Receive::default();
        let before = receive.handle_packet(Instant(0), 10, 100);
        let after = receive.handle_restart(Instant(0), 40_000, 100);
        assert!(after > before);
        assert_eq!(receive.lost(), 0);
    }
}
