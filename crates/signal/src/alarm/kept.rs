//! The alarms of the partitions that a node owns: the newest of them, each once.

use std::collections::{BTreeMap, VecDeque};

use taoyao_types::{NodeEpoch, NodeId, limits};
use taoyao_wire::link::AlarmReport;

/// In memory only: a node that starts anew knows none.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    /// The newest last.
    alarms: VecDeque<AlarmReport>,
    /// The newest alarm of each reporting node. They come in order, so what is not newer was told before.
    newest: BTreeMap<NodeId, (NodeEpoch, u64)>,
}

impl Kept {
    /// Whether a report tells something new; asked once for each.
    pub(crate) fn is_new(&mut self, report: &AlarmReport) -> bool {
        let newest = self.newest.entry(NodeId::of(&report.node)).or_default();
        let is_new = *newest < (report.epoch, report.number);
        if is_new {
            *newest = (report.epoch, report.number);
        }
        is_new
    }

    pub(crate) fn keep(&mut self, report: AlarmReport) {
        if self.alarms.len() >= limits::ALARMS_KEPT {
            self.alarms.pop_front();
        }
        self.alarms.push_back(report);
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

    fn report(node: &str, epoch: u32, number: u64) -> AlarmReport {
        AlarmReport {
            from: "a@cn".parse().unwrap(),
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
        let mut kept = Kept::default();
        let told =
            [("cn/a", 1, 1), ("cn/a", 1, 1), ("cn/b", 1, 1), ("cn/a", 1, 3), ("cn/a", 1, 2), ("cn/a", 2, 1)];
        let new = told.map(|(node, epoch, number)| kept.is_new(&report(node, epoch, number)));
        assert_eq!(new, [true, false, true, true, false, true]);
    }

    #[test]
    fn the_oldest_makes_way() {
        let mut kept = Kept::default();
        (0..=limits::ALARMS_KEPT as u64).for_each(|number| kept.keep(report("cn", 1, number)));
        assert_eq!(kept.len(), limits::ALARMS_KEPT);
        let numbers: Vec<u64> = kept.iter().map(|report| report.number).collect();
        assert_eq!((numbers[0], numbers[limits::ALARMS_KEPT - 1]), (limits::ALARMS_KEPT as u64, 1));
    }
}
