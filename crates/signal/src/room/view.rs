//! Rooms as operators are shown them: who is there, and the ids of what each sends and receives.

use taoyao_ortc::{ConsumerId, ProducerId, TransportId};
use taoyao_types::{NodeId, TerminalName};

use super::hosted::Room;
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
    pub members: Vec<MemberView>,
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
    pub fn room_views(&self) -> impl Iterator<Item = RoomView> {
        self.rooms.iter().map(Room::view)
    }
}

impl Room {
    fn view(&self) -> RoomView {
        let member = |entry: taoyao_wire::link::ListEntry| self.view_member(entry.name, entry.origin);
        RoomView {
            id: self.id.clone(),
            name: self.name.clone(),
            owner: self.owner.clone(),
            is_locked: self.password.is_some(),
            members: self.members().into_iter().map(member).collect(),
        }
    }

    fn view_member(&self, name: TerminalName, node: NodeId) -> MemberView {
        let owned = self.studio.as_ref().map(|studio| studio.owned_by(&name)).unwrap_or_default();
        let (transports, producers, consumers) = owned;
        MemberView { name, node, transports, producers, consumers }
    }
}
