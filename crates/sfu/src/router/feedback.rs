//! What peers say of what they send and of what they were sent (RFC 3550, RFC 4585, RFC 5104).

use taoyao_types::limits::RESEND_WAITING_MAX;
use taoyao_types::{Instant, Now};

use super::{Router, TransportKey};
use crate::rtcp::{Bye, ExtendedBlock, ExtendedReport, NtpTime, Packet, Packets, ReportBlock, SenderReport};
use crate::stream::{SenderClock, ntp_us};

impl Router {
    /// A decrypted RTCP packet, compound or not. What is not understood is passed over.
    pub fn handle_rtcp(&mut self, now: Now, from: TransportKey, packet: &[u8]) {
        let Some(&index) = self.keys.get(&from) else { return };
        self.transports[index].received.add(now.mono, packet.len());
        for packet in Packets::new(packet).flatten() {
            self.handle_one(now, index, &packet);
        }
        self.make_ready(index);
    }

    fn handle_one(&mut self, now: Now, index: usize, packet: &Packet<'_>) {
        match packet {
            Packet::SenderReport(report) => {
                self.handle_sender_report(now, index, report);
                self.handle_blocks(now, index, report.blocks());
            }
            Packet::ReceiverReport(report) => self.handle_blocks(now, index, report.blocks()),
            Packet::Nack(nack) => self.handle_nack(index, nack.media, nack.sequences()),
            Packet::Pli { media, .. } => self.handle_picture_loss(now.mono, index, *media, false),
            Packet::Fir(fir) => {
                fir.entries().for_each(|(media, _)| self.handle_picture_loss(now.mono, index, media, true));
            }
            Packet::TransportFeedback(feedback) => {
                if let Some(control) = &mut self.transports[index].line.control {
                    control.estimator.handle_feedback(now.mono, feedback);
                    control.settle(now.mono);
                    self.plan(index);
                    self.reallocate(now.mono, index, false);
                }
            }
            Packet::Remb(remb) => {
                if let Some(control) = &mut self.transports[index].line.control {
                    control.estimator.handle_remb(now.mono, remb.bitrate);
                    control.settle(now.mono);
                    self.plan(index);
                    self.reallocate(now.mono, index, false);
                }
            }
            Packet::Extended(report) => self.handle_extended(now, index, report),
            Packet::Bye(bye) => self.handle_bye(now.mono, index, bye),
            Packet::Description(_) | Packet::Other { .. } => {}
        }
    }

    fn handle_bye(&mut self, now: Instant, index: usize, bye: &Bye<'_>) {
        for ssrc in bye.sources() {
            let meant = self.transports[index].incoming.get(ssrc).filter(|incoming| !incoming.is_rtx);
            if let Some(incoming) = meant {
                self.end_flow(now, incoming.producer, incoming.stream);
            }
        }
    }

    pub(super) fn handle_sender_report(&mut self, now: Now, index: usize, report: &SenderReport<'_>) {
        // Of a sender that has no clock: it says nothing (RFC 3550, section 6.4.1).
        if report.info.ntp.0 == 0 {
            return;
        }
        let transport = &mut self.transports[index];
        let Some(incoming) = transport.incoming.get(report.ssrc).filter(|incoming| !incoming.is_rtx) else {
            return;
        };
        // A clock that was told before goes on.
        let Some(moment) = report.info.moment() else { return };
        let stream = &mut self.producers[incoming.producer].streams[incoming.stream];
        let sender_us = ntp_us(moment);
        stream.clock = Some(SenderClock { ntp_us: sender_us, rtp: report.info.rtp });
        stream.last_report = Some((moment.middle(), now.mono));
        let offset = ntp_us(self.clock.ntp(now)).wrapping_sub(sender_us);
        /// A step of this much is a clock that was set, not the way's delay.
        const STEP_US: u64 = 1_000_000;
        let is_set = |known: &i64| offset.wrapping_sub(*known).unsigned_abs() > STEP_US;
        if transport.clock_offset_us.as_ref().is_none_or(is_set) {
            transport.clock_offset_us = Some(offset);
        }
    }

    fn handle_blocks(&mut self, now: Now, index: usize, blocks: impl Iterator<Item = ReportBlock>) {
        let arrived = self.clock.ntp(now).middle();
        let mut worst = None;
        for block in blocks {
            let transport = &self.transports[index];
            let Some(consumer) = transport.outgoing.get(block.ssrc).map(|at| &mut self.consumers[at]) else {
                continue;
            };
            if consumer.ssrc != block.ssrc {
                continue;
            }
            consumer.counts.fraction_lost = block.fraction_lost;
            consumer.counts.lost = block.lost;
            consumer.counts.jitter = block.jitter;
            consumer.handle_loss(block.fraction_lost);
            worst = worst.max(Some(block.fraction_lost));
            if let Some(round_trip) = block.round_trip(arrived) {
                consumer.counts.round_trip = Some(round_trip);
                if let Some(control) = &mut self.transports[index].line.control {
                    control.estimator.handle_round_trip(round_trip);
                }
            }
        }
        if let (Some(control), Some(worst)) = (&mut self.transports[index].line.control, worst) {
            control.estimator.handle_report(now.mono, worst);
        }
    }

    fn handle_nack(&mut self, index: usize, media: u32, sequences: impl Iterator<Item = u16>) {
        let transport = &mut self.transports[index];
        let Some(at) = transport.outgoing.get(media) else { return };
        let consumer = &mut self.consumers[at];
        if consumer.ssrc != media || consumer.is_paused || !consumer.has_nack {
            return;
        }
        consumer.counts.nacks += 1;
        let room = RESEND_WAITING_MAX.saturating_sub(consumer.resend.len());
        let before = consumer.resend.len();
        consumer.resend.extend(sequences.take(room));
        consumer.counts.nacked_packets += (consumer.resend.len() - before) as u64;
        if !consumer.is_waiting && !consumer.resend.is_empty() {
            consumer.is_waiting = true;
            transport.waiting.push_back(at);
        }
    }

    fn handle_picture_loss(&mut self, now: Instant, index: usize, media: u32, is_fir: bool) {
        let Some(at) = self.transports[index].outgoing.get(media) else { return };
        let counts = &mut self.consumers[at].counts;
        counts.firs += u64::from(is_fir);
        counts.plis += u64::from(!is_fir);
        if !self.consumers[at].is_paused {
            self.want_key_frame(now, at);
        }
    }

    /// A receiver that sends nothing asks in this way how long the way is (RFC 3611, section 4.4); it is answered.
    fn handle_extended(&mut self, now: Now, index: usize, report: &ExtendedReport<'_>) {
        for block in report.blocks() {
            if let ExtendedBlock::ReferenceTime(ntp) = block
                && ntp != NtpTime(0)
            {
                self.answer_reference_time(index, report.ssrc, ntp);
            }
        }
        let _ = now;
    }

    fn answer_reference_time(&mut self, index: usize, ssrc: u32, ntp: NtpTime) {
        let transport = &mut self.transports[index];
        let own = transport.own_ssrc;
        let delay = crate::rtcp::DelayBlock { ssrc, last_reference: ntp.middle(), delay: 0 };
        transport.feedback.add(|writer| {
            writer.receiver_report(own, &[])?;
            writer.delays(own, &[delay])
        });
    }
}
