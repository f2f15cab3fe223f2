//! What the members at this node are told of their rooms.

use taoyao_types::{AccountTag, ConnId, NodeId, Now, TerminalName};
use taoyao_wire::link::{ListEntry, Message, RoomChecked, RoomEvent, RoomNews, SeatCheck, Welcome};
use taoyao_wire::signals::Signal;
use taoyao_wire::terminal::{Fields, room, state};

use super::seats::{Entry, Sitter, Turn};
use crate::terminals::Terminals;

impl Terminals {
    /// News of a room from its node. From any other node it is not believed.
    pub(crate) fn take_room_news(&mut self, now: Now, origin: NodeId, news: RoomNews) {
        let RoomNews { room, feed, seq, event } = news;
        if self.host_of(&room) != Some(origin) {
            self.stats.mesh_refused += 1;
            return;
        }
        match &event {
            RoomEvent::Lapsed { owner, account } => return self.tell_lapsed(now, &room, owner, *account),
            RoomEvent::Missed { last } => return self.tell_missed(origin, room, feed, *last),
            _ => {}
        }
        if seq > 0 && self.seats.get(&room).is_none() && !self.seats.is_expected(&room) {
            return self.disown(now, origin, nobody_in(room, feed, seq));
        }
        if seq == 0 {
            let is_current = self.seats.get(&room).is_some_and(|seat| seat.feed == feed);
            return if is_current {
                self.tell_members(now, &room, event)
            };
        }
        match self.seats.turn(&room, feed, seq) {
            Some(Turn::Next) => self.tell_members(now, &room, event),
            Some(Turn::Again) => {}
            // The first news that concerns this node tells of an entry.
            Some(Turn::TooEarly) | None => match event {
                RoomEvent::Entered { newcomer, welcome: Some(welcome) }
                    if self.waits_to_enter(&newcomer, &welcome).is_some() =>
                {
                    self.welcome_first(now, origin, &room, (feed, seq), &newcomer, welcome);
                }
                _ => self.compare_with(origin),
            },
        }
    }

    /// The room's node has not heard of its members here for a while.
    fn tell_missed(&mut self, host: NodeId, room: String, feed: u64, last: u64) {
        if self.seats.get(&room).is_some() {
            self.compare_with(host);
        } else if !self.seats.is_expected(&room) {
            self.say_known(host, vec![nobody_in(room, feed, last)]);
        }
    }

    /// Who made a room that nobody was in any more is told that it has ended.
    fn tell_lapsed(&mut self, now: Now, room: &str, owner: &TerminalName, account: AccountTag) {
        let conn = self.registry.by_name(owner);
        let terminal = conn.and_then(|conn| self.registry.terminal(conn));
        if let (Some(conn), Some(terminal)) = (conn, terminal)
            && AccountTag::of(&terminal.account.name) == account
        {
            self.push(now, conn, Signal::RoomClose, &room::room(room));
        }
    }

    /// The first member of a room at this node; or the first one after the room's node had given up on the others, who
    /// are told so by the next comparison.
    fn welcome_first(
        &mut self,
        now: Now,
        host: NodeId,
        room: &str,
        place: (u64, u64),
        newcomer: &ListEntry,
        welcome: Welcome,
    ) {
        if self.seats.get(room).is_some_and(|seat| seat.feed == place.0) {
            return self.compare_with(host);
        }
        let Some(sitter) = self.waits_to_enter(newcomer, &welcome) else { return };
        self.seats.sit(room, host, place, newcomer.name.clone(), sitter);
        self.watch_seats(now);
        self.welcome_newcomer(now, room, newcomer, welcome);
    }

    /// The connection that asked to enter, if it still waits. One that has gone, or was told otherwise, is not in: the
    /// next comparison says so.
    fn waits_to_enter(&self, newcomer: &ListEntry, welcome: &Welcome) -> Option<Sitter> {
        let Entry { asker, session, .. } = self.seats.entry(welcome.entry)?;
        let terminal = self.registry.terminal(asker.conn)?;
        let is_it = terminal.name == newcomer.name && *session == newcomer.session;
        is_it.then_some(Sitter { conn: asker.conn, session: *session })
    }

    fn tell_members(&mut self, now: Now, room: &str, event: RoomEvent) {
        match event {
            RoomEvent::Entered { newcomer, welcome } => self.tell_entered(now, room, &newcomer, welcome),
            RoomEvent::Left { who } => {
                self.take_out(now, room, &who);
                for (conn, shown) in self.members_seeing(room, &who) {
                    self.push(now, conn, Signal::RoomLeave, &room::left(room, &shown));
                }
            }
            RoomEvent::Closed => self.tell_closed(now, room),
            RoomEvent::Lapsed { .. } | RoomEvent::Missed { .. } => {}
            RoomEvent::Media { to, news } => self.hear_media(now, room, to.as_ref(), *news),
            RoomEvent::Told { from, to, message } => self.tell_told(now, room, &from, to.as_ref(), &message),
        }
    }

