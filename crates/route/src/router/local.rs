//! What this node's own terminals and its operator want of the mesh.

use std::collections::BTreeSet;
use std::time::Duration;

use bytes::Bytes;
use taoyao_types::{
    Instant, NodeId, Now, PartitionId, PartitionName, SessionEpoch, SignalId, TerminalKey, Version, limits,
};
use taoyao_wire::Class;
use taoyao_wire::link::sync::Change;
use taoyao_wire::link::{
    Displacement, Failure, Header, Hop, Kind, ListEntry, ListPage, ListQuery, Payload, PresenceChange,
    PresenceNews, Record, Reply, Target, Trace,
};

use super::Router;
use crate::directory::Added;
use crate::gather::Wanting;
use crate::output::{Delivery, Output};
use crate::pending::Asker;

/// What a list in parts keeps back at every node for bringing the parts home.
const GATHER_RESERVE_MS: u32 = 150;

/// A trace that is being made, and for whom.
#[derive(Debug, Clone, Copy)]
pub(super) enum Tracing {
    Local(u64),
    Remote(SignalId),
}

impl Router {
    /// A terminal of this node is here, in this session.
    pub fn register(&mut self, now: Now, key: TerminalKey, session: SessionEpoch) {
        self.seq += 1;
        self.newest = self.newest.max(session);
        let version = Version { session, epoch: self.epoch, seq: self.seq };
        let record = Record { key, origin: self.own, version };
        self.let_go_of_refused(key);
        match self.directory.add(record, self.own, 0) {
            Added::Newest { replaced } => {
                self.stats.records_added += 1;
                self.tell_upward(Change::Add(record));
                if let Some(old) = replaced.filter(|old| old.via != self.own) {
                    self.send_displaced(old.via, Displacement { key, origin: Some(self.own), version });
                }
            }
            Added::Known | Added::Dead => {}
            Added::Outdated { by } => self.displace_local(key, Some(by.origin), by.version),
            Added::Buried { last } => self.displace_local(key, None, last),
        }
        self.poll_upstream(now);
    }

    /// A session that the parent did not take does not stand against the one in its place, which may be older by its number.
    fn let_go_of_refused(&mut self, key: TerminalKey) {
        if self.not_taken.remove(&key).is_none() {
            return;
        }
        if let Some(old) = self.directory.find(key).copied().filter(|old| old.via == self.own) {
            let record = Record { key, origin: self.own, version: old.version };
            if self.directory.lose(record, self.own) {
                self.tell_upward(Change::Lose(record));
            }
        }
    }

    /// A terminal of this node is gone.
    pub fn withdraw(&mut self, now: Now, key: TerminalKey, session: SessionEpoch) {
        self.not_taken.remove(&key);
        let Some(entry) = self.directory.find(key).copied() else { return };
        if entry.via != self.own || entry.version.session != session {
            return;
        }
        let record = Record { key, origin: self.own, version: entry.version };
        if self.directory.withdraw(record, self.own, now.mono) {
            self.stats.records_withdrawn += 1;
            self.tell_upward(Change::Withdraw(record));
        }
        self.poll_upstream(now);
    }

    /// Asks the node of a terminal, or a node; ends in exactly one [`Delivery::Reply`].
    pub fn ask(&mut self, now: Now, ask: u64, source: TerminalKey, target: Target, payload: Payload) {
        self.stats.requests_made += 1;
        let id = self.next_id();
        let header = self.request_header(id, target, source);
        self.request(now, Asker::Local(ask), header, Body::Payload(payload));
    }

    /// Tells the node of a terminal, or a node, something, unanswered.
    pub fn tell(&mut self, now: Now, source: TerminalKey, target: Target, class: Class, payload: Payload) {
        let id = self.next_id();
        let header = Header::new(Kind::Event, class, id, target, source);
        self.event(now, None, header, Body::Payload(payload));
    }

    /// Answers a request that was delivered. A second answer to the same request does nothing.
    pub fn reply(&mut self, now: Now, id: SignalId, reply: Reply) {
        if self.pending.contains(id) {
            if let Some(pending) = self.pending.carried_out(id, self.own) {
                self.finish(now, id, pending, reply, Vec::new());
            }
            return;
        }
        self.finish_execution(id, &reply);
    }

    /// Collects a list over the tree; ends in exactly one [`Delivery::Gathered`], in the time that a request has, less what it
    /// has `waited` already.
    pub fn gather(&mut self, now: Now, ask: u64, query: ListQuery, waited: Duration) {
        let remaining_ms = millis(self.topology.limits().request_timeout.saturating_sub(waited));
        self.begin_gather(now, Wanting::Local(ask), None, query, remaining_ms);
    }

    /// This node's own part of a list.
    pub fn handle_local_list(&mut self, now: Now, gather: u64, entries: Vec<ListEntry>) {
        let part = ListPage { entries, incomplete: Vec::new() };
        if let Some((wanting, page)) = self.gathers.add(gather, part) {
            self.finish_gather(now, wanting, page);
        }
    }

