//! When packets with transport-wide sequence numbers arrived, told to their sender (draft-holmer-rmcat-transport-wide-cc).

use std::collections::VecDeque;
use std::time::Duration;

use taoyao_types::Instant;

use crate::rtcp::{NoRoom, STATUSES_MAX, TransportFeedbackHead, Writer};

/// Feedback is never sent more often, nor less often.
const INTERVAL_MIN: Duration = Duration::from_millis(50);
const INTERVAL_MAX: Duration = Duration::from_millis(250);
/// What one feedback takes on the wire, and the part of the received bitrate that feedback may take.
const FEEDBACK_BITS: u64 = 68 * 8;
const FEEDBACK_PART: u64 = 20;
/// A step further than this is the numbers begun anew; nothing between is told.
const STEP_MAX: u16 = 2_048;
/// A packet that is late by no more than this is told after all, in a feedback that begins with it. What stands behind
/// it and was told before stands as missing there: senders believe the first word.
const LATE_MAX: u16 = 256;

/// Collects arrivals and writes them as feedback, every 50 to 250 ms: the faster the more arrives.
#[derive(Debug)]
pub struct Arrivals {
    /// The number of the first in `pending`.
    base: u16,
    /// Arrivals that are not told yet, none for the missing and for what was told already.
    pending: VecDeque<Option<Instant>>,
    has_started: bool,
    number: u8,
    last_told: Instant,
    interval: Duration,
    bytes: u64,
}

impl Arrivals {
    pub fn new(now: Instant) -> Arrivals {
        Arrivals {
            base: 0,
            pending: VecDeque::new(),
            has_started: false,
            number: 0,
            last_told: now,
            interval: INTERVAL_MIN,
            bytes: 0,
        }
    }

    /// `bytes` of the packet on the wire; they decide how often feedback is sent.
    pub fn handle_packet(&mut self, now: Instant, sequence: u16, bytes: usize) {
        self.bytes += bytes as u64;
        let step = sequence.wrapping_sub(self.base);
        if !self.has_started || step > STEP_MAX && step < LATE_MAX.wrapping_neg() {
            self.has_started = true;
            self.base = sequence;
            self.pending.clear();
            self.pending.push_back(Some(now));
        } else if step <= STEP_MAX {
            self.place(now, usize::from(step));
        } else {
            self.place_late(now, sequence);
        }
    }

    /// When feedback is due; none while nothing has arrived since the last.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let is_much = self.pending.len() >= STATUSES_MAX;
        (!self.pending.is_empty()).then(|| if is_much { Instant(0) } else { self.last_told + self.interval })
    }

    /// Writes one feedback if one is due, and says whether it did; call it until it did not.
    ///
    /// # Errors
    ///
    /// Nothing is lost where there is no room; come back with an empty buffer.
    pub fn poll_feedback(
        &mut self,
        now: Instant,
        sender: u32,
        media: u32,
        writer: &mut Writer<'_>,
    ) -> Result<bool, NoRoom> {
        if self.poll_timeout().is_none_or(|due| due > now) {
            return Ok(false);
        }
        let head = TransportFeedbackHead { sender, media, base: self.base, number: self.number };
        let arrivals = self.pending.iter().map(|arrival| arrival.map(to_wire));
        let told = writer.transport_feedback(head, arrivals)?;
        self.number = self.number.wrapping_add(1);
        self.pending.drain(..told);
        self.base = self.base.wrapping_add(told as u16);
        if self.pending.is_empty() {
            self.set_interval(now);
        }
        Ok(true)
    }

    fn place(&mut self, now: Instant, at: usize) {
        if self.pending.len() <= at {
            self.pending.resize(at + 1, None);
        }
        if let Some(place @ None) = self.pending.get_mut(at) {
            *place = Some(now);
        }
    }

    fn place_late(&mut self, now: Instant, sequence: u16) {
        let late = self.base.wrapping_sub(sequence);
        for _ in 1..late {
            self.pending.push_front(None);
        }
        self.pending.push_front(Some(now));
        self.base = sequence;
    }

    fn set_interval(&mut self, now: Instant) {
        let span_us = now.since(self.last_told).as_micros().max(1) as u64;
        let bitrate = (std::mem::take(&mut self.bytes) * 8).saturating_mul(1_000_000) / span_us;
        let interval_us = FEEDBACK_BITS * FEEDBACK_PART * 1_000_000 / bitrate.max(1);
        self.interval = Duration::from_micros(interval_us).clamp(INTERVAL_MIN, INTERVAL_MAX);
        self.last_told = now;
    }
}

