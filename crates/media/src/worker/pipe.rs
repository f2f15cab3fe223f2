//! A pipe from one worker to another: packets and messages of producers that are mirrored there, and what mirrors ask.
//!
//! The sender gathers a turn's worth without a lock and puts it in at once; the reader takes all there is by a swap. Buffers
//! go round, so that nothing is allocated while cargo is of the usual size. Nobody waits: what has no room is dropped.

use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use taoyao_types::limits::MEDIA_PIPE_BYTES_MAX;

use crate::placement::MirrorId;

/// What an entry takes besides its packet.
const ENTRY_BYTES: usize = size_of::<Entry>();
/// Buffers that grew beyond this in a jam are given back.
const KEPT_BYTES: usize = 64 * 1_024;
const KEPT_ENTRIES: usize = 1_024;

/// One direction between two workers.
#[derive(Default)]
pub(super) struct Pipe(Mutex<Cargo>);

/// What is on its way, in order.
#[derive(Default)]
pub(super) struct Cargo {
    entries: Vec<Entry>,
    bytes: Vec<u8>,
    messages: Vec<Message>,
    weight: usize,
}

/// A packet, and the mirror that it is for or comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) mirror: MirrorId,
    pub(super) kind: EntryKind,
    len: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EntryKind {
    /// RTP of one of the producer's streams.
    Rtp { stream: usize, is_rtx: bool },
    /// RTCP of the producer's sender.
    Report,
    /// RTCP for the producer's sender.
    Wish,
}

/// Of a data channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Message {
    pub(super) mirror: MirrorId,
    pub(super) ppid: u32,
    pub(super) bytes: Bytes,
}

/// What became of cargo.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Put {
    /// Whether the reader has to be told: it has taken what was there before.
    pub(super) is_first: bool,
    /// Packets and messages that found no room.
    pub(super) dropped: u64,
}

impl Pipe {
    /// Empties `cargo` into the pipe.
    pub(super) fn put(&self, cargo: &mut Cargo) -> Put {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.is_empty() {
            std::mem::swap(&mut *waiting, cargo);
            return Put { is_first: true, dropped: 0 };
        }
        let mut dropped = 0;
        for (entry, packet) in cargo.packets() {
            dropped += u64::from(!waiting.add(entry.mirror, entry.kind, packet));
        }
        for message in cargo.messages.drain(..) {
            dropped += u64::from(!waiting.add_message(message));
        }
        cargo.clear();
        Put { is_first: false, dropped }
    }

    /// Exchanges all there is for `empty`.
    pub(super) fn take(&self, empty: &mut Cargo) {
        std::mem::swap(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner), empty);
    }
}

impl Cargo {
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.messages.is_empty()
    }

    /// False: there is no room for it.
    pub(super) fn add(&mut self, mirror: MirrorId, kind: EntryKind, packet: &[u8]) -> bool {
        let has_room = self.weigh(packet.len());
        if has_room {
            self.entries.push(Entry { mirror, kind, len: packet.len() });
            self.bytes.extend_from_slice(packet);
        }
        has_room
    }

    /// False: there is no room for it.
    pub(super) fn add_message(&mut self, message: Message) -> bool {
        let has_room = self.weigh(message.bytes.len());
        if has_room {
            self.messages.push(message);
        }
        has_room
    }

    pub(super) fn packets(&self) -> impl Iterator<Item = (Entry, &[u8])> {
        let mut rest = self.bytes.as_slice();
        self.entries.iter().map(move |entry| {
            let (packet, behind) = rest.split_at(entry.len);
            rest = behind;
            (*entry, packet)
        })
    }

    pub(super) fn messages(&mut self) -> impl Iterator<Item = Message> {
        self.messages.drain(..)
    }

    pub(super) fn clear(&mut self) {
        self.entries.clear();
        self.bytes.clear();
        self.messages.clear();
        self.weight = 0;
        self.entries.shrink_to(KEPT_ENTRIES);
        self.bytes.shrink_to(KEPT_BYTES);
        self.messages.shrink_to(KEPT_ENTRIES);
    }

    fn weigh(&mut self, bytes: usize) -> bool {
        let weight = self.weight + ENTRY_BYTES + bytes;
        let has_room = weight <= MEDIA_PIPE_BYTES_MAX;
        if has_room {
            self.weight = weight;
        }
        has_room
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RTP: EntryKind = EntryKind::Rtp { stream: 0, is_rtx: false };
    const MIRROR: MirrorId = MirrorId(7);

    fn taken(pipe: &Pipe) -> Vec<Vec<u8>> {
        let mut cargo = Cargo::default();
        pipe.take(&mut cargo);
        cargo.packets().map(|(_, packet)| packet.to_vec()).collect()
    }

    #[test]
    fn cargo_of_several_turns_comes_out_in_order_and_is_announced_once() {
        let (pipe, mut cargo) = (Pipe::default(), Cargo::default());
        for turn in 0..3_u8 {
            assert!(cargo.add(MIRROR, RTP, &[turn; 3]) && cargo.add(MIRROR, EntryKind::Report, &[turn]));
            assert_eq!(pipe.put(&mut cargo), Put { is_first: turn == 0, dropped: 0 });
            assert!(cargo.is_empty());
        }
        let wanted: Vec<Vec<u8>> = (0..3).flat_map(|turn| [vec![turn; 3], vec![turn]]).collect();
        assert_eq!(taken(&pipe), wanted);
        assert!(taken(&pipe).is_empty());
    }

    #[test]
    fn a_pipe_that_nobody_reads_is_full_and_counts_what_it_drops() {
        let (pipe, mut cargo) = (Pipe::default(), Cargo::default());
        let (mut sent, mut dropped) = (0, 0);
        for _ in 0..3 * MEDIA_PIPE_BYTES_MAX / 1_000 {
            assert!(cargo.add(MIRROR, RTP, &[0; 1_000]));
            sent += 1;
            dropped += pipe.put(&mut cargo).dropped;
        }
        let kept = taken(&pipe).len() as u64;
        assert_eq!(kept + dropped, sent);
        assert!(kept < sent / 2 && kept * 1_000 <= MEDIA_PIPE_BYTES_MAX as u64, "{kept} of {sent}");
        assert!(cargo.add(MIRROR, RTP, &[1]));
        assert_eq!(pipe.put(&mut cargo), Put { is_first: true, dropped: 0 }, "it goes on");
    }

    #[test]
    fn one_turn_takes_no_more_than_the_pipe_holds() {
        let mut cargo = Cargo::default();
        let message =
            Message { mirror: MIRROR, ppid: 0, bytes: Bytes::from(vec![0; MEDIA_PIPE_BYTES_MAX / 2]) };
        assert!(cargo.add_message(message.clone()));
        assert!(!cargo.add_message(message));
        assert!(cargo.add(MIRROR, RTP, &[0; 100]), "what is smaller still fits");
    }

    #[test]
    fn buffers_that_grew_are_given_back() {
        let mut cargo = Cargo::default();
        assert!(cargo.add(MIRROR, RTP, &vec![0; 4 * KEPT_BYTES]));
        cargo.clear();
        assert!(cargo.is_empty() && cargo.bytes.capacity() < 2 * KEPT_BYTES);
    }
}
