//! Coming back: a terminal that loses its connection for a short time goes on as if nothing had happened.
//!
//! A terminal that registers with `resume: true` is given a ticket. When its connection breaks it stays registered for
//! [`limits::RESUME_KEPT`], and what it is told is kept. It comes back by `client::register` with `ticket` and `received`, the
//! number of messages that it has received since the answer to its registration, and is sent the rest. Terminals that know
//! no ticket leave with their connection, as in the original.

use taoyao_types::{ConnId, Now, TerminalName, limits};
use taoyao_wire::signals::Signal;
use taoyao_wire::terminal::client::{self, Register};
use taoyao_wire::terminal::{Code, Incoming, Outgoing};

use crate::conn::Conn;
use crate::failure::Failed;
use crate::io::Output;
use crate::receive::NORMAL_CLOSURE;
use crate::terminals::Terminals;
use crate::timers::Alarm;

const TICKET: &str = "resume ticket";

impl Terminals {
    /// What a terminal shows to come back. Good while its session lasts.
    pub(crate) fn ticket(&self, name: &TerminalName, session: u64) -> String {
        let session = format!("{session:x}");
        let seal = self.config.sealer.seal(TICKET, &[&name.to_string(), &session]);
        format!("{session}.{seal}")
    }

    /// A socket is gone. Its terminal stays for a while if it may come back; whether it does.
    pub(crate) fn linger(&mut self, now: Now, conn: ConnId) -> bool {
        let may_return = match self.registry.conn(conn) {
            Some(Conn::Registered(registered)) => registered.terminal.backlog.is_some(),
            _ => false,
        };
        if may_return && !self.draining {
            self.lines.detach(conn);
            self.timers.set(now.mono + limits::RESUME_KEPT, Alarm::Away(conn, self.departures));
            self.note_departure(conn);
        }
        may_return && !self.draining
    }

    fn note_departure(&mut self, conn: ConnId) {
        if let Some(terminal) = self.registry.terminal_mut(conn) {
            terminal.departure = self.departures;
        }
        self.departures += 1;
    }

    /// The terminal should have come back by now.
    pub(crate) fn give_up(&mut self, now: Now, conn: ConnId, departure: u64) {
        let is_same = self.registry.terminal(conn).is_some_and(|terminal| terminal.departure == departure);
        if is_same && self.lines.is_away(conn) {
            self.hang_up(now, conn);
        }
    }

    /// A terminal shows a ticket on a new socket. False if it has to register in full: the ticket is not of this node's
    /// life, its session is over, or more was missed than is kept.
    pub(crate) fn resume(
        &mut self,
        now: Now,
        socket: ConnId,
        message: &Incoming<'_>,
        body: &Register,
    ) -> bool {
        let Some(conn) = self.returning(body) else { return false };
        let Some(terminal) = self.registry.terminal(conn) else { return false };
        let Some(missed) = terminal.backlog.as_ref().and_then(|backlog| backlog.missed(body.received)) else {
            return false;
        };
        let missed: Vec<String> = missed.cloned().collect();
        let (index, ticket) = (terminal.index, self.ticket(&terminal.name, terminal.session.0));
        let Some(ip) = self.registry.conn(socket).and_then(Conn::ip) else { return false };
        if let Some(old) = self.lines.outward(conn) {
            let reason = "resumed on another connection".to_owned();
            self.outputs.push_back(Output::Close { conn: old, code: NORMAL_CLOSURE, reason });
        }
        self.registry.remove(socket);
        self.lines.attach(conn, socket);
        if let Some(terminal) = self.registry.terminal_mut(conn) {
            terminal.heard_at = now.mono;
            terminal.state.ip = ip.to_string();
        }
        self.stats.resumed += 1;
        let answer = client::resumed(index, &ticket, limits::RESUME_KEPT, true);
        let text =
            Outgoing::success(&message.v, message.id, Signal::ClientRegister.name(), Some(&answer)).encode();
        for text in std::iter::once(text).chain(missed) {
            self.write(socket, text);
        }
        true
    }

    /// The connection that a ticket is for.
    fn returning(&self, body: &Register) -> Option<ConnId> {
        let (session, seal) = body.ticket.as_deref()?.split_once('.')?;
        let name = TerminalName::resolve(body.client_id.as_deref()?, &self.config.home).ok()?;
        let conn = self.registry.by_name(&name)?;
        let same = format!("{:x}", self.registry.terminal(conn)?.session.0) == session;
        let words = [&name.to_string(), session];
        (same && self.config.sealer.is_sealed(TICKET, &words, seal)).then_some(conn)
    }

    /// A ticket that is good for nothing, shown without credentials.
    pub(crate) fn refuse_ticket(&mut self, now: Now, conn: ConnId, message: &Incoming<'_>) {
        let text = "会话已失效：the session is over; register with username and password";
        self.fail(now, conn, Some(message.id), Failed::new(Code::Gone, text));
    }
}
