//! Requests carried out on this node: at most once each, their answers kept for those who ask again.

use std::collections::BTreeMap;

use bytes::Bytes;
use taoyao_types::{Instant, NodeId, SignalId, TerminalKey, limits};
use taoyao_wire::link::Hop;

/// Where the answer of a running request goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The neighbour that the request came from.
    pub from: NodeId,
    /// The request's target, for which the answer keeps its order.
    pub target: TerminalKey,
    /// The way there, when it is traced.
    pub path: Option<Vec<Hop>>,
}

/// What is known of a request that has just arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Known {
    /// Never seen: carry it out.
    No,
    /// It is being carried out; its answer now goes to the newer caller.
    Running,
    /// It was carried out: this was its answer.
    Done(Bytes),
}

/// The bounded memory of executed requests. A forgotten one is older than any deadline that could repeat it, unless one node
/// asks for more than its share: then its own oldest are forgotten first.
///
/// Invariant: `order` and the origins' `order` name exactly the requests that are known, and the sums of bytes are those of
/// the answers that are kept.
#[derive(Debug, Default)]
pub struct Executions {
    known: BTreeMap<SignalId, Execution>,
    /// By the order in which they came.
    order: BTreeMap<u64, SignalId>,
    origins: BTreeMap<NodeId, Origin>,
    count: u64,
    bytes: usize,
}

#[derive(Debug)]
struct Execution {
    place: u64,
    until: Instant,
    /// It changes nothing, so that it may be carried out again.
    is_look: bool,
    state: State,
}

#[derive(Debug)]
enum State {
    Running(Caller),
    Done(Bytes),
}

/// What is remembered for the requests of one node.
#[derive(Debug, Default)]
struct Origin {
    order: BTreeMap<u64, SignalId>,
    bytes: usize,
}

impl Executions {
    pub fn len(&self) -> usize {
        self.known.len()
    }

    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// Bytes of the answers that are kept.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Requests that are being carried out; for tests of quiet points.
    pub fn running(&self) -> usize {
        self.known.values().filter(|known| matches!(known.state, State::Running(_))).count()
    }

    /// Notes that a request arrived and says whether it is the first time.
    pub fn begin(&mut self, id: SignalId, caller: Caller, now: Instant) -> Known {
        match self.known.get_mut(&id).map(|known| &mut known.state) {
            Some(State::Running(known)) => {
                *known = caller;
                return Known::Running;
            }
            Some(State::Done(answer)) => return Known::Done(answer.clone()),
            None => {}
        }
        self.count += 1;
        let (place, until) = (self.count, now + limits::RESULT_KEPT);
        self.known.insert(id, Execution { place, until, is_look: false, state: State::Running(caller) });
        self.order.insert(place, id);
        let origin = self.origins.entry(id.origin).or_default();
        origin.order.insert(place, id);
        if origin.order.len() > limits::RESULTS_PER_ORIGIN_MAX {
            self.forget_first_of(id.origin);
        }
        if self.known.len() > limits::RESULTS_MAX {
            self.forget_first();
        }
        Known::No
    }

    /// The request only looks: a long answer to it is not kept, because it can be made anew.
    pub fn only_looks(&mut self, id: SignalId) {
        if let Some(known) = self.known.get_mut(&id) {
            known.is_look = true;
        }
    }

    /// Notes the answer; returns where it goes, if the request was running.
    pub fn finish(&mut self, id: SignalId, answer: Bytes) -> Option<Caller> {
        let known = self.known.get_mut(&id)?;
        let State::Running(caller) = &known.state else { return None };
        let (caller, bytes) = (caller.clone(), answer.len());
        if known.is_look && bytes > limits::RESULT_OF_A_LOOK_BYTES_MAX {
            self.forget(id);
            return Some(caller);
        }
        known.state = State::Done(answer);
        self.bytes += bytes;
        if let Some(origin) = self.origins.get_mut(&id.origin) {
            origin.bytes += bytes;
        }
        let is_over = |origin: &Origin| origin.bytes > limits::RESULTS_PER_ORIGIN_BYTES_MAX;
        while self.origins.get(&id.origin).is_some_and(is_over) {
            self.forget_first_of(id.origin);
        }
        while self.bytes > limits::RESULTS_BYTES_MAX {
            self.forget_first();
        }
        Some(caller)
    }

    pub fn expire(&mut self, now: Instant) {
        let is_over = |id: &SignalId| self.known.get(id).is_none_or(|known| known.until <= now);
        let over: Vec<SignalId> = self.order.values().copied().take_while(is_over).collect();
        over.into_iter().for_each(|id| self.forget(id));
    }

