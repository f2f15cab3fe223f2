//! Writing RTCP into a caller's buffer. A packet that does not fit leaves the buffer as it was.

use super::compound::{HEADER_BYTES, VERSION, format, kind};
use super::description::ITEM_CNAME;
use super::extended::{DELAYS, DelayBlock, REFERENCE_TIME};
use super::ntp::NtpTime;
use super::remb;
use super::report::{BLOCK_BYTES, BLOCKS_MAX, ReportBlock, SENDER_INFO_BYTES, SenderInfo};
use super::told::{Chunks, STATUSES_MAX, Told};
use super::transport_feedback::HEAD_BYTES;

/// The buffer has no room for this packet; send what it holds and begin anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the buffer has no room for another RTCP packet")]
pub struct NoRoom;

/// Appends packets to a compound.
#[derive(Debug)]
pub struct Writer<'a> {
    buffer: &'a mut [u8],
    len: usize,
}

/// What stands at the front of a transport feedback.
#[derive(Debug, Clone, Copy)]
pub struct TransportFeedbackHead {
    pub sender: u32,
    pub media: u32,
    /// The sequence number of the first status.
    pub base: u16,
    /// Grows by one with each feedback.
    pub number: u8,
}

impl<'a> Writer<'a> {
    pub fn new(buffer: &'a mut [u8]) -> Writer<'a> {
        Writer { buffer, len: 0 }
    }

    /// Bytes written so far.
    pub fn len(&self) -> usize {
        self.len
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// At most 31 blocks; the rest is left out.
    pub fn sender_report(
        &mut self,
        ssrc: u32,
        info: &SenderInfo,
        blocks: &[ReportBlock],
    ) -> Result<(), NoRoom> {
        let blocks = &blocks[..blocks.len().min(BLOCKS_MAX)];
        let bytes = 4 + SENDER_INFO_BYTES + BLOCK_BYTES * blocks.len();
        let body = self.begin(kind::SENDER_REPORT, blocks.len() as u8, bytes)?;
        body[..4].copy_from_slice(&ssrc.to_be_bytes());
        body[4..12].copy_from_slice(&info.ntp.0.to_be_bytes());
        put_words(&mut body[12..24], [info.rtp, info.packets, info.octets]);
        put_blocks(&mut body[24..], blocks);
        Ok(())
    }

    /// At most 31 blocks; the rest is left out.
    pub fn receiver_report(&mut self, ssrc: u32, blocks: &[ReportBlock]) -> Result<(), NoRoom> {
        let blocks = &blocks[..blocks.len().min(BLOCKS_MAX)];
        let bytes = 4 + BLOCK_BYTES * blocks.len();
        let body = self.begin(kind::RECEIVER_REPORT, blocks.len() as u8, bytes)?;
        body[..4].copy_from_slice(&ssrc.to_be_bytes());
        put_blocks(&mut body[4..], blocks);
        Ok(())
    }

    /// A description of one stream. Names of more than 255 bytes are cut.
    pub fn cname(&mut self, ssrc: u32, cname: &str) -> Result<(), NoRoom> {
        let text = &cname.as_bytes()[..cname.len().min(usize::from(u8::MAX))];
        // SSRC, item and length, text, and at least one zero up to the border.
        let bytes = (4 + 2 + text.len() + 4) & !3;
        let body = self.begin(kind::DESCRIPTION, 1, bytes)?;
        body[..4].copy_from_slice(&ssrc.to_be_bytes());
        body[4..6].copy_from_slice(&[ITEM_CNAME, text.len() as u8]);
        body[6..6 + text.len()].copy_from_slice(text);
        body[6 + text.len()..].fill(0);
        Ok(())
    }

    /// At most 31 streams; the rest is left out.
    pub fn bye(&mut self, sources: &[u32]) -> Result<(), NoRoom> {
        let sources = &sources[..sources.len().min(BLOCKS_MAX)];
        let body = self.begin(kind::BYE, sources.len() as u8, 4 * sources.len())?;
        put_words(body, sources.iter().copied());
        Ok(())
    }

    /// Asks for `missing`, which is in the order of sequence numbers. Returns how many of them found room.
    pub fn nack(&mut self, sender: u32, media: u32, missing: &[u16]) -> Result<usize, NoRoom> {
        let room = (self.buffer.len() - self.len).saturating_sub(HEADER_BYTES + 8) / 4;
        let (entries, covered) = count_entries(missing, room);
        if entries == 0 {
            return Err(NoRoom);
        }
        let body = self.begin_feedback(kind::TRANSPORT_FEEDBACK, format::NACK, sender, media, 4 * entries)?;
        let mut rest = &missing[..covered];
        for entry in body.as_chunks_mut::<4>().0 {
            let (first, following, after) = take_entry(rest);
            entry[..2].copy_from_slice(&first.to_be_bytes());
            entry[2..].copy_from_slice(&following.to_be_bytes());
            rest = after;
        }
        Ok(covered)
    }

    pub fn pli(&mut self, sender: u32, media: u32) -> Result<(), NoRoom> {
        self.begin_feedback(kind::PAYLOAD_FEEDBACK, format::PLI, sender, media, 0).map(|_| ())
    }

    /// `number` grows by one with each new demand to `media`.
    pub fn fir(&mut self, sender: u32, media: u32, number: u8) -> Result<(), NoRoom> {
        let body = self.begin_feedback(kind::PAYLOAD_FEEDBACK, format::FIR, sender, 0, 8)?;
        put_words(body, [media, u32::from(number) << 24]);
        Ok(())
    }

    /// `bitrate` (bit/s, rounded down to 18 bits) is shared by at most 255 streams; the rest is left out.
    pub fn remb(&mut self, sender: u32, bitrate: u64, sources: &[u32]) -> Result<(), NoRoom> {
        let sources = &sources[..sources.len().min(usize::from(u8::MAX))];
        let bytes = 8 + 4 * sources.len();
        let body = self.begin_feedback(kind::PAYLOAD_FEEDBACK, format::REMB, sender, 0, bytes)?;
        body[..4].copy_from_slice(remb::NAME);
        let count = (sources.len() as u32) << 24;
        put_words(&mut body[4..], [count | remb::encode(bitrate)].into_iter().chain(sources.iter().copied()));
        Ok(())
    }

    /// The own time of a receiver (RFC 3611 section 4.4).
    pub fn reference_time(&mut self, ssrc: u32, ntp: NtpTime) -> Result<(), NoRoom> {
        let body = self.begin(kind::EXTENDED, 0, 16)?;
        put_words(body, [ssrc, u32::from(REFERENCE_TIME) << 24 | 2]);
        body[8..].copy_from_slice(&ntp.0.to_be_bytes());
        Ok(())
    }

    /// Answers to receivers' times (RFC 3611 section 4.5); at most 31, the rest is left out.
    pub fn delays(&mut self, ssrc: u32, delays: &[DelayBlock]) -> Result<(), NoRoom> {
        let delays = &delays[..delays.len().min(BLOCKS_MAX)];
        let body = self.begin(kind::EXTENDED, 0, 8 + 12 * delays.len())?;
        put_words(body, [ssrc, (u32::from(DELAYS) << 24) | (3 * delays.len() as u32)]);
        let words = delays.iter().flat_map(|delay| [delay.ssrc, delay.last_reference, delay.delay]);
        put_words(&mut body[8..], words);
        Ok(())
    }

    /// Tells the arrivals (microseconds) of the packets from `head.base` on, none for a missing one.
    ///
    /// Returns how many were told: fewer where there is no more room, after [`STATUSES_MAX`], or where two arrivals lie
    /// more than 8 s apart. The rest belongs into another feedback.
    pub fn transport_feedback(
        &mut self,
        head: TransportFeedbackHead,
        arrivals: impl IntoIterator<Item = Option<i64>>,
    ) -> Result<usize, NoRoom> {
        // In the worst case a status takes two bytes and a seventh of a chunk.
        let room = (self.buffer.len() - self.len).saturating_sub(HEADER_BYTES + HEAD_BYTES + 4);
        let told = Told::gather(arrivals, (room * 7 / 16).min(STATUSES_MAX)).ok_or(NoRoom)?;
        let chunk_bytes = 2 * Chunks(told.symbols()).count();
        let bytes = HEAD_BYTES - 8 + chunk_bytes + told.delta_bytes;
        let padded = bytes.next_multiple_of(4);
        let body =
            self.begin_feedback(kind::TRANSPORT_FEEDBACK, format::TWCC, head.sender, head.media, padded)?;
        let base = u32::from(head.base) << 16 | told.len as u32;
        let reference = (told.reference as u32) << 8 | u32::from(head.number);
        put_words(body, [base, reference]);
        let (chunks, deltas) = body[8..].split_at_mut(chunk_bytes);
        for (place, chunk) in chunks.as_chunks_mut().0.iter_mut().zip(Chunks(told.symbols())) {
            *place = chunk.to_be_bytes();
        }
        told.put_deltas(deltas);
        Ok(told.len)
    }

    fn begin_feedback(
        &mut self,
        kind: u8,
        format: u8,
        sender: u32,
        media: u32,
        bytes: usize,
    ) -> Result<&mut [u8], NoRoom> {
        let body = self.begin(kind, format, 8 + bytes)?;
        let (ssrcs, content) = body.split_at_mut(8);
        put_words(ssrcs, [sender, media]);
        Ok(content)
    }

    /// Writes the header of a packet whose body has `bytes`, a multiple of 4, and returns the place of the body.
    fn begin(&mut self, kind: u8, format: u8, bytes: usize) -> Result<&mut [u8], NoRoom> {
        let free = &mut self.buffer[self.len..];
        let (packet, _) = free.split_at_mut_checked(HEADER_BYTES + bytes).ok_or(NoRoom)?;
        let words = u16::try_from(bytes / 4).map_err(|_| NoRoom)?.to_be_bytes();
        let (header, body) = packet.split_at_mut(HEADER_BYTES);
        header.copy_from_slice(&[VERSION << 6 | format, kind, words[0], words[1]]);
        self.len += HEADER_BYTES + bytes;
        Ok(body)
    }
}

fn put_words(place: &mut [u8], words: impl IntoIterator<Item = u32>) {
    for (place, word) in place.as_chunks_mut().0.iter_mut().zip(words) {
        *place = word.to_be_bytes();
    }
}

fn put_blocks(place: &mut [u8], blocks: &[ReportBlock]) {
    for (place, block) in place.as_chunks_mut().0.iter_mut().zip(blocks) {
        block.write(place);
    }
}

/// How many entries, at most `room`, and how many of the sequence numbers they cover.
fn count_entries(missing: &[u16], room: usize) -> (usize, usize) {
    let (mut rest, mut entries) = (missing, 0);
    while !rest.is_empty() && entries < room {
        rest = take_entry(rest).2;
        entries += 1;
    }
    (entries, missing.len() - rest.len())
}

/// A sequence number, the bits of those among the 16 behind it, and what is left. Of nothing: zeros.
fn take_entry(missing: &[u16]) -> (u16, u16, &[u16]) {
    let Some((&first, mut rest)) = missing.split_first() else { return (0, 0, &[]) };
    let mut following = 0;
    while let Some((&next, after)) = rest.split_first() {
        match next.wrapping_sub(first) {
            0 => {}
            distance @ 1..=16 => following |= 1 << (distance - 1),
            _ => break,
        }
        rest = after;
    }
    (first, following, rest)
}
