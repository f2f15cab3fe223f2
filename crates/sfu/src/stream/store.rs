//! What a producer's stream sent lately, once for all its receivers.

use taoyao_types::Instant;
use taoyao_types::limits::{STORE_BYTES_MAX, STORE_KEPT, STORE_PACKETS_MAX};

use crate::codec::Facts;
use crate::packet::Tail;

/// One packet, without its bytes.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// Extended by [`super::Unwrap`].
    pub sequence: u64,
    pub timestamp: u32,
    pub arrived: Instant,
    pub has_marker: bool,
    pub facts: Facts,
    /// The picture id of VP8 or VP9, extended; 0 if there is none.
    pub picture: u64,
    pub tail: Tail,
    /// Where its bytes begin, counted over all that was ever written.
    start: u64,
    payload_bytes: usize,
}

/// A packet on its way into the store.
#[derive(Debug, Clone, Copy)]
pub struct Arrived<'a> {
    pub sequence: u64,
    pub timestamp: u32,
    pub arrived: Instant,
    pub has_marker: bool,
    pub facts: Facts,
    pub picture: u64,
    pub tail: Tail,
    pub tail_values: &'a [u8],
    pub payload: &'a [u8],
}

/// The last packets in the order of their arrival, which is their position, and by sequence number.
///
/// It grows until it holds [`STORE_KEPT`], or one of its bounds; from then on the oldest packets make room without any
/// allocation.
#[derive(Debug, Default)]
pub struct Store {
    entries: Vec<Entry>,
    /// Position of each sequence number, at the number modulo the capacity.
    by_sequence: Vec<u64>,
    bytes: Vec<u8>,
    /// Bytes ever written, gaps at the end of the ring included.
    written: u64,
    head: u64,
}

/// Capacities at the beginning; doubled from there.
const ENTRIES_MIN: usize = 64;
const BYTES_MIN: usize = 32 * 1024;

impl Store {
    /// The position of the next packet.
    pub fn head(&self) -> u64 {
        self.head
    }

    pub fn push(&mut self, packet: &Arrived<'_>) {
        let length = packet.tail_values.len() + packet.payload.len();
        if length > BYTES_MIN {
            return;
        }
        self.make_room(packet.arrived, length);
        let start = self.place(length);
        let capacity = self.bytes.len() as u64;
        let at = (start % capacity) as usize;
        let (values, payload) = self.bytes[at..at + length].split_at_mut(packet.tail_values.len());
        values.copy_from_slice(packet.tail_values);
        payload.copy_from_slice(packet.payload);
        self.written = start + length as u64;
        let entry = Entry {
            sequence: packet.sequence,
            timestamp: packet.timestamp,
            arrived: packet.arrived,
            has_marker: packet.has_marker,
            facts: packet.facts,
            picture: packet.picture,
            tail: packet.tail,
            start,
            payload_bytes: packet.payload.len(),
        };
        let slot = self.slot(self.head);
        match self.entries.get_mut(slot) {
            Some(place) => *place = entry,
            None => self.entries.push(entry),
        }
        let by_sequence = self.slot(packet.sequence);
        self.by_sequence[by_sequence] = self.head;
        self.head += 1;
    }

    /// The packet at a position, if it is still there.
    pub fn at(&self, position: u64) -> Option<&Entry> {
        if position >= self.head || self.head - position > self.by_sequence.len() as u64 {
            return None;
        }
        let entry = self.entries.get(self.slot(position))?;
        (entry.start + self.bytes.len() as u64 >= self.written).then_some(entry)
    }

    /// The packet with this extended sequence number, if it is still there.
    pub fn find(&self, sequence: u64) -> Option<&Entry> {
        let position = *self.by_sequence.get(self.slot(sequence))?;
        self.at(position).filter(|entry| entry.sequence == sequence)
    }

