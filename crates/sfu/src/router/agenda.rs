//! When each transport is to be tended. All are looked through in every turn, so the moments lie side by side.

use taoyao_types::Instant;

/// By the transport's slot.
#[derive(Debug, Default)]
pub(super) struct Agenda {
    due: Vec<Instant>,
}

/// Of slots that nobody has.
const NEVER: Instant = Instant(u64::MAX);

impl Agenda {
    pub(super) fn set(&mut self, slot: usize, due: Instant) {
        if self.due.len() <= slot {
            self.due.resize(slot + 1, NEVER);
        }
        self.due[slot] = due;
    }

    /// Not later than this, whatever it stands for now.
    pub(super) fn bring_forward(&mut self, slot: usize, due: Instant) {
        if let Some(known) = self.due.get_mut(slot) {
            *known = due.min(*known);
        }
    }

    pub(super) fn remove(&mut self, slot: usize) {
        if let Some(known) = self.due.get_mut(slot) {
            *known = NEVER;
        }
    }

    /// The first slot from `from` on that is due.
    pub(super) fn next_due(&self, now: Instant, from: usize) -> Option<usize> {
        let rest = self.due.get(from..)?;
        rest.iter().position(|due| *due <= now).map(|at| from + at)
    }

    pub(super) fn earliest(&self) -> Option<Instant> {
        self.due.iter().copied().min().filter(|due| *due != NEVER)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_found_when_they_are_due() {
        let mut agenda = Agenda::default();
        assert_eq!((agenda.next_due(Instant(9), 0), agenda.earliest()), (None, None));
        agenda.set(2, Instant(50));
        agenda.set(0, Instant(90));
        assert_eq!((agenda.next_due(Instant(49), 0), agenda.earliest()), (None, Some(Instant(50))));
        assert_eq!((agenda.next_due(Instant(90), 0), agenda.next_due(Instant(90), 1)), (Some(0), Some(2)));
        assert_eq!(agenda.next_due(Instant(90), 3), None);
        agenda.bring_forward(0, Instant(20));
        agenda.bring_forward(0, Instant(30));
        assert_eq!(agenda.earliest(), Some(Instant(20)));
        agenda.remove(0);
        agenda.remove(2);
        assert_eq!(agenda.earliest(), None);
    }
}
