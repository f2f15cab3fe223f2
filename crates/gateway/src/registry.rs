//! Who is connected: the caps on connections, and the handles for closing all of them.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use taoyao_types::ConnId;
use tokio::sync::Notify;

use crate::config::GatewayConfig;
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
    by_address: HashMap<IpAddr, Here>,
    terminals: HashMap<ConnId, TerminalHandle>,
    terminals_ever: u64,
    closing: bool,
}

/// The connections of one party.
#[derive(Debug, Clone, Copy, Default)]
struct Here {
    all: usize,
    /// Those on which nobody has registered.
    strangers: usize,
}

/// Which share is used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Crowded {
    #[error("this node has as many connections as it may")]
    Node,
    #[error("this address has as many connections as it may")]
    Address,
    #[error("too many connections of this address have not registered")]
    Strangers,
}

impl Connected {
    fn count_in(&mut self, party: IpAddr, config: &GatewayConfig) -> Result<(), Crowded> {
        let here = self.by_address.get(&party).copied().unwrap_or_default();
        if here.all >= config.connections_per_address_max {
            return Err(Crowded::Address);
        }
        if here.strangers >= config.strangers_per_address_max {
            return Err(Crowded::Strangers);
        }
        self.by_address.insert(party, Here { all: here.all + 1, strangers: here.strangers + 1 });
        Ok(())
    }
}

impl Registry {
    /// Counts a stranger's connection in, unless a cap is reached. That of a trusted proxy which has not said for whom it is has
    /// no party.
    pub(crate) fn admit(&self, party: Option<IpAddr>, config: &GatewayConfig) -> Result<(), Crowded> {
        let mut connected = self.connected();
        if connected.total >= config.connections_max {
            return Err(Crowded::Node);
        }
        party.map_or(Ok(()), |party| connected.count_in(party, config))?;
        connected.total += 1;
        Ok(())
    }

    /// A connection that was admitted without a party is `party`'s.
    pub(crate) fn assign(&self, party: IpAddr, config: &GatewayConfig) -> Result<(), Crowded> {
        self.connected().count_in(party, config)
    }

    /// Somebody has registered on a connection.
    pub(crate) fn know(&self, party: Option<IpAddr>) {
        let mut connected = self.connected();
        if let Some(here) = party.and_then(|party| connected.by_address.get_mut(&party)) {
            here.strangers -= 1;
        }
    }

    /// Counts an admitted connection out.
    pub(crate) fn dismiss(&self, party: Option<IpAddr>, is_stranger: bool) {
        let mut connected = self.connected();
        connected.total -= 1;
        let Some(party) = party else { return };
        let Some(here) = connected.by_address.get_mut(&party) else { return };
        here.all -= 1;
        here.strangers -= usize::from(is_stranger);
        if here.all == 0 {
            connected.by_address.remove(&party);
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
    use std::sync::Arc;

    use super::*;

    #[test]
    fn connections_are_capped_in_total_and_by_address() {
        let (registry, config) = (Registry::default(), config(3, 2, 9));
        assert_eq!(registry.admit(ip(1), &config), Ok(()));
        assert_eq!(registry.admit(ip(1), &config), Ok(()));
        assert_eq!(registry.admit(ip(1), &config), Err(Crowded::Address));
        assert_eq!(registry.admit(ip(2), &config), Ok(()));
        assert_eq!(registry.admit(ip(3), &config), Err(Crowded::Node));
        registry.dismiss(ip(1), true);
        assert_eq!(registry.admit(ip(1), &config), Ok(()));
        assert_eq!(registry.counts(), (3, 0));
    }

    #[test]
    fn strangers_are_capped_apart_and_who_registers_is_none() {
        let (registry, config) = (Registry::default(), config(9, 9, 2));
        assert_eq!(registry.admit(ip(1), &config), Ok(()));
        assert_eq!(registry.admit(ip(1), &config), Ok(()));
        assert_eq!(registry.admit(ip(1), &config), Err(Crowded::Strangers));
        assert_eq!(registry.admit(ip(2), &config), Ok(()), "others have a share of their own");
        registry.know(ip(1));
        assert_eq!(registry.admit(ip(1), &config), Ok(()));
        registry.dismiss(ip(1), false);
        assert_eq!(registry.admit(ip(1), &config), Err(Crowded::Strangers));
    }

    #[test]
    fn a_proxys_connection_counts_for_whom_it_names() {
        let (registry, config) = (Registry::default(), config(9, 1, 1));
        assert_eq!(registry.admit(None, &config), Ok(()));
        assert_eq!(registry.admit(None, &config), Ok(()));
        let party = IpAddr::from([192, 0, 2, 1]);
        assert_eq!(registry.assign(party, &config), Ok(()));
        assert_eq!(registry.assign(party, &config), Err(Crowded::Address));
        registry.dismiss(None, true);
        registry.dismiss(Some(party), true);
        assert_eq!(registry.counts(), (0, 0));
        assert!(registry.connected().by_address.is_empty());
    }

    #[test]
    fn nothing_is_kept_of_addresses_that_left() {
        let (registry, config) = (Registry::default(), config(1, 1, 1));
        for n in 0..100 {
            assert_eq!(registry.admit(ip(n), &config), Ok(()));
            registry.dismiss(ip(n), true);
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

    fn ip(last: u8) -> Option<IpAddr> {
        Some(IpAddr::from([192, 0, 2, last]))
    }

    fn config(total: usize, per_address: usize, strangers: usize) -> GatewayConfig {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let tls = tls.unwrap().with_no_client_auth();
        let tls = tls.with_cert_resolver(Arc::new(rustls::server::ResolvesServerCertUsingSni::new()));
        GatewayConfig {
            connections_max: total,
            connections_per_address_max: per_address,
            strangers_per_address_max: strangers,
            ..GatewayConfig::new(([127, 0, 0, 1], 0).into(), Arc::new(tls))
        }
    }
}
