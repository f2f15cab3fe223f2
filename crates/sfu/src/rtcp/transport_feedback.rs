//! Transport-wide feedback: which packets arrived and when (draft-holmer-rmcat-transport-wide-cc-extensions-01).

use taoyao_types::limits::FEEDBACK_STATUSES_MAX;

use super::bytes::{sign_extend_24, u16_at, u24_at};
use super::feedback::parse_ssrcs;

/// One tick of an arrival's delta.
pub(super) const TICK_US: i64 = 250;
/// One unit of the reference time.
pub(super) const REFERENCE_US: i64 = 64_000;
/// The SSRCs, base, count, reference time and number.
pub(super) const HEAD_BYTES: usize = 16;

/// Symbols of a packet's status (section 3.1.1).
pub(super) mod symbol {
    pub(crate) const LOST: u8 = 0;
    pub(crate) const SMALL: u8 = 1;
    pub(crate) const LARGE: u8 = 2;
    pub(crate) const RESERVED: u8 = 3;
}

/// Which of `count` packets from `base` on arrived, and when. Checked as a whole when read.
#[derive(Debug, Clone, Copy)]
pub struct TransportFeedback<'a> {
    pub sender: u32,
    pub media: u32,
    pub base: u16,
    pub count: u16,
    /// The receiver's clock in units of 64 ms; 24 bits, so it wraps after 12 days.
    pub reference: i32,
    /// Counts the feedback packets, so that lost ones are noticed.
    pub number: u8,
    chunks: &'a [[u8; 2]],
    deltas: &'a [u8],
}

/// What became of one packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Status {
    pub sequence: u16,
    /// On the receiver's clock, in microseconds; none if it had not arrived.
    pub arrival_us: Option<i64>,
}

impl<'a> TransportFeedback<'a> {
    pub(super) fn parse(body: &'a [u8]) -> Option<Self> {
        let (sender, media) = parse_ssrcs(body)?;
        let (base, count) = (u16_at(body, 8)?, u16_at(body, 10)?);
        let reference = sign_extend_24(u24_at(body, 12)?);
        let number = *body.get(15)?;
        if count > FEEDBACK_STATUSES_MAX {
            return None;
        }
        let (chunks, delta_bytes) = measure(count, body[HEAD_BYTES..].as_chunks().0)?;
        let deltas = body.get(HEAD_BYTES + 2 * chunks.len()..)?.get(..delta_bytes)?;
        Some(Self { sender, media, base, count, reference, number, chunks, deltas })
    }

    /// The packets in the order of their sequence numbers.
    pub fn statuses(&self) -> Statuses<'a> {
        Statuses {
            sequence: self.base,
            remaining: self.count,
            chunk: Chunk::EMPTY,
            chunks: self.chunks.iter(),
            deltas: self.deltas,
            time_us: i64::from(self.reference) * REFERENCE_US,
        }
    }
}

/// The chunks that `count` statuses take, and the bytes of deltas that belong to them.
fn measure(count: u16, chunks: &[[u8; 2]]) -> Option<(&[[u8; 2]], usize)> {
    let (mut remaining, mut used, mut delta_bytes) = (count, 0, 0);
    while remaining > 0 {
        let mut chunk = Chunk::read(chunks.get(used)?);
        used += 1;
        chunk.len = chunk.len.min(remaining);
        remaining -= chunk.len;
        delta_bytes += chunk.delta_bytes()?;
        if chunk.len == 0 {
            return None;
        }
    }
    Some((&chunks[..used], delta_bytes))
}

/// A run of one symbol, or a vector of up to 14; taken from the front.
#[derive(Debug, Clone, Copy)]
struct Chunk {
    len: u16,
    /// Of a run the symbol, of a vector the remaining symbols, the first in the highest bits.
    bits: u16,
    /// 0 for a run.
    bits_per_symbol: u8,
}

impl Chunk {
    const EMPTY: Chunk = Chunk { len: 0, bits: 0, bits_per_symbol: 0 };

    fn read(bytes: &[u8; 2]) -> Chunk {
        let chunk = u16::from_be_bytes(*bytes);
        match chunk >> 14 {
            0 | 1 => Chunk { len: chunk & 0x1fff, bits: chunk >> 13, bits_per_symbol: 0 },
            2 => Chunk { len: 14, bits: chunk << 2, bits_per_symbol: 1 },
            _ => Chunk { len: 7, bits: chunk << 2, bits_per_symbol: 2 },
        }
    }

