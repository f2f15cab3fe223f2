//! When rooms and transports want to be called again: a heap of promises, of which the stale ones are skipped.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use taoyao_types::Instant;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Owner {
    /// By the room's slot.
    Room(usize),
    /// By the transport's slot.
    Transport(u32),
}

/// The earliest moment for which an owner stands in the heap. It lives with the owner.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Armed(Option<Instant>);

/// An owner that wants a later moment than it stands for is called early and asked again: its promise is not looked for.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    heap: BinaryHeap<Reverse<(Instant, Owner)>>,
}

impl Timers {
    pub(crate) fn arm(&mut self, owner: Owner, armed: &mut Armed, at: Option<Instant>) {
        let Some(at) = at else { return };
        if armed.0.is_none_or(|earlier| at < earlier) {
            armed.0 = Some(at);
            self.heap.push(Reverse((at, owner)));
        }
    }

    pub(crate) fn next(&self) -> Option<Instant> {
        self.heap.peek().map(|Reverse((at, _))| *at)
    }

    /// The next owner that is due. It may be gone, or stand for another moment: see [`Armed::is_due`].
    pub(crate) fn pop(&mut self, now: Instant) -> Option<Owner> {
        if self.next()? > now {
            return None;
        }
        self.heap.pop().map(|Reverse((_, owner))| owner)
    }
}

impl Armed {
    /// Whether the promise is really of this owner and due; it is then redeemed.
    pub(crate) fn is_due(&mut self, now: Instant) -> bool {
        let is_due = self.0.is_some_and(|at| at <= now);
        if is_due {
            self.0 = None;
        }
        is_due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owner_is_called_at_its_earliest_moment_and_only_once() {
        let (mut timers, mut armed) = (Timers::default(), Armed::default());
        let owner = Owner::Room(3);
        timers.arm(owner, &mut armed, Some(Instant(50)));
        timers.arm(owner, &mut armed, Some(Instant(20)));
        timers.arm(owner, &mut armed, Some(Instant(90)));
        assert_eq!(timers.pop(Instant(19)), None);
        assert_eq!(timers.pop(Instant(20)), Some(owner));
        assert!(armed.is_due(Instant(20)));
        assert_eq!(timers.pop(Instant(60)), Some(owner));
        assert!(!armed.is_due(Instant(60)), "the later promise is stale");
        assert_eq!(timers.next(), None);
    }
}
