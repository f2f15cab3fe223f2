//! RTCP that waits for one transport, in one buffer that is used again and again.

use taoyao_types::limits::FEEDBACK_WAITING_BYTES_MAX;

use crate::rtcp::{NoRoom, Writer};

/// Datagrams one after the other, each behind its length.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    /// Grows only: what lies behind `end` is written over.
    bytes: Vec<u8>,
    end: usize,
    taken: usize,
}

/// What one datagram of RTCP has room for, in all ways that media take.
const DATAGRAM_BYTES: usize = 1_200;

impl Outbox {
    pub(super) fn is_empty(&self) -> bool {
        self.taken == self.end
    }

    /// Adds one datagram of what `write` writes; nothing if it writes nothing, or if too much waits already.
    pub(super) fn add(&mut self, write: impl FnOnce(&mut Writer<'_>) -> Result<(), NoRoom>) {
        if self.end - self.taken > FEEDBACK_WAITING_BYTES_MAX {
            return;
        }
        let room = self.end + 2..self.end + 2 + DATAGRAM_BYTES;
        if self.bytes.len() < room.end {
            self.bytes.resize(room.end, 0);
        }
        let mut writer = Writer::new(&mut self.bytes[room]);
        // What found no room is left out; what was written before it is whole.
        write(&mut writer).unwrap_or_default();
        let length = writer.len();
        if length > 0 {
            // A datagram is shorter than its 1,200 bytes of room.
            self.bytes[self.end..self.end + 2].copy_from_slice(&(length as u16).to_be_bytes());
            self.end += 2 + length;
        }
    }

    /// Moves the next datagram to the beginning of `out`.
    pub(super) fn take(&mut self, out: &mut [u8]) -> Option<usize> {
        let (length, rest) = self.bytes[self.taken..self.end].split_first_chunk::<2>()?;
        let length = usize::from(u16::from_be_bytes(*length));
        let datagram = &rest[..length];
        let fits = out.get_mut(..length).map(|place| place.copy_from_slice(datagram));
        self.taken += 2 + length;
        if self.is_empty() {
            self.clear();
        }
        fits.map(|()| length)
    }

    pub(super) fn clear(&mut self) {
        self.end = 0;
        self.taken = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn datagrams_come_out_in_order_and_the_buffer_is_used_again() {
        let mut outbox = Outbox::default();
        let mut out = [0; 100];
        for round in 0..10 {
            outbox.add(|writer| writer.pli(1, round));
            outbox.add(|_| Ok(()));
            outbox.add(|writer| writer.fir(1, round, 7));
            assert_eq!(outbox.take(&mut out), Some(12));
            assert_eq!(outbox.take(&mut out), Some(20));
            assert_eq!(outbox.take(&mut out), None);
            assert!(outbox.is_empty() && outbox.end == 0);
        }
    }

    #[test]
    fn it_does_not_grow_beyond_its_bound() {
        let mut outbox = Outbox::default();
        for media in 0..10_000 {
            outbox.add(|writer| writer.pli(1, media));
        }
        assert!(outbox.bytes.len() < FEEDBACK_WAITING_BYTES_MAX + 2 * DATAGRAM_BYTES);
    }
}
