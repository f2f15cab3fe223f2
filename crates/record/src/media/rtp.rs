//! One RTP packet, read without trust (RFC 3550, section 5.1).

use bytes::Bytes;

const FIXED_BYTES: usize = 12;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rtp {
    pub(crate) is_marked: bool,
    pub(crate) payload_type: u8,
    pub(crate) sequence: u16,
    pub(crate) timestamp: u32,
    pub(crate) ssrc: u32,
    /// Without padding; empty in packets that only probe the network.
    pub(crate) payload: Bytes,
}

impl Rtp {
    /// None if it is not RTP or is cut off.
    pub(crate) fn read(bytes: &Bytes) -> Option<Self> {
        let fixed = bytes.get(..FIXED_BYTES)?;
        if fixed[0] >> 6 != 2 {
            return None;
        }
        let start = payload_start(bytes)?;
        let end = if fixed[0] & 0x20 == 0 {
            bytes.len()
        } else {
            bytes.len().checked_sub(usize::from(*bytes.last()?))?
        };
        (start <= end).then(|| Self {
            is_marked: fixed[1] & 0x80 != 0,
            payload_type: fixed[1] & 0x7f,
            sequence: u16::from_be_bytes([fixed[2], fixed[3]]),
            timestamp: u32::from_be_bytes([fixed[4], fixed[5], fixed[6], fixed[7]]),
            ssrc: u32::from_be_bytes([fixed[8], fixed[9], fixed[10], fixed[11]]),
            payload: bytes.slice(start..end),
        })
    }
}

/// Behind the sources and the header extension.
fn payload_start(bytes: &Bytes) -> Option<usize> {
    let sources = FIXED_BYTES + 4 * usize::from(bytes[0] & 0x0f);
    if bytes[0] & 0x10 == 0 {
        return Some(sources);
    }
    let head = bytes.get(sources..sources + 4)?;
    Some(sources + 4 + 4 * usize::from(u16::from_be_bytes([head[2], head[3]])))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_extension_and_padding_are_no_payload() {
        let mut packet = vec![0xb1, 0xe0, 0, 7, 0, 0, 0, 9, 0, 0, 0, 1];
        packet.extend([0; 4]);
        packet.extend([0xbe, 0xde, 0, 1, 0x10, 0xff, 0, 0]);
        packet.extend([1, 2, 3, 0, 2]);
        let rtp = Rtp::read(&Bytes::from(packet)).unwrap();
        assert!(rtp.is_marked && rtp.payload_type == 0x60 && rtp.sequence == 7 && rtp.timestamp == 9);
        assert_eq!(rtp.payload.as_ref(), [1, 2, 3]);
    }

    #[test]
    fn whatever_is_cut_off_is_not_read() {
        let whole = [0xb1, 0xe0, 0, 7, 0, 0, 0, 9, 0, 0, 0, 1, 0, 0, 0, 0, 0xbe, 0xde, 0, 1, 1, 2, 3, 9];
        for length in 0..whole.len() {
            assert_eq!(Rtp::read(&Bytes::copy_from_slice(&whole[..length])), None, "{length}");
        }
        assert_eq!(Rtp::read(&Bytes::copy_from_slice(&whole)), None, "more padding than payload");
    }
}