    /// The tail's values and the payload.
    pub fn bytes_of(&self, entry: &Entry) -> (&[u8], &[u8]) {
        let at = (entry.start % (self.bytes.len() as u64).max(1)) as usize;
        let tail_bytes = usize::from(entry.tail.bytes);
        let bytes = self.bytes.get(at..at + tail_bytes + entry.payload_bytes).unwrap_or_default();
        bytes.split_at(tail_bytes.min(bytes.len()))
    }

    /// Forgets all packets; positions go on.
    pub fn clear(&mut self) {
        self.written += self.bytes.len() as u64 + 1;
    }

    fn slot(&self, number: u64) -> usize {
        (number & (self.by_sequence.len() as u64).wrapping_sub(1)) as usize
    }

    /// Where the next packet begins: packets do not go over the ring's end.
    fn place(&self, length: usize) -> u64 {
        let capacity = self.bytes.len() as u64;
        let left = capacity - self.written % capacity;
        if left < length as u64 { self.written + left } else { self.written }
    }

    /// Doubles what would lose a packet that is younger than [`STORE_KEPT`].
    fn make_room(&mut self, now: Instant, length: usize) {
        let is_young =
            |entry: Option<&Entry>| entry.is_some_and(|oldest| now.since(oldest.arrived) < STORE_KEPT);
        let capacity = self.by_sequence.len();
        if capacity == 0 {
            self.grow_entries(ENTRIES_MIN);
            self.bytes = vec![0; BYTES_MIN];
            // So far that whatever says to begin at 0 is lost.
            self.written = 2 * BYTES_MIN as u64;
        } else if self.head >= capacity as u64
            && capacity < STORE_PACKETS_MAX
            && is_young(self.at(self.head - capacity as u64))
        {
            self.grow_entries(2 * capacity);
        }
        if self.bytes.len() < STORE_BYTES_MAX {
            let end = self.place(length) + length as u64;
            let lost_below = end.saturating_sub(self.bytes.len() as u64);
            let oldest = self.oldest();
            if is_young(oldest.filter(|oldest| oldest.start < lost_below)) {
                self.grow_bytes(2 * self.bytes.len());
            }
        }
    }

    fn oldest(&self) -> Option<&Entry> {
        let first = self.head.saturating_sub(self.by_sequence.len() as u64);
        // Positions whose bytes are gone come first; the next one that is there is the oldest.
        let (mut low, mut high) = (first, self.head);
        while low < high {
            let middle = low + (high - low) / 2;
            if self.at(middle).is_some() { high = middle } else { low = middle + 1 }
        }
        self.at(low)
    }

    fn grow_entries(&mut self, capacity: usize) {
        let kept: Vec<Entry> = (self.head.saturating_sub(self.by_sequence.len() as u64)..self.head)
            .filter_map(|position| self.entries.get(self.slot(position)).copied())
            .collect();
        let first = self.head - kept.len() as u64;
        // Where nothing is yet there is something that is lost.
        let filler = kept.first().map(|entry| Entry { start: 0, ..*entry });
        self.by_sequence = vec![u64::MAX; capacity];
        self.entries = Vec::with_capacity(capacity);
        if let Some(filler) = filler {
            self.entries.resize(capacity, filler);
        }
        for (position, entry) in (first..).zip(kept) {
            let (slot, by_sequence) = (self.slot(position), self.slot(entry.sequence));
            self.entries[slot] = entry;
            self.by_sequence[by_sequence] = position;
        }
    }

