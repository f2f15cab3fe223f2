//! What an H265 stream says of itself: the kinds of its units, and what is in a sequence parameter set (H.265, section
//! 7.3.2.2).

use crate::media::bits::Bits;
use crate::media::codec::Size;
use crate::media::h264::without_emulation;

pub(crate) const VPS: u8 = 32;
pub(crate) const SPS: u8 = 33;
pub(crate) const PPS: u8 = 34;
/// Pictures at which decoding can begin.
const FIRST_KEY: u8 = 16;
const LAST_KEY: u8 = 23;
/// Kinds below are pictures.
const PICTURES: u8 = 32;

/// What a decoder has to know before the first picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct H265Sets {
    pub(crate) vps: Vec<u8>,
    pub(crate) sps: Vec<u8>,
    pub(crate) pps: Vec<u8>,
    pub(crate) profile: Profile,
}

/// What a sequence parameter set says beside the size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Profile {
    /// The general profile: space, tier, kind, compatibility and constraints, as they stand.
    pub(crate) general: Vec<u8>,
    pub(crate) level: u8,
    pub(crate) layers: u8,
    pub(crate) is_nested: bool,
    pub(crate) chroma: u8,
    pub(crate) luma_bits: u8,
    pub(crate) chroma_bits: u8,
}

pub(crate) fn kind(unit: &[u8]) -> u8 {
    unit.first().map_or(0, |head| (head >> 1) & 0x3f)
}

pub(crate) fn is_key(kind: u8) -> bool {
    (FIRST_KEY..=LAST_KEY).contains(&kind)
}

pub(crate) fn is_picture(kind: u8) -> bool {
    kind < PICTURES
}

/// None if the set makes no sense.
pub(crate) fn read(sps: &[u8]) -> Option<(Size, Profile)> {
    const GENERAL_BYTES: usize = 11;
    let plain = without_emulation(sps.get(2..)?);
    let mut bits = Bits::new(&plain);
    bits.skip(4)?;
    let layers_minus1 = bits.take(3)?;
    let is_nested = bits.flag()?;
    let general: Option<Vec<u8>> = (0..GENERAL_BYTES).map(|_| u8::try_from(bits.take(8)?).ok()).collect();
    let level = u8::try_from(bits.take(8)?).ok()?;
    skip_layers(&mut bits, layers_minus1)?;
    bits.golomb()?;
    let chroma = bits.golomb()?;
    if chroma == 3 {
        bits.skip(1)?;
    }
    let (mut width, mut height) = (bits.golomb()?, bits.golomb()?);
    if bits.flag()? {
        let (unit_x, unit_y) = (if matches!(chroma, 1 | 2) { 2 } else { 1 }, if chroma == 1 { 2 } else { 1 });
        let (left, right, top, bottom) = (bits.golomb()?, bits.golomb()?, bits.golomb()?, bits.golomb()?);
        width = width.checked_sub(left.checked_add(right)?.checked_mul(unit_x)?)?;
        height = height.checked_sub(top.checked_add(bottom)?.checked_mul(unit_y)?)?;
    }
    let depth =
        |minus8: u32| u8::try_from(minus8).ok().filter(|minus8| *minus8 <= 8).map(|minus8| minus8 + 8);
    let (luma_bits, chroma_bits) = (depth(bits.golomb()?)?, depth(bits.golomb()?)?);
    let size = Size { width: u16::try_from(width).ok()?, height: u16::try_from(height).ok()? };
    let (layers, chroma) = (u8::try_from(layers_minus1 + 1).ok()?, u8::try_from(chroma).ok()?);
    let profile = Profile { general: general?, level, layers, is_nested, chroma, luma_bits, chroma_bits };
    (size.width > 0 && size.height > 0 && profile.chroma <= 3).then_some((size, profile))
}

/// Profiles and levels of the lower temporal layers (section 7.3.3).
fn skip_layers(bits: &mut Bits<'_>, count: u32) -> Option<()> {
    const PROFILE_BITS: usize = 88;
    const LEVEL_BITS: usize = 8;
    if count == 0 {
        return Some(());
    }
    let mut skipped = 0;
    for _ in 0..count {
        skipped += if bits.flag()? { PROFILE_BITS } else { 0 };
        skipped += if bits.flag()? { LEVEL_BITS } else { 0 };
    }
    bits.skip(2 * (8 - count as usize) + skipped)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_cut_off_or_random_says_nothing_and_does_not_panic() {
        let mut state = 9_u32;
        for length in 0..600_usize {
            let noise: Vec<u8> = (0..length % 80)
                .map(|_| {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    (state >> 24) as u8
                })
                .collect();
            let _said_or_not = read(&noise).is_some();
        }
    }

    #[test]
    fn size_and_profile_are_read_as_x265_writes_them() {
        // 320x240, Main, level 2.
        let sps = [
            0x42, 0x01, 0x01, 0x01, 0x60, 0x00, 0x00, 0x03, 0x00, 0x90, 0x00, 0x00, 0x03, 0x00, 0x00, 0x03,
            0x00, 0x3c, 0xa0, 0x0a, 0x08, 0x0f, 0x16, 0x59, 0x59, 0xa4, 0x93, 0x2b, 0xc0, 0x40, 0x40, 0x00,
            0x00, 0x03, 0x00, 0x40, 0x00, 0x00, 0x06, 0x42,
        ];
        let (size, profile) = read(&sps).unwrap();
        assert_eq!(size, Size { width: 320, height: 240 });
        assert_eq!((profile.general[0], profile.level, profile.chroma, profile.luma_bits), (1, 60, 1, 8));
    }
}