    fn tell_entered(&mut self, now: Now, room: &str, newcomer: &ListEntry, welcome: Option<Welcome>) {
        let own = self.config.node_id;
        let others = self.members_seeing(room, &newcomer.name);
        for (conn, shown) in others {
            if let Some(status) = state::shown(&newcomer.state, &shown, newcomer.origin != own) {
                self.push(now, conn, Signal::RoomEnter, &room::entered(room, &shown, &status));
            }
        }
        let Some(welcome) = welcome else { return };
        let Some(sitter) = self.waits_to_enter(newcomer, &welcome) else { return };
        if let Some((host, place)) = self.seats.get(room).map(|seat| (seat.host, (seat.feed, seat.next - 1)))
        {
            self.seats.sit(room, host, place, newcomer.name.clone(), sitter);
        }
        self.welcome_newcomer(now, room, newcomer, welcome);
    }

    /// The answer first, then the list of members, once (quirk Q6).
    fn welcome_newcomer(&mut self, now: Now, room: &str, newcomer: &ListEntry, welcome: Welcome) {
        let Some(Entry { asker, .. }) = self.seats.end_entry(welcome.entry) else { return };
        let Some(viewer) = self.registry.caller(asker.conn).filter(|caller| *caller.name == asker.name)
        else {
            return;
        };
        let shown = viewer.sees(&newcomer.name);
        let Some(status) = state::shown(&newcomer.state, &shown, false) else { return };
        let body = room::entered(room, &shown, &status);
        self.answer_later(&asker, Signal::RoomEnter, Some(&body));
        self.push_members(now, asker.conn, room, &welcome.members);
    }

    fn tell_closed(&mut self, now: Now, room: &str) {
        for conn in self.empty_seat(room) {
            self.push(now, conn, Signal::RoomClose, &room::room(room));
        }
    }

    fn tell_told(
        &mut self,
        now: Now,
        room: &str,
        from: &TerminalName,
        to: Option<&TerminalName>,
        message: &Message,
    ) {
        let known = [Signal::RoomBroadcast, Signal::RoomExpel].map(Signal::name);
        let Some(seat) = self.seats.get(room).filter(|_| known.contains(&message.signal.as_str())) else {
            return;
        };
        if let Some(to) = to {
            if let Some(Sitter { conn, .. }) = seat.members.get(to).copied() {
                self.relay(now, conn, &self.addressed(conn, message));
            }
            return;
        }
        let others = seat.members.iter().filter(|(name, _)| *name != from);
        let conns: Vec<ConnId> = others.map(|(_, sitter)| sitter.conn).collect();
        let Some((_, text)) = self.relayed_text(now, message) else { return };
        for conn in conns {
            self.say(conn, text.clone());
        }
    }

    /// A message that names its receiver, which may be called otherwise where the sender is: here by the id that it has
    /// written itself.
    pub(crate) fn addressed(&self, conn: ConnId, message: &Message) -> Message {
        let Some(receiver) = self.registry.terminal(conn) else { return message.clone() };
        let body = message.body.as_deref();
        let body = body.map(|body| Fields::of_text(body).with_text("clientId", &receiver.written));
        Message { body, ..message.clone() }
    }

    /// An invitation as its receiver gets it, with who invites by the id that it knows.
    pub(crate) fn invited(&self, conn: ConnId, message: &Message, inviter: &TerminalName) -> Message {
        let (Some(receiver), Some(viewer)) = (self.registry.terminal(conn), self.registry.caller(conn))
        else {
            return message.clone();
        };
        let body = message.body.as_deref().unwrap_or_default();
        let body = room::invited(body, &receiver.written, &viewer.sees(inviter));
        Message { body: Some(body), ..message.clone() }
    }

    /// The other members at this node, each with what it calls `who`.
    fn members_seeing(&self, room: &str, who: &TerminalName) -> Vec<(ConnId, String)> {
        let members = self.seats.get(room).into_iter().flat_map(|seat| &seat.members);
        let others = members.filter(|(name, _)| *name != who);
        let shown = |conn: ConnId| Some((conn, self.registry.caller(conn)?.sees(who)));
        others.filter_map(|(_, sitter)| shown(sitter.conn)).collect()
    }

    /// What the room's node knows better.
    pub(crate) fn take_checked(&mut self, now: Now, checked: RoomChecked) {
        for room in checked.closed {
            self.tell_closed(now, &room);
        }
        for (room, members) in checked.out {
            for name in members {
                self.take_out(now, &room, &name);
            }
        }
    }

    /// The room does not have a member that believes to be in. It is told what it would be told of a room that was built
    /// anew: clients leave and enter again (reference 5.9). Who has left by itself is not here any more.
    fn take_out(&mut self, now: Now, room: &str, name: &TerminalName) {
        let conn = self.registry.by_name(name);
        if let (Some(_), Some(conn)) = (self.stand_up(room, name), conn) {
            self.push(now, conn, Signal::RoomCreate, &room::room(room));
        }
    }
}

/// None of the members that the news up to `last` told of is here.
fn nobody_in(room: String, feed: u64, last: u64) -> SeatCheck {
    SeatCheck { room, feed, next: last.saturating_add(1), members: Vec::new() }
}
