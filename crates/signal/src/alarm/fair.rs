//! A bounded line in which one account's entries make way for its own, and never for what another one floods it with.

use std::collections::VecDeque;

use taoyao_types::Shares;

/// Invariant: `shares` counts the entries of each holder.
#[derive(Debug)]
pub(crate) struct FairLine<H, T> {
    /// The newest last.
    entries: VecDeque<(H, T)>,
    shares: Shares<H>,
}

impl<H: Ord + Clone, T> FairLine<H, T> {
    /// `each_max` entries of one holder, and `all_max` of all.
    pub(crate) fn new(each_max: usize, all_max: usize) -> Self {
        Self { entries: VecDeque::new(), shares: Shares::new(each_max.min(all_max), all_max) }
    }

    /// Adds an entry; what had to make way for it. A holder that has its share loses its own oldest; in a full line the
    /// holder that has most loses its oldest, so that the only entry of a quiet one stays.
    pub(crate) fn push(&mut self, holder: H, entry: T) -> Option<T> {
        use taoyao_types::Exhausted;
        let lost = match self.shares.take(&holder) {
            Ok(()) => None,
            Err(Exhausted::Own { max: 0 } | Exhausted::All { max: 0 }) => return Some(entry),
            Err(Exhausted::Own { .. }) => self.evict(&holder.clone()),
            Err(Exhausted::All { .. }) => {
                let heaviest = self.shares.heaviest().cloned();
                heaviest.and_then(|heaviest| self.evict(&heaviest))
            }
        };
        if lost.is_some() {
            // What was given back a moment ago is there to be taken.
            let _taken = self.shares.take(&holder);
        }
        self.entries.push_back((holder, entry));
        lost
    }

    /// The oldest first.
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &T> {
        self.entries.iter().map(|(_, entry)| entry)
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Takes out the oldest entry that is meant.
    pub(crate) fn remove(&mut self, is_meant: impl Fn(&T) -> bool) -> Option<T> {
        let place = self.entries.iter().position(|(_, entry)| is_meant(entry))?;
        let (holder, entry) = self.entries.remove(place)?;
        self.shares.give_back(&holder);
        Some(entry)
    }

    fn evict(&mut self, holder: &H) -> Option<T> {
        let place = self.entries.iter().position(|(other, _)| other == holder)?;
        let (holder, entry) = self.entries.remove(place)?;
        self.shares.give_back(&holder);
        Some(entry)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_holder_with_its_share_loses_its_own_oldest() {
        let mut line = FairLine::new(2, 10);
        assert_eq!(line.push("ann", 1), None);
        assert_eq!(line.push("bob", 2), None);
        assert_eq!([line.push("bob", 3), line.push("bob", 4)], [None, Some(2)]);
        assert_eq!(line.iter().copied().collect::<Vec<_>>(), [1, 3, 4]);
    }

    #[test]
    fn in_a_full_line_whoever_has_most_makes_way() {
        let mut line = FairLine::new(3, 4);
        line.push("ann", 1);
        let lost: Vec<_> = (2..9).filter_map(|entry| line.push("bob", entry)).collect();
        assert_eq!((line.len(), lost), (4, vec![2, 3, 4, 5]));
        assert_eq!([line.push("cem", 9), line.push("dan", 10)], [Some(6), Some(7)]);
        assert_eq!(line.iter().copied().collect::<Vec<_>>(), [1, 8, 9, 10]);
    }

    #[test]
    fn what_is_taken_out_leaves_its_place_and_its_share() {
        let mut line = FairLine::new(1, 4);
        line.push("ann", 1);
        assert_eq!((line.remove(|entry| *entry == 1), line.remove(|entry| *entry == 1)), (Some(1), None));
        assert_eq!((line.push("ann", 2), line.len()), (None, 1));
    }

    #[test]
    fn a_share_of_nothing_keeps_nothing() {
        let mut line = FairLine::new(0, 4);
        assert_eq!((line.push("ann", 1), line.len()), (Some(1), 0));
    }
}
