//! Where terminals of this node are members of rooms, and how far their rooms' news has been heard.

use std::collections::{BTreeMap, BTreeSet};

use taoyao_types::{ConnId, NodeId, SessionEpoch, TerminalName, limits};
use taoyao_wire::link::SeatCheck;

use super::media::is_service;
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
    pub(crate) members: BTreeMap<TerminalName, Sitter>,
    /// Who is being recorded there, by name; the media terminal stands for all of the room.
    recorded: BTreeSet<TerminalName>,
}

/// One of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sitter {
    pub(crate) conn: ConnId,
    /// The session in which it entered. A terminal that outbids another login has a newer one afterwards, which says nothing
    /// of this seat.
    pub(crate) session: SessionEpoch,
}

/// A terminal that has asked to enter and has not been told that it is in.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) room: String,
    pub(crate) asker: Asker,
    /// In which it asked.
    pub(crate) session: SessionEpoch,
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
    pub(crate) fn entry(&self, number: u64) -> Option<&Entry> {
        self.entries.get(&number)
    }

    /// Whether a terminal is about to enter the room.
    pub(crate) fn is_expected(&self, room: &str) -> bool {
        self.entries.values().any(|entry| entry.room == room)
    }

    /// The terminal does not wait any more; the rooms that it was about to enter, and in which session.
    pub(crate) fn drop_entries(&mut self, name: &TerminalName) -> Vec<(String, SessionEpoch)> {
        let of_it = self.entries.extract_if(.., |_, entry| entry.asker.name == *name);
        of_it.map(|(_, entry)| (entry.room, entry.session)).collect()
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
        sitter: Sitter,
    ) {
        let fresh =
            || Seat { host, feed, next: seq + 1, members: BTreeMap::new(), recorded: BTreeSet::new() };
        let seat = self.by_room.entry(room.to_owned()).or_insert_with(fresh);
        if seat.feed != feed {
            (seat.feed, seat.next) = (feed, seq + 1);
            seat.recorded.clear();
        }
        seat.members.insert(name, sitter);
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

    /// The terminal is out; how it was in.
    pub(crate) fn stand_up(&mut self, room: &str, name: &TerminalName) -> Option<Sitter> {
        let seat = self.by_room.get_mut(room)?;
        let sitter = seat.members.remove(name);
        seat.recorded.remove(name);
        if seat.members.is_empty() {
            self.by_room.remove(room);
        }
        sitter
    }

    /// What the room's node says of a recording. Of whom is not here, nothing has to be kept.
    pub(crate) fn note_recorded(&mut self, room: &str, who: &TerminalName, is_recorded: bool) {
        let Some(seat) = self.by_room.get_mut(room) else { return };
        if !is_recorded {
            seat.recorded.remove(who);
        } else if seat.members.contains_key(who) || is_service(who) {
            seat.recorded.insert(who.clone());
        }
    }

    /// Whether the terminal is recorded in any room, by itself or with the whole of it.
    pub(crate) fn is_recorded(&self, name: &TerminalName) -> bool {
        let seated = self.by_room.values().filter(|seat| seat.members.contains_key(name));
        let mut recorded = seated.flat_map(|seat| &seat.recorded);
        recorded.any(|who| who == name || is_service(who))
    }

    /// The room is no more; who was in it.
    pub(crate) fn remove(&mut self, room: &str) -> BTreeMap<TerminalName, Sitter> {
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

    /// What this node knows of the rooms of one node, in parts that are each no longer than
    /// [`limits::ROOM_CHECK_BYTES_MAX`] and one room.
    pub(crate) fn known_of(&self, host: NodeId) -> Vec<Vec<SeatCheck>> {
        let seats = self.by_room.iter().filter(|(_, seat)| seat.host == host);
        let check = |(room, seat): (&String, &Seat)| SeatCheck {
            room: room.clone(),
            feed: seat.feed,
            next: seat.next,
            members: seat.members.keys().cloned().collect(),
        };
        let mut parts = vec![(Vec::new(), 0)];
        for seat in seats.map(check) {
            let bytes = weight(&seat);
            match parts.last_mut() {
                Some((part, sum)) if *sum + bytes <= limits::ROOM_CHECK_BYTES_MAX => {
                    part.push(seat);
                    *sum += bytes;
                }
                _ => parts.push((vec![seat], bytes)),
            }
        }
        parts.into_iter().map(|(part, _)| part).filter(|part| !part.is_empty()).collect()
    }

    pub(crate) fn len(&self) -> usize {
        self.by_room.len()
    }
}

/// About how many bytes it is on a link.
fn weight(seat: &SeatCheck) -> usize {
    const ITSELF: usize = 64;
    let name = |name: &TerminalName| name.client.as_str().len() + name.partition.as_str().len() + 4;
    ITSELF + seat.room.len() + seat.members.iter().map(name).sum::<usize>()
}

#[cfg(test)]
mod tests {
    use taoyao_wire::link::Payload;

    use super::*;

    const SITTER: Sitter = Sitter { conn: ConnId(1), session: SessionEpoch(7) };

    #[test]
    fn what_is_known_fits_into_frames_however_much_it_is() {
        let mut seats = Seats::default();
        let (host, partition) = (NodeId(1), format!("{0}.{0}.{0}.{0}.cn", "p".repeat(60)));
        for room in 0..20 {
            for n in 0..500 {
                let name = format!("{}{n:04}@{partition}", "m".repeat(120)).parse().unwrap();
                seats.sit(&format!("room {room}"), host, (1, 1), name, SITTER);
            }
        }
        let parts = seats.known_of(host);
        assert_eq!(parts.iter().map(Vec::len).sum::<usize>(), 20);
        for seats in parts {
            let check = taoyao_wire::link::RoomCheck { seats };
            let bytes = Payload::RoomCheck(check).encode().len();
            assert!(bytes < limits::FRAME_BYTES_MAX - limits::FRAME_HEADER_BYTES_MAX, "{bytes}");
        }
        assert!(seats.known_of(NodeId(2)).is_empty());
    }

    #[test]
    fn news_is_told_once_and_in_order() {
        let mut seats = Seats::default();
        assert_eq!(seats.turn("r", 1, 1), None, "nobody is in the room");
        seats.sit("r", NodeId(1), (1, 4), "a@cn".parse().unwrap(), SITTER);
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
        seats.sit("r", NodeId(1), (1, 1), a, SITTER);
        let a = "a@cn".parse().unwrap();
        assert_eq!(seats.stand_up("r", &b), None);
        assert_eq!(seats.rooms_of(&a), [("r".to_owned(), NodeId(1))]);
        assert_eq!(seats.stand_up("r", &a), Some(SITTER));
        assert_eq!((seats.len(), seats.hosts().len()), (0, 0));
    }
}
