//! A packet arrives: whose it is, what it means for its stream, and that its consumers have something to send.

use taoyao_ortc::Happening;
use taoyao_types::Instant;

use super::producer::{Producer, Stream};
use super::transport::{Incoming, Transport};
use super::{PacketOrigin, Router, TransportKey};
use crate::codec::{self, CodecKind, Facts};
use crate::congestion::{ReceiveEstimator, Seen, Verdict};
use crate::packet::{ExtensionKind, Packet, TailWriter};
use crate::stream::Arrived;

/// How a packet is numbered in its stream, be it sent for the first time or again.
#[derive(Debug, Clone, Copy)]
struct Numbered<'a> {
    sequence: u16,
    payload: &'a [u8],
    is_again: bool,
}

impl Router {
    /// A decrypted RTP packet. What is not understood costs its sender the packet and nobody else anything. The answer is
    /// whose packet it was, if it was anybody's.
    pub fn handle_rtp(&mut self, now: Instant, from: TransportKey, packet: &[u8]) -> Option<PacketOrigin> {
        let packet = Packet::parse(packet).ok()?;
        let index = *self.keys.get(&from)?;
        self.latest = now;
        let transport = &mut self.transports[index];
        transport.received.add(now, packet.bytes());
        let known = transport.incoming.get(packet.ssrc());
        let incoming = known.or_else(|| self.identify(now, index, &packet))?;
        if !self.is_within_bounds(now, index, incoming, &packet) {
            return None;
        }
        self.take(now, index, incoming, &packet);
        let Incoming { producer, stream, is_rtx } = incoming;
        Some(PacketOrigin { producer: self.producers[producer].id, stream, is_rtx })
    }

    /// Whether the peer still may send this. What may not pass has not come: no feedback tells of it, so that senders that
    /// listen to losses slow down.
    fn is_within_bounds(
        &mut self,
        now: Instant,
        index: usize,
        incoming: Incoming,
        packet: &Packet<'_>,
    ) -> bool {
        let transport = &mut self.transports[index];
        let Some(policer) = &mut transport.policer else { return true };
        let producer = &mut self.producers[incoming.producer];
        match policer.handle_packet(now, packet.bytes(), producer.codec.has_key_frames()) {
            Verdict::Pass => true,
            Verdict::PassAgain => {
                producer.streams[incoming.stream].key_frames.want();
                true
            }
            Verdict::Drop => false,
        }
    }

    pub(super) fn take(&mut self, now: Instant, index: usize, incoming: Incoming, packet: &Packet<'_>) {
        let producer = &mut self.producers[incoming.producer];
        note_transport_number(&mut self.transports[index], producer, now, packet);
        let Some(numbered) = numbered(producer, incoming, packet) else { return };
        let is_new = receive(producer, incoming, now, packet, &numbered);
        if is_new && !producer.is_dirty && !producer.consumers.is_empty() {
            producer.is_dirty = true;
            self.dirty.push(incoming.producer);
        }
        let stream = &self.producers[incoming.producer].streams[incoming.stream];
        if stream.receive.last_arrival == Some(now) && !numbered.payload.is_empty() {
            self.watch_flow(now, incoming.producer, incoming.stream);
        }
        self.observe(incoming.producer, packet);
        self.ask_for_missing(now, index, incoming);
    }

    /// Asks at once for what is found missing; the rest follows by the timer.
    fn ask_for_missing(&mut self, now: Instant, transport: usize, incoming: Incoming) {
        let stream = &mut self.producers[incoming.producer].streams[incoming.stream];
        if stream.nacks.missing() > 0 {
            self.poll_missing(now, transport, incoming.producer, incoming.stream);
        }
        let stream = &self.producers[incoming.producer].streams[incoming.stream];
        if stream.key_frames.due().is_some_and(|due| due <= now) {
            self.poll_key_frames(now, incoming.producer);
        }
        if let Some(due) = self.transports[transport].incoming_due() {
            self.agenda.bring_forward(transport, due);
            self.wake_by(Some(due));
        }
    }

