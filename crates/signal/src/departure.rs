//! How terminals leave: of themselves, replaced by a newer login, out of time, or with the node.

use taoyao_types::{ConnId, NodeId, Now, SessionEpoch, TerminalKey, limits};
use taoyao_wire::link::{Failure, PresenceChange, Reply};
use taoyao_wire::signals::Signal;
use taoyao_wire::terminal::Code;

use crate::announcer::News;
use crate::conn::Conn;
use crate::failure::Failed;
use crate::io::{Audit, Dismissal, Output};
use crate::receive::NORMAL_CLOSURE;
use crate::terminal::Terminal;
use crate::terminals::Terminals;
use crate::timers::Alarm;

/// WebSocket close code.
const GOING_AWAY: u16 = 1001;

/// Where a terminal is after it has left its connection.
#[derive(Debug, Clone, Copy)]
enum Whereabouts {
    Gone,
    /// It lives on at another node.
    Elsewhere(NodeId),
}

impl Terminals {
    /// A connection has ended.
    pub(crate) fn hang_up(&mut self, now: Now, conn: ConnId) {
        if let Some(terminal) = self.registry.remove(conn) {
            self.retire(now, conn, &terminal, Whereabouts::Gone);
        }
        self.lines.forget(conn);
    }

    /// Ends a connection from this side.
    pub(crate) fn dismiss(&mut self, now: Now, conn: ConnId, code: u16, reason: &str) {
        let socket = self.lines.outward(conn);
        self.hang_up(now, conn);
        self.close(socket, code, reason.to_owned());
    }

    pub(crate) fn dismiss_all(&mut self, now: Now) {
        let conns: Vec<ConnId> = self.registry.conns().collect();
        for conn in conns {
            self.dismiss(now, conn, GOING_AWAY, "node is going away");
        }
    }

    /// The terminal leaves, its connection stays: it is about to take another name.
    pub(crate) fn resign(&mut self, now: Now, conn: ConnId) {
        if let Some(terminal) = self.registry.resign(conn) {
            self.retire(now, conn, &terminal, Whereabouts::Gone);
        }
    }

    /// A newer login of the same terminal at this node. The older one's clean-up ends before the newer is answered
    /// (reference 3.3).
    pub(crate) fn replace(&mut self, now: Now, conn: ConnId, node: &str) {
        self.stats.replaced += 1;
        let socket = self.lines.outward(conn);
        self.hang_up(now, conn);
        self.say_replaced(now, socket, node);
    }

    /// Ends a session from this side for a reason that the terminal is told, here and nowhere else. Code 3401 without a request
    /// makes the shipped clients stop; after any other they come back and log in anew.
    pub(crate) fn send_away(&mut self, now: Now, conn: ConnId, why: Dismissal) {
        let Some(terminal) = self.registry.terminal(conn) else { return };
        let audit = Audit {
            account: Some(terminal.account.name.to_string()),
            terminal: terminal.name.clone(),
            signal: Signal::ClientClose.name(),
            denied: None,
            detail: Some(format!("session ended: {}", why.reason())),
        };
        self.outputs.push_back(Output::Audit(audit));
        self.stats.dismissed += 1;
        let socket = self.lines.outward(conn);
        self.hang_up(now, conn);
        if let Some(socket) = socket {
            let (code, text) = (why.code(), format!("{}：{}", why.text(), why.reason()));
            self.fail(now, socket, None, Failed::new(code, text));
        }
        self.close(socket, NORMAL_CLOSURE, why.reason().to_owned());
    }

