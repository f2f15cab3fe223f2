//! Data channels that are opened in their own stream (RFC 8832).

use taoyao_ortc::transport::SctpStreamParameters;

/// The whole answer to an OPEN.
pub(super) const ACK: [u8; 1] = [2];

const OPEN: u8 = 3;
const HEADER: usize = 12;
const UNORDERED: u8 = 0x80;
const BY_RETRANSMITS: u8 = 1;
const BY_LIFE_TIME: u8 = 2;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Open<'a> {
    channel_type: u8,
    reliability: u32,
    pub label: &'a str,
    pub protocol: &'a str,
}

impl<'a> Open<'a> {
    /// None if it is something else or broken.
    pub(super) fn read(message: &'a [u8]) -> Option<Open<'a>> {
        let (header, texts) = message.split_first_chunk::<HEADER>()?;
        if header[0] != OPEN {
            return None;
        }
        let label_len = usize::from(u16::from_be_bytes([header[8], header[9]]));
        let protocol_len = usize::from(u16::from_be_bytes([header[10], header[11]]));
        let (label, rest) = texts.split_at_checked(label_len)?;
        Some(Open {
            channel_type: header[1],
            reliability: u32::from_be_bytes([header[4], header[5], header[6], header[7]]),
            label: std::str::from_utf8(label).ok()?,
            protocol: std::str::from_utf8(rest.get(..protocol_len)?).ok()?,
        })
    }

    pub(super) fn parameters(&self, stream_id: u16) -> SctpStreamParameters {
        let value = Some(u16::try_from(self.reliability).unwrap_or(u16::MAX));
        let kind = self.channel_type & !UNORDERED;
        SctpStreamParameters {
            stream_id,
            ordered: Some(self.channel_type & UNORDERED == 0),
            max_packet_life_time: if kind == BY_LIFE_TIME { value } else { None },
            max_retransmits: if kind == BY_RETRANSMITS { value } else { None },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_open_says_how_to_send_and_what_for() {
        let mut message = vec![3, 0x81, 0, 0, 0, 0, 0, 5, 0, 4, 0, 2];
        message.extend(b"chatv1");
        let open = Open::read(&message).unwrap();
        assert_eq!((open.label, open.protocol), ("chat", "v1"));
        let parameters = open.parameters(7);
        assert_eq!((parameters.ordered, parameters.max_retransmits), (Some(false), Some(5)));
        assert_eq!(parameters.max_packet_life_time, None);
        for cut in 0..message.len() {
            assert_eq!(Open::read(&message[..cut]), None);
        }
    }
}
