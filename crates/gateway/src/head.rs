//! The head of a WebSocket frame, which may arrive in pieces.

use std::io::Cursor;

use tungstenite::protocol::frame::FrameHeader;

use crate::close::CloseReason;

/// Two bytes, eight of length, four of mask (RFC 6455 section 5.2).
const HEAD_BYTES_MAX: usize = 14;

/// Collects the bytes of one head.
#[derive(Debug, Default)]
pub(crate) struct HeadReader {
    bytes: [u8; HEAD_BYTES_MAX],
    length: usize,
}

impl HeadReader {
    /// Takes from `bytes` what belongs to the head; once it is complete, returns it with its payload's length.
    pub(crate) fn handle_bytes(
        &mut self,
        bytes: &mut &[u8],
    ) -> Result<Option<(FrameHeader, u64)>, CloseReason> {
        let had = self.length;
        let more = bytes.len().min(HEAD_BYTES_MAX - had);
        self.bytes[had..had + more].copy_from_slice(&bytes[..more]);
        let mut cursor = Cursor::new(&self.bytes[..had + more]);
        match FrameHeader::parse(&mut cursor) {
            Ok(Some(head)) => {
                // The rest of what was copied is payload.
                let used = cursor.position() as usize - had;
                *bytes = &bytes[used..];
                self.length = 0;
                Ok(Some(head))
            }
            Ok(None) => {
                *bytes = &bytes[more..];
                self.length = had + more;
                Ok(None)
            }
            Err(error) => Err(CloseReason::Protocol(error.to_string())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_cut_anywhere_is_read_and_nothing_behind_it() {
        let heads: [&[u8]; 3] = [
            &[0x81, 0x85, 1, 2, 3, 4],
            &[0x81, 0xfe, 1, 0, 1, 2, 3, 4],
            &[0x82, 0xff, 0, 0, 0, 0, 0, 1, 0, 0, 1, 2, 3, 4],
        ];
        for (head, length) in heads.into_iter().zip([5, 256, 65_536]) {
            for cut in 0..head.len() {
                let mut reader = HeadReader::default();
                let (mut first, second) = head.split_at(cut);
                assert_eq!(reader.handle_bytes(&mut first), Ok(None));
                assert!(first.is_empty());
                let second = [second, b"payload of the frame"].concat();
                let mut second = second.as_slice();
                let (header, found) = reader.handle_bytes(&mut second).unwrap().unwrap();
                assert_eq!((header.mask, found), (Some([1, 2, 3, 4]), length), "cut at {cut}");
                assert_eq!(second, b"payload of the frame");
            }
        }
    }

    #[test]
    fn an_unknown_kind_of_frame_is_a_breach() {
        let mut bytes: &[u8] = &[0x83, 0x80, 1, 2, 3, 4];
        assert!(matches!(HeadReader::default().handle_bytes(&mut bytes), Err(CloseReason::Protocol(_))));
    }
}
