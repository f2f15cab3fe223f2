//! Sender and receiver reports (RFC 3550 section 6.4).

use std::time::Duration;

use super::bytes::{sign_extend_24, u24_at, u32_at, u64_at};
use super::ntp::NtpTime;

pub(super) const BLOCK_BYTES: usize = 24;
pub(super) const SENDER_INFO_BYTES: usize = 20;
/// Blocks of one report: its count has 5 bits.
pub(super) const BLOCKS_MAX: usize = 31;

#[derive(Debug, Clone, Copy)]
pub struct SenderReport<'a> {
    pub ssrc: u32,
    pub info: SenderInfo,
    blocks: &'a [[u8; BLOCK_BYTES]],
}

/// When and how much `ssrc` has sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SenderInfo {
    pub ntp: NtpTime,
    /// The same moment in the stream's clock.
    pub rtp: u32,
    pub packets: u32,
    /// Of payload, without headers.
    pub octets: u32,
}

impl SenderInfo {
    /// When it was sent. None from a sender that has no notion of wall clock or elapsed time, which writes 0 (RFC 3550, section
    /// 6.4.1): what it says of its stream's clock then belongs to no moment.
    pub fn moment(&self) -> Option<NtpTime> {
        Some(self.ntp).filter(|ntp| *ntp != NtpTime(0))
    }
}

#[derive(Debug, Clone, Copy)]
pub struct ReceiverReport<'a> {
    pub ssrc: u32,
    blocks: &'a [[u8; BLOCK_BYTES]],
}

/// What a receiver says of one stream.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ReportBlock {
    pub ssrc: u32,
    /// Lost since the last report, in 1/256.
    pub fraction_lost: u8,
    /// Lost since the beginning: 24 bits, negative if more came twice than was lost.
    pub lost: i32,
    /// The highest sequence number, its wraps above it.
    pub highest: u32,
    /// In units of the stream's clock.
    pub jitter: u32,
    /// The middle of the last sender report's time; 0: there was none.
    pub last_report: u32,
    /// From that report to this block, in 1/65,536 s.
    pub delay: u32,
}

impl<'a> SenderReport<'a> {
    pub(super) fn parse(count: usize, body: &'a [u8]) -> Option<Self> {
        let info = SenderInfo {
            ntp: NtpTime(u64_at(body, 4)?),
            rtp: u32_at(body, 12)?,
            packets: u32_at(body, 16)?,
            octets: u32_at(body, 20)?,
        };
        let blocks = blocks(count, body.get(4 + SENDER_INFO_BYTES..)?)?;
        Some(Self { ssrc: u32_at(body, 0)?, info, blocks })
    }

    pub fn blocks(&self) -> impl ExactSizeIterator<Item = ReportBlock> + use<'a> {
        self.blocks.iter().map(ReportBlock::read)
    }
}

impl<'a> ReceiverReport<'a> {
    pub(super) fn parse(count: usize, body: &'a [u8]) -> Option<Self> {
        Some(Self { ssrc: u32_at(body, 0)?, blocks: blocks(count, body.get(4..)?)? })
    }

    pub fn blocks(&self) -> impl ExactSizeIterator<Item = ReportBlock> + use<'a> {
        self.blocks.iter().map(ReportBlock::read)
    }
}

/// The blocks at the front; profile-specific extensions behind them are passed over.
fn blocks(count: usize, bytes: &[u8]) -> Option<&[[u8; BLOCK_BYTES]]> {
    bytes.as_chunks().0.get(..count)
}

impl ReportBlock {
    /// How long packets travel there and back, if a sender report was heard there. `arrived` is the middle of this
    /// node's own time at which the block came.
    pub fn round_trip(&self, arrived: u32) -> Option<Duration> {
        super::ntp::round_trip(arrived, self.last_report, self.delay)
    }

    fn read(bytes: &[u8; BLOCK_BYTES]) -> ReportBlock {
        let word = |at| u32_at(bytes, at).unwrap_or_default();
        ReportBlock {
            ssrc: word(0),
            fraction_lost: bytes[4],
            lost: sign_extend_24(u24_at(bytes, 5).unwrap_or_default()),
            highest: word(8),
            jitter: word(12),
            last_report: word(16),
            delay: word(20),
        }
    }

    pub(super) fn write(&self, bytes: &mut [u8; BLOCK_BYTES]) {
        const LOST_MAX: i32 = (1 << 23) - 1;
        let lost = self.lost.clamp(-LOST_MAX - 1, LOST_MAX).to_be_bytes();
        bytes[..4].copy_from_slice(&self.ssrc.to_be_bytes());
        bytes[4..8].copy_from_slice(&[self.fraction_lost, lost[1], lost[2], lost[3]]);
        bytes[8..12].copy_from_slice(&self.highest.to_be_bytes());
        bytes[12..16].copy_from_slice(&self.jitter.to_be_bytes());
        bytes[16..20].copy_from_slice(&self.last_report.to_be_bytes());
        bytes[20..24].copy_from_slice(&self.delay.to_be_bytes());
    }
}
