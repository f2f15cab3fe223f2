//! What holds a room and its members' nodes together: comparisons, and leases that end without them.

use taoyao_types::{NodeId, Now, SessionEpoch, TerminalName, limits};
use taoyao_wire::link::{Reply, RoomCheck, RoomChecked, SeatCheck};

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
        let Some(mut news) = room.catch_up(now.mono, origin, feed, next) else {
            let named = members.iter().filter(|name| room.has_at(name, origin)).cloned().collect::<Vec<_>>();
            let news: Vec<Said> =
                named.iter().flat_map(|name| room.leave(now.mono, name, ANY_SESSION)).collect();
            answer.out.push((id, members));
            return self.publish_news(now, key, news);
        };
        for ghost in room.ghosts(origin, next, &members) {
            news.extend(room.leave(now.mono, &ghost, ANY_SESSION));
        }
        let strangers: Vec<TerminalName> =
            members.into_iter().filter(|name| !room.has_at(name, origin)).collect();
        if !strangers.is_empty() {
            answer.out.push((id, strangers));
        }
        self.publish_news(now, key, news);
    }

    /// Looks for leases that have ended, from time to time, while there are any.
    pub(crate) fn watch_leases(&mut self, now: Now) {
        if !self.leases_watched && self.rooms.are_lived_in() {
            self.leases_watched = true;
            self.timers.set(now.mono + limits::ROOM_CHECK, Alarm::RoomLeases);
        }
    }

    pub(crate) fn expire_leases(&mut self, now: Now) {
        self.leases_watched = false;
        for (key, news) in self.rooms.expire(now.mono) {
            self.publish_news(now, key, news);
        }
        self.watch_leases(now);
    }
}
