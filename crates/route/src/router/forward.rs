//! Signals on their way: one step towards the target, or the end of the way, or an answer that says why not.

use bytes::Bytes;
use taoyao_types::{NodeId, Now, PartitionId, TerminalKey, limits};
use taoyao_wire::Class;
use taoyao_wire::link::{Failure, Header, Hop, Kind, Lane, Payload, Reply, Target, frame};

use super::Router;
use super::local::{Body, Tracing, deadline};
use crate::executions::{Caller, Known};
use crate::gather::Wanting;
use crate::output::Delivery;
use crate::pending::{Asker, Full, Pending};

/// Answers of more bytes travel on the bulk connection, so that a list does not hold up a call.
const BULK_ANSWER_BYTES: usize = 16 * 1024;

/// One step of a signal.
enum Step {
    Here,
    To(NodeId),
}

impl Router {
    /// A signal from a neighbour.
    pub(super) fn handle_signal(&mut self, now: Now, from: NodeId, header: Header, body: Bytes) {
        if !self.is_allowed(from, &header) {
            return;
        }
        match header.kind {
            Kind::Request => self.handle_request(now, from, header, body),
            Kind::Answer => self.handle_answer(now, from, header, body),
            Kind::Event => self.event(now, Some(from), header, Body::Encoded(body)),
            Kind::Multicast => self.handle_multicast(now, from, header, body),
        }
    }

    fn handle_request(&mut self, now: Now, from: NodeId, header: Header, body: Bytes) {
        let again = header.attempt > 0;
        if self.pending.contains(header.id) && !again {
            self.stats.requests_repeated += 1;
            return;
        }
        self.request(now, Asker::Link(from), header, Body::Encoded(body));
    }

    /// Carries a request one step, or out, or refuses it.
    pub(super) fn request(&mut self, now: Now, asker: Asker, header: Header, body: Body) {
        let from = match asker {
            Asker::Link(from) => Some(from),
            Asker::Local(_) | Asker::Gather(_) | Asker::Trace(_) => None,
        };
        match self.step(header.target, from, Some(&header)) {
            Ok(Step::Here) => self.execute(now, asker, header, body),
            Ok(Step::To(peer)) => self.relay_request(now, asker, peer, header, body.encode()),
            Err(failure) => self.refuse(now, asker, &header, failure),
        }
    }

    /// In whose name a request to `target` is answered, also by a node on the way that refuses it.
    fn answerer(&self, target: Target) -> TerminalKey {
        match target {
            Target::Terminal(key) => key,
            Target::Node(node) => match self.topology.node(node) {
                Some(node) => TerminalKey::first_in(PartitionId::of(node.home_partition())),
                None => self.own_source(),
            },
            Target::Members(partition) | Target::Watchers(partition) => TerminalKey::first_in(partition),
        }
    }

    /// Where a signal for `target` goes next from here.
    fn step(&self, target: Target, from: Option<NodeId>, header: Option<&Header>) -> Result<Step, Failure> {
        if header.is_some_and(|header| header.ttl == 0) {
            return Err(self.unreachable("the way is longer than a way can be: a loop"));
        }
        let next = match target {
            Target::Terminal(key) => match self.directory.find(key) {
                Some(entry) if entry.via == self.own => return Ok(Step::Here),
                Some(entry) => entry.via,
                None => self.upward(key.partition(), from)?,
            },
            Target::Node(node) if node == self.own => return Ok(Step::Here),
            Target::Node(node) => self.topology.next_hop(self.own, node).ok_or(Failure::NoSuchTerminal)?,
            Target::Members(_) | Target::Watchers(_) => return Err(Failure::NoSuchTerminal),
        };
        self.passable(next, from)
    }

    /// A terminal that this node does not know may be known further up; the root knows all there are.
    fn upward(&self, partition: PartitionId, from: Option<NodeId>) -> Result<NodeId, Failure> {
        match self.parent {
            Some(parent) if Some(parent) != from => Ok(parent),
            _ => Err(self.unknown(partition)),
        }
    }

    /// Not known here where it should be: there is no such terminal, unless a child has yet to tell its own.
    fn unknown(&self, partition: PartitionId) -> Failure {
        let mut toward = self.topology.toward(self.own, partition).filter_map(|id| self.neighbours.get(&id));
        match toward.find(|neighbour| !neighbour.is_parent() && !neighbour.is_synced()) {
            Some(child) if child.is_up() => {
                self.unreachable(format!("{} is still telling its terminals", child.name))
            }
            Some(child) if !self.ready => {
                self.unreachable(format!("link to {} is down: {}", child.name, child.reason))
            }
            _ => Failure::NoSuchTerminal,
        }
    }

