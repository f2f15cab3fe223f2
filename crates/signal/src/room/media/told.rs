//! What members at this node are told of a room's media, wherever the room is.

use taoyao_types::{ConnId, Now, TerminalName};
use taoyao_wire::link::{MediaAnswer, MediaNews, RecordNews, Reply, RoomReply};
use taoyao_wire::signals::Signal;
use taoyao_wire::terminal::{media, room, state};

use crate::asks::{Asker, OpenAsk, Purpose};
use crate::io::AskId;
use crate::room::seats::Sitter;
use crate::terminals::Terminals;

impl Terminals {
    pub(in crate::room) fn hear_media(
        &mut self,
        now: Now,
        room: &str,
        to: Option<&TerminalName>,
        news: MediaNews,
    ) {
        let Some(seat) = self.seats.get(room) else { return };
        if let Some(to) = to {
            if let Some(sitter) = seat.members.get(to).copied() {
                self.tell_member(now, room, sitter.conn, news);
            }
            return;
        }
        let conns: Vec<ConnId> = seat.members.values().map(|sitter| sitter.conn).collect();
        match news {
            MediaNews::Push { signal, body } => {
                let Some(signal) = self.believable(&signal, &body) else { return };
                let text = self.pushed(now, signal, &body);
                conns.into_iter().for_each(|conn| self.say(conn, text.clone()));
            }
            MediaNews::Volumes(volumes) => {
                for conn in conns {
                    self.tell_volumes(now, room, conn, &volumes);
                }
            }
            MediaNews::Recorded(news) => {
                self.note_recorded(room, &news);
                for conn in conns {
                    self.tell_recorded(now, conn, &news);
                }
            }
            _ => self.stats.mesh_refused += 1,
        }
    }

    fn note_recorded(&mut self, room: &str, news: &RecordNews) {
        self.seats.note_recorded(room, &news.who, news.end.is_none());
        let members = self.seats.get(room).map(|seat| seat.members.keys().cloned().collect::<Vec<_>>());
        for member in members.unwrap_or_default() {
            self.show_recorded(&member);
        }
    }

    /// `serverRecording` is so as long as a room records its member, and no longer.
    fn show_recorded(&mut self, name: &TerminalName) {
        let is_recorded = self.seats.is_recorded(name);
        let terminal = self.registry.by_name(name).and_then(|conn| self.registry.terminal_mut(conn));
        if let Some(terminal) = terminal
            && (is_recorded || terminal.state.server_recording.is_some())
        {
            terminal.state.server_recording = Some(is_recorded);
        }
    }

    /// The terminal gets up from its seat, and with it ends what was recorded of it there; how it was in.
    pub(in crate::room) fn stand_up(&mut self, room: &str, name: &TerminalName) -> Option<Sitter> {
        let sitter = self.seats.stand_up(room, name);
        self.show_recorded(name);
        sitter
    }

    /// All get up; who they were.
    pub(in crate::room) fn empty_seat(&mut self, room: &str) -> Vec<ConnId> {
        let members = self.seats.remove(room);
        members.keys().for_each(|name| self.show_recorded(name));
        members.into_values().map(|sitter| sitter.conn).collect()
    }

    /// `room::status`, as each member names whom it is about.
    fn tell_recorded(&mut self, now: Now, conn: ConnId, news: &RecordNews) {
        let Some(viewer) = self.registry.caller(conn) else { return };
        let body = room::recorded_news(&news.state, &viewer.sees(&news.who), news.end);
        self.push(now, conn, Signal::RoomStatus, &body);
    }

