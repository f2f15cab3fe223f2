//! The next packet for one consumer: chosen, renumbered and written.

use taoyao_types::Instant;

use super::consumer::{Consumer, Source};
use super::layers::Verdict;
use super::line::Line;
use super::producer::{Producer, Stream};
use crate::codec::{CodecKind, FRAME_NUMBER_AT};
use crate::packet::{HEADER_BYTES, Stamps, Tail};
use crate::stream::{Entry, Rewriting, Sent, ticks};

/// What of a packet is rewritten, so that it can be written again in the same way.
#[derive(Debug, Clone, Copy)]
struct Rewrite {
    timestamp: u32,
    has_marker: bool,
    picture: u16,
    tl0: u8,
    frame_offset: u16,
}

/// Picture ids of VP8 (RFC 7741, section 4.2) and VP9 (RFC 9628, section 4.2) have 15 bits at most.
const PICTURE_MASK: u16 = 0x7fff;

/// The moment and the way of a packet.
pub(super) struct Sending<'a> {
    pub(super) now: Instant,
    /// As 6.18 fixed-point seconds.
    pub(super) send_time: u32,
    pub(super) line: &'a mut Line,
}

/// The largest jump of timestamps that senders' reports may cause, in microseconds.
const JUMP_MAX_US: i64 = 10_000_000;

impl Consumer {
    /// Writes the next packet, if there is one, and returns its length.
    pub(super) fn write_next(
        &mut self,
        producer: &Producer,
        sending: &mut Sending<'_>,
        out: &mut [u8],
    ) -> Option<usize> {
        while let Some(sequence) = self.resend.pop_front() {
            if let Some(length) = self.write_again(producer, sequence, sending, out) {
                return Some(length);
            }
        }
        // What waits of the old stream is left behind: where it is more than the way carries, it would never have an end.
        self.begin_target(producer);
        loop {
            while let Some(position) = self.next_position(producer) {
                let stream = &producer.streams[self.source.current?];
                let Some(entry) = stream.store.at(position) else { continue };
                if let Some(length) = self.write(producer, stream, entry, sending, out) {
                    return Some(length);
                }
            }
            if !self.begin_target(producer) {
                return None;
            }
        }
    }

    /// How many packets there are behind what was sent, at most: some may be left out.
    pub(super) fn packets_waiting(&self, producer: &Producer) -> u64 {
        let stream = self.source.current.and_then(|current| producer.streams.get(current));
        stream.map_or(0, |stream| stream.store.head().saturating_sub(self.source.cursor))
    }

    /// The position of the current stream's next packet; a stream that began anew has to be begun anew here, too.
    fn next_position(&mut self, producer: &Producer) -> Option<u64> {
        let index = self.source.current?;
        let stream = &producer.streams[index];
        if stream.epoch != self.source.epoch {
            let first = stream.epoch_head;
            self.source = Source {
                target: self.source.target.or(Some(index)),
                target_cursor: first,
                target_layers: self.source.target_layers,
                ..Source::default()
            };
            return None;
        }
        let position = self.source.cursor;
        (position < stream.store.head()).then(|| self.source.cursor += 1)?;
        Some(position)
    }

    /// Goes over to the target where a receiver can begin with it.
    fn begin_target(&mut self, producer: &Producer) -> bool {
        let Some(target) = self.source.target.filter(|target| self.source.current != Some(*target)) else {
            return false;
        };
        let Some(stream) = producer.streams.get(target) else { return false };
        let from = self.source.target_cursor.max(stream.epoch_head);
        let begins = |position: &u64| stream.store.at(*position).is_some_and(|entry| entry.facts.is_key);
        let Some(position) = (from..stream.store.head()).find(begins) else {
            self.source.target_cursor = stream.store.head();
            return false;
        };
        if let Some(entry) = stream.store.at(position) {
            self.align(producer, target, entry);
        }
        self.source.current = Some(target);
        self.source.epoch = stream.epoch;
        self.source.cursor = position;
        self.filter.restart(self.source.target_layers);
        true
    }

    /// Lets all numbers go on with this packet where they stand.
    fn align(&mut self, producer: &Producer, stream: usize, first: &Entry) {
        let numbers = &mut self.numbers;
        let aligned = (stream, producer.streams[stream].epoch);
        let is_first = numbers.aligned.is_none();
        numbers.sequences.restart();
        numbers.pictures.restart();
        if let Some((_, tl0)) = first.facts.picture.and_then(|picture| picture.tl0) {
            numbers.tl0_offset = numbers.last_tl0.wrapping_add(1).wrapping_sub(tl0);
        }
        if let Some(frame) = first.frame_number(&producer.streams[stream]) {
            if is_first {
                numbers.last_frame = frame.wrapping_sub(1);
            }
            numbers.frame_offset = numbers.last_frame.wrapping_add(1).wrapping_sub(frame);
        }
        if is_first {
            numbers.timestamp_offset = 0;
            numbers.last_timestamp = first.timestamp.wrapping_sub(1);
        } else if numbers.aligned != Some(aligned) {
            let timestamp = self.aligned_timestamp(producer, stream, first);
            self.numbers.timestamp_offset = timestamp.wrapping_sub(first.timestamp);
        }
        self.numbers.aligned = Some(aligned);
    }

