//! Key frames of H.265 (RFC 7798, section 4.4).

use super::aggregate::units;

/// Random access pictures, and the parameter sets that stand before them.
const IRAP: std::ops::RangeInclusive<u8> = 16..=21;
const PARAMETER_SETS: std::ops::RangeInclusive<u8> = 32..=34;
const AGGREGATION: u8 = 48;
const FRAGMENT: u8 = 49;
const FRAGMENT_START: u8 = 0x80;
const HEADER_BYTES: usize = 2;

pub(super) fn is_key(payload: &[u8]) -> bool {
    let Some((head, rest)) = payload.split_first_chunk::<HEADER_BYTES>() else { return false };
    match kind(head[0]) {
        AGGREGATION => units(rest).any(|unit| unit.first().is_some_and(|&byte| is_key_unit(kind(byte)))),
        FRAGMENT => rest.first().is_some_and(|head| head & FRAGMENT_START != 0 && is_key_unit(head & 0x3f)),
        other => is_key_unit(other),
    }
}

fn kind(byte: u8) -> u8 {
    (byte >> 1) & 0x3f
}

fn is_key_unit(kind: u8) -> bool {
    IRAP.contains(&kind) || PARAMETER_SETS.contains(&kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_access_pictures_and_parameter_sets_are_key_frames() {
        assert!(is_key(&[32 << 1, 1, 0]), "VPS");
        assert!(is_key(&[19 << 1, 1, 0]), "IDR");
        assert!(is_key(&[49 << 1, 1, 0x80 | 21]), "first part of a CRA picture");
        assert!(is_key(&[48 << 1, 1, 0, 2, 33 << 1, 1]), "SPS in an aggregation packet");
    }

    #[test]
    fn other_units_are_not() {
        assert!(!is_key(&[1 << 1, 1, 0]));
        assert!(!is_key(&[49 << 1, 1, 21]));
        assert!(!is_key(&[48 << 1, 1, 0, 9, 33 << 1]));
        assert!(!is_key(&[32 << 1]));
    }
}
