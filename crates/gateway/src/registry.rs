//! Who is connected: the caps on connections, and the handles for closing all of them.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use taoyao_types::ConnId;
use taoyao_types::net::limited_as;
use tokio::sync::Notify;

use crate::outbox::TerminalHandle;

/// All connections of one gateway.
#[derive(Debug, Default)]
pub(crate) struct Registry {
    connected: Mutex<Connected>,
    /// Told when the last terminal has left.
    emptied: Notify,
}

#[derive(Debug, Default)]
struct Connected {
    total: usize,
    by_address: HashMap<IpAddr, usize>,
    terminals: HashMap<ConnId, TerminalHandle>,
    terminals_ever: u64,
    closing: bool,
}

impl Registry {
    /// Counts a connection in, unless a cap is reached.
    pub(crate) fn admit(&self, ip: IpAddr, total_max: usize, per_address_max: usize) -> bool {
        let mut connected = self.connected();
        let here = connected.by_address.get(&limited_as(ip)).copied().unwrap_or(0);
        if connected.total >= total_max || here >= per_address_max {
            return false;
        }
        connected.total += 1;
        connected.by_address.insert(limited_as(ip), here + 1);
        true
    }

    /// Counts an admitted connection out.
    pub(crate) fn dismiss(&self, ip: IpAddr) {
        let mut connected = self.connected();
        connected.total -= 1;
        let here = connected.by_address.get(&limited_as(ip)).copied().unwrap_or(0);
        if here > 1 {
            connected.by_address.insert(limited_as(ip), here - 1);
        } else {
            connected.by_address.remove(&limited_as(ip));
        }
    }

    /// Gives a new terminal its id, unless the node is going away.
    pub(crate) fn enter(&self, terminal: &TerminalHandle) -> Option<ConnId> {
        let mut connected = self.connected();
        if connected.closing {
            return None;
        }
        connected.terminals_ever += 1;
        let conn = ConnId(connected.terminals_ever);
        connected.terminals.insert(conn, terminal.clone());
        Some(conn)
    }

    pub(crate) fn leave(&self, conn: ConnId) {
        let mut connected = self.connected();
        connected.terminals.remove(&conn);
        if connected.terminals.is_empty() {
            self.emptied.notify_waiters();
        }
    }

    /// Whether no more terminals are let in.
    pub(crate) fn is_closing(&self) -> bool {
        self.connected().closing
    }

    /// Closes every terminal and lets no more in.
    pub(crate) fn close_all(&self, code: u16, reason: &str) {
        let mut connected = self.connected();
        connected.closing = true;
        connected.terminals.values().for_each(|terminal| terminal.close(code, reason));
    }

    /// Returns once no terminal is left.
    pub(crate) async fn empty(&self) {
        let emptied = self.emptied.notified();
        tokio::pin!(emptied);
        loop {
            emptied.as_mut().enable();
            if self.connected().terminals.is_empty() {
                return;
            }
            emptied.as_mut().await;
            emptied.set(self.emptied.notified());
        }
    }

    /// Connections and, among them, terminals.
    pub(crate) fn counts(&self) -> (usize, usize) {
        let connected = self.connected();
        (connected.total, connected.terminals.len())
    }

    fn connected(&self) -> MutexGuard<'_, Connected> {
        self.connected.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_are_capped_in_total_and_by_address() {
        let registry = Registry::default();
        assert!(registry.admit(ip(1), 3, 2));
        assert!(registry.admit(ip(1), 3, 2));
        assert!(!registry.admit(ip(1), 3, 2));
        assert!(registry.admit(ip(2), 3, 2));
        assert!(!registry.admit(ip(3), 3, 2));
        registry.dismiss(ip(1));
        assert!(registry.admit(ip(1), 3, 2));
        assert_eq!(registry.counts(), (3, 0));
    }

    #[test]
    fn nothing_is_kept_of_addresses_that_left() {
        let registry = Registry::default();
        for n in 0..100 {
            assert!(registry.admit(ip(n), 1, 1));
            registry.dismiss(ip(n));
        }
        assert!(registry.connected().by_address.is_empty());
    }

    #[test]
    fn ids_are_never_used_twice_and_none_is_given_while_closing() {
        let registry = Registry::default();
        let first = registry.enter(&TerminalHandle::new()).unwrap();
        registry.leave(first);
        let terminal = TerminalHandle::new();
        assert_ne!(registry.enter(&terminal), Some(first));
        registry.close_all(1001, "node is going away");
        assert!(terminal.ended().is_some());
        assert_eq!(registry.enter(&TerminalHandle::new()), None);
    }

    fn ip(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }
}
