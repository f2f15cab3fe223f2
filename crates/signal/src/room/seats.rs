//! Where terminals of this node are members of rooms, and how far their rooms' news has been heard.

use std::collections::{BTreeMap, BTreeSet};

use taoyao_types::{ConnId, NodeId, TerminalName, limits};
use taoyao_wire::link::SeatCheck;

use crate::asks::Asker;

/// All rooms that terminals of this node are in, or are about to enter.
#[derive(Debug, Default)]
pub(crate) struct Seats {
    by_room: BTreeMap<String, Seat>,
    entries: BTreeMap<u64, Entry>,
    last_entry: u64,
}

/// The members of one room at this node.
#[derive(Debug)]
pub(crate) struct Seat {
    pub(crate) host: NodeId,
    pub(crate) feed: u64,
    /// The number of the news that is to come next.
    pub(crate) next: u64,
    pub(crate) members: BTreeMap<TerminalName, ConnId>,
}

/// A terminal that has asked to enter and has not been told that it is in.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) room: String,
    pub(crate) asker: Asker,
}

/// Whether news is to be told.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    Next,
    /// Told already.
    Again,
    /// Something before it is missing.
    TooEarly,
}

impl Seats {
    pub(crate) fn get(&self, room: &str) -> Option<&Seat> {
        self.by_room.get(room)
    }

    pub(crate) fn is_member(&self, room: &str, name: &TerminalName) -> bool {
        self.by_room.get(room).is_some_and(|seat| seat.members.contains_key(name))
    }

    /// Whether the terminal may enter one more room.
    pub(crate) fn has_room(&self, name: &TerminalName, room: &str) -> bool {
        let seated = self.by_room.iter().filter(|(_, seat)| seat.members.contains_key(name));
        self.is_member(room, name) || seated.count() < limits::TERMINAL_ROOMS_MAX
    }

    pub(crate) fn begin_entry(&mut self, entry: Entry) -> u64 {
        self.last_entry += 1;
        self.entries.insert(self.last_entry, entry);
        self.last_entry
    }

    /// Who waits for the end of an entry.
    pub(crate) fn entry(&self, number: u64) -> Option<&Asker> {
        self.entries.get(&number).map(|entry| &entry.asker)
    }

    /// The terminal does not wait any more; the rooms that it was about to enter.
    pub(crate) fn drop_entries(&mut self, name: &TerminalName) -> Vec<String> {
        let of_it = self.entries.extract_if(.., |_, entry| entry.asker.name == *name);
        of_it.map(|(_, entry)| entry.room).collect()
    }

    pub(crate) fn end_entry(&mut self, number: u64) -> Option<Entry> {
        self.entries.remove(&number)
    }

    /// The terminal is in, as the room's node says. Another feed than before begins with this news.
    pub(crate) fn sit(
        &mut self,
        room: &str,
        host: NodeId,
        (feed, seq): (u64, u64),
        name: TerminalName,
        conn: ConnId,
    ) {
        let fresh = || Seat { host, feed, next: seq + 1, members: BTreeMap::new() };
        let seat = self.by_room.entry(room.to_owned()).or_insert_with(fresh);
        if seat.feed != feed {
            (seat.feed, seat.next) = (feed, seq + 1);
        }
        seat.members.insert(name, conn);
    }

    /// Whose turn a piece of news is; takes the turn.
    pub(crate) fn turn(&mut self, room: &str, feed: u64, seq: u64) -> Option<Turn> {
        let seat = self.by_room.get_mut(room)?;
        if seat.feed != feed {
            return Some(if feed < seat.feed { Turn::Again } else { Turn::TooEarly });
        }
        if seq != seat.next {
            return Some(if seq < seat.next { Turn::Again } else { Turn::TooEarly });
        }
        seat.next += 1;
        Some(Turn::Next)
    }

    /// The terminal is out; whether it was in.
    pub(crate) fn stand_up(&mut self, room: &str, name: &TerminalName) -> bool {
        let Some(seat) = self.by_room.get_mut(room) else { return false };
        let was_in = seat.members.remove(name).is_some();
        if seat.members.is_empty() {
            self.by_room.remove(room);
        }
        was_in
    }

    /// The room is no more; who was in it.
    pub(crate) fn remove(&mut self, room: &str) -> BTreeMap<TerminalName, ConnId> {
        self.by_room.remove(room).map(|seat| seat.members).unwrap_or_default()
    }

    /// The rooms that a terminal is in.
    pub(crate) fn rooms_of(&self, name: &TerminalName) -> Vec<(String, NodeId)> {
        let seated = self.by_room.iter().filter(|(_, seat)| seat.members.contains_key(name));
        seated.map(|(room, seat)| (room.clone(), seat.host)).collect()
    }

    /// The nodes that have rooms with members here.
    pub(crate) fn hosts(&self) -> BTreeSet<NodeId> {
        self.by_room.values().map(|seat| seat.host).collect()
    }

    /// What this node knows of the rooms of one node.
    pub(crate) fn known_of(&self, host: NodeId) -> Vec<SeatCheck> {
        let seats = self.by_room.iter().filter(|(_, seat)| seat.host == host);
        let check = |(room, seat): (&String, &Seat)| SeatCheck {
            room: room.clone(),
            feed: seat.feed,
            next: seat.next,
            members: seat.members.keys().cloned().collect(),
        };
        seats.map(check).collect()
    }

    pub(crate) fn len(&self) -> usize {
        self.by_room.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn news_is_told_once_and_in_order() {
        let mut seats = Seats::default();
        assert_eq!(seats.turn("r", 1, 1), None, "nobody is in the room");
        seats.sit("r", NodeId(1), (1, 4), "a@cn".parse().unwrap(), ConnId(1));
        assert_eq!(seats.turn("r", 1, 4), Some(Turn::Again));
        assert_eq!(seats.turn("r", 1, 6), Some(Turn::TooEarly));
        assert_eq!(seats.turn("r", 1, 5), Some(Turn::Next));
        assert_eq!(seats.turn("r", 1, 6), Some(Turn::Next));
        assert_eq!(seats.turn("r", 2, 1), Some(Turn::TooEarly), "a feed whose beginning was not heard");
    }

    #[test]
    fn a_seat_goes_with_its_last_member() {
        let mut seats = Seats::default();
        let (a, b) = ("a@cn".parse().unwrap(), "b@cn".parse().unwrap());
        seats.sit("r", NodeId(1), (1, 1), a, ConnId(1));
        let a = "a@cn".parse().unwrap();
        assert!(!seats.stand_up("r", &b));
        assert_eq!(seats.rooms_of(&a), [("r".to_owned(), NodeId(1))]);
        assert!(seats.stand_up("r", &a));
        assert_eq!((seats.len(), seats.hosts().len()), (0, 0));
    }
}
