//! The packets of the load: VP8 of 1,200 bytes with a transport-wide number, stamped with when they were sent.

use taoyao_sfu::packet::Packet;

/// Bytes of each packet before it is sealed.
pub(super) const PACKET_BYTES: usize = 1_200;
pub(super) const SSRC: u32 = 10;
pub(super) const PAYLOAD_TYPE: u8 = 96;
/// Of the extension, at the producer.
pub(super) const TRANSPORT_CC: u8 = 3;
/// Of the extension, at consumers that have the router's numbers (reference section 6.2).
pub(super) const ROUTER_TRANSPORT_CC: u8 = 5;
/// Packets between two key frames.
const KEY_EVERY: u64 = 4_096;
/// Where the stamp is in a payload: behind the descriptor and a frame's header.
const STAMP_AT: usize = 16;
const STAMP_BYTES: usize = 8;

/// The packet `number` of frames of `burst` packets.
pub(super) fn write(number: u64, burst: u64, at_us: u64, packet: &mut [u8]) {
    let (frame, place) = (number / burst, number % burst);
    let (is_first, is_last) = (place == 0, place + 1 == burst);
    let marker = u8::from(is_last) << 7;
    packet[..PACKET_BYTES].fill(0x55);
    packet[..2].copy_from_slice(&[0x90, PAYLOAD_TYPE | marker]);
    let [high, low] = (number as u16).to_be_bytes();
    packet[2..4].copy_from_slice(&[high, low]);
    packet[4..8].copy_from_slice(&((frame as u32).wrapping_mul(900)).to_be_bytes());
    packet[8..12].copy_from_slice(&SSRC.to_be_bytes());
    packet[12..20].copy_from_slice(&[0xbe, 0xde, 0, 1, (TRANSPORT_CC << 4) | 1, high, low, 0]);
    let payload = &mut packet[20..PACKET_BYTES];
    // RFC 7741, section 4.2: a picture id of 15 bits, and the frame's header with a key frame's size.
    let [high, low] = (frame as u16).to_be_bytes();
    let is_key = number.is_multiple_of(KEY_EVERY / burst * burst);
    payload[..4].copy_from_slice(&[0x80 | (u8::from(is_first) << 4), 0x80, high | 0x80, low]);
    if is_first {
        let size = [u8::from(!is_key), 2, 0, 0x9d, 1, 0x2a, 0x80, 2, 0xe0, 1];
        payload[4..14].copy_from_slice(&size);
    }
    payload[STAMP_AT..STAMP_AT + STAMP_BYTES].copy_from_slice(&at_us.to_be_bytes());
}

/// When a packet was sent.
pub(super) fn stamp(packet: &[u8]) -> Option<u64> {
    let payload = Packet::parse(packet).ok()?.payload();
    let stamp = payload.get(STAMP_AT..STAMP_AT + STAMP_BYTES)?;
    Some(u64::from_be_bytes(stamp.try_into().ok()?))
}

/// The transport-wide number, which is not encrypted.
pub(super) fn transport_number(packet: &[u8]) -> Option<u16> {
    let element = Packet::parse(packet).ok()?.element(ROUTER_TRANSPORT_CC)?;
    Some(u16::from_be_bytes(element.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_is_read_where_it_was_written() {
        let mut packet = [0; PACKET_BYTES];
        for number in [0, 1, 7, 8, 70_000] {
            write(number, 8, 123_456_789 + number, &mut packet);
            assert_eq!(stamp(&packet), Some(123_456_789 + number));
        }
    }
}
