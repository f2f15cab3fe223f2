//! What wakes the machine, in the order of time.

use std::collections::BTreeSet;

use taoyao_types::{ConnId, Instant, NodeId};

/// Why the machine wants to be woken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Alarm {
    /// The connection should have registered by now.
    Unregistered(ConnId),
    /// The terminal should have said something by now.
    Silent(ConnId),
    /// The terminal should have answered this message by now.
    Unanswered(ConnId, i64),
    /// The terminal should have been told by now that it is in the room.
    Entry(u64),
    /// A terminal that is away should have come back by now.
    Away(ConnId),
    /// What is known of rooms elsewhere is to be compared.
    Seats,
    /// Lists wait for their turn.
    Lists,
    /// Rooms are to be looked after: whether anybody is in them, and nodes of members have compared.
    Rooms,
    /// Alarms are to be reported to this node again.
    Reports(NodeId),
    /// The SFU or the recorder should have answered by now.
    Media,
    /// The call that rings under this number should have been answered by now.
    Ringing(u64),
    /// The terminal's session was refused and should be numbered anew.
    Renew(ConnId),
    /// Who waits for this deed has waited long enough.
    Deed(u64),
}

#[derive(Debug, Default)]
pub(crate) struct Timers(BTreeSet<(Instant, Alarm)>);

impl Timers {
    pub(crate) fn set(&mut self, at: Instant, alarm: Alarm) {
        self.0.insert((at, alarm));
    }

    pub(crate) fn unset(&mut self, at: Instant, alarm: Alarm) {
        self.0.remove(&(at, alarm));
    }

    pub(crate) fn next(&self) -> Option<Instant> {
        self.0.first().map(|(at, _)| *at)
    }

    /// The next alarm whose time has come.
    pub(crate) fn due(&mut self, now: Instant) -> Option<Alarm> {
        let due = self.0.first().is_some_and(|(at, _)| *at <= now);
        if due { self.0.pop_first().map(|(_, alarm)| alarm) } else { None }
    }
}
