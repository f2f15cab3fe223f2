//! The node's SFU as others see it: a terminal of the type `MEDIA` in every partition that the node owns.

use taoyao_types::{PartitionId, PartitionName, SessionEpoch, TerminalName};
use taoyao_wire::link::{ListEntry, ListQuery};
use taoyao_wire::terminal::{ClientState, ClientType, Readings};

use crate::room::host::{MEDIA_SERVICE, MEDIA_SERVICE_SHOWN};
use crate::terminals::Terminals;

/// Whether this is what nodes call their SFUs.
pub(crate) fn is_service(name: &TerminalName) -> bool {
    name.client.as_str() == MEDIA_SERVICE
}

impl Terminals {
    /// The SFU of this node, if it carries the rooms of those who ask: no other is of use to them.
    pub(crate) fn service_for(&self, query: &ListQuery) -> Option<ListEntry> {
        let is_kind = query.client_type.as_deref().is_none_or(|wanted| wanted == ClientType::Media.as_str());
        let is_listed = query.partitions.is_empty() || query.partitions.contains(&query.home);
        let service = self.service_in(&query.home).filter(|_| is_kind && is_listed)?;
        let place = |name: &TerminalName| (name.partition != query.home, name.clone());
        let is_ahead = query.after.as_ref().is_none_or(|after| place(after) < place(&service.name));
        is_ahead.then_some(service)
    }

    /// The SFU of this node as a terminal of this partition. Its name is its own: no terminal of that name hides it.
    pub(crate) fn service_in(&self, partition: &PartitionName) -> Option<ListEntry> {
        let name = TerminalName { client: MEDIA_SERVICE.parse().ok()?, partition: partition.clone() };
        if !self.config.has_sfu || !self.owns(partition) {
            return None;
        }
        let state = ClientState {
            ip: "127.0.0.1".to_owned(),
            name: Some(MEDIA_SERVICE_SHOWN.to_owned()),
            client_type: ClientType::Media,
            partition: partition.clone(),
            node: self.config.node.clone(),
            readings: Readings::default(),
            server_recording: None,
            last_heartbeat: String::new(),
        };
        let (origin, life) = (self.config.node_id, self.config.epoch);
        Some(ListEntry { name, origin, life, session: SessionEpoch::default(), state: state.to_json() })
    }

    /// Whether this is the name of the SFU of this node, whoever may have registered under it.
    pub(crate) fn is_own_service(&self, name: &TerminalName) -> bool {
        is_service(name) && self.config.has_sfu && self.owns(&name.partition)
    }

    fn owns(&self, partition: &PartitionName) -> bool {
        self.config.owners.get(&PartitionId::of(partition)) == Some(&self.config.node_id)
    }
}
