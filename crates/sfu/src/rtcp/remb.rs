//! The receiver's estimate of what it can receive (draft-alvestrand-rmcat-remb-03 section 2.2).

use super::bytes::u24_at;
use super::feedback::parse_ssrcs;

pub(super) const NAME: &[u8; 4] = b"REMB";

#[derive(Debug, Clone, Copy)]
pub struct Remb<'a> {
    pub sender: u32,
    /// In bit/s.
    pub bitrate: u64,
    sources: &'a [[u8; 4]],
}

impl<'a> Remb<'a> {
    /// Other application-layer feedback has the same format number.
    pub(super) fn is_named(body: &[u8]) -> bool {
        body.get(8..12) == Some(NAME)
    }

    pub(super) fn parse(body: &'a [u8]) -> Option<Self> {
        const MANTISSA_BITS: u32 = 18;
        let (sender, _) = parse_ssrcs(body)?;
        let count = usize::from(*body.get(12)?);
        let value = u24_at(body, 13)?;
        let (exponent, mantissa) = (value >> MANTISSA_BITS, u64::from(value & ((1 << MANTISSA_BITS) - 1)));
        let bitrate = if exponent < u64::BITS - MANTISSA_BITS { mantissa << exponent } else { u64::MAX };
        let sources = body.get(16..)?.as_chunks().0.get(..count)?;
        Some(Self { sender, bitrate, sources })
    }

    /// The streams that share the bitrate.
    pub fn sources(&self) -> impl ExactSizeIterator<Item = u32> + use<'a> {
        self.sources.iter().map(|bytes| u32::from_be_bytes(*bytes))
    }
}

/// Exponent and mantissa in 24 bits, rounded down.
pub(super) fn encode(bitrate: u64) -> u32 {
    let exponent = (u64::BITS - bitrate.leading_zeros()).saturating_sub(18);
    (exponent << 18) | u32::try_from(bitrate >> exponent).unwrap_or((1 << 18) - 1)
}