    fn passable(&self, next: NodeId, from: Option<NodeId>) -> Result<Step, Failure> {
        if Some(next) == from {
            // The directory leads back to who asks, so that node has just forgotten the terminal.
            return Err(match self.neighbours.get(&next) {
                Some(neighbour) if !neighbour.is_synced() => {
                    self.unreachable(format!("{} is still telling its terminals", neighbour.name))
                }
                _ => Failure::NoSuchTerminal,
            });
        }
        match self.neighbours.get(&next) {
            Some(neighbour) if neighbour.is_up() => Ok(Step::To(next)),
            Some(neighbour) => {
                Err(self.unreachable(format!("link to {} is down: {}", neighbour.name, neighbour.reason)))
            }
            None => Err(self.unreachable(format!("{} is no neighbour", self.name_of(next)))),
        }
    }

    fn relay_request(&mut self, now: Now, asker: Asker, peer: NodeId, mut header: Header, body: Bytes) {
        if is_oversize(&body) {
            self.stats.oversize_refused += 1;
            return self.refuse(now, asker, &header, too_long(body.len()));
        }
        let lane = Lane::Shard(header.shard());
        let busy = self.is_full(peer, lane);
        let until = deadline(now.mono, header.remaining_ms);
        let again = matches!(asker, Asker::Local(_)).then(|| (header.clone(), body.clone()));
        let answerer = self.answerer(header.target);
        let pending = Pending { asker, out: peer, answerer, since: now.mono, deadline: until, again };
        if busy || self.pending.insert(header.id, pending) == Err(Full) {
            let failure = Failure::Busy { node: self.name.clone() };
            return self.refuse(now, asker, &header, failure);
        }
        if let Asker::Link(from) = asker {
            self.stats.requests_relayed += 1;
            self.mark_path(&mut header, 0);
            debug_assert_ne!(from, peer, "a request never goes back where it came from");
        }
        header.ttl -= 1;
        header.remaining_ms = header.remaining_ms.saturating_sub(1);
        let frame = frame::encode_signal(&header, &body);
        self.send(peer, lane, frame);
    }

    fn is_full(&self, peer: NodeId, lane: Lane) -> bool {
        self.neighbours.get(&peer).is_some_and(|neighbour| neighbour.is_full(lane))
    }

    /// The request has reached its target's node.
    fn execute(&mut self, now: Now, asker: Asker, mut header: Header, body: Body) {
        let target = self.answerer(header.target);
        match asker {
            Asker::Link(from) => {
                self.mark_path(&mut header, 0);
                let caller = Caller { from, target, path: header.path.clone() };
                match self.executions.begin(header.id, caller, now.mono) {
                    Known::No => {}
                    Known::Running => return self.stats.requests_repeated += 1,
                    Known::Done(answer) => {
                        self.stats.requests_repeated += 1;
                        let caller = Caller { from, target, path: None };
                        return self.send_answer(header.id, &caller, &answer);
                    }
                }
            }
            _ => {
                let until = deadline(now.mono, header.remaining_ms);
                let (out, since, again) = (self.own, now.mono, None);
                let pending = Pending { asker, out, answerer: target, since, deadline: until, again };
                if self.pending.insert(header.id, pending) == Err(Full) {
                    let failure = Failure::Busy { node: self.name.clone() };
                    return self.refuse(now, asker, &header, failure);
                }
            }
        }
        self.stats.requests_executed += 1;
        self.dispatch(now, asker, header, target, body);
    }

