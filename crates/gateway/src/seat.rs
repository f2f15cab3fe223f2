//! A connection's place among all: counted in when it is accepted, out when it ends, however that comes.

use std::net::IpAddr;
use std::sync::Arc;

use taoyao_types::net::limited_as;

use crate::connection::Shared;
use crate::registry::Crowded;

/// Counts one connection. Until somebody registers on it, it is a stranger's.
pub(crate) struct Seat {
    shared: Arc<Shared>,
    /// The party that its share is taken from; `None`: it came through a trusted proxy that has not said for whom.
    party: Option<IpAddr>,
    is_stranger: bool,
}

impl Seat {
    /// A place for a connection from `ip`, if there is one.
    pub(crate) fn take(shared: &Arc<Shared>, ip: IpAddr) -> Result<Self, Crowded> {
        let party = (!shared.config.is_trusted_proxy(ip)).then(|| limited_as(ip));
        shared.registry.admit(party, &shared.config)?;
        Ok(Self { shared: Arc::clone(shared), party, is_stranger: true })
    }

    /// Whether it came through a trusted proxy that has not said for whom.
    pub(crate) fn is_proxys(&self) -> bool {
        self.party.is_none()
    }

    /// A trusted proxy has said that the connection is for `ip`: it takes from that one's share.
    pub(crate) fn assign(&mut self, ip: IpAddr) -> Result<(), Crowded> {
        let party = limited_as(ip);
        if self.is_proxys() && !self.shared.config.is_trusted_proxy(ip) {
            self.shared.registry.assign(party, &self.shared.config)?;
            self.party = Some(party);
        }
        Ok(())
    }

    /// Somebody has registered.
    pub(crate) fn know(&mut self) {
        if self.is_stranger {
            self.is_stranger = false;
            self.shared.registry.know(self.party);
        }
    }

    pub(crate) fn is_stranger(&self) -> bool {
        self.is_stranger
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.shared.registry.dismiss(self.party, self.is_stranger);
    }
}
