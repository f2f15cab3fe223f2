//! Mirrors: a transport of another router of the same room, whose packets are passed on to this one.
//!
//! A mirror has its transport's producers under their own ids, and consumers here are served from it: with packets that
//! they miss, too. Of the sender nothing is asked but key frames; those requests leave as RTCP for the mirror's key, and are
//! taken by the transport's own router.

use taoyao_ortc::ProducerId;
use taoyao_types::{Instant, Now};

use super::transport::Incoming;
use super::{PacketOrigin, Router, TransportKey};
use crate::packet::Packet;
use crate::rtcp::{self, NtpTime, Packets, SenderInfo, Writer};
use crate::stream::ntp_us;

impl Router {
    /// A packet of a mirrored producer. What it is was found out by the transport's own router: names that senders leave
    /// out after a while are not needed here.
    pub fn handle_mirrored_rtp(
        &mut self,
        now: Instant,
        mirror: TransportKey,
        origin: &PacketOrigin,
        packet: &[u8],
    ) {
        let Ok(packet) = Packet::parse(packet) else { return };
        let Some(&index) = self.keys.get(&mirror) else { return };
        let Some(incoming) = self.mirrored(index, origin) else { return };
        self.latest = now;
        let transport = &mut self.transports[index];
        transport.received.add(now, packet.bytes());
        if transport.incoming.get(packet.ssrc()) != Some(incoming) {
            transport.incoming.remove(packet.ssrc());
            self.adopt(index, incoming, packet.ssrc());
            self.poll_key_frames(now, incoming.producer);
        }
        self.take(now, index, incoming, &packet);
    }

    /// A mirrored transport's RTCP; of it the sender's clock is taken.
    pub fn handle_mirrored_rtcp(&mut self, now: Now, mirror: TransportKey, packet: &[u8]) {
        let Some(&index) = self.keys.get(&mirror) else { return };
        for packet in Packets::new(packet).flatten() {
            if let rtcp::Packet::SenderReport(report) = packet {
                self.handle_sender_report(now, index, &report);
            }
        }
    }

    /// Writes where a stream's clock stands now, as its sender would report it, and returns how long that is; none before the
    /// sender's own first report. For a mirror that is new: senders report every few seconds only.
    pub fn write_clock(
        &mut self,
        now: Now,
        producer: ProducerId,
        stream: usize,
        out: &mut [u8],
    ) -> Option<usize> {
        let producer = self.producers.get(*self.producer_ids.get(&producer)?)?;
        let offset_us = self.transports.get(producer.transport)?.clock_offset_us?;
        let stream = producer.streams.get(stream)?;
        let (ssrc, clock) = (stream.ssrc?, stream.clock?);
        let sender_us = ntp_us(self.clock.ntp(now)).wrapping_sub(offset_us);
        let ntp = NtpTime::from_us(sender_us.cast_unsigned());
        let rtp = clock.timestamp(sender_us, producer.clock_rate);
        let mut writer = Writer::new(out);
        writer.sender_report(ssrc, &SenderInfo { ntp, rtp, packets: 0, octets: 0 }, &[]).ok()?;
        Some(writer.len())
    }

    /// What a mirror of this transport asks of the sender: key frames, at the pace of all who ask.
    pub fn handle_mirrors_wish(&mut self, now: Instant, key: TransportKey, packet: &[u8]) {
        let Some(&index) = self.keys.get(&key) else { return };
        for packet in Packets::new(packet).flatten() {
            match packet {
                rtcp::Packet::Pli { media, .. } => self.want_key_frame_of(now, index, media),
                rtcp::Packet::Fir(fir) => {
                    fir.entries().for_each(|(media, _)| self.want_key_frame_of(now, index, media));
                }
                _ => {}
            }
        }
    }

    fn want_key_frame_of(&mut self, now: Instant, index: usize, ssrc: u32) {
        let Some(incoming) = self.transports[index].incoming.get(ssrc) else { return };
        let producer = &mut self.producers[incoming.producer];
        if producer.is_paused || !producer.codec.has_key_frames() {
            return;
        }
        producer.streams[incoming.stream].key_frames.want();
        self.poll_key_frames(now, incoming.producer);
    }

    fn mirrored(&self, index: usize, origin: &PacketOrigin) -> Option<Incoming> {
        let producer = *self.producer_ids.get(&origin.producer)?;
        let of = &self.producers[producer];
        let is_there = of.transport == index && origin.stream < of.streams.len();
        is_there.then_some(Incoming { producer, stream: origin.stream, is_rtx: origin.is_rtx })
    }
}
