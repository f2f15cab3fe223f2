//! Requests that this machine made to the mesh, and what each is for.

use std::collections::BTreeMap;

use taoyao_types::{ConnId, NodeId, TerminalName, limits};
use taoyao_wire::link::ListQuery;

use crate::io::AskId;
use crate::room::RoomAsk;

/// The terminal's request that an ask serves: enough to answer it later.
#[derive(Debug, Clone)]
pub(crate) struct Asker {
    pub(crate) conn: ConnId,
    /// Who it was when it asked; if the connection has another name by then, nobody waits.
    pub(crate) name: TerminalName,
    pub(crate) id: i64,
    pub(crate) v: String,
}

#[derive(Debug)]
pub(crate) enum Purpose {
    List(Box<ListQuery>),
    Status(TerminalName),
    /// `to` as the terminal wrote it.
    Control {
        to: String,
    },
    Call {
        callee: TerminalName,
        session: String,
    },
    Relay {
        session: String,
    },
    Room(Box<RoomAsk>),
}

/// An ask that is not answered yet, by what its reply is for.
#[derive(Debug)]
pub(crate) enum OpenAsk {
    /// Somebody waits for it.
    Request(Asker, Purpose),
    /// What has ended here is told to those concerned, and nobody waits. What concerns this node itself is over before
    /// others hear that the terminal has gone (reference 3.7).
    Farewell { is_local: bool },
    /// What is known of rooms is compared with their node.
    RoomCheck,
    /// An alarm on its way to the owner of its partition.
    Alarm(NodeId),
}

#[derive(Debug, Default)]
pub(crate) struct Asks {
    last: u64,
    open: BTreeMap<AskId, OpenAsk>,
    local_farewells: usize,
}

impl Asks {
    pub(crate) fn is_full(&self) -> bool {
        self.open.len() >= limits::PENDING_MAX
    }

    pub(crate) fn open(&mut self, ask: OpenAsk) -> AskId {
        self.last += 1;
        let id = AskId(self.last);
        self.local_farewells += usize::from(ask.is_local_farewell());
        self.open.insert(id, ask);
        id
    }

    pub(crate) fn get(&self, id: AskId) -> Option<&OpenAsk> {
        self.open.get(&id)
    }

    pub(crate) fn close(&mut self, id: AskId) -> Option<OpenAsk> {
        let ask = self.open.remove(&id)?;
        self.local_farewells -= usize::from(ask.is_local_farewell());
        Some(ask)
    }

    /// Whether something of this node is about to end with a terminal that has gone.
    pub(crate) fn are_parting(&self) -> bool {
        self.local_farewells > 0
    }

    pub(crate) fn len(&self) -> usize {
        self.open.len()
    }
}

impl OpenAsk {
    fn is_local_farewell(&self) -> bool {
        matches!(self, OpenAsk::Farewell { is_local: true })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ask_is_closed_once_and_by_its_own_id() {
        let mut asks = Asks::default();
        let alarm = asks.open(OpenAsk::Alarm(NodeId(1)));
        let other = AskId(alarm.0 + 1);
        assert!(matches!((asks.close(other), asks.close(alarm)), (None, Some(OpenAsk::Alarm(NodeId(1))))));
        assert!(asks.close(alarm).is_none());
        assert_eq!(asks.len(), 0);
    }

    #[test]
    fn only_farewells_to_this_node_itself_hold_announcements_back() {
        let mut asks = Asks::default();
        asks.open(OpenAsk::Farewell { is_local: false });
        asks.open(OpenAsk::RoomCheck);
        assert!(!asks.are_parting());
        let local = asks.open(OpenAsk::Farewell { is_local: true });
        assert!(asks.are_parting());
        asks.close(local);
        asks.close(local);
        assert!(!asks.are_parting());
    }
}
