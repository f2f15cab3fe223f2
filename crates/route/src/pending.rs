//! Requests on their way: who wants the answer, and which link it should come from.

use std::collections::BTreeMap;

use bytes::Bytes;
use taoyao_types::{Instant, NodeId, SignalId, TerminalKey};
use taoyao_wire::link::{Header, Target};

/// Who is waiting for an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asker {
    /// This node's terminals' machine, by its own number.
    Local(u64),
    /// A neighbour: the request passes through.
    Link(NodeId),
    /// A list that this node is collecting.
    Gather(u64),
    /// A trace that this node is making.
    Trace(u64),
}

/// One request that left this node or is being carried out on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    pub asker: Asker,
    /// The neighbour that was given the request; this node itself when the target is here.
    pub out: NodeId,
    /// What stands in the answer as its source: the target terminal, or what stands for the target node.
    pub answerer: TerminalKey,
    pub since: Instant,
    pub deadline: Instant,
    /// What to send again if the link breaks; only for this node's own requests.
    pub again: Option<(Header, Bytes)>,
}

/// The bounded table of requests on their way.
#[derive(Debug)]
pub struct PendingTable {
    requests: BTreeMap<SignalId, Pending>,
    /// Of those that may be sent again, the newest of each source and target.
    newest: BTreeMap<(TerminalKey, Target), SignalId>,
    max: usize,
}

/// The table is full: the request is refused as busy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Full;

impl PendingTable {
    /// A table that holds up to `max` requests.
    pub fn new(max: usize) -> Self {
        Self { requests: BTreeMap::new(), newest: BTreeMap::new(), max }
    }

    pub fn len(&self) -> usize {
        self.requests.len()
    }

    pub fn is_empty(&self) -> bool {
        self.requests.is_empty()
    }

    pub fn contains(&self, id: SignalId) -> bool {
        self.requests.contains_key(&id)
    }

    /// Notes a request. An older one from the same source to the same target is not sent again from now on: it would
    /// come after this one.
    pub fn insert(&mut self, id: SignalId, pending: Pending) -> Result<(), Full> {
        if self.requests.len() >= self.max {
            return Err(Full);
        }
        if let Some((header, _)) = &pending.again {
            let older = self.newest.insert((header.source, header.target), id);
            if let Some(older) = older.and_then(|older| self.requests.get_mut(&older)) {
                older.again = None;
            }
        }
        self.requests.insert(id, pending);
        Ok(())
    }

    /// Takes out the request that this answer belongs to, if it comes from where the request went and in the name of
    /// who was asked. Every hop has checked that who sent it may use that name.
    pub fn answered(&mut self, id: SignalId, from: NodeId, source: TerminalKey) -> Option<Pending> {
        let pending = self.requests.get(&id)?;
        if pending.out != from || pending.answerer != source {
            return None;
        }
        self.remove(id)
    }

    /// Takes out a request that was carried out on this node.
    pub fn carried_out(&mut self, id: SignalId, own: NodeId) -> Option<Pending> {
        if self.requests.get(&id)?.out != own {
            return None;
        }
        self.remove(id)
    }

    /// Takes out everything that was waiting for a neighbour that is gone.
    pub fn lost(&mut self, out: NodeId) -> Vec<(SignalId, Pending)> {
        self.take(|pending| pending.out == out)
    }

    /// Takes out everything whose time is over.
    pub fn expired(&mut self, now: Instant) -> Vec<(SignalId, Pending)> {
        self.take(|pending| pending.deadline <= now)
    }

    fn take(&mut self, wanted: impl Fn(&Pending) -> bool) -> Vec<(SignalId, Pending)> {
        let ids: Vec<SignalId> = self.requests.iter().filter(|(_, p)| wanted(p)).map(|(id, _)| *id).collect();
        ids.into_iter().filter_map(|id| Some((id, self.remove(id)?))).collect()
    }

    fn remove(&mut self, id: SignalId) -> Option<Pending> {
        let pending = self.requests.remove(&id)?;
        // One that was followed by a newer one has nothing to send again, and is not the newest.
        if let Some((header, _)) = &pending.again {
            self.newest.remove(&(header.source, header.target));
        }
        Some(pending)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use taoyao_types::{NodeEpoch, PartitionId};
    use taoyao_wire::Class;
    use taoyao_wire::link::Kind;

    use super::*;

    fn id(count: u64) -> SignalId {
        SignalId { origin: NodeId(1), epoch: NodeEpoch(1), count }
    }

    fn pending(out: u32, deadline: u64) -> Pending {
        let deadline = Instant(0) + Duration::from_millis(deadline);
        let (asker, out, answerer) = (Asker::Local(0), NodeId(out), TerminalKey::FIRST);
        Pending { asker, out, answerer, since: Instant(0), deadline, again: None }
    }

    #[test]
    fn an_answer_counts_only_from_where_the_request_went_and_by_whom_it_asked() {
        let mut table = PendingTable::new(3);
        table.insert(id(1), pending(7, 10)).unwrap();
        let foreign = TerminalKey::first_in(PartitionId(9));
        assert_eq!(table.answered(id(1), NodeId(8), TerminalKey::FIRST), None);
        assert_eq!(table.answered(id(1), NodeId(7), foreign), None);
        assert_eq!(table.carried_out(id(1), NodeId(8)), None);
        assert!(table.answered(id(1), NodeId(7), TerminalKey::FIRST).is_some());
        assert!(table.is_empty());
    }

    #[test]
    fn a_full_table_takes_no_more() {
        let mut table = PendingTable::new(1);
        table.insert(id(1), pending(7, 10)).unwrap();
        assert_eq!(table.insert(id(2), pending(7, 10)), Err(Full));
    }

    #[test]
    fn a_lost_link_and_a_passed_deadline_take_theirs_and_no_more() {
        let mut table = PendingTable::new(3);
        table.insert(id(1), pending(7, 10)).unwrap();
        table.insert(id(2), pending(8, 20)).unwrap();
        table.insert(id(3), pending(8, 30)).unwrap();
        assert_eq!(table.lost(NodeId(7)).len(), 1);
        assert_eq!(table.expired(Instant(20_000)).iter().map(|(id, _)| id.count).collect::<Vec<_>>(), [2]);
        assert_eq!(table.len(), 1);
    }

    #[test]
    fn only_the_newest_request_of_a_pair_is_sent_again() {
        let mut table = PendingTable::new(9);
        let key = |partition| TerminalKey::first_in(PartitionId(partition));
        let ask = |table: &mut PendingTable, count, target| {
            let header =
                Header::new(Kind::Request, Class::Request, id(count), Target::Terminal(target), key(1));
            let pending = Pending { again: Some((header, Bytes::new())), ..pending(7, 10) };
            table.insert(id(count), pending).unwrap();
        };
        ask(&mut table, 1, key(2));
        ask(&mut table, 2, key(3));
        ask(&mut table, 3, key(2));
        let again = |(id, pending): (SignalId, Pending)| pending.again.map(|_| id.count);
        assert_eq!(table.lost(NodeId(7)).into_iter().filter_map(again).collect::<Vec<_>>(), [2, 3]);
        assert!(table.newest.is_empty());
    }
}
