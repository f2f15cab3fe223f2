//! Reads single bits, most significant first.

#[derive(Debug, Clone)]
pub(super) struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Bits<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// The next `count` (at most 32) bits, or nothing if there are fewer.
    pub(super) fn take(&mut self, count: usize) -> Option<u32> {
        let end = self.at.checked_add(count).filter(|end| *end <= 8 * self.bytes.len())?;
        let value = (self.at..end).fold(0, |value: u32, at| {
            let bit = (self.bytes[at / 8] >> (7 - at % 8)) & 1;
            (value << 1) | u32::from(bit)
        });
        self.at = end;
        Some(value)
    }

    pub(super) fn flag(&mut self) -> Option<bool> {
        Some(self.take(1)? == 1)
    }

    /// A number below `count`, in as few bits as it needs (AV1 RTP, section A.8.2: ns(n)).
    pub(super) fn non_symmetric(&mut self, count: u32) -> Option<u32> {
        let width = (u32::BITS - count.leading_zeros()) as usize;
        let short = (1_u32 << width) - count;
        let value = self.take(width.saturating_sub(1))?;
        if value < short {
            return Some(value);
        }
        Some((value << 1) - short + self.take(1)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_most_significant_bit_first() {
        let mut bits = Bits::new(&[0b1010_0000, 0xff]);
        assert_eq!(
            (bits.take(3), bits.take(9), bits.take(4), bits.take(1)),
            (Some(5), Some(15), Some(15), None)
        );
    }

    #[test]
    fn non_symmetric_numbers_take_as_many_bits_as_they_need() {
        let mut bits = Bits::new(&[0b0111_0111]);
        let values: Vec<_> = (0..4).map_while(|_| bits.non_symmetric(3)).collect();
        assert_eq!(values, [0, 2, 1, 2]);
        let mut one = Bits::new(&[]);
        assert_eq!(one.non_symmetric(1), Some(0));
    }
}
