//! Packets as terminals send them.

use crate::world::VP8;

/// An RTP packet, with header extensions of two bytes where one does not do.
pub(crate) struct Rtp<'a> {
    pub(crate) payload_type: u8,
    pub(crate) has_marker: bool,
    pub(crate) sequence: u16,
    pub(crate) timestamp: u32,
    pub(crate) ssrc: u32,
    pub(crate) extensions: &'a [(u8, &'a [u8])],
    pub(crate) payload: &'a [u8],
}

impl Rtp<'_> {
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut bytes = vec![0x80, self.payload_type | (u8::from(self.has_marker) << 7)];
        bytes.extend(self.sequence.to_be_bytes());
        bytes.extend(self.timestamp.to_be_bytes());
        bytes.extend(self.ssrc.to_be_bytes());
        if !self.extensions.is_empty() {
            let is_long = self.extensions.iter().any(|(_, value)| value.len() > 16);
            let mut block = Vec::new();
            for (id, value) in self.extensions {
                let length = value.len() as u8;
                block.extend(if is_long { vec![*id, length] } else { vec![(id << 4) | (length - 1)] });
                block.extend(*value);
            }
            block.resize(block.len().next_multiple_of(4), 0);
            bytes[0] |= 0x10;
            bytes.extend(if is_long { [0x10, 0x00] } else { [0xbe, 0xde] });
            bytes.extend((block.len() as u16 / 4).to_be_bytes());
            bytes.extend(block);
        }
        bytes.extend(self.payload);
        bytes
    }
}

/// A frame of one packet from the SSRC 10, 30 a second.
pub(crate) fn frame(sequence: u16, picture: u16, is_key: bool) -> Vec<u8> {
    let payload = vp8(picture, 0, 0, false, is_key);
    Rtp {
        payload_type: VP8,
        has_marker: true,
        sequence,
        timestamp: u32::from(sequence) * 3_000,
        ssrc: 10,
        extensions: &[],
        payload: &payload,
    }
    .bytes()
}

/// A VP8 payload with all running numbers.
pub(crate) fn vp8(picture: u16, tl0: u8, temporal: u8, is_sync: bool, is_key: bool) -> Vec<u8> {
    let [high, low] = picture.to_be_bytes();
    let layers = (temporal << 6) | (u8::from(is_sync) << 5);
    let mut payload = vec![0x90, 0xe0, high | 0x80, low, tl0, layers, u8::from(!is_key)];
    payload.extend([0x55; 100]);
    payload
}

/// (Picture id, TL0PICIDX) of such a payload.
pub(crate) fn vp8_numbers(payload: &[u8]) -> (u16, u8) {
    (u16::from_be_bytes([payload[2] & 0x7f, payload[3]]), payload[4])
}