    /// Sends to all other nodes that own or serve the partition.
    pub fn broadcast(&mut self, now: Now, source: TerminalKey, partition: PartitionId, payload: &Payload) {
        let id = self.next_id();
        let header = Header::new(Kind::Multicast, Class::Broadcast, id, Target::Members(partition), source);
        self.relay_multicast(now, None, header, &payload.encode());
    }

    /// Tells the watchers elsewhere who came and went here.
    pub fn publish(
        &mut self,
        now: Now,
        partition: PartitionName,
        changes: Vec<PresenceChange>,
        complete: bool,
    ) {
        if self.interest.watchers(PartitionId::of(&partition), None).is_empty() {
            return;
        }
        self.presence.add(partition, changes, complete, now.mono);
    }

    /// Replaces the set of partitions that this node's terminals watch. The members of new ones are asked for, also
    /// where news of them passes through here already: nobody has kept it.
    pub fn watch(&mut self, partitions: BTreeSet<PartitionId>) {
        let new = self.interest.set_local(partitions);
        self.tell_interest_but(None, &new);
    }

    /// Measures the way from one of this node's terminals to another terminal; ends in [`Output::Traced`].
    /// `from` may be connected elsewhere: its node makes the trace.
    pub fn trace(&mut self, now: Now, number: u64, from: (TerminalKey, Payload), to: TerminalKey) {
        let (from, payload) = from;
        match self.directory.find(from) {
            Some(entry) if entry.via == self.own => self.begin_trace(now, Tracing::Local(number), from, to),
            _ => {
                self.trace_count += 1;
                let trace = self.trace_count;
                self.traces.insert(trace, Tracing::Local(number));
                let id = self.next_id();
                let source = self.own_source();
                if let Err(denied) = self.may_see(source.partition(), from.partition()) {
                    return self.finish_trace(trace, Reply::Failed(denied), Vec::new());
                }
                let header = self.request_header(id, Target::Terminal(from), source);
                self.request(now, Asker::Trace(trace), header, Body::Payload(payload));
            }
        }
    }

    pub(super) fn begin_trace(&mut self, now: Now, tracing: Tracing, from: TerminalKey, to: TerminalKey) {
        self.trace_count += 1;
        let trace = self.trace_count;
        self.traces.insert(trace, tracing);
        if let Err(denied) = self.may_see(from.partition(), to.partition()) {
            return self.finish_trace(trace, Reply::Failed(denied), Vec::new());
        }
        let id = self.next_id();
        let mut header = self.request_header(id, Target::Terminal(to), from);
        header.path = Some(vec![Hop { node: self.own, round_trip_us: 0 }]);
        self.request(now, Asker::Trace(trace), header, Body::Payload(Payload::Ping));
    }

    /// A traced request, or the request to make one elsewhere, came back.
    pub(super) fn finish_trace(&mut self, trace: u64, reply: Reply, back: Vec<Hop>) {
        let Some(tracing) = self.traces.remove(&trace) else { return };
        let result = match reply {
            Reply::Pong { there, .. } => Ok(Trace { there, back }),
            Reply::Traced(trace) => Ok(trace),
            Reply::Failed(failure) => Err(failure),
            other => Err(self.unreachable(format!("the other end answered a ping by {other:?}"))),
        };
        match tracing {
            Tracing::Local(number) => self.outputs.push_back(Output::Traced { number, result }),
            Tracing::Remote(id) => {
                self.finish_execution(id, &result.map_or_else(Reply::Failed, Reply::Traced))
            }
        }
    }

    pub(super) fn begin_gather(
        &mut self,
        now: Now,
        wanting: Wanting,
        from: Option<NodeId>,
        query: ListQuery,
        remaining_ms: u32,
    ) {
        let peers = self.gather_peers(&query, from);
        let deadline = now.mono + Duration::from_millis(u64::from(remaining_ms));
        let gather = self.gathers.begin(wanting, &query, peers.len() + 1, deadline);
        for peer in peers {
            self.gather_from(
                now,
                gather,
                peer,
                query.clone(),
                remaining_ms.saturating_sub(GATHER_RESERVE_MS),
            );
        }
        self.outputs.push_back(Output::ListWanted { gather, query });
    }

    /// A request to a terminal, with all the time that a request may take.
    fn request_header(&self, id: SignalId, target: Target, source: TerminalKey) -> Header {
        let remaining_ms = millis(self.topology.limits().request_timeout);
        let header = Header::new(Kind::Request, Class::Request, id, target, source);
        Header { remaining_ms, ..header }
    }

    /// The neighbours behind which some node serves one of the query's partitions.
    fn gather_peers(&self, query: &ListQuery, from: Option<NodeId>) -> BTreeSet<NodeId> {
        let toward = |id: PartitionId| self.topology.toward(self.own, id).collect::<Vec<_>>();
        let mut peers: BTreeSet<NodeId> = if query.partitions.is_empty() {
            self.neighbours.keys().copied().collect()
        } else {
            query.partitions.iter().flat_map(|name| toward(PartitionId::of(name))).collect()
        };
        peers.retain(|peer| Some(*peer) != from);
        peers
    }