    fn tell_member(&mut self, now: Now, room: &str, conn: ConnId, news: MediaNews) {
        match news {
            MediaNews::Push { signal, body } => {
                if let Some(signal) = self.believable(&signal, &body) {
                    self.push(now, conn, signal, &body);
                }
            }
            MediaNews::Consuming(consuming) => {
                let Some(viewer) = self.registry.caller(conn) else { return };
                let (own, source) = (viewer.sees(viewer.name), viewer.sees(&consuming.source));
                let signal = match consuming.kind {
                    taoyao_wire::link::StreamKind::Data => Signal::MediaDataConsume,
                    _ => Signal::MediaConsume,
                };
                match media::consuming(room, &own, &source, &consuming) {
                    Some(body) => self.push(now, conn, signal, &body),
                    None => self.stats.mesh_refused += 1,
                }
            }
            MediaNews::Volumes(volumes) => self.tell_volumes(now, room, conn, &volumes),
            MediaNews::Lost { pass } => {
                self.push(now, conn, Signal::RoomCreate, &media::rejoin(room, pass.as_deref()));
            }
            MediaNews::Recorded(news) => {
                self.note_recorded(room, &news);
                self.tell_recorded(now, conn, &news);
            }
            MediaNews::Answered { ask, answer } => self.take_early(now, room, conn, AskId(ask), answer),
        }
    }

    fn tell_volumes(&mut self, now: Now, room: &str, conn: ConnId, volumes: &[(TerminalName, i8)]) {
        let Some(viewer) = self.registry.caller(conn) else { return };
        let shown: Vec<(String, i8)> =
            volumes.iter().map(|(name, volume)| (viewer.sees(name), *volume)).collect();
        let body = media::volumes(room, shown.iter().map(|(name, volume)| (name.as_str(), *volume)));
        self.push(now, conn, Signal::MediaAudioVolume, &body);
    }

    /// An answer that stands among the news. Its reply, which comes by another way, finds nobody who waits.
    fn take_early(&mut self, now: Now, room: &str, conn: ConnId, ask: AskId, answer: MediaAnswer) {
        let is_its = self.asks.get(ask).is_some_and(|open| match open {
            OpenAsk::Request(asker, Purpose::Room(of)) => asker.conn == conn && of.room == room,
            _ => false,
        });
        if is_its {
            self.take_reply(now, ask, Reply::Room(RoomReply::Media(answer)));
        }
    }

    /// The answer as the asker sees it: names as it knows them, addresses as it reaches them.
    pub(in crate::room) fn media_answered(
        &mut self,
        asker: &Asker,
        signal: Signal,
        room: &str,
        answer: MediaAnswer,
    ) {
        let body = match answer {
            MediaAnswer::Body(body) => Some(body).filter(|body| state::is_object(body)),
            MediaAnswer::WebRtc(mut created) => {
                self.reachable_for(asker, room, |reached_at| created.rewrite(reached_at));
                Some(created.to_json())
            }
            MediaAnswer::Plain(mut created) => {
                self.reachable_for(asker, room, |reached_at| created.rewrite(reached_at));
                Some(created.to_json())
            }
            MediaAnswer::Produced { kind, producer } => {
                let viewer = self.registry.caller(asker.conn);
                viewer.map(|viewer| media::produced(kind, &producer, &viewer.sees(viewer.name)))
            }
        };
        match body {
            Some(body) => self.answer_later(asker, signal, Some(&body)),
            None => self.stats.mesh_refused += 1,
        }
    }

    /// Hands out under which addresses the asker reaches the SFU of the room's node (reference section 9).
    fn reachable_for(
        &self,
        asker: &Asker,
        room: &str,
        rewrite: impl FnOnce(&dyn Fn(std::net::IpAddr) -> std::net::IpAddr),
    ) {
        let own = self.registry.terminal(asker.conn).and_then(|terminal| terminal.state.ip.parse().ok());
        if let (Some(own), Some(host)) = (own, self.host_of(room)) {
            let reachable = &self.config.reachable.0;
            rewrite(&|announced| reachable(host, announced, own));
        }
    }

    /// The signal of a push from another node, if that may say such a thing: of media, or that the room is recorded.
    fn believable(&mut self, signal: &str, body: &str) -> Option<Signal> {
        let may_be = |signal: &Signal| signal.name().starts_with("media::") || *signal == Signal::RoomStatus;
        let signal = Signal::of(signal).filter(may_be);
        let signal = signal.filter(|_| state::is_object(body));
        if signal.is_none() {
            self.stats.mesh_refused += 1;
        }
        signal
    }
}
