//! Extended reports (RFC 3611): the times by which receivers that send nothing measure their round trip.

use std::time::Duration;

use super::bytes::{u16_at, u32_at, u64_at};
use super::ntp::NtpTime;

pub(super) const REFERENCE_TIME: u8 = 4;
pub(super) const DELAYS: u8 = 5;

#[derive(Debug, Clone, Copy)]
pub struct ExtendedReport<'a> {
    pub ssrc: u32,
    blocks: &'a [u8],
}

#[derive(Debug, Clone, Copy)]
pub enum ExtendedBlock<'a> {
    /// The receiver's own time (section 4.4); answered with a [`DelayBlock`].
    ReferenceTime(NtpTime),
    /// A sender's answer to that, one for each receiver (section 4.5).
    Delays(&'a [[u8; 12]]),
    Other(u8),
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DelayBlock {
    /// The receiver that is answered.
    pub ssrc: u32,
    /// The middle of the time that it gave.
    pub last_reference: u32,
    /// Since then, in 1/65,536 s.
    pub delay: u32,
}

impl<'a> ExtendedReport<'a> {
    pub(super) fn parse(body: &'a [u8]) -> Option<Self> {
        let report = Self { ssrc: u32_at(body, 0)?, blocks: &body[4..] };
        let end = report.walk().try_fold((), |(), block| block.map(|_| ()));
        end.map(|()| report)
    }

    pub fn blocks(&self) -> impl Iterator<Item = ExtendedBlock<'a>> + use<'a> {
        self.walk().map_while(|block| block)
    }

    /// Yields `None` once where a block goes beyond the report.
    fn walk(&self) -> impl Iterator<Item = Option<ExtendedBlock<'a>>> + use<'a> {
        let mut rest = self.blocks;
        std::iter::from_fn(move || {
            let bytes = std::mem::take(&mut rest);
            if bytes.is_empty() {
                return None;
            }
            let split = split_block(bytes);
            rest = split.map_or(&[], |(_, after)| after);
            Some(split.map(|(block, _)| block))
        })
    }
}

fn split_block(bytes: &[u8]) -> Option<(ExtendedBlock<'_>, &[u8])> {
    let kind = *bytes.first()?;
    let len = 4 * usize::from(u16_at(bytes, 2)?);
    let content = bytes.get(4..4 + len)?;
    let block = match kind {
        REFERENCE_TIME => ExtendedBlock::ReferenceTime(NtpTime(u64_at(content, 0)?)),
        DELAYS => ExtendedBlock::Delays(content.as_chunks().0),
        other => ExtendedBlock::Other(other),
    };
    Some((block, &bytes[4 + len..]))
}

impl ExtendedBlock<'_> {
    /// The answers in a block of delays; none in others.
    pub fn delays(&self) -> impl Iterator<Item = DelayBlock> {
        let answers = if let ExtendedBlock::Delays(answers) = self { *answers } else { &[] };
        answers.iter().map(|bytes| {
            let word = |at| u32_at(bytes, at).unwrap_or_default();
            DelayBlock { ssrc: word(0), last_reference: word(4), delay: word(8) }
        })
    }
}

impl DelayBlock {
    /// How long packets travel there and back; `arrived` is the middle of this node's time at which it came.
    pub fn round_trip(&self, arrived: u32) -> Option<Duration> {
        super::ntp::round_trip(arrived, self.last_reference, self.delay)
    }
}
