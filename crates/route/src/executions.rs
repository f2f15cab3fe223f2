//! Requests carried out on this node: at most once each, their answers kept for those who ask again.

use std::collections::{BTreeMap, VecDeque};

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

/// The bounded memory of executed requests. A forgotten one is older than any deadline that could repeat it.
#[derive(Debug, Default)]
pub struct Executions {
    states: BTreeMap<SignalId, State>,
    expiry: VecDeque<(Instant, SignalId)>,
}

#[derive(Debug)]
enum State {
    Running(Caller),
    Done(Bytes),
}

impl Executions {
    pub fn len(&self) -> usize {
        self.states.len()
    }

    pub fn is_empty(&self) -> bool {
        self.states.is_empty()
    }

    /// Requests that are being carried out; for tests of quiet points.
    pub fn running(&self) -> usize {
        self.states.values().filter(|state| matches!(state, State::Running(_))).count()
    }

    /// Notes that a request arrived and says whether it is the first time.
    pub fn begin(&mut self, id: SignalId, caller: Caller, now: Instant) -> Known {
        match self.states.get_mut(&id) {
            Some(State::Running(known)) => {
                *known = caller;
                return Known::Running;
            }
            Some(State::Done(answer)) => return Known::Done(answer.clone()),
            None => {}
        }
        if self.expiry.len() >= limits::RESULTS_MAX {
            self.forget_first();
        }
        self.states.insert(id, State::Running(caller));
        self.expiry.push_back((now + limits::RESULT_KEPT, id));
        Known::No
    }

    /// Notes the answer; returns where it goes, if the request was running.
    pub fn finish(&mut self, id: SignalId, answer: Bytes) -> Option<Caller> {
        let state = self.states.get_mut(&id)?;
        if matches!(state, State::Done(_)) {
            return None;
        }
        match std::mem::replace(state, State::Done(answer)) {
            State::Running(caller) => Some(caller),
            State::Done(_) => None,
        }
    }

    pub fn expire(&mut self, now: Instant) {
        while self.expiry.front().is_some_and(|(due, _)| *due <= now) {
            self.forget_first();
        }
    }

    fn forget_first(&mut self) {
        if let Some((_, id)) = self.expiry.pop_front() {
            self.states.remove(&id);
        }
    }
}

#[cfg(test)]
mod tests {
    use taoyao_types::NodeEpoch;

    use super::*;

    #[test]
    fn a_request_runs_once_and_its_answer_is_repeated() {
        let id = SignalId { origin: NodeId(1), epoch: NodeEpoch(1), count: 1 };
        let caller = |from| Caller { from: NodeId(from), target: TerminalKey::FIRST, path: None };
        let mut executions = Executions::default();
        assert_eq!(executions.begin(id, caller(5), Instant(0)), Known::No);
        assert_eq!(executions.begin(id, caller(6), Instant(0)), Known::Running);
        let answer = Bytes::from_static(b"done");
        assert_eq!(executions.finish(id, answer.clone()), Some(caller(6)), "the newer way back counts");
        assert_eq!(executions.finish(id, answer.clone()), None);
        assert_eq!(executions.begin(id, caller(7), Instant(0)), Known::Done(answer));
        executions.expire(Instant(0) + limits::RESULT_KEPT);
        assert!(executions.is_empty());
    }
}
