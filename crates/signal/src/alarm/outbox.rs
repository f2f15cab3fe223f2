//! Alarms on their way to the nodes that own the terminals' partitions.

use std::collections::BTreeMap;
use std::time::Duration;

use taoyao_types::{AccountTag, NodeId, limits};
use taoyao_wire::link::AlarmReport;

use super::fair::FairLine;

/// What owners do not have yet. In memory only: it ends with the node.
#[derive(Debug)]
pub(crate) struct Outbox {
    /// All that wait, with their owners; the oldest first.
    waiting: FairLine<AccountTag, (NodeId, AlarmReport)>,
    ways: BTreeMap<NodeId, Way>,
}

/// To one owner; one alarm at a time, so that they arrive in order.
#[derive(Debug)]
struct Way {
    state: State,
    /// How long the owner rests after the next failure.
    rest: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Free,
    /// The alarm of this number is on its way.
    Sent(u64),
    Resting,
}

impl Outbox {
    /// `each_max` alarms of one account, and [`limits::ALARMS_WAITING_MAX`] of all.
    pub(crate) fn new(each_max: usize) -> Self {
        Self { waiting: FairLine::new(each_max, limits::ALARMS_WAITING_MAX), ways: BTreeMap::new() }
    }

    /// Adds an alarm. Returns whether an older one had to make way for it.
    pub(crate) fn put(&mut self, owner: NodeId, report: AlarmReport) -> bool {
        self.ways.entry(owner).or_default();
        self.waiting.push(report.account, (owner, report)).is_some()
    }

    /// What may be sent to the owner now.
    pub(crate) fn next(&self, owner: NodeId) -> Option<&AlarmReport> {
        self.ways.get(&owner).filter(|way| way.state == State::Free)?;
        self.first(owner)
    }

    /// The one that was next is on its way.
    pub(crate) fn sent(&mut self, owner: NodeId) {
        let state = self.first(owner).map_or(State::Free, |report| State::Sent(report.number));
        if let Some(way) = self.ways.get_mut(&owner) {
            way.state = state;
        }
    }

    /// The one that was on its way has arrived, or will not.
    pub(crate) fn taken(&mut self, owner: NodeId) {
        let Some(way) = self.ways.get_mut(&owner) else { return };
        // It may have made way for a newer one meanwhile.
        if let State::Sent(number) = way.state {
            self.waiting.remove(|(to, report)| *to == owner && report.number == number);
        }
        (way.state, way.rest) = (State::Free, limits::ALARM_RETRY_MIN);
        if self.first(owner).is_none() {
            self.ways.remove(&owner);
        }
    }

    fn first(&self, owner: NodeId) -> Option<&AlarmReport> {
        self.waiting.iter().find(|(to, _)| *to == owner).map(|(_, report)| report)
    }

    /// The owner could not be reached: it is left alone until [`Outbox::rested`], for as long as this returns.
    pub(crate) fn rest(&mut self, owner: NodeId) -> Duration {
        let way = self.ways.entry(owner).or_default();
        let rest = way.rest;
        (way.state, way.rest) = (State::Resting, (2 * rest).min(limits::ALARM_RETRY_MAX));
        rest
    }

    pub(crate) fn rested(&mut self, owner: NodeId) {
        if let Some(way) = self.ways.get_mut(&owner).filter(|way| way.state == State::Resting) {
            way.state = State::Free;
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }
}

impl Default for Way {
    fn default() -> Self {
        Self { state: State::Free, rest: limits::ALARM_RETRY_MIN }
    }
}

#[cfg(test)]
mod tests {
    use taoyao_types::NodeEpoch;

    use super::*;

    const OWNER: NodeId = NodeId(1);
    const OTHER: NodeId = NodeId(2);

    fn report(number: u64) -> AlarmReport {
        AlarmReport {
            from: "a@cn".parse().unwrap(),
            account: AccountTag::of("ann"),
            node: "cn".parse().unwrap(),
            epoch: NodeEpoch(1),
            number,
            at: 0,
            message: String::new(),
            datetime: None,
        }
    }

    #[test]
    fn one_is_on_its_way_and_the_next_waits_for_it() {
        let mut outbox = Outbox::new(limits::ALARMS_WAITING_MAX);
        for number in [1, 2] {
            assert!(!outbox.put(OWNER, report(number)));
        }
        outbox.sent(OWNER);
        assert_eq!(outbox.next(OWNER), None);
        outbox.taken(OWNER);
        assert_eq!(outbox.next(OWNER).map(|report| report.number), Some(2));
        outbox.sent(OWNER);
        outbox.taken(OWNER);
        assert!(outbox.ways.is_empty());
    }

    #[test]
    fn an_owner_out_of_reach_rests_longer_and_longer_and_keeps_its_alarm() {
        let mut outbox = Outbox::new(limits::ALARMS_WAITING_MAX);
        outbox.put(OWNER, report(1));
        let mut rests = Vec::new();
        for _ in 0..6 {
            outbox.sent(OWNER);
            rests.push(outbox.rest(OWNER).as_secs());
            assert_eq!(outbox.next(OWNER), None);
            outbox.rested(OWNER);
            assert_eq!(outbox.next(OWNER).map(|report| report.number), Some(1));
        }
        assert_eq!(rests, [1, 2, 4, 8, 10, 10]);
    }

    #[test]
    fn the_oldest_of_all_makes_way_even_if_it_is_on_its_way() {
        let mut outbox = Outbox::new(limits::ALARMS_WAITING_MAX);
        outbox.put(OTHER, report(1));
        outbox.sent(OTHER);
        let full = limits::ALARMS_WAITING_MAX as u64;
        assert_eq!((2..=full + 1).filter(|number| outbox.put(OWNER, report(*number))).count(), 1);
        assert_eq!(outbox.len(), limits::ALARMS_WAITING_MAX);
        outbox.taken(OTHER);
        assert_eq!((outbox.next(OTHER), outbox.next(OWNER).map(|report| report.number)), (None, Some(2)));
    }
}