    /// A login at another node claims to be newer. A fresh session outbids it once: then the clocks disagree, and
    /// the terminal is here. Else the terminal is there, and this end is closed without a word to others.
    pub(crate) fn displaced(
        &mut self,
        now: Now,
        key: TerminalKey,
        origin: Option<NodeId>,
        outbid: SessionEpoch,
    ) {
        let Some(conn) = self.registry.by_key(key) else { return };
        let Some(terminal) = self.registry.terminal_mut(conn) else { return };
        if terminal.session >= outbid {
            return;
        }
        let is_fresh = !terminal.has_outbid && now.mono.since(terminal.registered_at) < limits::OUTBID_WINDOW;
        let Some(origin) = origin.filter(|_| !is_fresh) else {
            terminal.has_outbid |= is_fresh;
            terminal.session = outbid;
            self.stats.outbids += 1;
            self.logins.observe(now.wall, outbid);
            self.outputs.push_back(Output::Register { key, session: outbid });
            return self.stay(conn);
        };
        self.stats.replaced += 1;
        let socket = self.lines.outward(conn);
        if let Some(terminal) = self.registry.remove(conn) {
            self.retire(now, conn, &terminal, Whereabouts::Elsewhere(origin));
        }
        self.lines.forget(conn);
        let node = self.config.name_of(origin);
        self.say_replaced(now, socket, &node);
    }

    /// A session that lies in the future is numbered anew after a while, by a clock that may be right by then.
    pub(crate) fn plan_renewal(&mut self, now: Now, key: TerminalKey, session: SessionEpoch) {
        let Some(conn) = self.registry.by_key(key) else { return };
        if self.registry.terminal(conn).is_some_and(|terminal| terminal.session == session) {
            self.timers.set(now.mono + limits::RENEW_AFTER, Alarm::Renew(conn));
        }
    }

    /// Gives a terminal whose session nobody takes another one, if the clock has been put right; else looks again later.
    pub(crate) fn renew(&mut self, now: Now, conn: ConnId) {
        let session = self.logins.issue(now.wall, None);
        let Some(terminal) = self.registry.terminal_mut(conn) else { return };
        let (key, old) = (terminal.key, std::mem::replace(&mut terminal.session, session));
        self.stats.renewed += 1;
        // Those who watch hear that the old one has ended, which they would take for the newer one.
        let change = PresenceChange { client: terminal.name.client.clone(), session: old, state: None };
        let partition = terminal.name.partition.clone();
        self.outputs.push_back(Output::Publish { partition, changes: vec![change], complete: false });
        self.outputs.push_back(Output::Register { key, session });
        self.stay(conn);
    }

    /// An alarm whose time has come; most find that what they were set for has happened.
    pub(crate) fn ring(&mut self, now: Now, alarm: Alarm) {
        match alarm {
            Alarm::Unregistered(conn) => self.check_registered(now, conn),
            Alarm::Silent(conn) => self.check_heard(now, conn),
            Alarm::Entry(entry) => self.entry_overdue(now, entry),
            Alarm::Away(conn) => self.give_up(now, conn),
            Alarm::Seats => self.compare_seats(now),
            Alarm::Rooms => self.look_after_rooms(now),
            Alarm::Lists => {
                self.lists_watched = false;
                self.begin_gatherings(now);
            }
            Alarm::Media => self.media_overdue(now),
            Alarm::Reports(owner) => self.resume_alarms(now, owner),
            Alarm::Renew(conn) => self.renew(now, conn),
            Alarm::Ringing(number) => self.stop_ringing(now, number),
            Alarm::Deed(number) => self.deed_overdue(now, number),
            Alarm::Unanswered(conn, id) => {
                if let Some(waiting) = self.pending.take(conn, id) {
                    let reply = Reply::Failed(Failure::Deadline);
                    self.outputs.push_back(Output::Reply { token: waiting.token, reply });
                }
            }
        }
    }

    fn check_registered(&mut self, now: Now, conn: ConnId) {
        match self.registry.conn(conn) {
            Some(Conn::Opened(_)) => self.dismiss(now, conn, NORMAL_CLOSURE, "not registered in time"),
            // The check is this node's to end, so its slowness is not held against the terminal.
            Some(Conn::Verifying(_)) => {
                self.timers.set(now.mono + limits::UNREGISTERED_MAX, Alarm::Unregistered(conn));
            }
            Some(Conn::Registered(_) | Conn::Guest(_)) | None => {}
        }
    }

