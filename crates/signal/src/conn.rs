//! The states of one connection. Each consumes itself to become the next; a closed one is in no state at all.

use std::collections::VecDeque;
use std::net::IpAddr;

use taoyao_types::{TerminalName, limits};
use taoyao_wire::terminal::Readings;

use crate::guest::Guest;
use crate::terminal::Terminal;

#[derive(Debug)]
pub(crate) enum Conn {
    Opened(Opened),
    Verifying(Verifying),
    Registered(Registered),
    /// No terminal's: somebody acts for an account.
    Guest(Guest),
}

/// Nothing is known of the peer but its address.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) ip: IpAddr,
}

/// Its credentials are being checked; what it says meanwhile waits.
#[derive(Debug)]
pub(crate) struct Verifying {
    ip: IpAddr,
    /// It registers again: until the check ends it is still who it was.
    was: Option<Box<Terminal>>,
    pub(crate) number: u64,
    claim: Box<Claim>,
    waiting: VecDeque<String>,
}

#[derive(Debug)]
pub(crate) struct Registered {
    ip: IpAddr,
    pub(crate) terminal: Box<Terminal>,
}

/// What a connection wants to be registered as.
#[derive(Debug)]
pub(crate) struct Claim {
    /// Of the request.
    pub(crate) id: i64,
    pub(crate) v: String,
    pub(crate) name: TerminalName,
    pub(crate) written: String,
    pub(crate) client_type: Option<String>,
    pub(crate) display: Option<String>,
    pub(crate) readings: Readings,
    pub(crate) resume: bool,
    /// It has only shown a ticket.
    pub(crate) by_ticket: bool,
}

impl Conn {
    /// The peer's address; a guest's is not kept.
    pub(crate) fn ip(&self) -> Option<IpAddr> {
        match self {
            Conn::Opened(Opened { ip })
            | Conn::Verifying(Verifying { ip, .. })
            | Conn::Registered(Registered { ip, .. }) => Some(*ip),
            Conn::Guest(_) => None,
        }
    }

    pub(crate) fn terminal(&self) -> Option<&Terminal> {
        match self {
            Conn::Opened(_) | Conn::Guest(_) => None,
            Conn::Verifying(verifying) => verifying.was.as_deref(),
            Conn::Registered(registered) => Some(&registered.terminal),
        }
    }

    pub(crate) fn terminal_mut(&mut self) -> Option<&mut Terminal> {
        match self {
            Conn::Opened(_) | Conn::Guest(_) => None,
            Conn::Verifying(verifying) => verifying.was.as_deref_mut(),
            Conn::Registered(registered) => Some(&mut registered.terminal),
        }
    }

    /// The terminal, taken out of the connection.
    pub(crate) fn into_terminal(self) -> Option<Box<Terminal>> {
        match self {
            Conn::Opened(_) | Conn::Guest(_) => None,
            Conn::Verifying(verifying) => verifying.was,
            Conn::Registered(registered) => Some(registered.terminal),
        }
    }

    /// Begins a check of credentials. A check that still runs is forgotten; what waited for it waits on.
    pub(crate) fn verify(self, number: u64, claim: Claim) -> Conn {
        let (ip, was, waiting) = match self {
            Conn::Opened(opened) => (opened.ip, None, VecDeque::new()),
            Conn::Verifying(verifying) => (verifying.ip, verifying.was, verifying.waiting),
            Conn::Registered(registered) => (registered.ip, Some(registered.terminal), VecDeque::new()),
            guest @ Conn::Guest(_) => return guest,
        };
        Conn::Verifying(Verifying { ip, was, number, claim: Box::new(claim), waiting })
    }
}

impl Verifying {
    /// Keeps a message for later; false if too many wait already.
    pub(crate) fn hold(&mut self, text: &str) -> bool {
        let bytes: usize = self.waiting.iter().map(String::len).sum();
        let room =
            self.waiting.len() < limits::WAITING_MAX && bytes + text.len() <= limits::WAITING_BYTES_MAX;
        if room {
            self.waiting.push_back(text.to_owned());
        }
        room
    }

    /// The check is over: the connection as it was before, its claim, and what waited.
    pub(crate) fn end(self) -> (Conn, Claim, VecDeque<String>) {
        let before = match self.was {
            Some(terminal) => Conn::Registered(Registered { ip: self.ip, terminal }),
            None => Conn::Opened(Opened { ip: self.ip }),
        };
        (before, *self.claim, self.waiting)
    }
}

impl Opened {
    pub(crate) fn register(self, terminal: Terminal) -> Registered {
        Registered { ip: self.ip, terminal: Box::new(terminal) }
    }
}

impl Registered {
    /// The connection without its terminal.
    pub(crate) fn resign(self) -> (Opened, Box<Terminal>) {
        (Opened { ip: self.ip }, self.terminal)
    }
}