    fn dispatch(&mut self, now: Now, asker: Asker, header: Header, target: TerminalKey, body: Body) {
        let (id, remaining_ms) = (header.id, header.remaining_ms);
        let payload = body.decode();
        if payload.as_ref().is_ok_and(Payload::is_look) {
            self.executions.only_looks(id);
        }
        match payload {
            Ok(Payload::Ping) => {
                let reply = match self.may_see(header.source.partition(), target.partition()) {
                    Ok(()) => {
                        let there = header.path.unwrap_or_default();
                        Reply::Pong { node: self.name.clone(), there }
                    }
                    Err(denied) => Reply::Failed(denied),
                };
                self.reply(now, id, reply);
            }
            Ok(Payload::Trace { to }) => match self.may_see(header.source.partition(), target.partition()) {
                Ok(()) => self.begin_trace(now, Tracing::Remote(id), target, TerminalKey::of(&to)),
                Err(denied) => self.reply(now, id, Reply::Failed(denied)),
            },
            Ok(Payload::List(query)) => {
                let from = if let Asker::Link(from) = asker { Some(from) } else { None };
                let may = from.map_or(Ok(()), |from| self.may_list(from, id.origin, &query));
                match may {
                    Ok(()) => self.begin_gather(now, Wanting::Remote(id), from, query, remaining_ms),
                    Err(denied) => self.reply(now, id, Reply::Failed(denied)),
                }
            }
            Ok(payload) if speaks_for(&payload, header.source) && is_meant_for(&payload, header.target) => {
                self.deliver(match header.target {
                    Target::Terminal(_) => Delivery::Request { id, target, payload, remaining_ms },
                    _ => Delivery::NodeRequest { id, origin: id.origin, payload, remaining_ms },
                });
            }
            Ok(_) => self.reply(now, id, Reply::Failed(Failure::Denied { rule: "source".to_owned() })),
            Err(bad) => {
                let failure = Failure::Refused { code: "9999".to_owned(), text: bad.to_string() };
                self.reply(now, id, Reply::Failed(failure));
            }
        }
    }

    /// Ends a request that goes no further.
    fn refuse(&mut self, now: Now, asker: Asker, header: &Header, failure: Failure) {
        match failure {
            Failure::NoSuchTerminal => self.stats.refused_no_such_terminal += 1,
            Failure::Unreachable { .. } | Failure::Interrupted { .. } => self.stats.refused_unreachable += 1,
            Failure::Busy { .. } => self.stats.refused_busy += 1,
            Failure::Deadline => self.stats.refused_deadline += 1,
            Failure::Denied { .. } | Failure::Refused { .. } => {}
        }
        if header.ttl == 0 {
            self.stats.ttl_expired += 1;
        }
        let reply = Reply::Failed(failure);
        match asker {
            Asker::Local(ask) => self.deliver(Delivery::Reply { ask, reply }),
            Asker::Gather(gather) => {
                let peer = if let Target::Node(node) = header.target { node } else { self.own };
                self.add_to_gather(now, gather, peer, reply);
            }
            Asker::Trace(trace) => self.finish_trace(trace, reply, Vec::new()),
            Asker::Link(from) => {
                let target = self.answerer(header.target);
                let caller = Caller { from, target, path: header.path.clone() };
                self.send_answer(header.id, &caller, &reply.encode());
            }
        }
    }

    /// Notes and sends the answer of a request that came from elsewhere.
    pub(super) fn finish_execution(&mut self, id: taoyao_types::SignalId, reply: &Reply) {
        let answer = Bytes::from(reply.encode());
        let caller = self.executions.finish(id, answer.clone());
        self.stats.answers_kept_bytes = self.executions.bytes() as u64;
        if let Some(caller) = caller {
            self.send_answer(id, &caller, &answer);
        }
    }

    fn send_answer(&mut self, id: taoyao_types::SignalId, caller: &Caller, answer: &[u8]) {
        let mut header =
            Header::new(Kind::Answer, Class::Request, id, Target::Node(id.origin), caller.target);
        header.path = caller.path.as_ref().map(|_| vec![Hop { node: self.own, round_trip_us: 0 }]);
        self.pass_answer(caller.from, &header, answer);
    }

    /// Gives an answer to the neighbour that the request came from, or, if that is gone, to whoever leads to the
    /// node that asked.
    fn pass_answer(&mut self, back: NodeId, header: &Header, body: &[u8]) {
        let is_up = |id: &NodeId| self.neighbours.get(id).is_some_and(|neighbour| neighbour.is_up());
        let by_name = self.topology.next_hop(self.own, header.id.origin);
        let Some(peer) = Some(back).filter(is_up).or(by_name.filter(is_up)) else {
            self.stats.answers_late += 1;
            return;
        };
        if is_oversize(body) {
            // Sent as it is, it would go nowhere, and whoever waits would never hear why.
            self.stats.oversize_refused += 1;
            let shorter = Reply::Failed(too_long(body.len())).encode();
            let frame = frame::encode_signal(header, &shorter);
            return self.send(peer, Lane::Shard(header.shard()), frame);
        }
        let lane = if body.len() > BULK_ANSWER_BYTES { Lane::Bulk } else { Lane::Shard(header.shard()) };
        self.send(peer, lane, frame::encode_signal(header, body));
    }

