//! Tells key frames, and reads from them what a container has to know.

use crate::media::bits::Bits;
use crate::media::codec::{Codec, Description, Size};
use crate::media::depacketise::leb128;

/// What a key frame says of its stream; none of any other frame.
pub(crate) fn describe(codec: Codec, frame: &[u8]) -> Option<Description> {
    match codec {
        Codec::Opus | Codec::Pcmu | Codec::Pcma => None,
        // Their sets may have come before, see `sets`.
        Codec::H264 | Codec::H265 => None,
        Codec::Vp8 => vp8(frame),
        Codec::Vp9 => vp9(frame),
        Codec::Av1 => av1(frame),
    }
}

/// RFC 6386, section 9.1.
fn vp8(frame: &[u8]) -> Option<Description> {
    let head = frame.first_chunk::<10>()?;
    let is_key = head[0] & 0x01 == 0 && head[3..6] == [0x9d, 0x01, 0x2a];
    let width = u16::from_le_bytes([head[6], head[7]]) & 0x3fff;
    let height = u16::from_le_bytes([head[8], head[9]]) & 0x3fff;
    (is_key && width > 0 && height > 0).then_some(Description::Vp8(Size { width, height }))
}

/// The VP9 bitstream specification, section 6.2.
fn vp9(frame: &[u8]) -> Option<Description> {
    const SYNC: u32 = 0x49_83_42;
    const SRGB: u32 = 7;
    let mut bits = Bits::new(frame);
    if bits.take(2)? != 2 {
        return None;
    }
    let profile = bits.take(1)? | (bits.take(1)? << 1);
    if profile == 3 {
        bits.skip(1)?;
    }
    let (shows_existing, is_inter) = (bits.flag()?, bits.flag()?);
    bits.skip(2)?;
    if shows_existing || is_inter || bits.take(24)? != SYNC {
        return None;
    }
    if profile >= 2 {
        bits.skip(1)?;
    }
    if bits.take(3)? == SRGB {
        bits.skip(if profile & 1 == 1 { 1 } else { 0 })?;
    } else {
        bits.skip(if profile & 1 == 1 { 4 } else { 1 })?;
    }
    let width = bits.take(16)?.checked_add(1)?;
    let height = bits.take(16)?.checked_add(1)?;
    let size = Size { width: u16::try_from(width).ok()?, height: u16::try_from(height).ok()? };
    Some(Description::Vp9 { size, profile: u8::try_from(profile).ok()? })
}

/// A picture with a sequence header begins anew (the AV1 specification, section 5.5).
fn av1(frame: &[u8]) -> Option<Description> {
    const SEQUENCE_HEADER: u8 = 1;
    let mut rest = frame;
    while let [head, after @ ..] = rest {
        let heads = if head & 0x04 != 0 { 1 } else { 0 };
        let sized = after.get(heads..)?;
        let (length, used) = leb128(sized)?;
        let body = sized.get(used..used.checked_add(length)?)?;
        let end = 1 + heads + used + length;
        if (head >> 3) & 0x0f == SEQUENCE_HEADER {
            return av1_sequence(body, rest.get(..end)?);
        }
        rest = rest.get(end..)?;
    }
    None
}

fn av1_sequence(body: &[u8], unit: &[u8]) -> Option<Description> {
    let mut bits = Bits::new(body);
    let profile = u8::try_from(bits.take(3)?).ok()?;
    bits.skip(1)?;
    let (level, is_high_tier) =
        if bits.flag()? { (bits.take(5)?, false) } else { av1_operating_point(&mut bits)? };
    let (width_bits, height_bits) = (bits.take(4)? + 1, bits.take(4)? + 1);
    let width = bits.take(width_bits)?.checked_add(1)?;
    let height = bits.take(height_bits)?.checked_add(1)?;
    Some(Description::Av1 {
        size: Size { width: u16::try_from(width).ok()?, height: u16::try_from(height).ok()? },
        profile,
        level: u8::try_from(level).ok()?,
        is_high_tier,
        sequence_header: unit.to_vec(),
    })
}

/// Level and tier of the first operating point; leaves the bits behind the last.
fn av1_operating_point(bits: &mut Bits<'_>) -> Option<(u32, bool)> {
    let mut delay_bits = None;
    if bits.flag()? {
        bits.skip(64)?;
        if bits.flag()? {
            bits.golomb()?;
        }
        if bits.flag()? {
            delay_bits = Some(usize::try_from(bits.take(5)? + 1).ok()?);
            bits.skip(32 + 5 + 5)?;
        }
    }
    let has_display_delay = bits.flag()?;
    let mut first = None;
    for _ in 0..=bits.take(5)? {
        bits.skip(12)?;
        let level = bits.take(5)?;
        let is_high_tier = level > 7 && bits.flag()?;
        first = first.or(Some((level, is_high_tier)));
        if let Some(delay_bits) = delay_bits
            && bits.flag()?
        {
            bits.skip(2 * delay_bits + 1)?;
        }
        if has_display_delay && bits.flag()? {
            bits.skip(4)?;
        }
    }
    first
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_size_of_a_vp8_key_frame_is_read() {
        let key = [0x10, 0, 0, 0x9d, 0x01, 0x2a, 0x80, 0x02, 0xe0, 0x01];
        assert_eq!(describe(Codec::Vp8, &key), Some(Description::Vp8(Size { width: 640, height: 480 })));
        assert_eq!(describe(Codec::Vp8, &[0x11; 10]), None);
    }

    #[test]
    fn whatever_is_cut_off_or_random_describes_nothing_and_does_not_panic() {
        let mut state = 7_u32;
        for length in 0..400 {
            let noise: Vec<u8> = (0..length % 64)
                .map(|_| {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    (state >> 24) as u8
                })
                .collect();
            for codec in [Codec::Vp8, Codec::Vp9, Codec::Av1] {
                describe(codec, &noise);
            }
        }
    }
}
