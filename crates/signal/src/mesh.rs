//! What the mesh says: replies to this node's asks, requests for its terminals, and news.

use std::time::Duration;

use taoyao_types::{ConnId, NodeId, Now, TerminalKey, limits};
use taoyao_wire::link::{Failure, Message, Payload, Reply};
use taoyao_wire::terminal::Code;

use crate::asks::{Asker, OpenAsk, Purpose};
use crate::control::note_control;
use crate::failure::Failed;
use crate::io::{AskId, MeshEvent, Output, Token};
use crate::pending::Waiting;
use crate::session::Invitation;
use crate::terminals::Terminals;
use crate::timers::Alarm;

impl Terminals {
    pub(crate) fn receive_mesh(&mut self, now: Now, event: MeshEvent) {
        match event {
            MeshEvent::Request { token, target, payload, remaining_ms } => {
                self.take_request(now, token, target, payload, remaining_ms);
            }
            MeshEvent::NodeRequest { token, origin, payload, remaining_ms: _ } => {
                self.serve_node(now, token, origin, payload);
            }
            MeshEvent::NodeEvent { origin, payload } => self.take_node_event(now, origin, payload),
            MeshEvent::Reply { ask, reply } => self.take_reply(now, ask, reply),
            MeshEvent::Gathered { ask, page } => self.take_page(now, ask, page),
            MeshEvent::Event { target, payload } => self.take_event(now, target, payload),
            MeshEvent::Broadcast { partition, payload } => self.take_broadcast(now, partition, payload),
            MeshEvent::Presence(news) => self.take_presence(now, news),
            MeshEvent::OriginLost { origin } => self.take_loss(now, origin),
            MeshEvent::Refresh { partitions } => self.refresh_presence(partitions),
            MeshEvent::Displaced { key, origin, outbid } => self.displaced(now, key, origin, outbid),
            MeshEvent::Refused { key, session } => self.plan_renewal(now, key, session),
        }
    }

    pub(crate) fn take_reply(&mut self, now: Now, ask: AskId, reply: Reply) {
        match (self.asks.close(ask), reply) {
            (Some(OpenAsk::Request(asker, purpose)), reply) if self.is_answerable(&asker) => {
                self.finish_request(now, &asker, purpose, reply);
            }
            (Some(OpenAsk::RoomCheck), Reply::RoomChecked(checked)) => self.take_checked(now, checked),
            (Some(OpenAsk::Alarm(owner)), reply) => self.alarm_replied(now, owner, reply),
            _ => {}
        }
    }

    fn finish_request(&mut self, now: Now, asker: &Asker, purpose: Purpose, reply: Reply) {
        match purpose {
            Purpose::Call { callee, session } => self.called(now, asker, &callee, &session, reply),
            Purpose::Relay { session } => self.relayed(now, asker, &session, reply),
            Purpose::Room(ask) => self.room_replied(now, asker, *ask, reply),
            Purpose::Control { to } => self.controlled(now, asker, &to, reply),
            Purpose::Status(name) => self.status_replied(now, asker, &name, reply),
            // Ends as a page only; this is the mesh's mistake, and the terminal shall not wait for it.
            Purpose::List(_) => self.fail(now, asker.conn, Some(asker.id), Self::plainly(Code::Unknown)),
        }
    }

    /// Counts a request as ended; whether the one who made it still waits.
    pub(crate) fn is_answerable(&mut self, asker: &Asker) -> bool {
        let waits = self.is_there(asker);
        if let Some((asks_open, _)) = self.registry.asks_open(asker.conn).filter(|_| waits) {
            *asks_open = asks_open.saturating_sub(1);
        }
        waits
    }

    /// Whether the one who asked is still behind its connection, under the same name.
    pub(crate) fn is_there(&self, asker: &Asker) -> bool {
        self.registry.caller(asker.conn).is_some_and(|caller| *caller.name == asker.name)
    }

