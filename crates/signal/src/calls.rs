//! The ends of peer-to-peer sessions that are at this node.

use std::collections::{BTreeMap, BTreeSet};

use std::sync::Arc;

use taoyao_types::{AccountTag, ConnId, Exhausted, Instant, Shares, TerminalName, limits};
use taoyao_wire::link::Message;

/// One end: a connection of this node, and the terminal at the other end, wherever that is.
#[derive(Debug)]
pub(crate) struct End {
    pub(crate) peer: TerminalName,
    pub(crate) side: Side,
    pub(crate) stage: Stage,
    /// While the called terminal has not said anything in the session.
    pub(crate) ringing: Option<Ringing>,
}

/// Which end it is, and who pays for it while it rings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Side {
    /// A terminal here has called.
    Caller(Arc<str>),
    /// A terminal here was called, by a terminal of this account.
    Callee(AccountTag),
}

/// A call that nobody has answered yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ringing {
    /// What its timer knows it by.
    pub(crate) number: u64,
    pub(crate) until: Instant,
}

#[derive(Debug)]
pub(crate) enum Stage {
    /// The caller does not know the session's id yet. What the other end sends meanwhile waits here.
    Calling {
        early: Vec<Message>,
    },
    Open,
}

/// Whose a session is, as far as this node knows.
pub(crate) enum Ownership<'a> {
    Own(&'a mut End),
    Others,
    Unknown,
}

/// Invariants: the three maps name the same ends, as many as counted; `ringing` names those that ring, and `unanswered` counts
/// the callers among them.
#[derive(Debug)]
pub(crate) struct Calls {
    ends: BTreeMap<String, BTreeMap<ConnId, End>>,
    by_conn: BTreeMap<ConnId, BTreeSet<String>>,
    by_peer: BTreeMap<TerminalName, BTreeSet<(ConnId, String)>>,
    count: usize,
    rings: u64,
    ringing: BTreeMap<u64, (String, ConnId)>,
    unanswered: Shares<Arc<str>>,
}

impl Calls {
    /// `unanswered_max` calls of one account that nobody has answered yet.
    pub(crate) fn new(unanswered_max: usize) -> Self {
        Self {
            ends: BTreeMap::new(),
            by_conn: BTreeMap::new(),
            by_peer: BTreeMap::new(),
            count: 0,
            rings: 0,
            ringing: BTreeMap::new(),
            unanswered: Shares::new(unanswered_max, limits::CALLS_UNANSWERED_MAX),
        }
    }

    /// Whether the account may have one more call that nobody has answered.
    pub(crate) fn may_ring(&mut self, account: &Arc<str>) -> Result<(), Exhausted> {
        self.unanswered.take(account)?;
        self.unanswered.give_back(account);
        Ok(())
    }

    /// The calls of an account that ring at a terminal here.
    pub(crate) fn ringing_at(&self, conn: ConnId, account: AccountTag) -> usize {
        let is_meant = |end: &&End| end.ringing.is_some() && end.side == Side::Callee(account);
        self.of(conn).filter(is_meant).count()
    }

    /// Lets an end ring, until it is answered, removed or due.
    pub(crate) fn ring(&mut self, session: &str, conn: ConnId, until: Instant) -> Option<Ringing> {
        let end = self.ends.get_mut(session)?.get_mut(&conn)?;
        if end.ringing.is_some() {
            return None;
        }
        self.rings += 1;
        let ringing = Ringing { number: self.rings, until };
        end.ringing = Some(ringing);
        if let Side::Caller(account) = &end.side {
            // Was looked at before the call was made.
            let _room = self.unanswered.take(account);
        }
        self.ringing.insert(ringing.number, (session.to_owned(), conn));
        Some(ringing)
    }

    /// The called terminal has said something; what rang until then.
    pub(crate) fn answer(&mut self, session: &str, conn: ConnId) -> Option<Ringing> {
        let end = self.ends.get_mut(session)?.get_mut(&conn)?;
        let ringing = end.ringing.take()?;
        let side = end.side.clone();
        self.hush(&side, ringing);
        Some(ringing)
    }

