//! `room::list`: collected by the mesh from all nodes concerned, as lists of terminals are.

use taoyao_types::{Now, Scope, SessionEpoch, TerminalName};
use taoyao_wire::link::{ListEntry, ListPage, ListQuery};
use taoyao_wire::signals::Signal;
use taoyao_wire::terminal::{client, room, state};

use super::hosted::Room;
use crate::asks::{Asker, Purpose};
use crate::io::Output;
use crate::say::Request;
use crate::terminals::Terminals;

impl Terminals {
    /// The rooms of all partitions that policy shows, the own first.
    pub(crate) fn list_rooms(&mut self, now: Now, request: &Request<'_>) {
        let (home, limit) = (request.from.partition.clone(), self.config.list_max);
        let query =
            ListQuery { rooms: true, home, client_type: None, partitions: Vec::new(), after: None, limit };
        let purpose = Purpose::List(Box::new(query.clone()));
        if let Some((ask, _)) = self.open_ask(now, request, purpose) {
            self.outputs.push_back(Output::Gather { ask, query });
        }
    }

    /// This node's rooms that a query asks for.
    pub(crate) fn local_rooms(&self, query: &ListQuery, limit: usize) -> Vec<ListEntry> {
        let policy = &self.config.policy;
        let visible = self.rooms.iter().filter(|room| {
            let wanted = query.partitions.is_empty() || query.partitions.contains(&room.partition);
            wanted && policy.authorise(Scope::See, &query.home, &room.partition).is_ok()
        });
        let entry = |room: &Room| {
            let name = TerminalName { client: room.id.parse().ok()?, partition: room.partition.clone() };
            let (origin, life) = (self.config.node_id, self.config.epoch);
            let (session, state) = (SessionEpoch::default(), room::state(&room.state()));
            Some(ListEntry { name, origin, life, session, state })
        };
        let mut entries: Vec<ListEntry> = visible.filter_map(entry).collect();
        entries.sort_by_key(|entry| (entry.name.partition != query.home, entry.name.clone()));
        entries.truncate(limit);
        entries
    }

    pub(crate) fn rooms_listed(&mut self, asker: &Asker, query: &ListQuery, page: &ListPage) {
        let policy = &self.config.policy;
        let may_see =
            |entry: &&ListEntry| policy.authorise(Scope::See, &query.home, &entry.name.partition).is_ok();
        let states = page.entries.iter().filter(may_see).map(|entry| entry.state.as_str());
        let body = client::list(states.filter(|state| state::is_object(state)));
        self.answer_later(asker, Signal::RoomList, Some(&body));
    }
}