    fn grow_bytes(&mut self, capacity: usize) {
        let old = std::mem::replace(&mut self.bytes, vec![0; capacity]);
        let (old_capacity, new_capacity) = (old.len() as u64, capacity as u64);
        let written = self.written;
        // At a beginning of the new ring that is far beyond all that was lost in the old one: it stays lost.
        self.written = (written / new_capacity + 2) * new_capacity;
        for position in self.head.saturating_sub(self.by_sequence.len() as u64)..self.head {
            let slot = self.slot(position);
            let Some(entry) = self.entries.get_mut(slot) else { continue };
            let length = usize::from(entry.tail.bytes) + entry.payload_bytes;
            if entry.start + old_capacity < written {
                continue;
            }
            let from = (entry.start % old_capacity) as usize;
            // The live packets fitted into half of the room.
            let to = (self.written % new_capacity) as usize;
            self.bytes[to..to + length].copy_from_slice(&old[from..from + length]);
            entry.start = self.written;
            self.written += length as u64;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn push(store: &mut Store, sequence: u64, now: Instant, length: usize) {
        let payload = vec![sequence as u8; length];
        store.push(&Arrived {
            sequence,
            timestamp: 0,
            arrived: now,
            has_marker: false,
            facts: Facts::default(),
            picture: 0,
            tail: Tail { bytes: 2, ..Tail::EMPTY },
            tail_values: &[1, 2],
            payload: &payload,
        });
    }

    fn holds(store: &Store, sequence: u64) -> bool {
        store.find(sequence).is_some_and(|entry| {
            let (tail, payload) = store.bytes_of(entry);
            assert_eq!(tail, [1, 2]);
            assert!(payload.iter().all(|byte| *byte == sequence as u8), "{sequence}");
            true
        })
    }

    #[test]
    fn packets_are_found_by_position_and_number() {
        let mut store = Store::default();
        assert!(store.at(0).is_none() && store.find(0).is_none());
        for sequence in [7, 9, 8] {
            push(&mut store, sequence, Instant(0), 100);
        }
        assert_eq!(store.at(1).unwrap().sequence, 9);
        assert!(holds(&store, 8) && holds(&store, 7) && !holds(&store, 10));
        assert!(store.at(3).is_none());
        store.clear();
        assert!(store.at(1).is_none() && store.find(8).is_none());
        push(&mut store, 11, Instant(0), 100);
        assert!(holds(&store, 11));
    }

    #[test]
    fn it_grows_to_hold_a_while_and_not_more() {
        let mut store = Store::default();
        let gap = Duration::from_millis(1);
        let mut now = Instant(0);
        for sequence in 0..5_000 {
            push(&mut store, sequence, now, 1_000);
            now = now + gap;
        }
        let kept = STORE_KEPT.as_millis() as u64;
        assert!(holds(&store, 5_000 - kept.min(900)));
        assert!(!holds(&store, 100));
        let (packets, bytes) = (store.entries.capacity(), store.bytes.capacity());
        for sequence in 5_000..50_000 {
            push(&mut store, sequence, now, 1_000);
            now = now + gap;
        }
        assert_eq!((store.entries.capacity(), store.bytes.capacity()), (packets, bytes));
    }

    /// A stream that quickens: what slow times have overwritten must not come back when fast times make it grow.
    #[test]
    fn what_was_lost_before_it_grew_stays_lost() {
        let mut store = Store::default();
        let (slow, fast) = (STORE_KEPT / 16, STORE_KEPT / 2_000);
        let paces = (0..600_u64).map(|sequence| if sequence < 100 { slow } else { fast });
        let mut now = Instant(0);
        for (sequence, pace) in (0..).zip(paces) {
            push(&mut store, sequence, now, 200 + (sequence as usize * 7_919) % 1_000);
            now = now + pace;
            for one in 0..=sequence {
                holds(&store, one);
            }
        }
        assert!((100..600).all(|sequence| holds(&store, sequence)));
    }

    #[test]
    fn its_bounds_hold_whatever_comes() {
        let mut store = Store::default();
        for sequence in 0..20_000_u64 {
            push(&mut store, sequence, Instant(0), 1 + (sequence as usize * 7_919) % 1_400);
            assert!(holds(&store, sequence));
        }
        assert!(store.entries.len() <= STORE_PACKETS_MAX && store.bytes.len() <= STORE_BYTES_MAX);
        for sequence in 0..20_000 {
            holds(&store, sequence);
        }
        push(&mut store, 30_000, Instant(0), BYTES_MIN + 1);
        assert!(!holds(&store, 30_000));
    }
}