fn to_wire(arrival: Instant) -> i64 {
    arrival.0.cast_signed()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rtcp::{Packet, Packets};

    fn at(ms: u64) -> Instant {
        Instant(1_000 * ms)
    }

    /// Base number, and arrivals in ms, of all feedback that is due.
    fn told(arrivals: &mut Arrivals, ms: u64) -> Vec<(u16, Vec<Option<i64>>)> {
        let mut buffer = [0; 4_000];
        let mut writer = Writer::new(&mut buffer);
        while arrivals.poll_feedback(at(ms), 1, 2, &mut writer).unwrap() {}
        let len = writer.len();
        let feedback = Packets::new(&buffer[..len]).map(|packet| match packet.unwrap() {
            Packet::TransportFeedback(feedback) => {
                let arrivals = feedback.statuses().map(|status| status.arrival_us.map(|us| us / 1_000));
                (feedback.base, arrivals.collect())
            }
            other => panic!("{other:?}"),
        });
        feedback.collect()
    }

    #[test]
    fn losses_are_told_also_between_two_feedbacks() {
        let mut arrivals = Arrivals::new(at(0));
        arrivals.handle_packet(at(10), 65_535, 1_200);
        arrivals.handle_packet(at(12), 1, 1_200);
        assert_eq!(told(&mut arrivals, 49), []);
        assert_eq!(told(&mut arrivals, 50), [(65_535, vec![Some(10), None, Some(12)])]);
        assert_eq!(arrivals.poll_timeout(), None);
        arrivals.handle_packet(at(60), 3, 1_200);
        assert_eq!(told(&mut arrivals, 400), [(2, vec![None, Some(60)])]);
    }

    #[test]
    fn late_packets_are_told_after_all() {
        let mut arrivals = Arrivals::new(at(0));
        arrivals.handle_packet(at(10), 5, 1_200);
        arrivals.handle_packet(at(10), 8, 1_200);
        told(&mut arrivals, 50);
        arrivals.handle_packet(at(51), 6, 1_200);
        assert_eq!(told(&mut arrivals, 500), [(6, vec![Some(51), None, None])]);
        arrivals.handle_packet(at(501), 9, 1_200);
        assert_eq!(told(&mut arrivals, 900), [(9, vec![Some(501)])]);
    }

    #[test]
    fn much_is_told_at_once_in_several_pieces() {
        let mut arrivals = Arrivals::new(at(0));
        for n in 0..1_200 {
            arrivals.handle_packet(at(1), n, 1_200);
        }
        let pieces = told(&mut arrivals, 50);
        assert_eq!(pieces.iter().map(|(_, arrivals)| arrivals.len()).sum::<usize>(), 1_200);
        assert!(pieces.len() >= 3);
    }

    #[test]
    fn a_jump_begins_anew() {
        let mut arrivals = Arrivals::new(at(0));
        arrivals.handle_packet(at(1), 5, 1_200);
        arrivals.handle_packet(at(2), 20_000, 1_200);
        assert_eq!(told(&mut arrivals, 50), [(20_000, vec![Some(2)])]);
    }

    #[test]
    fn little_is_told_seldom() {
        let mut arrivals = Arrivals::new(at(0));
        let feedbacks = |arrivals: &mut Arrivals, bytes: usize, from: u16| {
            let ticks = (from..from + 1_000).map(|n| {
                arrivals.handle_packet(at(u64::from(n) * 10), n, bytes);
                told(arrivals, u64::from(n) * 10).len()
            });
            ticks.sum::<usize>()
        };
        let fast = feedbacks(&mut arrivals, 1_200, 0);
        let slow = feedbacks(&mut arrivals, 20, 1_000);
        assert!((180..=200).contains(&fast), "{fast} in 10 s at 960 kbit/s");
        assert!((38..=42).contains(&slow), "{slow} in 10 s at 16 kbit/s");
    }
}
