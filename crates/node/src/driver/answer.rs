//! What operators and the supervisor ask.

use taoyao_core::{Dismissal, Input};

use super::Driver;
use crate::question::{Question, Unsent};
use crate::status::queued_bytes;

/// Whether the driver goes on after a question.
pub(super) enum Then {
    GoOn,
    Stop,
}

impl Driver {
    pub(super) fn answer(&mut self, question: Question) -> Then {
        let now = self.begin_turn();
        // A send fails only if nobody waits for the answer any more.
        let _nobody_waits = match question {
            Question::Status(reply) => reply.send(self.status(now)).is_err(),
            Question::Samples { gateway, reply } => reply.send(self.samples(now, &gateway)).is_err(),
            Question::Alarms { limit, reply } => reply.send(self.alarms(limit)).is_err(),
            Question::Rooms(reply) => reply.send(self.node.terminals().rooms().collect()).is_err(),
            Question::Room { id, reply } => reply.send(self.node.terminals().room(&id)).is_err(),
            Question::List { query, reply } => {
                let input = self.operators.list(query, reply);
                self.feed(now, input);
                false
            }
            Question::Trace { from, to, reply } => {
                let input = self.operators.trace(from, to, reply);
                self.feed(now, input);
                false
            }
            Question::CloseTerminal { name, reply } => {
                let is_here = self.node.terminals().find(&name).is_some();
                self.feed(now, Input::Dismissed { name, why: Dismissal::ByOperator });
                reply.send(is_here).is_err()
            }
            Question::Drain(reply) => {
                self.is_draining = true;
                self.readiness.drain();
                self.feed(now, Input::Drain);
                reply.send(()).is_err()
            }
            Question::Unsent(reply) => reply.send(self.unsent()).is_err(),
            Question::Stop(reply) => {
                let _nobody_waits = reply.send(()).is_err();
                return Then::Stop;
            }
        };
        Then::GoOn
    }

    fn unsent(&self) -> Unsent {
        let mut unsent = Unsent::default();
        for stats in self.node.neighbours().iter().filter_map(|peer| self.links.stats(peer.id)) {
            unsent.bytes += queued_bytes(&stats);
            let round_trip = u64::try_from(stats.rtt.as_micros()).unwrap_or(u64::MAX);
            unsent.round_trip_us_max = unsent.round_trip_us_max.max(round_trip);
        }
        unsent
    }
}
