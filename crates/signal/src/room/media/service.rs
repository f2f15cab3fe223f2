//! The node's SFU as others see it: a terminal of the type `MEDIA` in every partition that the node owns.

use taoyao_types::{PartitionId, PartitionName, Scope, SessionEpoch, TerminalName};
use taoyao_wire::link::{ListEntry, ListQuery};
use taoyao_wire::terminal::{ClientState, ClientType, Readings};

use crate::room::host::MEDIA_SERVICE;
use crate::terminals::Terminals;

/// Whether this is what nodes call their SFUs.
pub(crate) fn is_service(name: &TerminalName) -> bool {
    name.client.as_str() == MEDIA_SERVICE
}

impl Terminals {
    /// The SFU of this node, under every name that a query asks for.
    pub(crate) fn services(&self, query: &ListQuery) -> Vec<ListEntry> {
        let kind = ClientType::Media.as_str();
        if !self.config.has_sfu || query.client_type.as_deref().is_some_and(|wanted| wanted != kind) {
            return Vec::new();
        }
        let place = |name: &TerminalName| (name.partition != query.home, name.clone());
        let wanted = |partition: &&PartitionName| {
            let is_listed = query.partitions.is_empty() || query.partitions.contains(partition);
            is_listed && self.config.policy.authorise(Scope::See, &query.home, partition).is_ok()
        };
        let own = self.partitions.values().filter(|partition| self.owns(partition));
        let entries = own.filter(wanted).filter_map(|partition| self.service_in(partition));
        entries
            .filter(|entry| query.after.as_ref().is_none_or(|after| place(after) < place(&entry.name)))
            .collect()
    }

    /// The SFU of this node as a terminal of this partition; none if a terminal has taken its name.
    pub(crate) fn service_in(&self, partition: &PartitionName) -> Option<ListEntry> {
        let name = TerminalName { client: MEDIA_SERVICE.parse().ok()?, partition: partition.clone() };
        let is_here = self.config.has_sfu && self.owns(partition);
        if !is_here || self.registry.by_name(&name).is_some() {
            return None;
        }
        let state = ClientState {
            ip: "127.0.0.1".to_owned(),
            name: Some(MEDIA_SERVICE.to_owned()),
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

    fn owns(&self, partition: &PartitionName) -> bool {
        self.config.owners.get(&PartitionId::of(partition)) == Some(&self.config.node_id)
    }
}
