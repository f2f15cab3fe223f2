//! Rooms as operators and tests are shown them: who is there, and the ids of what each sends and receives.

use std::collections::{BTreeMap, BTreeSet};

use taoyao_ortc::{ConsumerId, ProducerId, TransportId};
use taoyao_types::{NodeId, TerminalName};

use super::hosted::Room;
use super::media::Owned;
use crate::terminals::Terminals;

/// One room of this node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomView {
    pub id: String,
    pub name: Option<String>,
    /// Who made it.
    pub owner: TerminalName,
    /// Whether a password is asked for.
    pub is_locked: bool,
    pub members: BTreeSet<TerminalName>,
}

/// One member; the ids are those that its node's media forwarder knows them by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberView {
    pub name: TerminalName,
    /// Where it is connected.
    pub node: NodeId,
    pub transports: Vec<TransportId>,
    pub producers: Vec<ProducerId>,
    pub consumers: Vec<ConsumerId>,
}

impl Terminals {
    /// The rooms of this node by their ids.
    pub fn rooms(&self) -> impl Iterator<Item = RoomView> {
        self.rooms.iter().map(Room::view)
    }

    /// What is tallied as taken by accounts, and what is really there: rooms, transports of the SFU, ports for plain RTP. Tests
    /// must find both alike, whatever has happened.
    pub fn tallies(&self) -> [(usize, usize); 3] {
        let (rooms, transports, plain_ports) = self.rooms.walked();
        let (held_transports, held_ports) = self.media_shares.total();
        [(rooms, self.rooms.len()), (held_transports, transports), (held_ports, plain_ports)]
    }

    /// One of them with what its members send and receive.
    pub fn room(&self, id: &str) -> Option<(RoomView, Vec<MemberView>)> {
        let room = self.rooms.get(id)?;
        Some((room.view(), room.view_members()))
    }
}

impl Room {
    fn view(&self) -> RoomView {
        RoomView {
            id: self.id.clone(),
            name: self.name.clone(),
            owner: self.owner.name.clone(),
            is_locked: self.password.is_some(),
            members: self.names().cloned().collect(),
        }
    }

    fn view_members(&self) -> Vec<MemberView> {
        let silent = |name, node| MemberView {
            name,
            node,
            transports: Vec::new(),
            producers: Vec::new(),
            consumers: Vec::new(),
        };
        let mut views: BTreeMap<TerminalName, MemberView> =
            self.places().map(|(name, node)| (name.clone(), silent(name.clone(), node))).collect();
        for (owner, owned) in self.studio.iter().flat_map(|studio| studio.owned()) {
            let Some(view) = views.get_mut(owner) else { continue };
            match owned {
                Owned::Transport(id) => view.transports.push(id),
                Owned::Producer(id) => view.producers.push(id),
                Owned::Consumer(id) => view.consumers.push(id),
            }
        }
        views.into_values().collect()
    }
}
