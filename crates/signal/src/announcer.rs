//! Paces what terminals are told about who came and went, so that a storm of it drowns nobody.

use std::collections::{BTreeMap, VecDeque};

use taoyao_types::{Instant, TerminalName, limits};

use crate::bucket::Bucket;

/// What is to be told of a terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum News {
    Online { state: String, proxy: bool },
    Offline,
}

/// While the budget lasts news goes out at once; beyond it news waits in the order in which terminals began to wait,
/// and of one terminal only the newest waits. Bounded by the number of terminals that are known.
#[derive(Debug)]
pub(crate) struct Announcer {
    budget: Bucket,
    order: VecDeque<TerminalName>,
    newest: BTreeMap<TerminalName, News>,
}

impl Announcer {
    pub(crate) fn new(now: Instant) -> Self {
        let budget = Bucket::new(now, limits::ANNOUNCEMENTS_PER_SECOND, limits::ANNOUNCEMENTS_AT_ONCE);
        Self { budget, order: VecDeque::new(), newest: BTreeMap::new() }
    }

    pub(crate) fn add(&mut self, name: TerminalName, news: News) {
        if self.newest.insert(name.clone(), news).is_none() {
            self.order.push_back(name);
        }
    }

    /// Whose news is next, if the budget lets it go now.
    pub(crate) fn first(&self, now: Instant) -> Option<&TerminalName> {
        self.order.front().filter(|_| self.budget.ready_at() <= now)
    }

    /// The next news if the budget allows it to go to so many followers now.
    pub(crate) fn next(&mut self, now: Instant, followers: u32) -> Option<(TerminalName, News)> {
        let name = self.order.front()?;
        if !self.budget.take(now, followers.max(limits::ANNOUNCEMENT_COST_MIN)) {
            return None;
        }
        let news = self.newest.remove(name)?;
        Some((self.order.pop_front()?, news))
    }

    /// When the next news may go.
    pub(crate) fn ready_at(&self) -> Option<Instant> {
        self.order.front().map(|_| self.budget.ready_at())
    }

    pub(crate) fn len(&self) -> usize {
        self.order.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(n: u32) -> TerminalName {
        format!("{n}@cn").parse().unwrap()
    }

    #[test]
    fn a_burst_goes_at_once_and_the_rest_at_its_pace_in_order() {
        let mut announcer = Announcer::new(Instant(0));
        (0..1_000).for_each(|n| announcer.add(name(n), News::Offline));
        let mut told: Vec<TerminalName> = Vec::new();
        while let Some((name, _)) = announcer.next(Instant(0), 1) {
            told.push(name);
        }
        assert_eq!(told.len(), 256);
        let mut now = Instant(0);
        while let Some(at) = announcer.ready_at() {
            assert!(at > now);
            now = at;
            told.extend(announcer.next(now, 1).map(|(name, _)| name));
        }
        assert_eq!(told, (0..1_000).map(name).collect::<Vec<_>>());
        assert!((1_400_000..1_600_000).contains(&now.0), "{now:?}");
    }

    #[test]
    fn of_one_terminal_the_newest_waits_in_its_first_place() {
        let mut announcer = Announcer::new(Instant(0));
        announcer.add(name(1), News::Offline);
        announcer.add(name(2), News::Offline);
        announcer.add(name(1), News::Online { state: "{}".into(), proxy: true });
        let (first, news) = announcer.next(Instant(0), 1).unwrap();
        assert_eq!((first, news), (name(1), News::Online { state: "{}".into(), proxy: true }));
        assert_eq!(announcer.len(), 1);
    }
}
