//! Takes frames' bytes out of packets: the payload formats of VP8, VP9, AV1, H264 and H265.
//!
//! Own code, because what comes is hostile: the depacketisers of rtc-rtp 0.21 index beyond the end of a cut STAP-A or OBU.

use bytes::{BufMut, Bytes, BytesMut};

use crate::media::codec::Codec;

/// What one packet adds to a frame.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Piece {
    /// It can be the first of a frame.
    pub(crate) is_start: bool,
    /// It ends one layer of a picture that has several (VP9).
    pub(crate) ends_layer: bool,
    /// Whole units, or a part of the one under way.
    pub(crate) bytes: Bytes,
}

/// One stream's unit under way.
#[derive(Debug)]
pub(crate) struct Depacketiser {
    codec: Codec,
    /// A NAL unit or an OBU whose end has not come.
    open: BytesMut,
}

impl Depacketiser {
    pub(crate) fn new(codec: Codec) -> Self {
        Self { codec, open: BytesMut::new() }
    }

    /// None if the payload is not one of the codec.
    pub(crate) fn read(&mut self, payload: &Bytes) -> Option<Piece> {
        match self.codec {
            Codec::Opus | Codec::Pcmu | Codec::Pcma => {
                Some(Piece { is_start: true, ends_layer: false, bytes: payload.clone() })
            }
            Codec::Vp8 => vp8(payload),
            Codec::Vp9 => vp9(payload),
            Codec::Av1 => self.av1(payload),
            Codec::H264 => self.h264(payload),
            Codec::H265 => self.h265(payload),
        }
    }

    /// Forgets the unit under way: a part of it was lost.
    pub(crate) fn reset(&mut self) {
        self.open.clear();
    }

    /// RFC 6184, section 5.4; units go out behind their length in 4 bytes.
    fn h264(&mut self, payload: &Bytes) -> Option<Piece> {
        const STAP_A: u8 = 24;
        const FU_A: u8 = 28;
        let head = *payload.first()?;
        match head & 0x1f {
            1..=23 => {
                let mut bytes = BytesMut::with_capacity(payload.len() + 4);
                put_unit(&mut bytes, payload)?;
                Some(Piece { is_start: true, ends_layer: false, bytes: bytes.freeze() })
            }
            STAP_A => units_of(payload.get(1..)?),
            FU_A => {
                let fragment = *payload.get(1)?;
                let is_first = fragment & 0x80 != 0;
                if is_first {
                    self.open.clear();
                    self.open.put_u8((head & 0xe0) | (fragment & 0x1f));
                }
                self.add_fragment(is_first, fragment & 0x40 != 0, payload.get(2..)?)
            }
            _ => None,
        }
    }

    /// RFC 7798, section 4.4, without decoding order numbers, which nobody agrees on in WebRTC; units go out behind their
    /// length in 4 bytes.
    fn h265(&mut self, payload: &Bytes) -> Option<Piece> {
        const AGGREGATION: u8 = 48;
        const FRAGMENT: u8 = 49;
        let &[head, layer, ..] = payload.as_ref() else { return None };
        match (head >> 1) & 0x3f {
            0..AGGREGATION => {
                let mut bytes = BytesMut::with_capacity(payload.len() + 4);
                put_unit(&mut bytes, payload)?;
                Some(Piece { is_start: true, ends_layer: false, bytes: bytes.freeze() })
            }
            AGGREGATION => units_of(payload.get(2..)?),
            FRAGMENT => {
                let fragment = *payload.get(2)?;
                let is_first = fragment & 0x80 != 0;
                if is_first {
                    self.open.clear();
                    self.open.put_slice(&[(head & 0x81) | ((fragment & 0x3f) << 1), layer]);
                }
                self.add_fragment(is_first, fragment & 0x40 != 0, payload.get(3..)?)
            }
            _ => None,
        }
    }

