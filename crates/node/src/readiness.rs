//! What a node waits for before it says that it is ready.
//!
//! Each condition is a latch: once met it stays met. A node whose parent goes away later still serves its terminals, and
//! must not be taken out of service for a neighbour's trouble.

use std::time::Duration;

use taoyao_core::NeighbourStatus;
use taoyao_types::limits::START_GRACE;

/// The latches of one node. That its listeners are bound needs none: without them it does not start.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Readiness {
    parent_synced: bool,
    children_read: bool,
    is_draining: bool,
}

impl Readiness {
    /// Looks at the links as they are now.
    pub(crate) fn look(&mut self, neighbours: &[NeighbourStatus], uptime: Duration) {
        let mut parents = neighbours.iter().filter(|peer| peer.is_parent);
        let mut children = neighbours.iter().filter(|peer| !peer.is_parent);
        self.parent_synced |= parents.all(|peer| peer.is_synced);
        self.children_read |= uptime >= START_GRACE || children.all(|peer| peer.is_synced);
    }

    /// From now on the node is not ready.
    pub(crate) fn drain(&mut self) {
        self.is_draining = true;
    }

    /// What is still missing, in plain sentences; nothing when the node is ready.
    pub(crate) fn missing(&self) -> Vec<String> {
        let mut missing = Vec::new();
        if self.is_draining {
            missing.push("the node is going away".to_owned());
        }
        if !self.parent_synced {
            missing.push("the link to the parent is not synced yet".to_owned());
        }
        if !self.children_read {
            missing.push("the directories of the children are not complete yet".to_owned());
        }
        missing
    }
}

#[cfg(test)]
mod tests {
    use taoyao_core::Queued;
    use taoyao_types::NodeId;

    use super::*;

    #[test]
    fn a_root_alone_is_ready_at_once_and_until_it_drains() {
        let mut readiness = Readiness::default();
        readiness.look(&[], Duration::ZERO);
        assert_eq!(readiness.missing(), [""; 0]);
        readiness.drain();
        assert_eq!(readiness.missing().len(), 1);
    }

    #[test]
    fn a_parent_that_was_there_once_is_enough() {
        let mut readiness = Readiness::default();
        readiness.look(&[neighbour(true, false)], Duration::ZERO);
        assert_eq!(readiness.missing(), ["the link to the parent is not synced yet"]);
        readiness.look(&[neighbour(true, true)], Duration::ZERO);
        readiness.look(&[neighbour(true, false)], Duration::ZERO);
        assert_eq!(readiness.missing(), [""; 0]);
    }

    #[test]
    fn missing_children_are_waited_for_but_not_for_ever() {
        let mut readiness = Readiness::default();
        readiness.look(&[neighbour(false, true), neighbour(false, false)], Duration::ZERO);
        assert_eq!(readiness.missing().len(), 1);
        readiness.look(&[neighbour(false, true), neighbour(false, false)], START_GRACE);
        assert_eq!(readiness.missing(), [""; 0]);
    }

    fn neighbour(is_parent: bool, is_synced: bool) -> NeighbourStatus {
        NeighbourStatus {
            id: NodeId(7),
            name: "cn/east".parse().unwrap(),
            is_parent,
            is_up: is_synced,
            is_synced,
            reason: String::new(),
            queued: Queued::default(),
        }
    }
}
