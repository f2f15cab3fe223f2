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
        let may_return = match self.registry.conn_mut(conn) {
            Some(Conn::Registered(registered)) => Some(&mut registered.terminal),
            _ => None,
        };
        let may_return = may_return.filter(|terminal| terminal.backlog.is_some() && !self.draining);
        let Some(terminal) = may_return else { return false };
        let back_by = now.mono + limits::RESUME_KEPT;
        terminal.back_by = Some(back_by);
        self.timers.set(back_by, Alarm::Away(conn));
        self.lines.detach(conn);
        true
    }

    /// The terminal should have come back by now.
    pub(crate) fn give_up(&mut self, now: Now, conn: ConnId) {
        if self.lines.is_away(conn) {
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
        let reason = "resumed on another connection".to_owned();
        self.close(self.lines.outward(conn), NORMAL_CLOSURE, reason);
        self.registry.remove(socket);
        self.lines.attach(conn, socket);
        if let Some(terminal) = self.registry.terminal_mut(conn) {
            terminal.heard_at = now.mono;
            terminal.back_by.take().into_iter().for_each(|at| self.timers.unset(at, Alarm::Away(conn)));
            terminal.state.ip = ip.to_string();
        }
        self.stats.resumed += 1;
        self.outputs.push_back(Output::Admitted { conn: socket });
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
