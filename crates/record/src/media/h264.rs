//! What an H264 stream says of itself: its units, and the size in a sequence parameter set (H.264, section 7.3.2.1.1).

use crate::media::bits::Bits;
use crate::media::codec::Size;

pub(crate) const IDR: u8 = 5;
pub(crate) const SPS: u8 = 7;
pub(crate) const PPS: u8 = 8;

/// Of the profiles whose sets begin with the format of their chroma.
const HIGH_PROFILES: [u32; 13] = [100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135];

/// The units of a frame that are written behind their lengths.
pub(crate) fn units(frame: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = frame;
    std::iter::from_fn(move || {
        let (length, after) = rest.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        let (unit, after) = after.split_at_checked(length)?;
        rest = after;
        Some(unit)
    })
}

pub(crate) fn kind(unit: &[u8]) -> u8 {
    unit.first().map_or(0, |head| head & 0x1f)
}

/// The size of pictures in pixels; none if the set makes no sense.
pub(crate) fn size(sps: &[u8]) -> Option<Size> {
    let plain = without_emulation(sps.get(1..)?);
    let mut bits = Bits::new(&plain);
    let profile = bits.take(8)?;
    bits.skip(16)?;
    bits.golomb()?;
    let mut chroma = 1;
    if HIGH_PROFILES.contains(&profile) {
        chroma = skip_chroma(&mut bits)?;
    }
    skip_order(&mut bits)?;
    let width_blocks = bits.golomb()?.checked_add(1)?;
    let height_units = bits.golomb()?.checked_add(1)?;
    let is_progressive = bits.flag()?;
    if !is_progressive {
        bits.skip(1)?;
    }
    bits.skip(1)?;
    let fields = if is_progressive { 1 } else { 2 };
    let (mut cut_x, mut cut_y) = (0, 0);
    if bits.flag()? {
        let (unit_x, unit_y) = match chroma {
            1 => (2, 2 * fields),
            2 => (2, fields),
            _ => (1, fields),
        };
        cut_x = bits.golomb()?.checked_add(bits.golomb()?)?.checked_mul(unit_x)?;
        cut_y = bits.golomb()?.checked_add(bits.golomb()?)?.checked_mul(unit_y)?;
    }
    let width = width_blocks.checked_mul(16)?.checked_sub(cut_x)?;
    let height = height_units.checked_mul(16 * fields)?.checked_sub(cut_y)?;
    Some(Size { width: u16::try_from(width).ok()?, height: u16::try_from(height).ok()? })
}

/// The format of chroma, and what stands behind it until `log2_max_frame_num`.
fn skip_chroma(bits: &mut Bits<'_>) -> Option<u32> {
    let chroma = bits.golomb()?;
    if chroma == 3 {
        bits.skip(1)?;
    }
    bits.golomb()?;
    bits.golomb()?;
    bits.skip(1)?;
    if bits.flag()? {
        for index in 0..if chroma == 3 { 12 } else { 8 } {
            if bits.flag()? {
                skip_scaling(bits, if index < 6 { 16 } else { 64 })?;
            }
        }
    }
    Some(chroma)
}

fn skip_scaling(bits: &mut Bits<'_>, count: u32) -> Option<()> {
    let (mut last, mut next) = (8, 8);
    for _ in 0..count {
        if next != 0 {
            next = (last + bits.golomb_signed()?).rem_euclid(256);
        }
        last = if next == 0 { last } else { next };
    }
    Some(())
}

/// Numbers of frames, and of their order.
fn skip_order(bits: &mut Bits<'_>) -> Option<()> {
    bits.golomb()?;
    match bits.golomb()? {
        0 => {
            bits.golomb()?;
        }
        1 => {
            bits.skip(1)?;
            bits.golomb()?;
            bits.golomb()?;
            for _ in 0..bits.golomb()?.min(255) {
                bits.golomb()?;
            }
        }
        _ => {}
    }
    bits.golomb()?;
    bits.skip(1)
}

/// Without the bytes that keep start codes away (section 7.4.1).
pub(crate) fn without_emulation(bytes: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(bytes.len());
    let mut zeros = 0;
    for &byte in bytes {
        if zeros >= 2 && byte == 3 {
            zeros = 0;
            continue;
        }
        zeros = if byte == 0 { zeros + 1 } else { 0 };
        plain.push(byte);
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_size_is_read_from_a_cropped_high_profile_set() {
        // 1920x1080, as x264 writes it.
        let sps = [
            0x67, 0x64, 0x00, 0x28, 0xac, 0xd9, 0x40, 0x78, 0x02, 0x27, 0xe5, 0xc0, 0x44, 0x00, 0x00, 0x03,
            0x00, 0x04, 0x00, 0x00, 0x03, 0x00, 0xf0, 0x3c, 0x60, 0xc6, 0x58,
        ];
        assert_eq!(size(&sps), Some(Size { width: 1920, height: 1080 }));
        for length in 0..10 {
            size(&sps[..length]);
        }
    }

    #[test]
    fn units_end_where_a_length_is_too_long() {
        let frame = [0, 0, 0, 1, 0x65, 0, 0, 0, 9, 1];
        assert_eq!(units(&frame).collect::<Vec<_>>(), [&[0x65]]);
    }
}