    fn take(&mut self) -> Option<u8> {
        self.len = self.len.checked_sub(1)?;
        if self.bits_per_symbol == 0 {
            return Some(self.bits as u8);
        }
        let symbol = self.bits >> (16 - self.bits_per_symbol);
        self.bits <<= self.bits_per_symbol;
        Some(symbol as u8)
    }

    /// None if it has a reserved symbol.
    fn delta_bytes(mut self) -> Option<usize> {
        let bytes_of = |symbol: u8| (symbol < symbol::RESERVED).then_some(usize::from(symbol));
        if self.bits_per_symbol == 0 {
            return Some(usize::from(self.len) * bytes_of(self.bits as u8)?);
        }
        let mut sum = 0;
        while let Some(symbol) = self.take() {
            sum += bytes_of(symbol)?;
        }
        Some(sum)
    }
}

/// See [`TransportFeedback::statuses`].
#[derive(Debug, Clone)]
pub struct Statuses<'a> {
    sequence: u16,
    remaining: u16,
    chunk: Chunk,
    chunks: std::slice::Iter<'a, [u8; 2]>,
    deltas: &'a [u8],
    time_us: i64,
}

impl Iterator for Statuses<'_> {
    type Item = Status;

    fn next(&mut self) -> Option<Status> {
        self.remaining = self.remaining.checked_sub(1)?;
        if self.chunk.len == 0 {
            self.chunk = Chunk::read(self.chunks.next()?);
        }
        let symbol = self.chunk.take()?;
        let ticks = self.take_delta(symbol)?;
        self.time_us += i64::from(ticks) * TICK_US;
        let status =
            Status { sequence: self.sequence, arrival_us: (symbol != symbol::LOST).then_some(self.time_us) };
        self.sequence = self.sequence.wrapping_add(1);
        Some(status)
    }
}

impl Statuses<'_> {
    fn take_delta(&mut self, symbol: u8) -> Option<i16> {
        let (delta, rest) = match symbol {
            symbol::SMALL => {
                let (delta, rest) = self.deltas.split_first()?;
                (i16::from(*delta), rest)
            }
            symbol::LARGE => {
                let (delta, rest) = self.deltas.split_first_chunk()?;
                (i16::from_be_bytes(*delta), rest)
            }
            _ => (0, self.deltas),
        };
        self.deltas = rest;
        Some(delta)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SSRCs 1 and 2, base 5, reference time 3, number 9.
    fn body(count: u16, rest: &[u8]) -> Vec<u8> {
        let mut body = vec![0, 0, 0, 1, 0, 0, 0, 2, 0, 5];
        body.extend(count.to_be_bytes());
        body.extend([0, 0, 3, 9]);
        body.extend(rest);
        body
    }

    fn read(count: u16, rest: &[u8]) -> Option<Vec<(u16, Option<i64>)>> {
        let body = body(count, rest);
        let feedback = TransportFeedback::parse(&body)?;
        Some(feedback.statuses().map(|status| (status.sequence, status.arrival_us)).collect())
    }

    #[test]
    fn runs_and_vectors_are_read() {
        // Two lost in a run; arrived (4 ticks), lost, arrived (-1 tick) in a vector of two bits.
        let statuses = read(5, &[0x00, 0x02, 0xd2, 0x00, 4, 0xff, 0xff]);
        let expected = [(5, None), (6, None), (7, Some(193_000)), (8, None), (9, Some(192_750))];
        assert_eq!(statuses.as_deref(), Some(&expected[..]));
    }

    #[test]
    fn missing_chunks_or_deltas_and_reserved_symbols_are_refused() {
        assert_eq!(read(3, &[0x00, 0x02]), None);
        assert_eq!(read(2, &[0x20, 0x02, 1]), None);
        assert_eq!(read(1, &[0x60, 0x01, 1]), None);
        assert_eq!(read(1, &[0x00, 0x00, 0x00, 0x00]), None, "a run of none");
        assert_eq!(read(u16::MAX, &[0x1f, 0xff].repeat(9)), None, "more than anyone has in flight");
    }
}