    /// The oldest of all.
    fn forget_first(&mut self) {
        if let Some((_, id)) = self.order.first_key_value() {
            self.forget(*id);
        }
    }

    /// The oldest of one node.
    fn forget_first_of(&mut self, node: NodeId) {
        let first = self.origins.get(&node).and_then(|origin| origin.order.first_key_value());
        if let Some((_, id)) = first {
            self.forget(*id);
        }
    }

    fn forget(&mut self, id: SignalId) {
        let Some(Execution { place, state, .. }) = self.known.remove(&id) else { return };
        let bytes = if let State::Done(answer) = state { answer.len() } else { 0 };
        self.order.remove(&place);
        self.bytes -= bytes;
        if let Some(origin) = self.origins.get_mut(&id.origin) {
            origin.order.remove(&place);
            origin.bytes -= bytes;
            if origin.order.is_empty() {
                self.origins.remove(&id.origin);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use taoyao_types::NodeEpoch;

    use super::*;

    fn id(origin: u32, count: u64) -> SignalId {
        SignalId { origin: NodeId(origin), epoch: NodeEpoch(1), count }
    }

    fn caller(from: u32) -> Caller {
        Caller { from: NodeId(from), target: TerminalKey::FIRST, path: None }
    }

    /// What is really kept, by walking through it.
    fn walked(executions: &Executions) -> usize {
        let kept = |known: &Execution| if let State::Done(answer) = &known.state { answer.len() } else { 0 };
        executions.known.values().map(kept).sum()
    }

    #[test]
    fn a_request_runs_once_and_its_answer_is_repeated() {
        let id = id(1, 1);
        let mut executions = Executions::default();
        assert_eq!(executions.begin(id, caller(5), Instant(0)), Known::No);
        assert_eq!(executions.begin(id, caller(6), Instant(0)), Known::Running);
        let answer = Bytes::from_static(b"done");
        assert_eq!(executions.finish(id, answer.clone()), Some(caller(6)), "the newer way back counts");
        assert_eq!(executions.finish(id, answer.clone()), None);
        assert_eq!(executions.begin(id, caller(7), Instant(0)), Known::Done(answer));
        executions.expire(Instant(0) + limits::RESULT_KEPT);
        assert!(executions.is_empty() && executions.origins.is_empty());
    }

    #[test]
    fn a_long_answer_of_a_look_is_made_anew() {
        let mut executions = Executions::default();
        let long = Bytes::from(vec![0; limits::RESULT_OF_A_LOOK_BYTES_MAX + 1]);
        executions.begin(id(1, 1), caller(5), Instant(0));
        executions.only_looks(id(1, 1));
        assert_eq!(executions.finish(id(1, 1), long.clone()), Some(caller(5)));
        assert_eq!(executions.begin(id(1, 1), caller(6), Instant(1)), Known::No);
        assert_eq!(executions.finish(id(1, 1), long), Some(caller(6)), "a deed is remembered");
        assert!(matches!(executions.begin(id(1, 1), caller(6), Instant(2)), Known::Done(_)));
    }

    #[test]
    fn memory_is_bounded_and_one_node_takes_nothing_from_the_others() {
        let mut executions = Executions::default();
        executions.begin(id(2, 1), caller(5), Instant(0));
        executions.finish(id(2, 1), Bytes::from_static(b"kept"));
        let half_a_megabyte = Bytes::from(vec![0; 512 * 1024]);
        for count in 0..1_000 {
            executions.begin(id(1, count), caller(5), Instant(count));
            executions.finish(id(1, count), half_a_megabyte.clone());
        }
        for count in 1_000..100_000 {
            executions.begin(id(1, count), caller(5), Instant(count));
            executions.finish(id(1, count), Bytes::new());
        }
        assert!(
            executions.bytes() <= limits::RESULTS_PER_ORIGIN_BYTES_MAX + "kept".len(),
            "{}",
            executions.bytes()
        );
        assert!(executions.len() <= limits::RESULTS_PER_ORIGIN_MAX + 1, "{}", executions.len());
        assert!(matches!(executions.begin(id(2, 1), caller(6), Instant(1)), Known::Done(_)));
        for origin in 3..20 {
            for count in 0..40 {
                executions.begin(id(origin, count), caller(5), Instant(count));
                executions.finish(id(origin, count), half_a_megabyte.clone());
            }
        }
        assert!(executions.bytes() <= limits::RESULTS_BYTES_MAX, "{}", executions.bytes());
        assert_eq!(executions.bytes(), walked(&executions));
        executions.expire(Instant(u64::MAX));
        assert_eq!((executions.bytes(), executions.len(), executions.origins.len()), (0, 0, 0));
    }
}
