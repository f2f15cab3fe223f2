//! Coming back: a terminal that loses its connection for a short time goes on as if nothing had happened.
//!
//! A terminal that registers with `resume: true` is given a ticket. When its connection breaks it stays registered for
//! [`limits::RESUME_KEPT`], and what it is told is kept. It comes back by `client::register` with `ticket` and `received`, the
//! number of messages that it has received since the answer to its registration, and is sent the rest. Terminals that know
//! no ticket leave with their connection, as in the original.
//!
//! A ticket outlives the process: for [`limits::TICKETS_OUTLIVE`] after a start, one of an earlier life stands in for the
//! password of the account that it was given to, so that a hundred thousand terminals are back without hashing as many
//! passwords. It begins a new session, and never acts on one that has begun since.

use std::sync::Arc;

use taoyao_auth::AccountVersion;
use taoyao_types::{ConnId, NodeEpoch, Now, TerminalName, limits};
use taoyao_wire::signals::Signal;
use taoyao_wire::terminal::client::{self, Register};
use taoyao_wire::terminal::{Code, Incoming, Outgoing};

use crate::conn::Conn;
use crate::failure::Failed;
use crate::io::{Output, Vouched};
use crate::receive::NORMAL_CLOSURE;
use crate::terminal::Terminal;
use crate::terminals::Terminals;
use crate::timers::Alarm;

const TICKET: &str = "resume ticket";

/// What a ticket says of itself; its seal says that it is true.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Ticket {
    session: u64,
    life: NodeEpoch,
    /// Milliseconds since 1970.
    issued: u64,
    version: AccountVersion,
    account: String,
}

impl Ticket {
    /// In the order in which it is written; the account's name in hexadecimal digits, since it may have any characters.
    fn words(&self) -> [String; 5] {
        let account = self.account.bytes().map(|byte| format!("{byte:02x}")).collect();
        let number = |number: u64| format!("{number:x}");
        [
            number(self.session),
            number(self.life.0.into()),
            number(self.issued),
            self.version.to_string(),
            account,
        ]
    }

    fn read(words: [&str; 5]) -> Option<Self> {
        let [session, life, issued, version, account] = words;
        let number = |text: &str| u64::from_str_radix(text, 16).ok();
        let bytes: Option<Vec<u8>> = (0..account.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(account.get(at..at + 2)?, 16).ok())
            .collect();
        Some(Self {
            session: number(session)?,
            life: NodeEpoch(u32::from_str_radix(life, 16).ok()?),
            issued: number(issued)?,
            version: AccountVersion(number(version)?),
            account: String::from_utf8(bytes?).ok()?,
        })
    }
}

impl Terminals {
    /// What a terminal shows to come back: good for its session while that lasts, and for its account after a restart.
    pub(crate) fn ticket(&self, now: Now, terminal: &Terminal) -> String {
        let ticket = Ticket {
            session: terminal.session.0,
            life: self.config.epoch,
            issued: now.wall.0,
            version: terminal.account.version,
            account: terminal.account.name.to_string(),
        };
        let words = ticket.words();
        let name = terminal.name.to_string();
        let sealed: Vec<&str> = words.iter().map(String::as_str).chain([name.as_str()]).collect();
        format!("{}.{}", words.join("."), self.config.sealer.seal(TICKET, &sealed))
    }

    /// What a shown ticket says, if this node has given it to this terminal, in whichever life.
    fn shown(&self, body: &Register) -> Option<(TerminalName, Ticket)> {
        let text = body.ticket.as_deref().filter(|text| text.len() <= TICKET_BYTES_MAX)?;
        let name = TerminalName::resolve(body.client_id.as_deref()?, &self.config.home).ok()?;
        let (words, seal) = text.rsplit_once('.')?;
        let words: [&str; 5] = words.split('.').collect::<Vec<_>>().try_into().ok()?;
        let (full, sealer) = (name.to_string(), &self.config.sealer);
        let sealed: Vec<&str> = words.iter().copied().chain([full.as_str()]).collect();
        let ticket = Ticket::read(words).filter(|_| sealer.is_sealed(TICKET, &sealed, seal))?;
        Some((name, ticket))
    }

    /// Whose password a ticket of an earlier life stands in for. One of this life is good for its session only, and none is
    /// good once somebody is registered under the name.
    pub(crate) fn vouched(&self, now: Now, body: &Register) -> Option<Vouched> {
        let (name, ticket) = self.shown(body)?;
        let kept = u64::try_from(limits::TICKET_KEPT.as_millis()).unwrap_or(u64::MAX);
        let is_timely = ticket.issued.saturating_add(kept) > now.wall.0
            && self.tickets_until.is_some_and(|until| now.mono < until);
        let is_past = ticket.life < self.config.epoch && self.registry.by_name(&name).is_none();
        (is_timely && is_past)
            .then(|| Vouched { account: Arc::from(ticket.account), version: ticket.version })
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
        let Some((conn, received)) = self.returning(body).zip(body.received) else { return false };
        let Some(terminal) = self.registry.terminal(conn) else { return false };
        let Some(missed) = terminal.backlog.as_ref().and_then(|backlog| backlog.missed(received)) else {
            return false;
        };
        let missed: Vec<String> = missed.cloned().collect();
        let (index, ticket) = (terminal.index, self.ticket(now, terminal));
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
        let (name, ticket) = self.shown(body)?;
        let conn = self.registry.by_name(&name)?;
        let is_its_own = self.registry.terminal(conn)?.session.0 == ticket.session;
        (is_its_own && ticket.life == self.config.epoch).then_some(conn)
    }

    /// A ticket that is good for nothing, shown without credentials.
    pub(crate) fn refuse_ticket(&mut self, now: Now, conn: ConnId, id: i64) {
        let text = "会话已失效：the session is over; register with username and password";
        self.fail(now, conn, Some(id), Failed::new(Code::Gone, text));
    }
}

/// Four numbers, an account's name twice as long in hexadecimal digits, and a seal.
const TICKET_BYTES_MAX: usize = 5 * 20 + 2 * limits::USERNAME_BYTES_MAX + 32;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_says_what_it_was_made_of() {
        let ticket = Ticket {
            session: u64::MAX,
            life: NodeEpoch(7),
            issued: 1_685_620_800_000,
            version: AccountVersion(u64::MAX),
            account: "桃 ann.1".to_owned(),
        };
        let words = ticket.words();
        let shown: Vec<&str> = words.iter().map(String::as_str).collect();
        assert_eq!(Ticket::read(shown.try_into().unwrap()), Some(ticket));
        for broken in ["", "zz", "é", "616"] {
            assert_eq!(
                Ticket::read(["1", "1", "1", "1", broken]).filter(|_| !broken.is_empty()),
                None,
                "{broken}"
            );
        }
    }
}
