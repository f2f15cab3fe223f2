//! The running numbers that VP8 and VP9 give to pictures, and how they are written over (RFC 7741, section 4.2; RFC 9628,
//! section 4.2).

/// The numbers of one picture, and where they stand in its payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PictureNumbers {
    /// 7 or 15 bits.
    pub id: u16,
    pub is_wide: bool,
    pub(super) at: u8,
    /// Offset of TL0PICIDX and its value.
    pub tl0: Option<(u8, u8)>,
}

const WIDE: u8 = 0x80;

impl PictureNumbers {
    /// Reads the picture id at `at`; TL0PICIDX is not known yet.
    pub(super) fn read(payload: &[u8], at: u8) -> Option<Self> {
        let byte = *payload.get(usize::from(at))?;
        let is_wide = byte & WIDE != 0;
        let id = if is_wide {
            u16::from_be_bytes([byte & !WIDE, *payload.get(usize::from(at) + 1)?])
        } else {
            u16::from(byte)
        };
        Some(Self { id, is_wide, at, tl0: None })
    }

    /// How many bytes the picture id takes.
    pub(super) fn id_bytes(&self) -> usize {
        if self.is_wide { 2 } else { 1 }
    }

    /// Writes other numbers over these, in their width.
    pub fn patch(&self, payload: &mut [u8], id: u16, tl0: u8) {
        let [high, low] = id.to_be_bytes();
        let at = usize::from(self.at);
        if self.is_wide {
            if let Some(bytes) = payload.get_mut(at..at + 2) {
                bytes.copy_from_slice(&[high | WIDE, low]);
            }
        } else if let Some(byte) = payload.get_mut(at) {
            *byte = low & !WIDE;
        }
        if let Some(byte) = self.tl0.and_then(|(at, _)| payload.get_mut(usize::from(at))) {
            *byte = tl0;
        }
    }
}
