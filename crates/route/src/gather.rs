//! Lists collected over the tree: every node adds its own terminals to what its neighbours found.

use std::collections::BTreeMap;

use taoyao_types::{Instant, NodeId, PartitionName, SignalId, TerminalName, limits};
use taoyao_wire::link::{ListEntry, ListPage, ListQuery};

/// Who wants the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanting {
    Local(u64),
    Remote(SignalId),
}

/// One list that is being collected.
#[derive(Debug)]
struct Gather {
    wanting: Wanting,
    home: PartitionName,
    limit: usize,
    /// Neighbours and the node itself that have not answered.
    open: usize,
    deadline: Instant,
    page: ListPage,
}

/// All lists that are being collected.
#[derive(Debug, Default)]
pub struct Gathers {
    running: BTreeMap<u64, Gather>,
    count: u64,
}

impl Gathers {
    pub fn len(&self) -> usize {
        self.running.len()
    }

    pub fn is_empty(&self) -> bool {
        self.running.is_empty()
    }

    /// Begins a list that `parts` sources will contribute to.
    pub fn begin(&mut self, wanting: Wanting, query: &ListQuery, parts: usize, deadline: Instant) -> u64 {
        self.count += 1;
        let limit = usize::try_from(query.limit).unwrap_or(usize::MAX).min(limits::LIST_ENTRIES_MAX);
        let page = ListPage::default();
        let gather = Gather { wanting, home: query.home.clone(), limit, open: parts, deadline, page };
        self.running.insert(self.count, gather);
        self.count
    }

    /// Adds one source's part; returns the finished list when it was the last.
    pub fn add(&mut self, number: u64, part: ListPage) -> Option<(Wanting, ListPage)> {
        let gather = self.running.get_mut(&number)?;
        gather.page.entries.extend(part.entries);
        gather.page.incomplete.extend(part.incomplete);
        gather.open = gather.open.saturating_sub(1);
        if gather.open > 0 {
            return None;
        }
        self.running.remove(&number).map(finish)
    }

    /// Notes that the part of `node` will not come.
    pub fn give_up(&mut self, number: u64, node: NodeId) -> Option<(Wanting, ListPage)> {
        self.add(number, ListPage { entries: Vec::new(), incomplete: vec![node] })
    }

    /// Takes out the lists whose time is over, with what they have.
    pub fn expired(&mut self, now: Instant) -> Vec<(Wanting, ListPage)> {
        let late: Vec<u64> =
            self.running.iter().filter(|(_, g)| g.deadline <= now).map(|(n, _)| *n).collect();
        late.into_iter().filter_map(|number| self.running.remove(&number)).map(finish).collect()
    }
}

/// Sorts, removes doubles (a terminal that moved while it was counted; the newer session stays) and cuts to size.
fn finish(gather: Gather) -> (Wanting, ListPage) {
    let Gather { wanting, home, limit, mut page, .. } = gather;
    page.entries.sort_by(|a, b| order(&home, &a.name, &b.name).then(b.session.cmp(&a.session)));
    page.entries.dedup_by(|later, kept| later.name == kept.name);
    page.entries.truncate(limit);
    cut_to_bytes(&mut page.entries);
    page.incomplete.sort_unstable();
    page.incomplete.dedup();
    (wanting, page)
}

/// The order of a list for a terminal of partition `home`: its own first, then by partition, then by client id.
pub fn order(home: &PartitionName, a: &TerminalName, b: &TerminalName) -> std::cmp::Ordering {
    let away = |name: &TerminalName| name.partition != *home;
    away(a).cmp(&away(b)).then_with(|| a.cmp(b))
}

fn cut_to_bytes(entries: &mut Vec<ListEntry>) {
    let mut bytes = 0;
    let fits = entries.iter().take_while(|entry| {
        bytes += entry.state.len() + 64;
        bytes <= limits::LIST_BYTES_MAX
    });
    let fits = fits.count();
    entries.truncate(fits);
}

#[cfg(test)]
mod tests {
    use taoyao_types::{NodeEpoch, SessionEpoch};

    use super::*;

    fn entry(name: &str, session: u64) -> ListEntry {
        let (name, state) = (name.parse().unwrap(), format!("{session}"));
        ListEntry { name, origin: NodeId(1), life: NodeEpoch(1), session: SessionEpoch(session), state }
    }

    fn query(limit: u32) -> ListQuery {
        let home = "sh.cn".parse().unwrap();
        ListQuery { rooms: false, home, client_type: None, partitions: Vec::new(), after: None, limit }
    }

    #[test]
    fn parts_come_together_sorted_without_doubles() {
        let mut gathers = Gathers::default();
        let number = gathers.begin(Wanting::Local(4), &query(10), 2, Instant(100));
        let first = ListPage { entries: vec![entry("z@bj.cn", 1), entry("m@cn", 1)], incomplete: vec![] };
        assert_eq!(gathers.add(number, first), None);
        let second = ListPage { entries: vec![entry("b@sh.cn", 1), entry("m@cn", 2)], incomplete: vec![] };
        let (wanting, page) = gathers.add(number, second).unwrap();
        let names: Vec<_> = page.entries.iter().map(|e| (e.name.to_string(), e.session.0)).collect();
        assert_eq!(wanting, Wanting::Local(4));
        assert_eq!(names, [("b@sh.cn".into(), 1), ("z@bj.cn".into(), 1), ("m@cn".into(), 2)]);
    }

    #[test]
    fn what_does_not_come_in_time_is_named() {
        let mut gathers = Gathers::default();
        let number = gathers.begin(Wanting::Local(1), &query(1), 3, Instant(100));
        gathers.add(
            number,
            ListPage { entries: vec![entry("a@sh.cn", 1), entry("b@sh.cn", 1)], incomplete: vec![] },
        );
        gathers.give_up(number, NodeId(9));
        assert!(gathers.expired(Instant(99)).is_empty());
        let late = gathers.expired(Instant(100));
        assert_eq!((late[0].1.entries.len(), late[0].1.incomplete.clone()), (1, vec![NodeId(9)]));
        assert!(gathers.is_empty());
    }
}
