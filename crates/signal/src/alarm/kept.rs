//! The alarms of the partitions that a node owns: the newest of each account, each once.

use std::collections::BTreeMap;

use taoyao_types::{AccountTag, NodeEpoch, NodeId, limits};
use taoyao_wire::link::AlarmReport;

use super::fair::FairLine;

/// In memory only: a node that starts anew knows none.
///
/// An account of one node is another holder than the account of that name of another node: no node can wash out what others
/// have reported.
#[derive(Debug)]
pub(crate) struct Kept {
    alarms: FairLine<(NodeId, AccountTag), AlarmReport>,
    /// The newest alarm of each reporting node. They come in order, so what is not newer was told before.
    newest: BTreeMap<NodeId, (NodeEpoch, u64)>,
}

impl Kept {
    /// `each_max` alarms of one account, and [`limits::ALARMS_KEPT`] of all.
    pub(crate) fn new(each_max: usize) -> Self {
        Self { alarms: FairLine::new(each_max, limits::ALARMS_KEPT), newest: BTreeMap::new() }
    }

    /// Whether a report tells something new; asked once for each.
    pub(crate) fn is_new(&mut self, report: &AlarmReport) -> bool {
        let newest = self.newest.entry(NodeId::of(&report.node)).or_default();
        let is_new = *newest < (report.epoch, report.number);
        if is_new {
            *newest = (report.epoch, report.number);
        }
        is_new
    }

    /// Keeps a report; whether an older one had to make way.
    pub(crate) fn keep(&mut self, report: AlarmReport) -> bool {
        let holder = (NodeId::of(&report.node), report.account);
        self.alarms.push(holder, report).is_some()
    }

    /// The newest first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &AlarmReport> {
        self.alarms.iter().rev()
    }

    pub(crate) fn len(&self) -> usize {
        self.alarms.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(account: &str, node: &str, epoch: u32, number: u64) -> AlarmReport {
        AlarmReport {
            from: "a@cn".parse().unwrap(),
            account: AccountTag::of(account),
            node: node.parse().unwrap(),
            epoch: NodeEpoch(epoch),
            number,
            at: 0,
            message: number.to_string(),
            datetime: None,
        }
    }

    #[test]
    fn an_alarm_told_twice_is_new_once_in_each_life_of_each_node() {
        let mut kept = Kept::new(256);
        let told =
            [("cn/a", 1, 1), ("cn/a", 1, 1), ("cn/b", 1, 1), ("cn/a", 1, 3), ("cn/a", 1, 2), ("cn/a", 2, 1)];
        let new = told.map(|(node, epoch, number)| kept.is_new(&report("ann", node, epoch, number)));
        assert_eq!(new, [true, false, true, true, false, true]);
    }

    #[test]
    fn the_oldest_of_the_same_account_makes_way() {
        let mut kept = Kept::new(4);
        assert!(!kept.keep(report("ann", "cn", 1, 1)));
        assert!(!kept.keep(report("bob", "cn/a", 1, 1)));
        let lost = (2..10).filter(|number| kept.keep(report("bob", "cn", 1, *number))).count();
        let numbers: Vec<u64> = kept.iter().map(|report| report.number).collect();
        assert_eq!((lost, numbers), (4, vec![9, 8, 7, 6, 1, 1]));
    }

    #[test]
    fn one_alarm_of_a_quiet_account_outlives_floods_of_all_others() {
        let mut kept = Kept::new(limits::ALARMS_KEPT / 4);
        kept.keep(report("ann", "cn", 1, 0));
        for number in 1..=10 * limits::ALARMS_KEPT as u64 {
            kept.keep(report(&format!("flood-{}", number % 8), "cn", 1, number));
        }
        assert_eq!(kept.len(), limits::ALARMS_KEPT);
        assert!(kept.iter().any(|report| report.account == AccountTag::of("ann")));
    }
}
