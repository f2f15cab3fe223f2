//! Presence on its way out: collected for a moment, so that a burst is one message and a flap is its last state.

use std::collections::BTreeMap;

use taoyao_types::{ClientId, Instant, NodeEpoch, NodeId, PartitionName, SessionEpoch, limits};
use taoyao_wire::link::{Complete, PresenceChange, PresenceNews};

/// What a change takes in a message besides its client's id and state.
const CHANGE_BYTES: usize = 64;

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

    /// Everything that waited, once it is due, in messages of at most [`limits::LIST_BYTES_MAX`]. `newest` is the newest
    /// session that this node has begun, in its life `life`.
    pub fn poll(
        &mut self,
        now: Instant,
        origin: NodeId,
        (life, newest): (NodeEpoch, SessionEpoch),
    ) -> Vec<PresenceNews> {
        if self.due.is_none_or(|due| due > now) {
            return Vec::new();
        }
        self.due = None;
        let mut news = Vec::new();
        for (partition, Waiting { complete, changes }) in std::mem::take(&mut self.partitions) {
            let mut after = None;
            let mut parts = in_parts(changes).into_iter().peekable();
            while let Some(changes) = parts.next() {
                let last = changes.last().map(|change| change.client.clone());
                let until = last.filter(|_| parts.peek().is_some());
                let range = Complete { after: after.take(), until: until.clone(), life, newest };
                let complete = complete.then_some(range);
                news.push(PresenceNews { partition: partition.clone(), origin, complete, changes });
                after = until;
            }
        }
        news
    }
}

/// Cuts changes into what fits a message each, in the order of their clients; no changes are one part.
fn in_parts(changes: BTreeMap<ClientId, PresenceChange>) -> Vec<Vec<PresenceChange>> {
    let mut parts = Vec::new();
    let mut part = Vec::new();
    let mut bytes = 0;
    for change in changes.into_values() {
        let size = change.state.as_ref().map_or(0, String::len) + change.client.as_str().len() + CHANGE_BYTES;
        if bytes + size > limits::LIST_BYTES_MAX {
            parts.push(std::mem::take(&mut part));
            bytes = 0;
        }
        bytes += size;
        part.push(change);
    }
    parts.push(part);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: (NodeEpoch, SessionEpoch) = (NodeEpoch(1), SessionEpoch(9));

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
        assert!(buffer.poll(Instant(10), NodeId(1), NOW).is_empty());
        let news = buffer.poll(buffer.poll_timeout().unwrap(), NodeId(1), NOW);
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
        let news = buffer.poll(Instant(100_000), NodeId(1), NOW);
        let clients: Vec<_> = news[0].changes.iter().map(|c| c.client.as_str().to_owned()).collect();
        let all = Complete { after: None, until: None, life: NOW.0, newest: NOW.1 };
        assert_eq!(news[0].complete, Some(all));
        assert_eq!(clients, ["b", "c"]);
    }

    #[test]
    fn a_list_too_long_for_one_message_is_told_in_ranges_that_miss_nobody() {
        let mut buffer = PresenceBuffer::default();
        let partition: PartitionName = "sh.cn".parse().unwrap();
        let long = "x".repeat(100_000);
        let clients: Vec<String> = (0..12).map(|n| format!("t{n:02}")).collect();
        let changes = clients.iter().map(|client| change(client, Some(&long))).collect();
        buffer.add(partition.clone(), changes, true, Instant(0));
        let news = buffer.poll(Instant(100_000), NodeId(1), NOW);
        assert_eq!(news.iter().map(|news| news.changes.len()).collect::<Vec<_>>(), [5, 5, 2]);
        for client in ["a", "t03", "t04", "t04a", "t09", "t11", "z"] {
            let client = client.parse().unwrap();
            let ranges = news.iter().filter(|news| news.complete.as_ref().unwrap().spans(&client));
            let ranges: Vec<_> = ranges.collect();
            assert_eq!(ranges.len(), 1, "{client} is in one range");
            let named = ranges[0].changes.iter().any(|change| change.client == client);
            assert_eq!(named, clients.contains(&client.to_string()), "{client} is named in its range");
        }
    }

    #[test]
    fn a_burst_too_long_for_one_message_claims_nothing() {
        let mut buffer = PresenceBuffer::default();
        let long = "x".repeat(400_000);
        let changes = ["a", "b"].map(|client| change(client, Some(&long)));
        buffer.add("sh.cn".parse().unwrap(), changes.into(), false, Instant(0));
        let news = buffer.poll(Instant(100_000), NodeId(1), NOW);
        assert_eq!(
            news.iter().map(|news| (news.complete.clone(), news.changes.len())).collect::<Vec<_>>(),
            [(None, 1), (None, 1)]
        );
    }
}