    /// A part of a unit whose head is in `open` since its first part.
    fn add_fragment(&mut self, is_first: bool, is_last: bool, part: &[u8]) -> Option<Piece> {
        if self.open.is_empty() {
            return Some(Piece::default());
        }
        self.open.extend_from_slice(part);
        let mut bytes = BytesMut::new();
        if is_last {
            put_unit(&mut bytes, &self.open.split())?;
        }
        Some(Piece { is_start: is_first, ends_layer: false, bytes: bytes.freeze() })
    }

    /// The AV1 RTP specification, section 4.3; units go out with their sizes, temporal delimiters are left out.
    fn av1(&mut self, payload: &Bytes) -> Option<Piece> {
        let head = *payload.first()?;
        let (continues, goes_on, count) = (head & 0x80 != 0, head & 0x40 != 0, (head >> 4) & 0x03);
        if !continues {
            self.open.clear();
        }
        let mut bytes = BytesMut::with_capacity(payload.len() + 8);
        let (mut rest, mut index) = (payload.get(1..)?, 0);
        while !rest.is_empty() {
            index += 1;
            let (element, after) = if index == count { (rest, &[][..]) } else { av1_element(rest)? };
            rest = after;
            let is_orphan = index == 1 && continues && self.open.is_empty();
            if !is_orphan {
                self.open.extend_from_slice(element);
            }
            let stays_open = rest.is_empty() && goes_on;
            if !stays_open {
                put_obu(&mut bytes, &self.open.split());
            }
        }
        Some(Piece { is_start: !continues, ends_layer: false, bytes: bytes.freeze() })
    }
}

/// Several units, each behind its length in 2 bytes.
fn units_of(aggregate: &[u8]) -> Option<Piece> {
    let mut bytes = BytesMut::with_capacity(2 * aggregate.len());
    let mut rest = aggregate;
    while let [high, low, after @ ..] = rest {
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        put_unit(&mut bytes, after.get(..length)?)?;
        rest = after.get(length..)?;
    }
    Some(Piece { is_start: true, ends_layer: false, bytes: bytes.freeze() })
}

fn put_unit(bytes: &mut BytesMut, unit: &[u8]) -> Option<()> {
    if !unit.is_empty() {
        bytes.put_u32(u32::try_from(unit.len()).ok()?);
        bytes.put_slice(unit);
    }
    Some(())
}

/// RFC 7741, section 4.2.
fn vp8(payload: &Bytes) -> Option<Piece> {
    let head = *payload.first()?;
    let mut at = 1;
    if head & 0x80 != 0 {
        let extension = *payload.get(at)?;
        at += 1;
        if extension & 0x80 != 0 {
            at += if *payload.get(at)? & 0x80 != 0 { 2 } else { 1 };
        }
        at += usize::from(extension & 0x40 != 0) + usize::from(extension & 0x30 != 0);
    }
    let is_start = head & 0x10 != 0 && head & 0x07 == 0;
    (at <= payload.len()).then(|| Piece { is_start, ends_layer: false, bytes: payload.slice(at..) })
}

/// RFC 9628, section 4.2.
fn vp9(payload: &Bytes) -> Option<Piece> {
    let head = *payload.first()?;
    let is = |mask: u8| head & mask != 0;
    let (has_id, is_inter, has_layers, is_flexible) = (is(0x80), is(0x40), is(0x20), is(0x10));
    let (begins, ends, has_structure) = (is(0x08), is(0x04), is(0x02));
    let mut at = 1;
    if has_id {
        at += if *payload.get(at)? & 0x80 != 0 { 2 } else { 1 };
    }
    let mut spatial = 0;
    if has_layers {
        spatial = (*payload.get(at)? >> 1) & 0x07;
        at += if is_flexible { 1 } else { 2 };
    }
    if is_flexible && is_inter {
        // Up to three references, each saying whether another follows.
        while *payload.get(at)? & 0x01 != 0 {
            at += 1;
        }
        at += 1;
    }
    if has_structure {
        at = vp9_structure_end(payload, at)?;
    }
    let is_start = begins && spatial == 0;
    (at <= payload.len()).then(|| Piece { is_start, ends_layer: ends, bytes: payload.slice(at..) })
}

