//! Packets sent together, and how much later or earlier each group came than the one before (draft-ietf-rmcat-gcc-02
//! sections 5.2 and 5.3).

/// What is sent within this time is one group.
const BURST_US: i64 = 5_000;
/// What a hiccup of the network delivers at once is one group, up to this long.
const BURST_MAX_US: i64 = 100_000;
/// A step back of the receiver's clock by more than this, or a pause longer than this, begins anew.
const GAP_MAX_US: i64 = 3_000_000;

#[derive(Debug, Default)]
pub(super) struct Groups {
    current: Option<Group>,
    previous: Option<Group>,
}

#[derive(Debug, Clone, Copy)]
struct Group {
    first_sent_us: i64,
    last_sent_us: i64,
    first_arrival_us: i64,
    last_arrival_us: i64,
}

/// Between two groups that followed each other.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Step {
    pub(super) sent_us: i64,
    pub(super) arrival_us: i64,
    /// When the later one was complete.
    pub(super) at_us: i64,
}

impl Groups {
    /// A step where this packet begins a group after two complete ones.
    pub(super) fn handle_packet(&mut self, sent_us: i64, arrival_us: i64) -> Option<Step> {
        let Some(current) = &mut self.current else {
            self.current = Some(Group::of(sent_us, arrival_us));
            return None;
        };
        if sent_us < current.first_sent_us {
            return None;
        }
        if (arrival_us - current.last_arrival_us).abs() > GAP_MAX_US {
            *self = Groups { current: Some(Group::of(sent_us, arrival_us)), previous: None };
            return None;
        }
        if current.is_joined_by(sent_us, arrival_us) {
            current.last_sent_us = current.last_sent_us.max(sent_us);
            current.last_arrival_us = current.last_arrival_us.max(arrival_us);
            return None;
        }
        let complete = *current;
        let previous = self.previous.replace(complete);
        self.current = Some(Group::of(sent_us, arrival_us));
        previous.map(|previous| complete.step_from(&previous))
    }
}

impl Group {
    fn of(sent_us: i64, arrival_us: i64) -> Group {
        Group {
            first_sent_us: sent_us,
            last_sent_us: sent_us,
            first_arrival_us: arrival_us,
            last_arrival_us: arrival_us,
        }
    }

    fn is_joined_by(&self, sent_us: i64, arrival_us: i64) -> bool {
        if sent_us - self.first_sent_us <= BURST_US {
            return true;
        }
        let apart = arrival_us - self.last_arrival_us;
        let is_catching_up = apart < sent_us - self.last_sent_us;
        is_catching_up && apart <= BURST_US && arrival_us - self.first_arrival_us < BURST_MAX_US
    }

    fn step_from(&self, previous: &Group) -> Step {
        Step {
            sent_us: self.last_sent_us - previous.last_sent_us,
            arrival_us: self.last_arrival_us - previous.last_arrival_us,
            at_us: self.last_arrival_us,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_between_complete_groups() {
        let mut groups = Groups::default();
        let packets = [(0, 50_000), (1_000, 51_000), (33_000, 84_000), (34_000, 86_000), (66_000, 120_000)];
        let steps: Vec<_> =
            packets.iter().filter_map(|&(sent, arrival)| groups.handle_packet(sent, arrival)).collect();
        assert_eq!(steps, [Step { sent_us: 33_000, arrival_us: 35_000, at_us: 86_000 }]);
    }

    #[test]
    fn what_a_hiccup_held_back_is_one_group() {
        let mut groups = Groups::default();
        let steps = (0..5).filter(|n| groups.handle_packet(10_000 * n, 90_000 + 100 * n).is_some());
        assert_eq!(steps.count(), 0);
    }
}