    /// What the first packet of another stream is to have: by both streams' reports or else by what has passed, and
    /// always after what was sent.
    fn aligned_timestamp(&self, producer: &Producer, stream: usize, first: &Entry) -> u32 {
        let numbers = &self.numbers;
        let elapsed_us = first.arrived.since(numbers.last_arrival).as_micros() as i64;
        let by_time = numbers.last_timestamp.wrapping_add(ticks(elapsed_us, producer.clock_rate));
        let by_reports = numbers.aligned.and_then(|(old, epoch)| {
            let old = producer.streams.get(old).filter(|old| old.epoch == epoch)?.clock?;
            let wall_us = producer.streams[stream].clock?.wall_us(first.timestamp, producer.clock_rate);
            Some(old.timestamp(wall_us, producer.clock_rate).wrapping_add(numbers.timestamp_offset))
        });
        let jump_max = ticks(JUMP_MAX_US, producer.clock_rate);
        let is_near =
            |timestamp: &u32| timestamp.wrapping_sub(by_time).cast_signed().unsigned_abs() < jump_max;
        let timestamp = by_reports.filter(is_near).unwrap_or(by_time);
        let step = timestamp.wrapping_sub(numbers.last_timestamp).cast_signed();
        if step > 0 { timestamp } else { numbers.last_timestamp.wrapping_add(1) }
    }

    fn write(
        &mut self,
        producer: &Producer,
        stream: &Stream,
        entry: &Entry,
        sending: &mut Sending<'_>,
        out: &mut [u8],
    ) -> Option<usize> {
        let (tail_values, payload) = stream.store.bytes_of(entry);
        let verdict = self.filter.admit(&entry.facts, entry.has_marker, stream.dependency.structure());
        let fits = HEADER_BYTES + Tail::BYTES_MAX / 2 + tail_values.len() + payload.len() <= out.len();
        let Verdict::Forward { ends_picture } = verdict else {
            self.leave_out(producer, entry);
            return None;
        };
        if payload.is_empty() || !fits {
            self.numbers.sequences.leave_out(entry.sequence);
            return None;
        }
        let rewrite = self.rewrite(stream, entry, ends_picture)?;
        let output = self.numbers.sequences.forward(entry.sequence)?;
        let stamps = stamps(sending, &rewrite, output as u16);
        let written = self.media.write(out, &stamps, &entry.tail, tail_values)?;
        let length = written.bytes + payload.len();
        out[written.bytes..length].copy_from_slice(payload);
        patch(entry, &rewrite, &mut out[..length], written.tail_at, written.bytes);
        self.remember(entry, &rewrite, output);
        let number = sending.line.handle_sent(sending.now, length, self.media.has_transport_cc());
        self.media.write_transport_number(out, entry.tail.form, number);
        self.counts.sent.add(sending.now, length);
        self.counts.octets += payload.len() as u64;
        Some(length)
    }

    /// Pictures of VP8 close up. Those of VP9 and AV1 keep their distances: that is how they refer to each other.
    fn leave_out(&mut self, producer: &Producer, entry: &Entry) {
        self.numbers.sequences.leave_out(entry.sequence);
        if producer.codec == CodecKind::Vp8 && entry.facts.picture.is_some() {
            self.numbers.pictures.leave_out(entry.picture);
        }
    }

    fn rewrite(&mut self, stream: &Stream, entry: &Entry, ends_picture: bool) -> Option<Rewrite> {
        let numbers = &mut self.numbers;
        let mut rewrite = Rewrite {
            timestamp: entry.timestamp.wrapping_add(numbers.timestamp_offset),
            has_marker: ends_picture,
            picture: 0,
            tl0: 0,
            frame_offset: numbers.frame_offset,
        };
        if let Some(picture) = entry.facts.picture {
            if entry.facts.is_key && numbers.pictures.is_far_ahead(entry.picture) {
                numbers.pictures.restart();
            }
            // What is too late for its picture is of no use.
            rewrite.picture = numbers.pictures.forward(entry.picture)? as u16 & PICTURE_MASK;
            rewrite.tl0 = picture.tl0.map_or(0, |(_, tl0)| tl0.wrapping_add(numbers.tl0_offset));
        }
        if is_after(rewrite.timestamp, numbers.last_timestamp) {
            numbers.last_timestamp = rewrite.timestamp;
            numbers.last_arrival = entry.arrived;
            numbers.last_tl0 = rewrite.tl0;
        }
        if let Some(frame) = entry.frame_number(stream) {
            let frame = frame.wrapping_add(numbers.frame_offset);
            let is_later = frame.wrapping_sub(numbers.last_frame).cast_signed() > 0;
            numbers.last_frame = if is_later { frame } else { numbers.last_frame };
        }
        Some(rewrite)
    }

