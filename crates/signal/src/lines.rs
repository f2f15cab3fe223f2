//! Which socket a terminal speaks through: its own, until it comes back on another one.

use std::collections::{BTreeMap, BTreeSet};

use taoyao_types::ConnId;

/// A terminal keeps the connection id of its first socket for as long as it is registered. Only terminals that have come
/// back, or are away, are in here.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    /// The terminal's connection by the socket that it came back on.
    by_socket: BTreeMap<ConnId, ConnId>,
    /// The socket of each such connection.
    sockets: BTreeMap<ConnId, ConnId>,
    /// Connections of terminals that have no socket now.
    away: BTreeSet<ConnId>,
}

impl Lines {
    /// The connection that a socket speaks for. None for a socket that another one has replaced.
    pub(crate) fn inward(&self, socket: ConnId) -> Option<ConnId> {
        let is_replaced = || self.sockets.contains_key(&socket) || self.is_away(socket);
        self.by_socket.get(&socket).copied().or_else(|| (!is_replaced()).then_some(socket))
    }

    /// The socket that a connection is written to. None while the terminal is away.
    pub(crate) fn outward(&self, conn: ConnId) -> Option<ConnId> {
        (!self.is_away(conn)).then(|| self.sockets.get(&conn).copied().unwrap_or(conn))
    }

    /// The terminal has lost its socket.
    pub(crate) fn detach(&mut self, conn: ConnId) {
        self.forget(conn);
        self.away.insert(conn);
    }

    /// The terminal has come back on `socket`.
    pub(crate) fn attach(&mut self, conn: ConnId, socket: ConnId) {
        self.forget(conn);
        self.sockets.insert(conn, socket);
        self.by_socket.insert(socket, conn);
    }

    /// The connection is no more.
    pub(crate) fn forget(&mut self, conn: ConnId) {
        if let Some(socket) = self.sockets.remove(&conn) {
            self.by_socket.remove(&socket);
        }
        self.away.remove(&conn);
    }

    pub(crate) fn is_away(&self, conn: ConnId) -> bool {
        self.away.contains(&conn)
    }

    /// Terminals that are away.
    pub(crate) fn away(&self) -> usize {
        self.away.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_moves_from_socket_to_socket() {
        let mut lines = Lines::default();
        let [own, second, third] = [1, 2, 3].map(ConnId);
        assert_eq!((lines.inward(own), lines.outward(own)), (Some(own), Some(own)));
        lines.detach(own);
        assert_eq!((lines.inward(own), lines.outward(own), lines.away()), (None, None, 1));
        lines.attach(own, second);
        assert_eq!((lines.inward(second), lines.outward(own)), (Some(own), Some(second)));
        assert_eq!(lines.inward(own), None, "its first socket speaks for it no more");
        lines.attach(own, third);
        assert_eq!((lines.inward(second), lines.outward(own)), (Some(second), Some(third)));
        lines.forget(own);
        assert_eq!((lines.inward(third), lines.inward(own)), (Some(third), Some(own)));
    }
}
