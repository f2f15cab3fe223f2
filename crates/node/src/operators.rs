//! Lists and traces that operators wait for.

use std::collections::BTreeMap;

use taoyao_core::Input;
use taoyao_types::TerminalName;
use taoyao_wire::link::{Failure, ListPage, ListQuery, Trace};
use tokio::sync::oneshot;

/// Lists and traces under way at once; the oldest is given up for a new one, and its asker hears that the node is busy.
const OPEN_MAX: usize = 64;

/// Who waits for what, by the number that the machine answers with.
#[derive(Debug, Default)]
pub(crate) struct Operators {
    count: u64,
    lists: BTreeMap<u64, oneshot::Sender<ListPage>>,
    traces: BTreeMap<u64, oneshot::Sender<Result<Trace, Failure>>>,
}

impl Operators {
    /// The input that begins a list.
    pub(crate) fn list(&mut self, query: ListQuery, reply: oneshot::Sender<ListPage>) -> Input {
        let number = next(&mut self.count);
        insert(&mut self.lists, number, reply);
        Input::List { number, query }
    }

    /// The input that begins a trace.
    pub(crate) fn trace(
        &mut self,
        from: TerminalName,
        to: TerminalName,
        reply: oneshot::Sender<Result<Trace, Failure>>,
    ) -> Input {
        let number = next(&mut self.count);
        insert(&mut self.traces, number, reply);
        Input::Trace { number, from, to }
    }

    pub(crate) fn listed(&mut self, number: u64, page: ListPage) {
        // The asker may have given up by now.
        let _gave_up = self.lists.remove(&number).map(|reply| reply.send(page));
    }

    pub(crate) fn traced(&mut self, number: u64, result: Result<Trace, Failure>) {
        // The asker may have given up by now.
        let _gave_up = self.traces.remove(&number).map(|reply| reply.send(result));
    }
}

fn next(count: &mut u64) -> u64 {
    *count += 1;
    *count
}

fn insert<T>(open: &mut BTreeMap<u64, oneshot::Sender<T>>, number: u64, reply: oneshot::Sender<T>) {
    if open.len() >= OPEN_MAX {
        open.pop_first();
    }
    open.insert(number, reply);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn each_asker_gets_the_answer_to_its_own_question() {
        let mut operators = Operators::default();
        let (first, first_answer) = oneshot::channel();
        let (second, second_answer) = oneshot::channel();
        let name: TerminalName = "a@cn".parse().unwrap();
        let Input::Trace { number: one, .. } = operators.trace(name.clone(), name.clone(), first) else {
            panic!("a trace begins with a trace")
        };
        let Input::Trace { number: two, .. } = operators.trace(name.clone(), name, second) else {
            panic!("a trace begins with a trace")
        };
        operators.traced(two, Err(Failure::Deadline));
        operators.traced(one, Err(Failure::NoSuchTerminal));
        operators.traced(one, Err(Failure::Deadline));
        assert_eq!(first_answer.await.unwrap(), Err(Failure::NoSuchTerminal));
        assert_eq!(second_answer.await.unwrap(), Err(Failure::Deadline));
    }

    #[tokio::test]
    async fn askers_beyond_the_bound_end_the_oldest() {
        let mut operators = Operators::default();
        let name: TerminalName = "a@cn".parse().unwrap();
        let mut answers = Vec::new();
        for _ in 0..=OPEN_MAX {
            let (reply, answer) = oneshot::channel();
            operators.trace(name.clone(), name.clone(), reply);
            answers.push(answer);
        }
        assert!(answers.remove(0).await.is_err());
        operators.traced(2, Err(Failure::Deadline));
        assert!(answers.remove(0).await.is_ok());
    }
}
