//! Reads the bits of codecs' headers, the highest first.

pub(crate) struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Bits<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// Up to 32 bits as a number; none behind the end.
    pub(crate) fn take(&mut self, count: u32) -> Option<u32> {
        let mut value: u64 = 0;
        for _ in 0..count.min(32) {
            let byte = *self.bytes.get(self.at / 8)?;
            value = (value << 1) | u64::from((byte >> (7 - self.at % 8)) & 1);
            self.at += 1;
        }
        u32::try_from(value).ok()
    }

    pub(crate) fn flag(&mut self) -> Option<bool> {
        self.take(1).map(|bit| bit == 1)
    }

    pub(crate) fn skip(&mut self, count: usize) -> Option<()> {
        self.at += count;
        (self.at <= self.bytes.len() * 8).then_some(())
    }

    /// An unsigned Exp-Golomb number (H.264, section 9.1).
    pub(crate) fn golomb(&mut self) -> Option<u32> {
        let mut zeros = 0;
        while !self.flag()? {
            zeros += 1;
            if zeros > 31 {
                return None;
            }
        }
        let rest = self.take(zeros)?;
        u32::try_from((1u64 << zeros) - 1 + u64::from(rest)).ok()
    }

    /// A signed one; its sign does not matter to anyone here.
    pub(crate) fn golomb_signed(&mut self) -> Option<i64> {
        let value = i64::from(self.golomb()?);
        Some(if value % 2 == 0 { -(value / 2) } else { value / 2 + 1 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn golomb_numbers_are_read_and_the_end_is_noticed() {
        // 1 | 010 | 011 | 00100 | 0…
        let mut bits = Bits::new(&[0b1010_0110, 0b0100_0000]);
        assert_eq!(
            [bits.golomb(), bits.golomb(), bits.golomb(), bits.golomb()],
            [Some(0), Some(1), Some(2), Some(3)]
        );
        assert_eq!(bits.golomb(), None);
    }
}