    fn remember(&mut self, entry: &Entry, rewrite: &Rewrite, output: u64) {
        // Without NACK nothing is asked for.
        if self.has_nack {
            // A producer has at most eight streams.
            let stream = self.source.current.unwrap_or_default() as u8;
            let rewriting = rewrite.from(entry, stream, self.source.epoch);
            self.sent.push(&Sent { output, input: entry.sequence, rewriting });
        }
    }

    /// Sends a packet again in the stream that is for it (RFC 4588). Never as it was: its stamps would differ, and two packets of
    /// one number under one key give AES-GCM's authentication away (RFC 7714, section 8.4).
    fn write_again(
        &mut self,
        producer: &Producer,
        sequence: u16,
        sending: &mut Sending<'_>,
        out: &mut [u8],
    ) -> Option<usize> {
        let round_trip = self.round_trip();
        let sent = self.sent.resend(sending.now, sequence, round_trip)?;
        let how = sent.rewriting;
        let stream = producer.streams.get(usize::from(how.stream)).filter(|one| one.epoch == how.epoch)?;
        let entry = stream.store.find(sent.input)?;
        let (tail_values, payload) = stream.store.bytes_of(entry);
        let rewrite = Rewrite::again(entry, &how);
        let original: &[u8] = &(sent.output as u16).to_be_bytes();
        let template = self.again.as_ref()?;
        let stamps = stamps(sending, &rewrite, self.rtx_sequence);
        let written = template.write(out, &stamps, &entry.tail, tail_values)?;
        let payload_at = written.bytes + original.len();
        let length = payload_at + payload.len();
        out.get_mut(written.bytes..payload_at)?.copy_from_slice(original);
        out.get_mut(payload_at..length)?.copy_from_slice(payload);
        patch(entry, &rewrite, &mut out[..length], written.tail_at, payload_at);
        let transport_number = sending.line.handle_sent(sending.now, length, template.has_transport_cc());
        template.write_transport_number(out, entry.tail.form, transport_number);
        self.rtx_sequence = self.rtx_sequence.wrapping_add(1);
        self.counts.retransmitted.add(sending.now, length);
        Some(length)
    }
}

impl Rewrite {
    /// What it adds to a packet.
    fn from(&self, entry: &Entry, stream: u8, epoch: u32) -> Rewriting {
        Rewriting {
            stream,
            epoch,
            timestamp: self.timestamp.wrapping_sub(entry.timestamp),
            picture: self.picture.wrapping_sub(entry.picture as u16) & PICTURE_MASK,
            tl0: self.tl0.wrapping_sub(entry.tl0()),
            frame: self.frame_offset,
            toggles_marker: self.has_marker != entry.has_marker,
        }
    }

    /// The same packet in the same way.
    fn again(entry: &Entry, how: &Rewriting) -> Self {
        Self {
            timestamp: entry.timestamp.wrapping_add(how.timestamp),
            has_marker: entry.has_marker != how.toggles_marker,
            picture: (entry.picture as u16).wrapping_add(how.picture) & PICTURE_MASK,
            tl0: entry.tl0().wrapping_add(how.tl0),
            frame_offset: how.frame,
        }
    }
}

impl Entry {
    fn tl0(&self) -> u8 {
        self.facts.picture.and_then(|picture| picture.tl0).map_or(0, |(_, tl0)| tl0)
    }

    /// AV1's number of the frame, in the dependency descriptor.
    fn frame_number(&self, stream: &Stream) -> Option<u16> {
        let at = usize::from(self.tail.descriptor_at?) + FRAME_NUMBER_AT;
        let (tail, _) = stream.store.bytes_of(self);
        Some(u16::from_be_bytes([*tail.get(at)?, *tail.get(at + 1)?]))
    }
}

fn stamps(sending: &Sending<'_>, rewrite: &Rewrite, sequence: u16) -> Stamps {
    Stamps {
        has_marker: rewrite.has_marker,
        sequence,
        timestamp: rewrite.timestamp,
        send_time: sending.send_time,
    }
}

/// Writes the running numbers of pictures and frames into a packet.
fn patch(entry: &Entry, rewrite: &Rewrite, packet: &mut [u8], tail_at: usize, payload_at: usize) {
    if let (Some(picture), Some(payload)) = (entry.facts.picture, packet.get_mut(payload_at..)) {
        picture.patch(payload, rewrite.picture, rewrite.tl0);
    }
    if let (Some(at), true) = (entry.tail.descriptor_at, rewrite.frame_offset != 0) {
        let at = tail_at + usize::from(at) + FRAME_NUMBER_AT;
        if let Some(place) = packet.get_mut(at..at + 2) {
            let frame = u16::from_be_bytes([place[0], place[1]]).wrapping_add(rewrite.frame_offset);
            place.copy_from_slice(&frame.to_be_bytes());
        }
    }
}

fn is_after(a: u32, b: u32) -> bool {
    a.wrapping_sub(b).cast_signed() > 0
}