    pub(super) fn poll_missing(&mut self, now: Instant, transport: usize, producer: usize, stream: usize) {
        /// What one packet of RTCP asks for at most.
        const ASKED_MAX: usize = 256;
        let producer = &mut self.producers[producer];
        let stream = &mut producer.streams[stream];
        let mut asked = [0; ASKED_MAX];
        // Without NACK nothing is asked for, but what is too old is given up all the same.
        let room = if producer.feedback.has_nack { &mut asked[..] } else { &mut [] };
        let count = stream.nacks.poll_nack(now, room);
        let transport = &mut self.transports[transport];
        if let (Some(ssrc), true) = (stream.ssrc, count > 0) {
            stream.counts.nacks += 1;
            stream.counts.nacked_packets += count as u64;
            let own = transport.own_ssrc;
            transport.feedback.add(|writer| writer.nack(own, ssrc, &asked[..count]).map(|_| ()));
        }
        if stream.nacks.poll_key_frame() && producer.codec.has_key_frames() && !producer.consumers.is_empty()
        {
            stream.key_frames.want();
        }
        let again = stream.nacks.poll_timeout().filter(|_| producer.feedback.has_nack);
        let index = producer.transport;
        for due in [again, stream.key_frames.due()] {
            self.wake_by(due);
        }
        self.make_ready(index);
    }

    /// What the router itself takes from packets: which way up a picture is, and how loud a sound.
    fn observe(&mut self, index: usize, packet: &Packet<'_>) {
        let producer = &mut self.producers[index];
        let is_mirror = self.transports[producer.transport].setup.is_mirror;
        for (id, value) in packet.elements() {
            match (producer.extensions.kind(id), value) {
                (Some(ExtensionKind::VideoOrientation), [byte, ..])
                    if producer.orientation != Some(*byte) && !is_mirror =>
                {
                    producer.orientation = Some(*byte);
                    self.events.push_back(orientation(producer, *byte));
                }
                (Some(ExtensionKind::AudioLevel), [byte, ..]) if !producer.is_paused => {
                    self.speakers.handle_level(index, *byte);
                }
                _ => {}
            }
        }
    }
}

fn note_transport_number(transport: &mut Transport, producer: &Producer, now: Instant, packet: &Packet<'_>) {
    if transport.setup.is_mirror {
        return;
    }
    let value = |kind| producer.extensions.id(kind).and_then(|id| packet.element(id));
    if let Some(&[high, low]) = value(ExtensionKind::TransportCc) {
        transport.arrivals.handle_packet(now, u16::from_be_bytes([high, low]), packet.bytes());
    } else if let (true, Some(&[a, b, c])) = (producer.feedback.has_remb, value(ExtensionKind::AbsSendTime)) {
        let max = transport.setup.max_incoming_bitrate.unwrap_or(u64::MAX);
        let estimate = transport.estimate.get_or_insert_with(|| ReceiveEstimator::new(now, max));
        estimate.handle_packet(now, u32::from_be_bytes([0, a, b, c]), packet.bytes());
    }
}

/// Takes a retransmission apart (RFC 4588, section 4); nothing for packets that carry no media.
fn numbered<'a>(producer: &mut Producer, incoming: Incoming, packet: &Packet<'a>) -> Option<Numbered<'a>> {
    let payload = packet.payload();
    if !incoming.is_rtx {
        // Of another codec than was agreed on: consumers would take it for theirs, and its numbers for those of the stream.
        let is_agreed = packet.payload_type() == producer.payload_type;
        return is_agreed.then_some(Numbered { sequence: packet.sequence(), payload, is_again: false });
    }
    let counts = &mut producer.streams[incoming.stream].counts;
    counts.rtx_packets += 1;
    let again =
        payload.split_first_chunk::<2>().filter(|_| producer.rtx_payload_type == Some(packet.payload_type()));
    if again.is_none() {
        counts.rtx_discarded += 1;
    }
    let (original, payload) = again?;
    Some(Numbered { sequence: u16::from_be_bytes(*original), payload, is_again: true })
}