    fn handle_answer(&mut self, now: Now, from: NodeId, mut header: Header, body: Bytes) {
        let Some(pending) = self.pending.answered(header.id, from, header.source) else {
            return self.reroute_answer(from, header, &body);
        };
        let round_trip_us = u64::try_from(now.mono.since(pending.since).as_micros()).unwrap_or(u64::MAX);
        self.mark_path(&mut header, round_trip_us);
        match pending.asker {
            Asker::Link(back) => {
                self.stats.answers_relayed += 1;
                header.ttl = header.ttl.saturating_sub(1);
                self.pass_answer(back, &header, &body);
            }
            _ => {
                let failure = |bad| Reply::Failed(Failure::Refused { code: "9999".to_owned(), text: bad });
                let reply = Reply::decode(&body).unwrap_or_else(|bad| failure(bad.to_string()));
                self.finish(now, header.id, pending, reply, header.path.unwrap_or_default());
            }
        }
    }

    /// An answer that nobody here waits for: this node has restarted since, or it is late.
    fn reroute_answer(&mut self, from: NodeId, mut header: Header, body: &[u8]) {
        let next = self.topology.next_hop(self.own, header.id.origin).filter(|next| *next != from);
        match next {
            Some(next) if header.ttl > 0 => {
                self.stats.answers_rerouted += 1;
                header.ttl -= 1;
                self.pass_answer(next, &header, body);
            }
            _ => self.stats.answers_late += 1,
        }
    }

    /// Carries an unanswered signal one step or delivers it. What cannot go on is dropped and counted.
    pub(super) fn event(&mut self, _now: Now, from: Option<NodeId>, mut header: Header, body: Body) {
        match self.step(header.target, from, Some(&header)) {
            Ok(Step::Here) => {
                let Ok(payload) = body.decode() else { return };
                if !speaks_for(&payload, header.source) || !is_meant_for(&payload, header.target) {
                    return self.stats.authority_violations += 1;
                }
                self.deliver(match header.target {
                    Target::Terminal(target) => Delivery::Event { target, payload },
                    _ => Delivery::NodeEvent { origin: header.id.origin, payload },
                });
            }
            Ok(Step::To(peer)) => {
                let shard = Lane::Shard(header.shard());
                if self.is_full(peer, shard) {
                    return self.stats.overflow_dropped += 1;
                }
                let body = body.encode();
                if is_oversize(&body) {
                    return self.stats.oversize_refused += 1;
                }
                self.stats.events_relayed += 1;
                header.ttl -= 1;
                let lane = if header.class == Class::Telemetry { Lane::Datagram } else { shard };
                self.send(peer, lane, frame::encode_signal(&header, &body));
            }
            Err(_) => self.stats.overflow_dropped += 1,
        }
    }

    fn handle_multicast(&mut self, now: Now, from: NodeId, header: Header, body: Bytes) {
        self.deliver_multicast(&header, &body);
        self.relay_multicast(now, Some(from), header, &body);
    }

    fn deliver_multicast(&mut self, header: &Header, body: &[u8]) {
        let wanted = match header.target {
            Target::Members(partition) => self.topology.may_attach(self.own, partition),
            Target::Watchers(partition) => self.interest.is_local(partition),
            Target::Terminal(_) | Target::Node(_) => false,
        };
        if !wanted {
            return;
        }
        match (header.target, Payload::decode(body)) {
            (Target::Watchers(partition), Ok(Payload::Presence(news)))
                if PartitionId::of(&news.partition) == partition
                    && self.may_tell_of(header.id.origin, &news) =>
            {
                self.deliver(Delivery::Presence(news));
            }
            (Target::Members(partition), Ok(payload)) if speaks_for(&payload, header.source) => {
                self.deliver(Delivery::Broadcast { partition, payload });
            }
            _ => self.stats.authority_violations += 1,
        }
    }

