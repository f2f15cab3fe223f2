//! The VP9 payload descriptor (RFC 9628, section 4.2).

use super::{Facts, PictureNumbers};

const HAS_PICTURE_ID: u8 = 0x80;
const IS_INTER: u8 = 0x40;
const HAS_LAYERS: u8 = 0x20;
/// Frames say themselves what they refer to; there is no TL0PICIDX then.
const IS_FLEXIBLE: u8 = 0x10;
const BEGINS: u8 = 0x08;
const ENDS: u8 = 0x04;
const SWITCHING_UP: u8 = 0x10;
/// The picture id follows the byte of flags.
const PICTURE_ID_AT: u8 = 1;

pub(super) fn inspect(payload: &[u8]) -> Facts {
    read(payload).unwrap_or_default()
}

fn read(payload: &[u8]) -> Option<Facts> {
    let flags = *payload.first()?;
    let mut facts = Facts { ends_frame: flags & ENDS != 0, ..Facts::default() };
    let mut at = 1;
    if flags & HAS_PICTURE_ID != 0 {
        let picture = PictureNumbers::read(payload, PICTURE_ID_AT)?;
        at += picture.id_bytes();
        facts.picture = Some(picture);
    }
    let mut needs_lower = false;
    if flags & HAS_LAYERS != 0 {
        let layers = *payload.get(at)?;
        facts.temporal = layers >> 5;
        facts.spatial = (layers >> 1) & 0x07;
        facts.is_switching_point = layers & SWITCHING_UP != 0;
        facts.frees_upper = facts.is_switching_point;
        needs_lower = layers & 1 != 0;
        if flags & IS_FLEXIBLE == 0 {
            // At most the fifth byte.
            let tl0 = (at as u8 + 1, *payload.get(at + 1)?);
            facts.picture = facts.picture.map(|picture| PictureNumbers { tl0: Some(tl0), ..picture });
        }
    }
    let begins = flags & BEGINS != 0;
    facts.starts_picture = begins && facts.spatial == 0;
    facts.is_key = facts.starts_picture && flags & IS_INTER == 0 && !needs_lower;
    Some(facts)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Flags, a wide picture id, layers (temporal, U, spatial, D), TL0PICIDX.
    fn payload(flags: u8, temporal: u8, spatial: u8, rest: u8) -> [u8; 6] {
        [0xa0 | flags, 0x81, 0x02, (temporal << 5) | (spatial << 1) | rest, 7, 0]
    }

    #[test]
    fn layers_and_ends_are_read() {
        let facts = inspect(&payload(IS_INTER | ENDS, 2, 1, SWITCHING_UP));
        assert_eq!((facts.temporal, facts.spatial), (2, 1));
        assert!(facts.ends_frame && facts.is_switching_point && !facts.is_key && !facts.starts_picture);
    }

    #[test]
    fn only_the_lowest_layer_of_a_key_picture_is_a_key_frame() {
        assert!(inspect(&payload(BEGINS, 0, 0, 0)).is_key);
        assert!(!inspect(&payload(BEGINS, 0, 1, 1)).is_key);
        assert!(!inspect(&payload(BEGINS | IS_INTER, 0, 0, 0)).is_key);
        assert!(!inspect(&payload(0, 0, 0, 0)).is_key);
    }

    #[test]
    fn pictures_are_numbered_in_both_widths_and_modes() {
        let mut wide = payload(IS_INTER, 1, 0, 0);
        let picture = inspect(&wide).picture.unwrap();
        assert_eq!((picture.id, picture.tl0), (0x102, Some((4, 7))));
        picture.patch(&mut wide, 0x7ffe, 9);
        assert_eq!(wide, [0xa0 | IS_INTER, 0xff, 0xfe, 1 << 5, 9, 0]);
        let mut narrow = [0xb0, 0x05, 0x40, 0x02, 0];
        let picture = inspect(&narrow).picture.unwrap();
        assert_eq!((picture.id, picture.is_wide, picture.tl0), (5, false, None), "flexible");
        picture.patch(&mut narrow, 0x1ff, 9);
        assert_eq!(narrow, [0xb0, 0x7f, 0x40, 0x02, 0]);
    }
}
