//! Requests that this machine made to the mesh, and what each is for.

use std::collections::BTreeMap;

use taoyao_types::{ConnId, TerminalName, limits};
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

/// An ask that is not answered yet. One without an asker is a farewell that nobody waits for.
#[derive(Debug)]
pub(crate) struct OpenAsk(pub(crate) Option<(Asker, Purpose)>);

#[derive(Debug, Default)]
pub(crate) struct Asks {
    last: u64,
    open: BTreeMap<AskId, OpenAsk>,
}

impl Asks {
    pub(crate) fn is_full(&self) -> bool {
        self.open.len() >= limits::PENDING_MAX
    }

    pub(crate) fn open(&mut self, ask: OpenAsk) -> AskId {
        self.last += 1;
        let id = AskId(self.last);
        self.open.insert(id, ask);
        id
    }

    pub(crate) fn close(&mut self, id: AskId) -> Option<OpenAsk> {
        self.open.remove(&id)
    }

    pub(crate) fn len(&self) -> usize {
        self.open.len()
    }
}
