//! Fair shares of something scarce: how much of it each holder has, bounded for each holder and in all.

use std::collections::BTreeMap;

/// Counts what is taken and given back. Memory grows with the holders that have something, never with those that had.
///
/// Invariant: a holder is listed exactly while it holds something, and `total` is the sum of what all hold.
#[derive(Debug, Clone)]
pub struct Shares<H> {
    held: BTreeMap<H, usize>,
    total: usize,
    each_max: usize,
    all_max: usize,
}

/// Why nothing was taken. Both are circumstances and not faults: what is given back can be taken again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Exhausted {
    /// The holder has its whole share; others are not concerned.
    #[error("the account has its whole share of {max}")]
    Own { max: usize },
    /// Nothing is left for anybody.
    #[error("all {max} of this node are in use")]
    All { max: usize },
}

impl<H: Ord + Clone> Shares<H> {
    /// Nothing is held. `each_max` is what one holder may have, `all_max` what all may have together.
    pub fn new(each_max: usize, all_max: usize) -> Self {
        Self { held: BTreeMap::new(), total: 0, each_max, all_max }
    }

    /// Takes one for the holder, or says which bound forbids it. The holder's own bound is named first, because it is the
    /// one that the holder can do something about.
    pub fn take(&mut self, holder: &H) -> Result<(), Exhausted> {
        if self.held_by(holder) >= self.each_max {
            return Err(Exhausted::Own { max: self.each_max });
        }
        if self.total >= self.all_max {
            return Err(Exhausted::All { max: self.all_max });
        }
        *self.held.entry(holder.clone()).or_default() += 1;
        self.total += 1;
        Ok(())
    }

    /// Gives one back. A holder that has nothing gives nothing.
    pub fn give_back(&mut self, holder: &H) {
        let Some(held) = self.held.get_mut(holder) else { return };
        *held -= 1;
        if *held == 0 {
            self.held.remove(holder);
        }
        self.total -= 1;
    }

    pub fn held_by(&self, holder: &H) -> usize {
        self.held.get(holder).copied().unwrap_or(0)
    }

    /// The holder that has most, and of several the first.
    pub fn heaviest(&self) -> Option<&H> {
        let most = self.held.values().max()?;
        self.held.iter().find(|(_, held)| *held == most).map(|(holder, _)| holder)
    }

    /// What all holders have together.
    pub fn total(&self) -> usize {
        self.total
    }

    /// Holders that have something.
    pub fn holders(&self) -> usize {
        self.held.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_holder_never_takes_what_belongs_to_the_others() {
        let mut shares = Shares::new(2, 3);
        assert_eq!([(); 3].map(|()| shares.take(&"ann")), [Ok(()), Ok(()), Err(Exhausted::Own { max: 2 })]);
        assert_eq!(shares.take(&"bob"), Ok(()));
        assert_eq!(shares.take(&"cem"), Err(Exhausted::All { max: 3 }));
        shares.give_back(&"ann");
        assert_eq!(shares.take(&"cem"), Ok(()));
    }

    #[test]
    fn nobody_is_remembered_who_holds_nothing() {
        let mut shares = Shares::new(2, 3);
        shares.take(&"ann").unwrap();
        shares.give_back(&"ann");
        shares.give_back(&"ann");
        shares.give_back(&"bob");
        assert_eq!((shares.total(), shares.holders(), shares.held_by(&"ann")), (0, 0, 0));
    }
}