    /// The end that rings under this number.
    pub(crate) fn ringing(&self, number: u64) -> Option<(String, ConnId)> {
        self.ringing.get(&number).cloned()
    }

    /// Calls from here that nobody has answered yet.
    pub(crate) fn unanswered(&self) -> usize {
        self.unanswered.total()
    }

    fn hush(&mut self, side: &Side, ringing: Ringing) {
        self.ringing.remove(&ringing.number);
        if let Side::Caller(account) = side {
            self.unanswered.give_back(account);
        }
    }

    /// Adds an end; one that this connection has already stays as it is (a terminal that calls itself has one).
    pub(crate) fn insert(&mut self, session: &str, conn: ConnId, end: End) {
        let ends = self.ends.entry(session.to_owned()).or_default();
        if ends.contains_key(&conn) {
            return;
        }
        self.by_conn.entry(conn).or_default().insert(session.to_owned());
        self.by_peer.entry(end.peer.clone()).or_default().insert((conn, session.to_owned()));
        ends.insert(conn, end);
        self.count += 1;
    }

    pub(crate) fn remove(&mut self, session: &str, conn: ConnId) -> Option<End> {
        let ends = self.ends.get_mut(session)?;
        let end = ends.remove(&conn)?;
        self.count -= 1;
        if ends.is_empty() {
            self.ends.remove(session);
        }
        if let Some(ringing) = end.ringing {
            self.hush(&end.side, ringing);
        }
        if let Some(sessions) = self.by_conn.get_mut(&conn) {
            sessions.remove(session);
            if sessions.is_empty() {
                self.by_conn.remove(&conn);
            }
        }
        if let Some(ends) = self.by_peer.get_mut(&end.peer) {
            ends.remove(&(conn, session.to_owned()));
            if ends.is_empty() {
                self.by_peer.remove(&end.peer);
            }
        }
        Some(end)
    }

