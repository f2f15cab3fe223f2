//! What SRTP has to know of an RTP or RTCP packet: where its clear part ends, whose it is, which number it has.

/// Of RTP (RFC 3550, section 5.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RtpHeader {
    /// Bytes of the fixed header, the sources and the extension: they are signed and not encrypted.
    pub len: usize,
    pub sequence: u16,
    pub ssrc: u32,
}

/// The clear part of a compound RTCP packet: the first packet's header and sender.
pub(super) const RTCP_HEADER: usize = 8;

/// Bytes of the word with the SRTCP index that a sealed packet ends with, before or behind the tag.
pub(super) const INDEX: usize = 4;

const FIXED: usize = 12;
const VERSION: u8 = 2;

impl RtpHeader {
    /// None if it is cut short or of another version.
    pub(super) fn read(packet: &[u8]) -> Option<RtpHeader> {
        let (fixed, _) = packet.split_first_chunk::<FIXED>()?;
        if fixed[0] >> 6 != VERSION {
            return None;
        }
        let mut len = FIXED + 4 * usize::from(fixed[0] & 0x0f);
        let has_extension = fixed[0] & 0x10 != 0;
        if has_extension {
            let words = packet.get(len + 2..len + 4)?;
            len += 4 + 4 * usize::from(u16::from_be_bytes([words[0], words[1]]));
        }
        if packet.len() < len {
            return None;
        }
        let sequence = u16::from_be_bytes([fixed[2], fixed[3]]);
        let ssrc = u32::from_be_bytes([fixed[8], fixed[9], fixed[10], fixed[11]]);
        Some(RtpHeader { len, sequence, ssrc })
    }
}

/// The sender's SSRC of a compound RTCP packet; none if it is cut short or of another version.
pub(super) fn rtcp_sender(packet: &[u8]) -> Option<u32> {
    let (header, _) = packet.split_first_chunk::<RTCP_HEADER>()?;
    (header[0] >> 6 == VERSION).then(|| u32::from_be_bytes([header[4], header[5], header[6], header[7]]))
}

/// The word with the SRTCP index and the flag that the packet is encrypted (RFC 3711, section 3.4).
pub(super) fn index_word(index: u32) -> [u8; INDEX] {
    const ENCRYPTED: u32 = 1 << 31;
    (index | ENCRYPTED).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_and_extension_belong_to_the_header() {
        let mut packet = vec![0x92, 96, 1, 2, 0, 0, 0, 0, 0, 0, 0, 9];
        packet.extend([0; 8]);
        packet.extend([0xbe, 0xde, 0, 1, 0x10, 0, 0, 0]);
        assert_eq!(RtpHeader::read(&packet), Some(RtpHeader { len: 28, sequence: 0x0102, ssrc: 9 }));
        for cut in 0..packet.len() {
            assert_eq!(RtpHeader::read(&packet[..cut]), None);
        }
    }

    #[test]
    fn another_version_is_no_rtp() {
        assert_eq!(RtpHeader::read(&[0x40; 20]), None);
        assert_eq!(rtcp_sender(&[0x40; 20]), None);
    }
}