/// Whether it was new to its stream and is now kept for consumers.
fn receive(
    producer: &mut Producer,
    incoming: Incoming,
    now: Instant,
    packet: &Packet<'_>,
    numbered: &Numbered<'_>,
) -> bool {
    let writer = TailWriter::write(packet.elements(), &producer.extensions, &producer.router_extensions);
    let codec = producer.codec;
    let stream = &mut producer.streams[incoming.stream];
    let facts = facts(stream, codec, packet, numbered, &writer);
    let seen = match numbered.is_again {
        false => stream.nacks.handle_packet(now, numbered.sequence, facts.is_key),
        true => stream.nacks.handle_again(now, numbered.sequence, facts.is_key),
    };
    let Some(sequence) = count(stream, now, packet, numbered, seen) else { return false };
    if !numbered.is_again {
        stream.receive.handle_timing(now, packet.timestamp(), producer.clock_rate);
    }
    if facts.is_key || !producer.codec.has_key_frames() {
        stream.key_frames.handle_key_frame();
    }
    stream.shares.add(now, &facts, packet.timestamp(), packet.bytes());
    if producer.is_paused || producer.consumers.is_empty() || !producer.is_heard {
        return false;
    }
    let picture = facts.picture.map_or(0, |picture| match (picture.is_wide, facts.is_key) {
        (true, false) => stream.pictures.extend(picture.id),
        (true, true) => stream.pictures.extend_or_restart(picture.id),
        (false, _) => stream.narrow_pictures.extend(picture.id),
    });
    stream.store.push(&Arrived {
        sequence,
        timestamp: packet.timestamp(),
        arrived: now,
        has_marker: packet.has_marker(),
        facts,
        picture,
        tail: writer.tail(),
        tail_values: writer.bytes(),
        // Without one, as a sender's probes: they keep their number, and are left out.
        payload: numbered.payload,
    });
    true
}

fn facts(
    stream: &mut Stream,
    codec: CodecKind,
    packet: &Packet<'_>,
    numbered: &Numbered<'_>,
    tail: &TailWriter,
) -> Facts {
    if numbered.payload.is_empty() {
        return Facts::default();
    }
    // Where payloads tell of layers, they tell of pictures, too.
    let has_own = matches!(codec, CodecKind::Vp8 | CodecKind::Vp9);
    let descriptor = tail.descriptor().filter(|_| !has_own);
    let described = descriptor.and_then(|descriptor| stream.dependency.read(descriptor));
    described.unwrap_or_else(|| codec::inspect(codec, numbered.payload, packet.has_marker()))
}

/// The extended sequence number; none if the packet is of no use.
fn count(
    stream: &mut Stream,
    now: Instant,
    packet: &Packet<'_>,
    numbered: &Numbered<'_>,
    seen: Seen,
) -> Option<u64> {
    let receive = &mut stream.receive;
    match seen {
        Seen::New { .. } => Some(receive.handle_packet(now, numbered.sequence, packet.bytes())),
        Seen::Recovered { .. } => {
            receive.recovered += u64::from(numbered.is_again);
            Some(receive.handle_packet(now, numbered.sequence, packet.bytes()))
        }
        Seen::Repeated => {
            receive.repeated += 1;
            stream.counts.rtx_discarded += u64::from(numbered.is_again);
            None
        }
        Seen::Restarted => {
            stream.begin_anew();
            stream.key_frames.want();
            Some(stream.receive.handle_restart(now, numbered.sequence, packet.bytes()))
        }
    }
}

/// Coordination of video orientation (3GPP TS 26.114, section 7.4.5).
fn orientation(producer: &Producer, byte: u8) -> Happening {
    const CAMERA: u8 = 0x08;
    const FLIP: u8 = 0x04;
    const QUARTERS: u8 = 0x03;
    Happening::OrientationChanged {
        producer: producer.id,
        camera: byte & CAMERA != 0,
        flip: byte & FLIP != 0,
        rotation: u16::from(byte & QUARTERS) * 90,
    }
}
