//! Source descriptions and goodbyes (RFC 3550 sections 6.5 and 6.6).

use super::bytes::u32_at;

pub(super) const ITEM_CNAME: u8 = 1;

/// What streams are called.
#[derive(Debug, Clone, Copy)]
pub struct Description<'a> {
    count: usize,
    chunks: &'a [u8],
}

impl<'a> Description<'a> {
    pub(super) fn parse(count: usize, chunks: &'a [u8]) -> Option<Self> {
        let description = Self { count, chunks };
        (description.cnames().count() == count).then_some(description)
    }

    /// Each stream with its canonical name, if one is given; not necessarily UTF-8.
    pub fn cnames(&self) -> impl Iterator<Item = (u32, Option<&'a [u8]>)> + use<'a> {
        let mut rest = self.chunks;
        (0..self.count).map_while(move |_| {
            let (chunk, after) = split_chunk(rest)?;
            rest = after;
            Some(chunk)
        })
    }
}

/// An SSRC, items, a zero, and zeros up to the next 32-bit border.
#[expect(
    clippy::type_complexity,
    reason = "a chunk and what stands behind it, taken apart at the only caller"
)]
fn split_chunk(bytes: &[u8]) -> Option<((u32, Option<&[u8]>), &[u8])> {
    let ssrc = u32_at(bytes, 0)?;
    let (mut at, mut cname) = (4, None);
    loop {
        let item = *bytes.get(at)?;
        if item == 0 {
            let end = (at + 4) & !3;
            return Some(((ssrc, cname), bytes.get(end..)?));
        }
        let len = usize::from(*bytes.get(at + 1)?);
        let text = bytes.get(at + 2..at + 2 + len)?;
        if item == ITEM_CNAME {
            cname = Some(text);
        }
        at += 2 + len;
    }
}

/// Streams that end.
#[derive(Debug, Clone, Copy)]
pub struct Bye<'a> {
    sources: &'a [[u8; 4]],
}

impl<'a> Bye<'a> {
    /// The reason that may follow is passed over.
    pub(super) fn parse(count: usize, body: &'a [u8]) -> Option<Self> {
        Some(Self { sources: body.as_chunks().0.get(..count)? })
    }

    pub fn sources(&self) -> impl ExactSizeIterator<Item = u32> + use<'a> {
        self.sources.iter().map(|bytes| u32::from_be_bytes(*bytes))
    }
}
