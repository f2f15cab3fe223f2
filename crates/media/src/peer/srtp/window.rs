//! The replay window: which of the last indices of a stream have come (RFC 3711, section 3.3.2).

/// Indices that are remembered. RFC 3711 asks for 64; at 1,200 packets a second these are 0.85 s, which is more than a
/// retransmission without a stream of its own takes.
pub(super) const WINDOW: u64 = 1024;
const WORDS: usize = (WINDOW / 64) as usize;

#[derive(Debug, Clone)]
pub(super) struct Window {
    /// The highest index that has come.
    top: u64,
    /// A ring: the bit of an index is at `index % WINDOW`.
    seen: [u64; WORDS],
}

impl Window {
    /// A stream that begins with this index, which has come.
    pub(super) fn starting_at(index: u64) -> Window {
        let mut window = Window { top: index, seen: [0; WORDS] };
        window.set(index);
        window
    }

    /// The highest index that has come.
    pub(super) fn top(&self) -> u64 {
        self.top
    }

    /// Whether it has not come yet and is not too old to know.
    pub(super) fn is_new(&self, index: u64) -> bool {
        if index > self.top {
            return true;
        }
        self.top - index < WINDOW && self.seen[word(index)] & bit(index) == 0
    }

    /// Remembers an index for which [`Self::is_new`] holds.
    pub(super) fn accept(&mut self, index: u64) {
        if index > self.top {
            self.clear_up_to(index);
            self.top = index;
        }
        self.set(index);
    }

    fn clear_up_to(&mut self, index: u64) {
        if index - self.top >= WINDOW {
            self.seen = [0; WORDS];
            return;
        }
        for skipped in self.top + 1..=index {
            self.seen[word(skipped)] &= !bit(skipped);
        }
    }

    fn set(&mut self, index: u64) {
        self.seen[word(index)] |= bit(index);
    }
}

fn word(index: u64) -> usize {
    ((index % WINDOW) / 64) as usize
}

fn bit(index: u64) -> u64 {
    1 << (index % 64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_index_is_taken_once_in_any_order() {
        let mut window = Window::starting_at(5_000);
        for index in [5_001, 5_003, 5_002, 4_500, 6_000, 5_500] {
            assert!(window.is_new(index), "{index}");
            window.accept(index);
            assert!(!window.is_new(index), "{index}");
        }
        assert!(window.is_new(5_999));
    }

    #[test]
    fn what_lies_behind_the_window_is_old() {
        let window = Window::starting_at(5_000);
        assert!(window.is_new(5_000 - WINDOW + 1));
        assert!(!window.is_new(5_000 - WINDOW));
    }

    #[test]
    fn it_agrees_with_a_set_of_all_indices() {
        let mut window = Window::starting_at(10_000);
        let mut all = std::collections::BTreeSet::from([10_000u64]);
        let mut state = 7u64;
        for _ in 0..200_000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let index = match state >> 60 {
                0 => window.top() + (state >> 33) % 3_000,
                _ => (window.top() + 8).saturating_sub((state >> 33) % (WINDOW + 100)),
            };
            let expected = !all.contains(&index) && index + WINDOW > window.top();
            assert_eq!(window.is_new(index), expected, "{index} of {}", window.top());
            if expected {
                window.accept(index);
                all.insert(index);
            }
        }
    }
}