    /// One copy for each neighbour that leads to some of the audience, but for the one it came from.
    pub(super) fn relay_multicast(
        &mut self,
        _now: Now,
        from: Option<NodeId>,
        mut header: Header,
        body: &[u8],
    ) {
        let (peers, lane): (Vec<NodeId>, Lane) = match header.target {
            Target::Members(partition) => {
                (self.topology.toward(self.own, partition).collect(), Lane::Broadcast)
            }
            Target::Watchers(partition) => {
                (self.interest.watchers(partition, from), Lane::Shard(header.shard()))
            }
            Target::Terminal(_) | Target::Node(_) => return,
        };
        let Some(ttl) = header.ttl.checked_sub(1) else { return self.stats.ttl_expired += 1 };
        header.ttl = ttl;
        let peers = peers.into_iter().filter(|peer| Some(*peer) != from);
        if is_oversize(body) {
            return self.stats.oversize_refused += 1;
        }
        let frame = frame::encode_signal(&header, body);
        for peer in peers {
            if self.is_full(peer, lane) {
                self.stats.overflow_dropped += 1;
                continue;
            }
            self.stats.multicasts_relayed += 1;
            self.send(peer, lane, frame.clone());
        }
    }

    pub(super) fn expire_requests(&mut self, now: Now) {
        for (id, pending) in self.pending.expired(now.mono) {
            self.stats.refused_deadline += 1;
            self.finish(now, id, pending, Reply::Failed(Failure::Deadline), Vec::new());
        }
        for (wanting, page) in self.gathers.expired(now.mono) {
            self.finish_gather(now, wanting, page);
        }
    }

    /// Everything that waits for an answer over a link that is gone is answered now.
    pub(super) fn interrupt(&mut self, now: Now, peer: NodeId, reason: &str) {
        let name = self.name_of(peer);
        let reason = format!("link to {name} was lost: {reason}");
        for (id, pending) in self.pending.lost(peer) {
            self.stats.refused_unreachable += 1;
            let reply =
                Reply::Failed(Failure::Interrupted { node: self.name.clone(), reason: reason.clone() });
            match pending.asker {
                Asker::Link(back) => {
                    let caller = Caller { from: back, target: pending.answerer, path: None };
                    self.send_answer(id, &caller, &reply.encode());
                }
                _ => self.finish(now, id, pending, reply, Vec::new()),
            }
        }
    }

    fn mark_path(&self, header: &mut Header, round_trip_us: u64) {
        if let Some(path) = &mut header.path
            && path.len() < 4 * limits::TIERS_MAX
        {
            path.push(Hop { node: self.own, round_trip_us });
        }
    }
}

/// Whether no link takes a signal with such a body.
fn is_oversize(body: &[u8]) -> bool {
    body.len() > limits::FRAME_BYTES_MAX - limits::FRAME_HEADER_BYTES_MAX
}

fn too_long(bytes: usize) -> Failure {
    let most = limits::FRAME_BYTES_MAX - limits::FRAME_HEADER_BYTES_MAX;
    let text = format!("信令错误：{bytes} bytes do not fit into one frame between nodes; at most {most} do");
    Failure::Refused { code: "3400".to_owned(), text }
}

/// Whether the terminal that the payload names as its sender is the one that every hop has checked.
fn speaks_for(payload: &Payload, source: TerminalKey) -> bool {
    match payload {
        Payload::Message { from, .. }
        | Payload::Call { from, .. }
        | Payload::Session { from, .. }
        | Payload::Status { from }
        | Payload::Broadcast { from, .. } => TerminalKey::of(from) == source,
        Payload::Room(request) => TerminalKey::of(&request.from) == source,
        Payload::Alarm(report) => TerminalKey::of(&report.from) == source,
        Payload::Ping
        | Payload::Trace { .. }
        | Payload::List(_)
        | Payload::RoomNews(_)
        | Payload::RoomCheck(_) => true,
        Payload::Presence(_) => false,
    }
}

/// Whether a payload is for what its header names: a node itself, or a terminal.
fn is_meant_for(payload: &Payload, target: Target) -> bool {
    let is_node = matches!(target, Target::Node(_));
    match payload {
        Payload::Room(_) | Payload::RoomNews(_) | Payload::RoomCheck(_) | Payload::Alarm(_) => is_node,
        // An SFU has a state as terminals have, and is found at its node.
        Payload::Status { .. } => true,
        Payload::Message { .. }
        | Payload::Call { .. }
        | Payload::Session { .. }
        | Payload::Ping
        | Payload::Trace { .. }
        | Payload::List(_)
        | Payload::Broadcast { .. }
        | Payload::Presence(_) => !is_node,
    }
}
