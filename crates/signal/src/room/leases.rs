//! What holds a room and its members' nodes together: comparisons, and leases that end without them.

use taoyao_types::{NodeEpoch, NodeId, Now, SessionEpoch, TerminalName, limits};
use taoyao_wire::link::{Reply, RoomCheck, RoomChecked, RoomNews, SeatCheck};

use super::hosted::Said;
use crate::terminals::Terminals;
use crate::timers::Alarm;

/// Newer than any session: whoever leaves with it leaves whatever its session is.
const ANY_SESSION: SessionEpoch = SessionEpoch(u64::MAX);

impl Terminals {
    /// A node of members says what it knows of rooms here.
    pub(crate) fn check_seats(&mut self, now: Now, origin: NodeId, check: RoomCheck) -> Reply {
        let mut answer = RoomChecked::default();
        for seat in check.seats {
            self.check_seat(now, origin, seat, &mut answer);
        }
        Reply::RoomChecked(answer)
    }

    fn check_seat(&mut self, now: Now, origin: NodeId, seat: SeatCheck, answer: &mut RoomChecked) {
        let SeatCheck { room: id, feed, next, members } = seat;
        let Some(room) = self.rooms.get_mut(&id) else { return answer.closed.push(id) };
        let key = room.key;
        let last = room.hear_of(now.mono, origin, feed);
        let missed = match last {
            // It has nobody in this room, and heard of it by the news before `next`.
            Some(_) if members.is_empty() => Some(Vec::new()),
            Some(last) => self.kept.since(feed, next, last),
            None => None,
        };
        let Some(missed) = missed else {
            let named = members.iter().filter(|name| room.has_at(name, origin));
            let named: Vec<TerminalName> = named.cloned().collect();
            let news =
                named.iter().flat_map(|name| room.leave(now.mono, name, origin, ANY_SESSION)).collect();
            answer.out.push((id, members));
            return self.publish_news(now, key, news);
        };
        let ghosts = room.ghosts(origin, next, &members);
        let news: Vec<Said> =
            ghosts.iter().flat_map(|ghost| room.leave(now.mono, ghost, origin, ANY_SESSION)).collect();
        let strangers: Vec<TerminalName> =
            members.into_iter().filter(|name| !room.has_at(name, origin)).collect();
        for (seq, event) in missed {
            self.tell_node(key, origin, RoomNews { room: id.clone(), feed, seq, event });
        }
        if !strangers.is_empty() {
            answer.out.push((id, strangers));
        }
        self.publish_news(now, key, news);
    }

    /// A node speaks for itself in this life: what it had in earlier ones has ended with them.
    pub(crate) fn note_life(&mut self, now: Now, node: NodeId, life: NodeEpoch) {
        if self.lives.get(&node).is_some_and(|known| *known >= life) {
            return;
        }
        self.lives.insert(node, life);
        for (key, said) in self.rooms.end_lives(now.mono, node, life) {
            let node = self.config.name_of(node);
            tracing::info!(node, life = life.0, "members of an earlier life of their node are gone");
            self.publish_news(now, key, said);
        }
    }

    /// Looks from time to time after rooms that nobody is in and members that are not heard of, while there are any.
    pub(crate) fn watch_rooms(&mut self, now: Now) {
        if !self.rooms_watched && self.rooms.len() > 0 {
            self.rooms_watched = true;
            self.timers.set(now.mono + limits::ROOM_CHECK, Alarm::Rooms);
        }
    }

    pub(crate) fn look_after_rooms(&mut self, now: Now) {
        self.rooms_watched = false;
        let mut all = self.rooms.expire(now.mono);
        all.extend(self.rooms.end_empty(now.mono));
        for (key, said) in all {
            self.publish_news(now, key, said);
        }
        self.watch_rooms(now);
    }
}