    fn take_request(
        &mut self,
        now: Now,
        token: Token,
        target: TerminalKey,
        payload: Payload,
        remaining_ms: u32,
    ) {
        let reply = match self.registry.by_key(target) {
            None => Some(Reply::Failed(Failure::NoSuchTerminal)),
            Some(conn) => self.serve(now, token, conn, payload, remaining_ms),
        };
        if let Some(reply) = reply {
            self.outputs.push_back(Output::Reply { token, reply });
        }
    }

    /// Carries out a request for a terminal of this node. None if the terminal itself is to answer.
    fn serve(
        &mut self,
        now: Now,
        token: Token,
        conn: ConnId,
        payload: Payload,
        remaining_ms: u32,
    ) -> Option<Reply> {
        if let Err(failure) = self.permit(&payload, conn) {
            return Some(Reply::Failed(failure));
        }
        let reply = match payload {
            Payload::Call { from, account, name, session, audio, video } => {
                self.invite(now, conn, Invitation { from, account, name, session, audio, video })
            }
            Payload::Session { from, session, message } => {
                self.take_in_session(now, conn, &from, &session, message)
            }
            Payload::Status { .. } => self.state_of(conn),
            Payload::Message { message, .. } => {
                if !message.signal.starts_with(ANSWERED) {
                    return Some(self.not_supported());
                }
                if let Some(terminal) = self.registry.terminal_mut(conn) {
                    note_control(terminal, &message);
                }
                return self.ask_terminal(now, token, conn, &message, remaining_ms);
            }
            // The mesh answers it before it gets here.
            Payload::Ping
            | Payload::Trace { .. }
            | Payload::List(_)
            | Payload::Broadcast { .. }
            | Payload::Presence(_)
            | Payload::Room(_)
            | Payload::RoomNews(_)
            | Payload::RoomCheck(_)
            | Payload::Alarm(_) => self.not_supported(),
        };
        Some(reply)
    }

    /// A request for this node itself.
    fn serve_node(&mut self, now: Now, token: Token, origin: NodeId, payload: Payload) {
        self.note_life(now, origin, token.0.epoch);
        let reply = match payload {
            Payload::Room(request) => return self.serve_room(now, token, origin, request),
            Payload::RoomCheck(check) => self.check_seats(now, origin, check),
            Payload::Alarm(report) => self.take_alarm(origin, report),
            Payload::Status { from } => self.service_state_for(&from),
            _ => self.not_supported(),
        };
        self.outputs.push_back(Output::Reply { token, reply });
    }

    fn take_node_event(&mut self, now: Now, origin: NodeId, payload: Payload) {
        match payload {
            Payload::RoomNews(news) => self.take_room_news(now, origin, news),
            _ => self.stats.mesh_refused += 1,
        }
    }

    fn not_supported(&mut self) -> Reply {
        self.stats.mesh_refused += 1;
        Reply::Failed(Failed::new(Code::Unsupported, Code::Unsupported.text()).into_failure())
    }

    fn state_of(&self, conn: ConnId) -> Reply {
        match self.registry.terminal(conn) {
            Some(terminal) => Reply::Status { state: terminal.state.to_json() },
            None => Reply::Failed(Failure::NoSuchTerminal),
        }
    }

    /// Hands a message to the terminal and keeps what its answer belongs to.
    fn ask_terminal(
        &mut self,
        now: Now,
        token: Token,
        conn: ConnId,
        message: &Message,
        remaining_ms: u32,
    ) -> Option<Reply> {
        if self.pending.count(conn) >= limits::TERMINAL_PENDING_MAX {
            return Some(Reply::Failed(Failure::Busy { node: self.config.node.clone() }));
        }
        let Some(id) = self.relay(now, conn, message) else {
            return Some(Reply::Failed(Failed::new(Code::BadFormat, Code::BadFormat.text()).into_failure()));
        };
        let deadline = now.mono + Duration::from_millis(u64::from(remaining_ms));
        self.pending.insert(conn, id, Waiting { token, deadline });
        self.timers.set(deadline, Alarm::Unanswered(conn, id));
        None
    }
}

/// The family of messages that another node's terminal may want an answer to.
const ANSWERED: &str = "control::";
