//! The VP8 payload descriptor (RFC 7741, section 4.2).

use super::{Facts, PictureNumbers};

const EXTENDED: u8 = 0x80;
const START: u8 = 0x10;
const PARTITION: u8 = 0x07;
const HAS_PICTURE_ID: u8 = 0x80;
const HAS_TL0: u8 = 0x40;
const HAS_TID: u8 = 0x20;
const HAS_KEYIDX: u8 = 0x10;
const LAYER_SYNC: u8 = 0x20;
/// The picture id follows the two bytes of flags.
const PICTURE_ID_AT: u8 = 2;

pub(super) fn inspect(payload: &[u8], has_marker: bool) -> Facts {
    read(payload, has_marker).unwrap_or(Facts { ends_frame: has_marker, ..Facts::default() })
}

fn read(payload: &[u8], has_marker: bool) -> Option<Facts> {
    let first = *payload.first()?;
    let mut facts = Facts { ends_frame: has_marker, ..Facts::default() };
    let mut at = 1;
    if first & EXTENDED != 0 {
        let flags = *payload.get(1)?;
        at = 2;
        if flags & HAS_PICTURE_ID != 0 {
            let picture = PictureNumbers::read(payload, PICTURE_ID_AT)?;
            at += picture.id_bytes();
            facts.picture = Some(picture);
        }
        if flags & HAS_TL0 != 0 {
            // A descriptor has at most six bytes.
            let tl0 = (at as u8, *payload.get(at)?);
            facts.picture = facts.picture.map(|picture| PictureNumbers { tl0: Some(tl0), ..picture });
            at += 1;
        }
        if flags & (HAS_TID | HAS_KEYIDX) != 0 {
            let byte = *payload.get(at)?;
            at += 1;
            if flags & HAS_TID != 0 {
                facts.temporal = byte >> 6;
                facts.is_switching_point = byte & LAYER_SYNC != 0;
            }
        }
    }
    facts.starts_picture = first & START != 0 && first & PARTITION == 0;
    // The lowest bit of the frame's own header is 0 in key frames (RFC 6386, section 9.1).
    facts.is_key = facts.starts_picture && payload.get(at)? & 1 == 0;
    Some(facts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_descriptor_with_everything_is_read_and_patched() {
        let mut payload = vec![0x90, 0xf0, 0x92, 0x34, 0x56, 0x60, 0x00, 0xaa];
        let facts = inspect(&payload, true);
        assert!(facts.is_key && facts.starts_picture && facts.ends_frame && facts.is_switching_point);
        assert_eq!(facts.temporal, 1);
        let picture = facts.picture.unwrap();
        assert_eq!((picture.id, picture.is_wide, picture.tl0), (0x1234, true, Some((4, 0x56))));
        picture.patch(&mut payload, 0x7fff, 9);
        assert_eq!(payload, [0x90, 0xf0, 0xff, 0xff, 9, 0x60, 0x00, 0xaa]);
    }

    #[test]
    fn a_narrow_picture_id_stays_narrow() {
        let mut payload = vec![0x90, 0x80, 0x05, 0x01];
        let facts = inspect(&payload, false);
        assert!(!facts.is_key && facts.starts_picture);
        facts.picture.unwrap().patch(&mut payload, 0x1ff, 0);
        assert_eq!(payload, [0x90, 0x80, 0x7f, 0x01]);
    }

    #[test]
    fn only_the_first_packet_of_a_key_frame_begins_it() {
        assert!(inspect(&[0x10, 0x00], false).is_key);
        assert!(!inspect(&[0x00, 0x00], false).is_key);
        assert!(!inspect(&[0x11, 0x00], false).is_key);
        assert!(!inspect(&[0x90, 0xf0, 0x92], false).is_key);
    }
}
