//! Streams by SSRC, and the 48-bit index of a packet from its 16-bit number (RFC 3711, section 3.3.1).

/// The index of the packet with this number that lies nearest to the highest one so far. None if that would be before the
/// beginning of the stream or behind the last index of a key.
pub(super) fn nearest(top: u64, sequence: u16) -> Option<u64> {
    const HALF: u64 = 1 << 15;
    const ROUND: u64 = 1 << 16;
    let same_round = (top & !(ROUND - 1)) | u64::from(sequence);
    let index = if same_round + HALF < top {
        same_round + ROUND
    } else if same_round > top + HALF {
        same_round.checked_sub(ROUND)?
    } else {
        same_round
    };
    (index < 1 << 48).then_some(index)
}

/// What is known of each stream, by its SSRC; bounded. Beyond the bound the stream that was silent for longest is forgotten.
pub(super) struct Streams<S> {
    /// By SSRC, ascending.
    entries: Vec<Entry<S>>,
    /// Where the last one was found: packets of one stream follow each other.
    hint: usize,
    /// Counts uses.
    clock: u64,
    max: usize,
}

struct Entry<S> {
    ssrc: u32,
    used: u64,
    stream: S,
}

impl<S> Streams<S> {
    pub(super) fn new(max: usize) -> Streams<S> {
        Streams { entries: Vec::new(), hint: 0, clock: 0, max }
    }

    pub(super) fn get_mut(&mut self, ssrc: u32) -> Option<&mut S> {
        if self.entries.get(self.hint).is_none_or(|entry| entry.ssrc != ssrc) {
            self.hint = self.place(ssrc).ok()?;
        }
        self.clock += 1;
        let entry = &mut self.entries[self.hint];
        entry.used = self.clock;
        Some(&mut entry.stream)
    }

    /// Adds a stream that is not there yet.
    pub(super) fn insert(&mut self, ssrc: u32, stream: S) {
        if self.entries.len() >= self.max {
            self.forget_the_most_silent();
        }
        self.clock += 1;
        let entry = Entry { ssrc, used: self.clock, stream };
        match self.place(ssrc) {
            Ok(at) => self.entries[at] = entry,
            Err(at) => self.entries.insert(at, entry),
        }
    }

    fn place(&self, ssrc: u32) -> Result<usize, usize> {
        self.entries.binary_search_by_key(&ssrc, |entry| entry.ssrc)
    }

    fn forget_the_most_silent(&mut self) {
        let oldest = self.entries.iter().enumerate().min_by_key(|(_, entry)| entry.used);
        if let Some((at, _)) = oldest {
            self.entries.remove(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_wrap_forwards_and_back() {
        assert_eq!(nearest(5, 6), Some(6));
        assert_eq!(nearest(65_535, 0), Some(65_536));
        assert_eq!(nearest(65_536, 65_535), Some(65_535));
        assert_eq!(nearest(3 << 16, 65_000), Some((2 << 16) | 65_000));
        assert_eq!(nearest((3 << 16) | 40_000, 2), Some(4 << 16 | 2));
    }

    #[test]
    fn nothing_lies_before_the_first_round_or_behind_the_last() {
        assert_eq!(nearest(3, 65_000), None);
        assert_eq!(nearest((1 << 48) - 1, 0), None);
    }

    #[test]
    fn the_most_silent_stream_makes_room() {
        let mut streams = Streams::new(3);
        for ssrc in [30, 10, 20] {
            streams.insert(ssrc, ssrc);
        }
        assert_eq!(streams.get_mut(30).copied(), Some(30));
        streams.insert(15, 15);
        assert_eq!(streams.get_mut(10), None);
        for ssrc in [15, 20, 30] {
            assert_eq!(streams.get_mut(ssrc).copied(), Some(ssrc));
        }
    }
}
