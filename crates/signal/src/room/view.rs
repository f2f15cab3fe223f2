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
            owner: self.owner.clone(),
            is_locked: self.password.is_some(),
            members: self.members().into_iter().map(|member| member.name).collect(),
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
        let members = self.members().into_iter();
        let mut views: BTreeMap<TerminalName, MemberView> =
            members.map(|member| (member.name.clone(), silent(member.name, member.origin))).collect();
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