fn vp9_structure_end(payload: &Bytes, start: usize) -> Option<usize> {
    let head = *payload.get(start)?;
    let mut at = start + 1;
    if head & 0x10 != 0 {
        at += 4 * (usize::from(head >> 5) + 1);
    }
    if head & 0x08 != 0 {
        let pictures = *payload.get(at)?;
        at += 1;
        for _ in 0..pictures {
            at += 1 + usize::from((*payload.get(at)? >> 2) & 0x03);
        }
    }
    Some(at)
}

/// An element behind its length, and what follows.
fn av1_element(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, used) = leb128(bytes)?;
    bytes.get(used..)?.split_at_checked(length)
}

/// A number in groups of 7 bits (AV1, section 4.10.5), and how many bytes it took.
pub(crate) fn leb128(bytes: &[u8]) -> Option<(usize, usize)> {
    let mut value = 0;
    for (index, byte) in bytes.iter().take(4).enumerate() {
        value |= usize::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return Some((value, index + 1));
        }
    }
    None
}

/// An OBU with its size, but for temporal delimiters, tile lists and padding.
fn put_obu(bytes: &mut BytesMut, unit: &[u8]) {
    const LEFT_OUT: [u8; 3] = [2, 8, 15];
    let Some(&head) = unit.first() else { return };
    if LEFT_OUT.contains(&((head >> 3) & 0x0f)) {
        return;
    }
    if head & 0x02 != 0 {
        bytes.put_slice(unit);
        return;
    }
    let head_bytes = if head & 0x04 != 0 { 2 } else { 1 };
    let Some((heads, body)) = unit.split_at_checked(head_bytes) else { return };
    bytes.put_u8(head | 0x02);
    bytes.put_slice(&heads[1..]);
    let mut length = body.len();
    while length > 0x7f {
        bytes.put_u8((length & 0x7f) as u8 | 0x80);
        length >>= 7;
    }
    bytes.put_u8(length as u8);
    bytes.put_slice(body);
}

#[cfg(test)]
mod tests {
    use super::*;

    const VIDEO: [Codec; 5] = [Codec::Vp8, Codec::Vp9, Codec::Av1, Codec::H264, Codec::H265];

    #[test]
    fn no_payload_of_up_to_three_bytes_panics() {
        for codec in VIDEO {
            let mut depacketiser = Depacketiser::new(codec);
            for number in 0..0x0100_0000_u32 {
                // Every first byte with a sample of the others keeps this fast without optimisation.
                if number & 0xffff > 0x1ff && number % 251 != 0 {
                    continue;
                }
                let payload = Bytes::copy_from_slice(&number.to_be_bytes()[1..]);
                for length in 0..=3 {
                    depacketiser.read(&payload.slice(..length));
                }
            }
        }
    }

    #[test]
    fn a_fragmented_unit_comes_out_whole_and_one_without_its_head_does_not() {
        let mut h264 = Depacketiser::new(Codec::H264);
        assert_eq!(h264.read(&Bytes::from_static(&[0x7c, 0x05, 9])), Some(Piece::default()));
        assert!(h264.read(&Bytes::from_static(&[0x7c, 0x85, 1, 2])).unwrap().is_start);
        let piece = h264.read(&Bytes::from_static(&[0x7c, 0x45, 3])).unwrap();
        assert_eq!(piece.bytes.as_ref(), [0, 0, 0, 4, 0x65, 1, 2, 3]);
    }

    #[test]
    fn an_obu_in_two_packets_gets_its_size() {
        let mut av1 = Depacketiser::new(Codec::Av1);
        assert!(av1.read(&Bytes::from_static(&[0x50, 0x30, 1])).unwrap().bytes.is_empty());
        let piece = av1.read(&Bytes::from_static(&[0x90, 2])).unwrap();
        assert_eq!(piece.bytes.as_ref(), [0x32, 2, 1, 2]);
    }
}
