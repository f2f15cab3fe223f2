//! Lists of members and of rooms as terminals are shown them: never longer than what carries them.

use taoyao_types::{ConnId, Now, TerminalName, limits};
use taoyao_wire::link::ListEntry;
use taoyao_wire::signals::Signal;
use taoyao_wire::terminal::room::{self, PageRequest};
use taoyao_wire::terminal::state;

use crate::terminals::Terminals;

/// What a list's message has besides its entries: the envelope, and the room's id.
const ENVELOPE_BYTES: usize = 512;

/// Members as one terminal sees them.
struct Page {
    /// States with ids.
    shown: Vec<String>,
    /// Those for which there was no place.
    rest: Vec<(String, String)>,
}

/// Who comes first where there is not place for all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    /// So that the next page continues behind the last one.
    AsTheyCome,
    ViewerFirst,
}

impl Terminals {
    /// Bytes that the entries of one list may have in a message to this connection.
    pub(crate) fn list_bytes(&self, conn: ConnId) -> usize {
        let socket = self.lines.outward(conn).unwrap_or(conn);
        let message = self.carriers.get(&socket).copied().unwrap_or(limits::TERMINAL_MESSAGE_BYTES_MAX);
        message.saturating_sub(ENVELOPE_BYTES)
    }

    /// The list of members for one who has entered, once (quirk Q6). Those who have no place in it follow one by one, as if
    /// they came in.
    pub(super) fn push_members(&mut self, now: Now, conn: ConnId, room: &str, entries: &[ListEntry]) {
        let Some(Page { shown, rest }) = self.page(conn, entries, Order::ViewerFirst) else { return };
        let body = room::members(room, shown.iter().map(String::as_str));
        self.push(now, conn, Signal::RoomClientList, &body);
        for (client, status) in rest {
            self.push(now, conn, Signal::RoomEnter, &room::entered(room, &client, &status));
        }
    }

    /// `room::client::list` as one terminal sees it: the members behind `after`, as many as there is place for.
    pub(super) fn members_shown(
        &self,
        conn: ConnId,
        room: &str,
        entries: Vec<ListEntry>,
        page: &PageRequest,
    ) -> Option<String> {
        let home = &self.registry.caller(conn)?.name.partition;
        let after = page.after.as_ref().and_then(|after| TerminalName::resolve(after, home).ok());
        let limit = page.limit.map_or(usize::MAX, |limit| limit as usize);
        let is_wanted = |entry: &ListEntry| after.as_ref().is_none_or(|after| entry.name > *after);
        let entries: Vec<ListEntry> = entries.into_iter().filter(is_wanted).take(limit).collect();
        let Page { shown, .. } = self.page(conn, &entries, Order::AsTheyCome)?;
        Some(room::members(room, shown.iter().map(String::as_str)))
    }

    /// Whole states if all have a place, brief ones otherwise.
    fn page(&self, conn: ConnId, entries: &[ListEntry], order: Order) -> Option<Page> {
        let viewer = self.registry.caller(conn)?;
        let (own, bytes_max) = (self.config.node_id, self.list_bytes(conn));
        let show = |entry: &ListEntry, state: &str| {
            let client = viewer.sees(&entry.name);
            let shown = state::shown(state, &client, entry.origin != own)?;
            Some((client, shown))
        };
        let whole: Vec<(String, String)> =
            entries.iter().filter_map(|entry| show(entry, &entry.state)).collect();
        if whole.iter().map(|(_, state)| state.len() + 1).sum::<usize>() <= bytes_max {
            return Some(Page {
                shown: whole.into_iter().map(|(_, state)| state).collect(),
                rest: Vec::new(),
            });
        }
        let is_first = |entry: &&ListEntry| order == Order::ViewerFirst && entry.name == *viewer.name;
        let (first, others): (Vec<_>, Vec<_>) = entries.iter().partition(is_first);
        let brief = first.into_iter().chain(others);
        let (mut page, mut bytes) = (Page { shown: Vec::new(), rest: Vec::new() }, 0);
        for (client, state) in brief.filter_map(|entry| show(entry, &state::brief(&entry.state))) {
            bytes += state.len() + 1;
            if bytes <= bytes_max {
                page.shown.push(state);
            } else {
                page.rest.push((client, state));
            }
        }
        Some(page)
    }
}
