//! An RTP packet as a view of its bytes (RFC 3550, section 5.1; RFC 8285).

use super::HEADER_BYTES;
use super::extension::{Elements, Form};

/// A packet whose lengths have been checked: reading it cannot fail.
#[derive(Debug, Clone, Copy)]
pub struct Packet<'a> {
    bytes: &'a [u8],
    extension: Option<(Form, &'a [u8])>,
    payload: &'a [u8],
    padding_bytes: usize,
}

/// Not RTP, or cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadPacket {
    #[error("shorter than its header")]
    Short,
    #[error("not version 2 of RTP")]
    Version,
    #[error("CSRCs or header extensions end beyond the packet")]
    Extension,
    #[error("more padding than payload")]
    Padding,
}

const CSRC_BYTES: usize = 4;
const HAS_PADDING: u8 = 0x20;
const HAS_EXTENSION: u8 = 0x10;
const MARKER: u8 = 0x80;

impl<'a> Packet<'a> {
    /// # Errors
    /// The bytes are no whole RTP packet.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, BadPacket> {
        let first = *bytes.first().ok_or(BadPacket::Short)?;
        if bytes.len() < HEADER_BYTES {
            return Err(BadPacket::Short);
        }
        if first >> 6 != 2 {
            return Err(BadPacket::Version);
        }
        let csrcs_end = HEADER_BYTES + CSRC_BYTES * usize::from(first & 0x0f);
        let rest = bytes.get(csrcs_end..).ok_or(BadPacket::Extension)?;
        let (extension, rest) =
            if first & HAS_EXTENSION == 0 { (None, rest) } else { split_extension(rest)? };
        let padding_bytes = if first & HAS_PADDING == 0 { 0 } else { padding(rest)? };
        let payload = &rest[..rest.len() - padding_bytes];
        Ok(Self { bytes, extension, payload, padding_bytes })
    }

    pub fn payload_type(&self) -> u8 {
        self.bytes[1] & !MARKER
    }

    pub fn has_marker(&self) -> bool {
        self.bytes[1] & MARKER != 0
    }

    pub fn sequence(&self) -> u16 {
        u16::from_be_bytes([self.bytes[2], self.bytes[3]])
    }

    pub fn timestamp(&self) -> u32 {
        self.word(4)
    }

    pub fn ssrc(&self) -> u32 {
        self.word(8)
    }

    pub fn payload(&self) -> &'a [u8] {
        self.payload
    }

    pub fn padding_bytes(&self) -> usize {
        self.padding_bytes
    }

    /// The whole packet's length in bytes.
    pub fn bytes(&self) -> usize {
        self.bytes.len()
    }

    /// The header extension elements in the order in which they stand.
    pub fn elements(&self) -> Elements<'a> {
        self.extension.map_or_else(Elements::none, |(form, block)| Elements::new(form, block))
    }

    /// The value of the element with this id, the first if there are several.
    pub fn element(&self, id: u8) -> Option<&'a [u8]> {
        self.elements().find(|(found, _)| *found == id).map(|(_, value)| value)
    }

    fn word(&self, at: usize) -> u32 {
        let bytes = self.bytes;
        u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
    }
}

type Split<'a> = (Option<(Form, &'a [u8])>, &'a [u8]);

/// The extension block and what stands behind it. A block of an unknown profile counts as none.
fn split_extension(bytes: &[u8]) -> Result<Split<'_>, BadPacket> {
    let (head, rest) = bytes.split_first_chunk::<4>().ok_or(BadPacket::Extension)?;
    let [profile_high, profile_low, words_high, words_low] = *head;
    let length = 4 * usize::from(u16::from_be_bytes([words_high, words_low]));
    let (block, rest) = rest.split_at_checked(length).ok_or(BadPacket::Extension)?;
    let form = Form::of_profile(u16::from_be_bytes([profile_high, profile_low]));
    Ok((form.map(|form| (form, block)), rest))
}

fn padding(bytes: &[u8]) -> Result<usize, BadPacket> {
    let count = usize::from(*bytes.last().ok_or(BadPacket::Padding)?);
    if count == 0 || count > bytes.len() { Err(BadPacket::Padding) } else { Ok(count) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain() -> Vec<u8> {
        vec![0x80, 0xe5, 0x12, 0x34, 0, 0, 0, 9, 0, 0, 0, 7, 1, 2, 3, 4]
    }

    #[test]
    fn the_fixed_header_is_read() {
        let bytes = plain();
        let packet = Packet::parse(&bytes).unwrap();
        assert_eq!((packet.payload_type(), packet.has_marker()), (101, true));
        assert_eq!((packet.sequence(), packet.timestamp(), packet.ssrc()), (0x1234, 9, 7));
        assert_eq!(packet.payload(), [1, 2, 3, 4]);
        assert_eq!(packet.element(1), None);
    }

    #[test]
    fn csrcs_extensions_and_padding_are_no_payload() {
        let mut bytes = vec![0xb2, 0x65, 0, 1, 0, 0, 0, 9, 0, 0, 0, 7];
        bytes.extend([0; 8]);
        bytes.extend([0xbe, 0xde, 0, 1, 0x10, b'a', 0x21, 1]);
        // The second element claims two bytes, of which only one is there.
        bytes.extend([5, 6, 7, 0, 2]);
        let packet = Packet::parse(&bytes).unwrap();
        assert_eq!(packet.payload(), [5, 6, 7]);
        assert_eq!(packet.padding_bytes(), 2);
        assert_eq!(packet.element(1), Some(&b"a"[..]));
        assert_eq!(packet.element(2), None);
    }

    #[test]
    fn lengths_that_do_not_fit_are_refused() {
        assert_eq!(Packet::parse(&[]).unwrap_err(), BadPacket::Short);
        assert_eq!(Packet::parse(&plain()[..11]).unwrap_err(), BadPacket::Short);
        let with = |first: u8| {
            let mut bytes = plain();
            bytes[0] = first;
            bytes
        };
        assert_eq!(Packet::parse(&with(0x40)).unwrap_err(), BadPacket::Version);
        assert_eq!(Packet::parse(&with(0x8f)).unwrap_err(), BadPacket::Extension);
        assert_eq!(Packet::parse(&with(0x90)).unwrap_err(), BadPacket::Extension);
        let mut padded = with(0xa0);
        for count in [0, 5, 255] {
            *padded.last_mut().unwrap() = count;
            assert_eq!(Packet::parse(&padded).unwrap_err(), BadPacket::Padding, "{count}");
        }
    }

    #[test]
    fn no_bytes_make_it_panic() {
        let mut state = 1_u64;
        let mut bytes = [0_u8; 64];
        for round in 0..20_000_usize {
            for byte in &mut bytes {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                *byte = (state >> 33) as u8;
            }
            bytes[0] = 0x80 | (bytes[0] & 0x3f);
            if bytes[0] & HAS_EXTENSION != 0 && round % 2 == 0 {
                let at = HEADER_BYTES + CSRC_BYTES * usize::from(bytes[0] & 0x0f);
                bytes
                    .get_mut(at..at + 4)
                    .unwrap_or(&mut [])
                    .iter_mut()
                    .zip([0xbe, 0xde, 0, 3])
                    .for_each(|(byte, value)| *byte = value);
            }
            if let Ok(packet) = Packet::parse(&bytes[..round % 65]) {
                let elements: usize = packet.elements().map(|(_, value)| value.len()).sum();
                assert!(packet.payload().len() + packet.padding_bytes() + elements <= packet.bytes());
            }
        }
    }
}
