//! What each account has of this node: its terminals, however they are called, and its turn to raise alarms.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use taoyao_types::{Exhausted, Instant, Shares, limits};

use crate::bucket::Bucket;

/// Names of terminals are free, so what is scarce is counted by account. An account of which nothing is left to remember is
/// forgotten.
#[derive(Debug)]
pub(crate) struct Accounts {
    terminals: Shares<Arc<str>>,
    /// Accounts that have raised alarms lately.
    alarms: BTreeMap<Arc<str>, Bucket>,
    /// The same in the order in which they began to.
    alarming: VecDeque<Arc<str>>,
}

impl Accounts {
    /// `each_max` terminals of one account, `all_max` of all.
    pub(crate) fn new(each_max: usize, all_max: usize) -> Self {
        Self { terminals: Shares::new(each_max, all_max), alarms: BTreeMap::new(), alarming: VecDeque::new() }
    }

    pub(crate) fn add_terminal(&mut self, account: &Arc<str>) -> Result<(), Exhausted> {
        self.terminals.take(account)
    }

    pub(crate) fn remove_terminal(&mut self, account: &Arc<str>) {
        self.terminals.give_back(account);
    }

    /// Accounts that have terminals here.
    pub(crate) fn len(&self) -> usize {
        self.terminals.holders()
    }

    /// Whether the account may raise one more alarm now, whatever its terminals are called.
    pub(crate) fn may_alarm(&mut self, now: Instant, account: &Arc<str>) -> bool {
        self.forget_calm(now);
        let full = || Bucket::new(now, limits::ACCOUNT_ALARMS_PER_SECOND, limits::ACCOUNT_ALARMS_AT_ONCE);
        if !self.alarms.contains_key(account) {
            self.alarming.push_back(Arc::clone(account));
        }
        self.alarms.entry(Arc::clone(account)).or_insert_with(full).take(now, 1)
    }

    /// A full bucket is like none. Whoever goes on is looked at again later.
    fn forget_calm(&mut self, now: Instant) {
        for _ in 0..FORGOTTEN_AT_ONCE.min(self.alarming.len()) {
            let Some(account) = self.alarming.pop_front() else { return };
            if self.alarms.get_mut(&account).is_some_and(|bucket| !bucket.is_full(now)) {
                self.alarming.push_back(account);
            } else {
                self.alarms.remove(&account);
            }
        }
    }
}

/// Two for each that may be added, so that the table shrinks while it is used.
const FORGOTTEN_AT_ONCE: usize = 2;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn an_account_that_calmed_down_is_forgotten() {
        let mut accounts = Accounts::new(2, 4);
        for nth in 0..100 {
            assert!(accounts.may_alarm(Instant(0), &Arc::from(format!("account-{nth}"))));
        }
        assert_eq!(accounts.alarms.len(), 100);
        let later = Instant(0) + Duration::from_secs(60);
        (0..100).for_each(|_| assert!(accounts.may_alarm(later, &Arc::from("ann"))));
        assert_eq!((accounts.alarms.len(), accounts.alarming.len()), (1, 1));
    }

    #[test]
    fn an_account_alarms_so_often_and_others_are_not_concerned() {
        let mut accounts = Accounts::new(2, 4);
        let (ann, bob) = (Arc::from("ann"), Arc::from("bob"));
        let told = (0..1_000).filter(|_| accounts.may_alarm(Instant(0), &ann)).count();
        assert_eq!(told, limits::ACCOUNT_ALARMS_AT_ONCE as usize);
        assert!(accounts.may_alarm(Instant(0), &bob));
    }
}
