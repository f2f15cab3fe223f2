//! Presence on its way out: collected for a moment, so that a burst is one message and a flap is its last state.

use std::collections::BTreeMap;

use taoyao_types::{ClientId, Instant, NodeId, PartitionName, limits};
use taoyao_wire::link::{PresenceChange, PresenceNews};

/// What this node's terminals did since the last message, per partition.
#[derive(Debug, Default)]
pub struct PresenceBuffer {
    partitions: BTreeMap<PartitionName, Waiting>,
    due: Option<Instant>,
}

#[derive(Debug, Default)]
struct Waiting {
    complete: bool,
    changes: BTreeMap<ClientId, PresenceChange>,
}

impl PresenceBuffer {
    /// Adds changes; the newest state of a terminal replaces an older one that still waits.
    pub fn add(
        &mut self,
        partition: PartitionName,
        changes: Vec<PresenceChange>,
        complete: bool,
        now: Instant,
    ) {
        let waiting = self.partitions.entry(partition).or_default();
        if complete {
            waiting.complete = true;
            waiting.changes.clear();
        }
        waiting.changes.extend(changes.into_iter().map(|change| (change.client.clone(), change)));
        if waiting.complete {
            // In a complete list, absence says that a terminal is gone.
            waiting.changes.retain(|_, change| change.state.is_some());
        }
        self.due.get_or_insert(now + limits::PRESENCE_DELAY);
    }

    pub fn poll_timeout(&self) -> Option<Instant> {
        self.due
    }

    /// Everything that waited, once it is due.
    pub fn poll(&mut self, now: Instant, origin: NodeId) -> Vec<PresenceNews> {
        if self.due.is_none_or(|due| due > now) {
            return Vec::new();
        }
        self.due = None;
        let waiting = std::mem::take(&mut self.partitions).into_iter();
        waiting
            .map(|(partition, Waiting { complete, changes })| PresenceNews {
                partition,
                origin,
                complete,
                changes: changes.into_values().collect(),
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use taoyao_types::SessionEpoch;

    use super::*;

    fn change(client: &str, state: Option<&str>) -> PresenceChange {
        let state = state.map(str::to_owned);
        PresenceChange { client: client.parse().unwrap(), session: SessionEpoch(1), state }
    }

    #[test]
    fn a_flap_travels_as_its_last_state() {
        let mut buffer = PresenceBuffer::default();
        let partition: PartitionName = "sh.cn".parse().unwrap();
        buffer.add(partition.clone(), vec![change("a", Some("{}"))], false, Instant(0));
        buffer.add(partition.clone(), vec![change("a", None)], false, Instant(10));
        assert!(buffer.poll(Instant(10), NodeId(1)).is_empty());
        let news = buffer.poll(buffer.poll_timeout().unwrap(), NodeId(1));
        assert_eq!(news.len(), 1);
        assert_eq!(news[0].changes, [change("a", None)]);
        assert_eq!(buffer.poll_timeout(), None);
    }

    #[test]
    fn a_complete_list_keeps_what_comes_after_it_and_drops_who_left() {
        let mut buffer = PresenceBuffer::default();
        let partition: PartitionName = "sh.cn".parse().unwrap();
        buffer.add(
            partition.clone(),
            vec![change("a", Some("{}")), change("b", Some("{}"))],
            true,
            Instant(0),
        );
        buffer.add(partition.clone(), vec![change("a", None), change("c", Some("{}"))], false, Instant(1));
        let news = buffer.poll(Instant(100_000), NodeId(1));
        let clients: Vec<_> = news[0].changes.iter().map(|c| c.client.as_str().to_owned()).collect();
        assert!(news[0].complete);
        assert_eq!(clients, ["b", "c"]);
    }
}
