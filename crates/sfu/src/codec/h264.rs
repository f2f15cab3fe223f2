//! Key frames of H.264 (RFC 6184, section 5).

use super::aggregate::units;

const IDR: u8 = 5;
const SPS: u8 = 7;
const STAP_A: u8 = 24;
const FU_A: u8 = 28;
const TYPE: u8 = 0x1f;
const FU_START: u8 = 0x80;

/// Whether the packet begins what a decoder can begin with: parameter sets or the first part of an IDR picture.
pub(super) fn is_key(payload: &[u8]) -> bool {
    let Some((&first, rest)) = payload.split_first() else { return false };
    match first & TYPE {
        IDR | SPS => true,
        STAP_A => units(rest).any(|unit| unit.first().is_some_and(|byte| is_key_unit(byte & TYPE))),
        FU_A => rest.first().is_some_and(|head| head & FU_START != 0 && is_key_unit(head & TYPE)),
        _ => false,
    }
}

fn is_key_unit(kind: u8) -> bool {
    matches!(kind, IDR | SPS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameter_sets_and_idr_pictures_are_key_frames() {
        assert!(is_key(&[0x67, 1, 2]));
        assert!(is_key(&[0x65, 1, 2]));
        assert!(is_key(&[0x78, 0, 1, 0x06, 0, 2, 0x67, 0]), "SPS in STAP-A");
        assert!(is_key(&[0x7c, 0x85, 0]), "first part of an IDR picture");
    }

    #[test]
    fn other_units_are_not() {
        assert!(!is_key(&[0x61, 1]));
        assert!(!is_key(&[0x7c, 0x45, 0]), "last part of an IDR picture");
        assert!(!is_key(&[0x7c, 0x81, 0]), "first part of another picture");
        assert!(!is_key(&[0x78, 0, 9, 0x67]), "a unit that is cut off");
        assert!(!is_key(&[0x7c]));
    }
}
