//! `room::list`: collected by the mesh from all nodes concerned, as lists of terminals are.

use taoyao_types::{ClientId, Now, PartitionName, Scope, SessionEpoch, TerminalName, limits};
use taoyao_wire::link::{ListEntry, ListPage, ListQuery};
use taoyao_wire::signals::Signal;
use taoyao_wire::terminal::room::PageRequest;
use taoyao_wire::terminal::{Code, Fields, client, room, state};

use super::hosted::Room;
use super::ids::partition_of;
use crate::asks::Asker;
use crate::failure::Failed;
use crate::say::Request;
use crate::terminals::Terminals;

impl Terminals {
    /// The rooms of all partitions that policy shows, the own first.
    pub(crate) fn list_rooms(&mut self, now: Now, request: &Request<'_>) {
        let query = match self.rooms_query(request) {
            Ok(query) => query,
            Err(failed) => return self.refuse(now, request, failed),
        };
        self.gather(now, request, query);
    }

    fn rooms_query(&self, request: &Request<'_>) -> Result<ListQuery, Failed> {
        let PageRequest { after, limit } = PageRequest::of(&Fields::of(request.message.body));
        let after = match after {
            Some(id) => {
                let why = || format!("{}：after is no id of a room", Code::BadRequest.text());
                let partition = partition_of(&id).and_then(|partition| self.partitions.get(&partition));
                let name = partition.and_then(|partition| room_name(&id, partition));
                Some(name.ok_or_else(|| Failed::new(Code::BadRequest, why()))?)
            }
            None => None,
        };
        let home = request.from.partition.clone();
        let limit = limit.unwrap_or(self.config.list_max).min(self.config.list_max);
        Ok(ListQuery { rooms: true, home, client_type: None, partitions: Vec::new(), after, limit })
    }

    /// This node's rooms that a query asks for: those of `home` first, and behind `after`.
    pub(crate) fn local_rooms(&self, query: &ListQuery, limit: usize) -> Vec<ListEntry> {
        let policy = &self.config.policy;
        let place = |name: &TerminalName| (name.partition != query.home, name.clone());
        let after = query.after.as_ref().map(place);
        let visible = self.rooms.iter().filter(|room| {
            let wanted = query.partitions.is_empty() || query.partitions.contains(&room.partition);
            wanted && policy.authorise(Scope::See, &query.home, &room.partition).is_ok()
        });
        let named = visible.filter_map(|room| Some((place(&room_name(&room.id, &room.partition)?), room)));
        let mut wanted: Vec<_> =
            named.filter(|(place, _)| after.as_ref().is_none_or(|after| place > after)).collect();
        wanted.sort_by(|(a, _), (b, _)| a.cmp(b));
        let (mut entries, mut bytes) = (Vec::new(), 0);
        for ((_, name), room) in wanted.into_iter().take(limit) {
            let entry = self.room_entry(name, room);
            bytes += entry.state.len();
            if bytes > limits::LIST_BYTES_MAX {
                break;
            }
            entries.push(entry);
        }
        entries
    }

    fn room_entry(&self, name: TerminalName, room: &Room) -> ListEntry {
        let (origin, life) = (self.config.node_id, self.config.epoch);
        let (session, state) = (SessionEpoch::default(), room::state(&room.state()));
        ListEntry { name, origin, life, session, state }
    }

    pub(crate) fn rooms_listed(&mut self, asker: &Asker, query: &ListQuery, page: &ListPage) {
        let policy = &self.config.policy;
        let may_see =
            |entry: &&ListEntry| policy.authorise(Scope::See, &query.home, &entry.name.partition).is_ok();
        let states = page.entries.iter().filter(may_see).map(|entry| entry.state.as_str());
        let bytes_max = limits::LIST_BYTES_MAX.min(self.list_bytes(asker.conn));
        let mut bytes = 0;
        let fits = |state: &&str| {
            bytes += state.len() + 1;
            bytes <= bytes_max
        };
        let body = client::list(states.filter(|state| state::is_object(state)).take_while(fits));
        self.answer_later(asker, Signal::RoomList, Some(&body));
    }
}

/// A room as an entry of a list, whose order is that of terminals.
fn room_name(id: &str, partition: &PartitionName) -> Option<TerminalName> {
    Some(TerminalName { client: id.parse::<ClientId>().ok()?, partition: partition.clone() })
}