    fn gather_from(&mut self, now: Now, gather: u64, peer: NodeId, query: ListQuery, remaining_ms: u32) {
        let (id, source) = (self.next_id(), self.own_source());
        let mut header = Header::new(Kind::Request, Class::Request, id, Target::Node(peer), source);
        header.remaining_ms = remaining_ms;
        self.request(now, Asker::Gather(gather), header, Body::Payload(Payload::List(query)));
    }

    pub(super) fn add_to_gather(&mut self, now: Now, gather: u64, from: NodeId, reply: Reply) {
        let finished = match reply {
            Reply::List(page) => {
                let page = self.believable(from, page);
                self.gathers.add(gather, page)
            }
            _ => self.gathers.give_up(gather, from),
        };
        if let Some((wanting, page)) = finished {
            self.finish_gather(now, wanting, page);
        }
    }

    pub(super) fn finish_gather(&mut self, _now: Now, wanting: Wanting, page: ListPage) {
        match wanting {
            Wanting::Local(ask) => self.deliver(Delivery::Gathered { ask, page }),
            Wanting::Remote(id) => self.finish_execution(id, &Reply::List(page)),
        }
    }

    pub(super) fn flush_presence(&mut self, now: Now) {
        for news in self.presence.poll(now.mono, self.own, (self.epoch, self.newest)) {
            self.send_presence(now, news, None);
        }
    }

    /// Sends news of one node's terminals to the neighbours that watch, but for `except`.
    pub(super) fn send_presence(&mut self, now: Now, news: PresenceNews, except: Option<NodeId>) {
        let partition = PartitionId::of(&news.partition);
        let source = TerminalKey::first_in(partition);
        let id = self.next_id();
        let header = Header::new(Kind::Multicast, Class::Event, id, Target::Watchers(partition), source);
        self.relay_multicast(now, except, header, &Payload::Presence(news).encode());
    }

    /// The answer to a request, wherever it was asked.
    pub(super) fn finish(
        &mut self,
        now: Now,
        id: SignalId,
        pending: crate::pending::Pending,
        reply: Reply,
        back: Vec<Hop>,
    ) {
        match pending.asker {
            Asker::Local(ask) => match self.again(now, id, &pending, &reply) {
                Some((header, body)) => self.request(now, pending.asker, header, Body::Encoded(body)),
                None => self.deliver(Delivery::Reply { ask, reply }),
            },
            Asker::Gather(gather) => self.add_to_gather(now, gather, pending.out, reply),
            Asker::Trace(trace) => self.finish_trace(trace, reply, back),
            Asker::Link(_) => {}
        }
    }

    /// A request that a breaking link may have swallowed is tried once more while there is time; the target's node
    /// knows it by its id and does not carry it out twice.
    fn again(
        &self,
        now: Now,
        id: SignalId,
        pending: &crate::pending::Pending,
        reply: &Reply,
    ) -> Option<(Header, Bytes)> {
        if !matches!(reply, Reply::Failed(Failure::Interrupted { .. })) {
            return None;
        }
        let (header, body) = pending.again.as_ref()?;
        let remaining_ms = millis(pending.deadline.since(now.mono));
        let retry = header.attempt == 0 && remaining_ms > 500 && header.id == id;
        retry.then(|| (Header { attempt: 1, remaining_ms, ..header.clone() }, body.clone()))
    }

    pub(super) fn displace_local(&mut self, key: TerminalKey, origin: Option<NodeId>, by: Version) {
        self.not_taken.remove(&key);
        let outbid = SessionEpoch(by.session.0.saturating_add(1));
        self.deliver(Delivery::Displaced { key, origin, outbid });
    }
}

/// A body that is encoded only if it has to travel.
#[derive(Debug)]
pub(super) enum Body {
    Payload(Payload),
    Encoded(Bytes),
}

impl Body {
    pub(super) fn encode(self) -> Bytes {
        match self {
            Body::Payload(payload) => payload.encode().into(),
            Body::Encoded(bytes) => bytes,
        }
    }

    pub(super) fn decode(self) -> Result<Payload, taoyao_wire::link::BadFrame> {
        match self {
            Body::Payload(payload) => Ok(payload),
            Body::Encoded(bytes) => Payload::decode(&bytes),
        }
    }
}

/// Whole milliseconds, as they are written on the wire.
pub(super) fn millis(span: Duration) -> u32 {
    u32::try_from(span.as_millis()).unwrap_or(u32::MAX)
}

/// When a request with this much time left ends.
pub(super) fn deadline(now: Instant, remaining_ms: u32) -> Instant {
    now + Duration::from_millis(u64::from(remaining_ms)).min(limits::REQUEST_TIMEOUT_MAX)
}