    pub(crate) fn find(&mut self, session: &str, conn: ConnId) -> Ownership<'_> {
        match self.ends.get_mut(session) {
            None => Ownership::Unknown,
            Some(ends) => ends.get_mut(&conn).map_or(Ownership::Others, Ownership::Own),
        }
    }

    /// Whether the terminal may begin one more session. Those in which it was called do not count.
    pub(crate) fn may_call(&self, conn: ConnId) -> bool {
        let begun = self.of(conn).filter(|end| matches!(end.side, Side::Caller(_)));
        begun.count() < limits::TERMINAL_SESSIONS_MAX
    }

    /// Whether the terminal may be called once more. Those that it has begun do not count.
    pub(crate) fn may_be_called(&self, conn: ConnId) -> bool {
        let called = self.of(conn).filter(|end| matches!(end.side, Side::Callee(_)));
        called.count() < limits::TERMINAL_SESSIONS_MAX
    }

    fn of(&self, conn: ConnId) -> impl Iterator<Item = &End> {
        let sessions = self.by_conn.get(&conn).into_iter().flatten();
        sessions.filter_map(move |session| self.ends.get(session)?.get(&conn))
    }

    pub(crate) fn of_conn(&self, conn: ConnId) -> Vec<String> {
        self.by_conn.get(&conn).map(|sessions| sessions.iter().cloned().collect()).unwrap_or_default()
    }

    pub(crate) fn with_peer(&self, peer: &TerminalName) -> Vec<(ConnId, String)> {
        self.by_peer.get(peer).map(|ends| ends.iter().cloned().collect()).unwrap_or_default()
    }

    /// All ends: session, connection, peer.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, ConnId, &TerminalName)> {
        self.ends.iter().flat_map(|(session, ends)| {
            ends.iter().map(move |(conn, end)| (session.as_str(), *conn, &end.peer))
        })
    }

    pub(crate) fn len(&self) -> usize {
        self.count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn end(peer: &str) -> End {
        called_by("ann", peer)
    }

    fn called_by(account: &str, peer: &str) -> End {
        let side = Side::Callee(AccountTag::of(account));
        End { peer: peer.parse().unwrap(), side, stage: Stage::Open, ringing: None }
    }

    fn calling(account: &str) -> End {
        End { side: Side::Caller(account.into()), ..end("b@cn") }
    }

    #[test]
    fn the_maps_agree_after_everything_is_removed() {
        let mut calls = Calls::new(4);
        calls.insert("s", ConnId(1), end("b@cn"));
        calls.insert("s", ConnId(2), end("a@cn"));
        calls.insert("t", ConnId(1), end("b@cn"));
        assert_eq!(calls.of_conn(ConnId(1)), ["s", "t"]);
        assert_eq!(calls.with_peer(&"b@cn".parse().unwrap()).len(), 2);
        assert!(matches!(calls.find("s", ConnId(1)), Ownership::Own(_)));
        assert!(matches!(calls.find("t", ConnId(2)), Ownership::Others));
        assert!(matches!(calls.find("u", ConnId(2)), Ownership::Unknown));
        for (session, conn) in [("s", 1), ("s", 2), ("t", 1)] {
            assert!(calls.remove(session, ConnId(conn)).is_some());
            assert!(calls.remove(session, ConnId(conn)).is_none());
        }
        assert_eq!(calls.len(), 0);
        assert!(calls.ends.is_empty() && calls.by_conn.is_empty() && calls.by_peer.is_empty());
    }

    #[test]
    fn calls_to_a_terminal_never_keep_it_from_calling() {
        let mut calls = Calls::new(4);
        for n in 0..limits::TERMINAL_SESSIONS_MAX {
            assert!(calls.may_be_called(ConnId(1)));
            calls.insert(&n.to_string(), ConnId(1), end("b@cn"));
        }
        assert!(!calls.may_be_called(ConnId(1)));
        assert!(calls.may_call(ConnId(1)) && calls.may_be_called(ConnId(2)));
        for n in 0..limits::TERMINAL_SESSIONS_MAX {
            assert!(calls.may_call(ConnId(1)));
            calls.insert(&format!("own {n}"), ConnId(1), calling("ann"));
        }
        assert!(!calls.may_call(ConnId(1)));
    }

    #[test]
    fn what_rings_is_counted_until_it_is_answered_or_over() {
        let mut calls = Calls::new(2);
        let (ann, until) = (Arc::from("ann"), Instant(9));
        for session in ["s", "t"] {
            assert_eq!(calls.may_ring(&ann), Ok(()));
            calls.insert(session, ConnId(1), calling("ann"));
            assert!(calls.ring(session, ConnId(1), until).is_some());
            assert!(calls.ring(session, ConnId(1), until).is_none(), "it rings already");
        }
        assert_eq!((calls.may_ring(&ann), calls.unanswered()), (Err(Exhausted::Own { max: 2 }), 2));
        assert!(calls.answer("s", ConnId(1)).is_some() && calls.answer("s", ConnId(1)).is_none());
        assert_eq!((calls.may_ring(&ann), calls.unanswered()), (Ok(()), 1));
        calls.remove("t", ConnId(1));
        assert_eq!((calls.unanswered(), calls.ringing.len()), (0, 0));
    }

    #[test]
    fn calls_that_ring_at_a_terminal_are_counted_by_the_callers_account() {
        let mut calls = Calls::new(2);
        for (session, account) in [("s", "ann"), ("t", "ann"), ("u", "bob")] {
            calls.insert(session, ConnId(1), called_by(account, "b@cn"));
            calls.ring(session, ConnId(1), Instant(9));
        }
        calls.answer("t", ConnId(1));
        let ringing = ["ann", "bob", "cem"].map(|name| calls.ringing_at(ConnId(1), AccountTag::of(name)));
        assert_eq!((ringing, calls.unanswered()), ([1, 1, 0], 0));
    }
}