    fn check_heard(&mut self, now: Now, conn: ConnId) {
        let Some(terminal) = self.registry.terminal_mut(conn) else { return };
        let until = terminal.heard_at + limits::TERMINAL_SILENT_MAX;
        terminal.silent_at = until;
        if until <= now.mono {
            self.dismiss(now, conn, NORMAL_CLOSURE, "no heartbeat for five minutes");
        } else {
            self.timers.set(until, Alarm::Silent(conn));
        }
    }

    /// Undoes everything that a registered terminal had; it is in the registry no more.
    fn retire(&mut self, now: Now, conn: ConnId, terminal: &Terminal, whereabouts: Whereabouts) {
        self.accounts.remove_terminal(&terminal.account.name);
        self.leave_rooms(terminal);
        self.leave_sessions(conn, terminal);
        for (id, waiting) in self.pending.take_all(conn) {
            self.timers.unset(waiting.deadline, Alarm::Unanswered(conn, id));
            let reason = "the terminal has disconnected".to_owned();
            let failure = Failure::Interrupted { node: self.config.node.clone(), reason };
            self.outputs.push_back(Output::Reply { token: waiting.token, reply: Reply::Failed(failure) });
        }
        self.timers.unset(terminal.silent_at, Alarm::Silent(conn));
        terminal.back_by.into_iter().for_each(|at| self.timers.unset(at, Alarm::Away(conn)));
        self.watch.unfollow(conn);
        self.indexes.give_back(terminal.index);
        // Also of a terminal that lives on elsewhere: watchers hear that this session has ended, and keep the newer one.
        let Terminal { key, session, .. } = *terminal;
        let change = PresenceChange { client: terminal.name.client.clone(), session, state: None };
        let partition = terminal.name.partition.clone();
        self.outputs.push_back(Output::Publish { partition, changes: vec![change], complete: false });
        match whereabouts {
            Whereabouts::Elsewhere(origin) => self.watch.went_there(&terminal.name, origin, terminal.session),
            Whereabouts::Gone => {
                self.outputs.push_back(Output::Withdraw { key, session });
                // When the node ends, those who would hear it end with it.
                if !self.draining {
                    self.announcer.add(terminal.name.clone(), News::Offline);
                    self.announce_waiting(now);
                }
            }
        }
    }

    /// The last words to a connection whose terminal is now somewhere else. Code 3401 without a request makes the
    /// shipped clients stop reconnecting (quirk Q3): otherwise two logins would throw each other out forever.
    fn say_replaced(&mut self, now: Now, socket: Option<ConnId>, node: &str) {
        let Some(conn) = socket else { return };
        let text = format!("终端已在别处登录：logged in elsewhere, at {node}");
        self.fail(now, conn, None, Failed::new(Code::Unauthorised, text));
        let reason = "logged in elsewhere".to_owned();
        self.outputs.push_back(Output::Close { conn, code: NORMAL_CLOSURE, reason });
    }
}

impl Dismissal {
    const fn code(self) -> Code {
        match self {
            Self::AccountRemoved | Self::RightWithdrawn => Code::Unauthorised,
            Self::AccountChanged => Code::Gone,
            Self::ByOperator => Code::Refused,
        }
    }

    const fn text(self) -> &'static str {
        match self {
            Self::AccountRemoved => "账号已被移除",
            Self::RightWithdrawn => "账号权限已被收回",
            Self::AccountChanged => "账号已变更，请重新登录",
            Self::ByOperator => "会话已被管理员结束",
        }
    }

    const fn reason(self) -> &'static str {
        match self {
            Self::AccountRemoved => "the account was removed",
            Self::RightWithdrawn => "the account may not register this terminal here any more",
            Self::AccountChanged => "the account was changed; log in anew",
            Self::ByOperator => "closed by an operator",
        }
    }
}
