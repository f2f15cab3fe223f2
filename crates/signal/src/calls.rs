//! The ends of peer-to-peer sessions that are at this node.

use std::collections::{BTreeMap, BTreeSet};

use taoyao_types::{ConnId, TerminalName, limits};
use taoyao_wire::link::Message;

/// One end: a connection of this node, and the terminal at the other end, wherever that is.
#[derive(Debug)]
pub(crate) struct End {
    pub(crate) peer: TerminalName,
    pub(crate) stage: Stage,
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

/// Invariant: the three maps name the same ends, as many as counted.
#[derive(Debug, Default)]
pub(crate) struct Calls {
    ends: BTreeMap<String, BTreeMap<ConnId, End>>,
    by_conn: BTreeMap<ConnId, BTreeSet<String>>,
    by_peer: BTreeMap<TerminalName, BTreeSet<(ConnId, String)>>,
    count: usize,
}

impl Calls {
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

    pub(crate) fn has_room(&self, conn: ConnId) -> bool {
        self.by_conn.get(&conn).map_or(0, BTreeSet::len) < limits::TERMINAL_SESSIONS_MAX
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
        End { peer: peer.parse().unwrap(), stage: Stage::Open }
    }

    #[test]
    fn the_maps_agree_after_everything_is_removed() {
        let mut calls = Calls::default();
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
    fn a_terminal_has_room_for_so_many_sessions() {
        let mut calls = Calls::default();
        for n in 0..limits::TERMINAL_SESSIONS_MAX {
            assert!(calls.has_room(ConnId(1)));
            calls.insert(&n.to_string(), ConnId(1), end("b@cn"));
        }
        assert!(!calls.has_room(ConnId(1)));
        assert!(calls.has_room(ConnId(2)));
    }
}
