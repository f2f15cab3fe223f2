//! Messages of the mesh that a terminal is to answer: the server id that it saw, and who waits.

use std::collections::BTreeMap;

use taoyao_types::{ConnId, Instant};

use crate::io::Token;

#[derive(Debug, Clone, Copy)]
pub(crate) struct Waiting {
    pub(crate) token: Token,
    pub(crate) deadline: Instant,
}

#[derive(Debug, Default)]
pub(crate) struct Pending(BTreeMap<(ConnId, i64), Waiting>);

impl Pending {
    pub(crate) fn insert(&mut self, conn: ConnId, id: i64, waiting: Waiting) {
        self.0.insert((conn, id), waiting);
    }

    /// The request that a message with this id from this terminal answers.
    pub(crate) fn take(&mut self, conn: ConnId, id: i64) -> Option<Waiting> {
        self.0.remove(&(conn, id))
    }

    pub(crate) fn count(&self, conn: ConnId) -> usize {
        self.0.range(Self::of(conn)).count()
    }

    /// All that this terminal will not answer any more.
    pub(crate) fn take_all(&mut self, conn: ConnId) -> Vec<(i64, Waiting)> {
        let ids: Vec<i64> = self.0.range(Self::of(conn)).map(|((_, id), _)| *id).collect();
        ids.into_iter().filter_map(|id| self.take(conn, id).map(|waiting| (id, waiting))).collect()
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    fn of(conn: ConnId) -> std::ops::RangeInclusive<(ConnId, i64)> {
        (conn, i64::MIN)..=(conn, i64::MAX)
    }
}
