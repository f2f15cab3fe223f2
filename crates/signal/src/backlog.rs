//! What a terminal has been sent lately, in case it has not received it.

use std::collections::VecDeque;

use taoyao_types::limits;

/// The newest messages to one terminal that may come back. Messages are counted from the registration's answer on, which
/// itself does not count.
#[derive(Debug, Default)]
pub(crate) struct Backlog {
    sent: u64,
    bytes: usize,
    kept: VecDeque<String>,
}

impl Backlog {
    pub(crate) fn push(&mut self, text: &str) {
        self.sent += 1;
        self.bytes += text.len();
        self.kept.push_back(text.to_owned());
        while self.kept.len() > limits::RESUME_MESSAGES_MAX || self.bytes > limits::RESUME_BYTES_MAX {
            let Some(oldest) = self.kept.pop_front() else { return };
            self.bytes -= oldest.len();
        }
    }

    /// What a terminal that has received so many has missed. None if some of it is not kept any more, or if it claims to
    /// have received what was never sent.
    pub(crate) fn missed(&self, received: u64) -> Option<impl Iterator<Item = &String>> {
        let missed = usize::try_from(self.sent.checked_sub(received)?).ok()?;
        let skipped = self.kept.len().checked_sub(missed)?;
        Some(self.kept.iter().skip(skipped))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_received_is_kept_in_bounds() {
        let mut backlog = Backlog::default();
        for number in 0..300 {
            backlog.push(&number.to_string());
        }
        let missed = |received| backlog.missed(received).map(|texts| texts.cloned().collect::<Vec<_>>());
        assert_eq!(missed(298).unwrap(), ["298", "299"]);
        assert_eq!(missed(300).unwrap(), Vec::<String>::new());
        assert_eq!(missed(44).unwrap().len(), 256);
        assert_eq!(missed(43), None, "too long ago");
        assert_eq!(missed(301), None, "never sent");
    }

    #[test]
    fn long_messages_leave_room_for_fewer() {
        let mut backlog = Backlog::default();
        let long = "x".repeat(limits::RESUME_BYTES_MAX / 2);
        for _ in 0..3 {
            backlog.push(&long);
        }
        assert!(backlog.missed(1).is_some());
        assert!(backlog.missed(0).is_none());
    }
}
