//! Header extension elements of one and two bytes (RFC 8285, sections 4.2 and 4.3).

/// How the elements of a block are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Ids to 14, values of 1 to 16 bytes.
    OneByte,
    /// Ids to 255, values of 0 to 255 bytes.
    TwoByte,
}

impl Form {
    pub(super) const ONE_BYTE_PROFILE: u16 = 0xbede;
    pub(super) const TWO_BYTE_PROFILE: u16 = 0x1000;
    /// The lowest four bits of the two-byte profile are free for applications.
    const TWO_BYTE_MASK: u16 = 0xfff0;

    pub(super) fn of_profile(profile: u16) -> Option<Self> {
        match profile {
            Self::ONE_BYTE_PROFILE => Some(Self::OneByte),
            other if other & Self::TWO_BYTE_MASK == Self::TWO_BYTE_PROFILE => Some(Self::TwoByte),
            _ => None,
        }
    }

    pub(super) fn profile(self) -> u16 {
        match self {
            Self::OneByte => Self::ONE_BYTE_PROFILE,
            Self::TwoByte => Self::TWO_BYTE_PROFILE,
        }
    }

    /// Bytes before each value.
    pub(super) fn prefix_bytes(self) -> usize {
        match self {
            Self::OneByte => 1,
            Self::TwoByte => 2,
        }
    }
}

/// The (id, value) pairs of a block; it ends where an element would not fit.
#[derive(Debug, Clone)]
pub struct Elements<'a> {
    form: Form,
    rest: &'a [u8],
}

/// In the one-byte form this id ends the block.
const RESERVED_ID: u8 = 15;

impl<'a> Elements<'a> {
    pub fn new(form: Form, block: &'a [u8]) -> Self {
        Self { form, rest: block }
    }

    pub fn none() -> Self {
        Self::new(Form::OneByte, &[])
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = (u8, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let (&first, rest) = self.rest.split_first()?;
            if first == 0 {
                self.rest = rest;
                continue;
            }
            let (id, length, values) = match self.form {
                Form::OneByte => (first >> 4, usize::from(first & 0x0f) + 1, rest),
                Form::TwoByte => {
                    let (&length, values) = rest.split_first()?;
                    (first, usize::from(length), values)
                }
            };
            if self.form == Form::OneByte && id == RESERVED_ID {
                return None;
            }
            let (value, rest) = values.split_at_checked(length)?;
            self.rest = rest;
            // Id 0 with a length is padding that says how long it is.
            if id != 0 {
                return Some((id, value));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_between_elements_is_skipped() {
        let block = [0, 0x10, 7, 0, 0, 0x31, 8, 9, 0];
        let elements: Vec<_> = Elements::new(Form::OneByte, &block).collect();
        assert_eq!(elements, [(1, &[7_u8][..]), (3, &[8, 9][..])]);
    }

    #[test]
    fn id_15_ends_a_block_of_one_byte_elements() {
        let block = [0x10, 7, 0xf0, 1, 0x20, 2];
        assert_eq!(Elements::new(Form::OneByte, &block).count(), 1);
    }

    #[test]
    fn two_byte_elements_may_be_empty_or_long() {
        let mut block = vec![200, 0, 0, 5, 40];
        block.extend([1; 40]);
        let elements: Vec<_> = Elements::new(Form::TwoByte, &block).collect();
        assert_eq!(elements, [(200, &[][..]), (5, &[1_u8; 40][..])]);
    }
}
