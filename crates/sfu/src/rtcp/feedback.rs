//! Feedback on single packets and pictures: NACK (RFC 4585 section 6.2.1) and FIR (RFC 5104 section 4.3.1).

use super::bytes::u32_at;

/// The sender's and the media's SSRC, with which every feedback message begins.
pub(super) fn parse_ssrcs(body: &[u8]) -> Option<(u32, u32)> {
    Some((u32_at(body, 0)?, u32_at(body, 4)?))
}

/// Packets of `media` that `sender` misses.
#[derive(Debug, Clone, Copy)]
pub struct Nack<'a> {
    pub sender: u32,
    pub media: u32,
    entries: &'a [[u8; 4]],
}

impl<'a> Nack<'a> {
    pub(super) fn parse(body: &'a [u8]) -> Option<Self> {
        let (sender, media) = parse_ssrcs(body)?;
        Some(Self { sender, media, entries: body[8..].as_chunks().0 })
    }

    /// The sequence numbers, as they stand: 17 at most for each 4 bytes.
    pub fn sequences(&self) -> impl Iterator<Item = u16> + use<'a> {
        self.entries.iter().flat_map(|&[a, b, c, d]| {
            let (first, following) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
            let others = (0..16).filter(move |bit| following >> bit & 1 == 1);
            std::iter::once(first).chain(others.map(move |bit| first.wrapping_add(bit + 1)))
        })
    }
}

/// Key frames that `sender` demands, each with a number that grows with every new demand.
#[derive(Debug, Clone, Copy)]
pub struct Fir<'a> {
    pub sender: u32,
    entries: &'a [[u8; 8]],
}

impl<'a> Fir<'a> {
    pub(super) fn parse(body: &'a [u8]) -> Option<Self> {
        let (sender, _) = parse_ssrcs(body)?;
        Some(Self { sender, entries: body[8..].as_chunks().0 })
    }

    /// (SSRC, number) of each stream.
    pub fn entries(&self) -> impl ExactSizeIterator<Item = (u32, u8)> + use<'a> {
        self.entries.iter().map(|&[a, b, c, d, number, ..]| (u32::from_be_bytes([a, b, c, d]), number))
    }
}
