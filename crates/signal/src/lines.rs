//! Which socket a terminal speaks through: its own, until it comes back on another one.

use std::collections::BTreeMap;

use taoyao_types::ConnId;

/// A terminal keeps the connection id of its first socket for as long as it is registered. Only terminals that have come
/// back, or are away, are in here.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    /// The terminal's connection by the socket that it came back on.
    by_socket: BTreeMap<ConnId, ConnId>,
    /// The socket of each such connection; none while the terminal is away.
    sockets: BTreeMap<ConnId, Option<ConnId>>,
}

impl Lines {
    /// The connection that a socket speaks for. None for a socket that another one has replaced.
    pub(crate) fn inward(&self, socket: ConnId) -> Option<ConnId> {
        match (self.by_socket.get(&socket), self.sockets.get(&socket)) {
            (Some(conn), _) => Some(*conn),
            (None, Some(_)) => None,
            (None, None) => Some(socket),
        }
    }

    /// The socket that a connection is written to. None while the terminal is away.
    pub(crate) fn outward(&self, conn: ConnId) -> Option<ConnId> {
        self.sockets.get(&conn).map_or(Some(conn), |socket| *socket)
    }

    /// The terminal has lost its socket.
    pub(crate) fn detach(&mut self, conn: ConnId) {
        if let Some(Some(socket)) = self.sockets.insert(conn, None) {
            self.by_socket.remove(&socket);
        }
    }

    /// The terminal has come back on `socket`.
    pub(crate) fn attach(&mut self, conn: ConnId, socket: ConnId) {
        self.detach(conn);
        self.sockets.insert(conn, Some(socket));
        self.by_socket.insert(socket, conn);
    }

    /// The connection is no more.
    pub(crate) fn forget(&mut self, conn: ConnId) {
        self.detach(conn);
        self.sockets.remove(&conn);
    }

    pub(crate) fn is_away(&self, conn: ConnId) -> bool {
        self.outward(conn).is_none()
    }

    /// Terminals that are away.
    pub(crate) fn away(&self) -> usize {
        self.sockets.values().filter(|socket| socket.is_none()).count()
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
