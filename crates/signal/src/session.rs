//! `session::*`: peer-to-peer sessions, of which each node keeps the ends that its terminals hold (reference 7).
//!
//! Both ends are reached through the mesh, also when they are at one node: one way, one order, one set of failures.

use taoyao_types::{AccountTag, ConnId, Now, Scope, TerminalKey, TerminalName, limits};
use taoyao_wire::link::{Failure, Message, Payload, Reply, Target};
use taoyao_wire::signals::Signal;
use taoyao_wire::terminal::session::{self, CallRequest, Called, CloseReason, Invited};
use taoyao_wire::terminal::{Code, Outgoing};

use crate::allowance::Readers;
use crate::asks::{Asker, Purpose};
use crate::calls::{End, Ownership, Side, Stage};
use crate::failure::Failed;
use crate::io::Output;
use crate::say::Request;
use crate::terminal::Terminal;
use crate::terminals::Terminals;
use crate::timers::Alarm;

/// Characters of a session's id that another node may choose; ours have 36.
const SESSION_ID_MAX: usize = 64;

/// A call as it arrives at the called terminal's node.
pub(crate) struct Invitation {
    pub(crate) from: TerminalName,
    /// The caller's.
    pub(crate) account: AccountTag,
    pub(crate) name: Option<String>,
    pub(crate) session: String,
    pub(crate) audio: bool,
    pub(crate) video: bool,
}

// What the terminals of this node start.
impl Terminals {
    pub(crate) fn call(&mut self, now: Now, request: &Request<'_>) {
        let CallRequest { client_id, audio, video } = CallRequest::of(request.message);
        let home = &request.from.partition;
        let Some(callee) = client_id.and_then(|text| TerminalName::resolve(&text, home).ok()) else {
            return self.refuse(now, request, Failed::no_callee());
        };
        if let Err(denied) = self.config.policy.authorise(Scope::Call, home, &callee.partition) {
            return self.deny(now, request, denied);
        }
        if !self.calls.may_call(request.conn) {
            return self.refuse(now, request, Failed::busy("too many sessions of this terminal"));
        }
        if let Err(exhausted) = self.calls.may_ring(&request.account.name) {
            let failed = self.exhausted(exhausted, "unanswered calls");
            return self.refuse(now, request, failed);
        }
        let session = self.session_ids.next();
        let purpose = Purpose::Call { callee: callee.clone(), session: session.clone() };
        let Some((ask, source)) = self.open_ask(now, request, purpose) else { return };
        let stage = Stage::Calling { early: Vec::new() };
        let side = Side::Caller(request.account.name.clone());
        let end = End { peer: callee.clone(), side, stage, ringing: None };
        self.calls.insert(&session, request.conn, end);
        self.let_ring(now, &session, request.conn);
        self.follow_peer(request.conn, &callee);
        self.stats.calls += 1;
        let name = self.registry.terminal(request.conn).and_then(|terminal| terminal.state.name.clone());
        let payload = Payload::Call {
            from: request.from.clone(),
            account: AccountTag::of(&request.account.name),
            name,
            session,
            audio,
            video,
        };
        self.outputs.push_back(Output::Ask {
            ask,
            source,
            target: Target::Terminal(TerminalKey::of(&callee)),
            payload,
        });
    }

    pub(crate) fn called(
        &mut self,
        now: Now,
        asker: &Asker,
        callee: &TerminalName,
        session: &str,
        reply: Reply,
    ) {
        let failed = match reply {
            Reply::Called { name } => return self.answer_call(now, asker, callee, session, name),
            Reply::Failed(failure) => {
                if is_uncertain(&failure) {
                    self.part(&asker.name, callee, session, None);
                }
                Failed::of(&failure, Failed::no_callee())
            }
            _ => Self::plainly(Code::Unknown),
        };
        self.drop_end(session, asker.conn);
        self.fail(now, asker.conn, Some(asker.id), failed);
    }

    /// The caller learns its session's id, then what the other end has said meanwhile.
    fn answer_call(
        &mut self,
        now: Now,
        asker: &Asker,
        callee: &TerminalName,
        session: &str,
        name: Option<String>,
    ) {
        let Some(caller) = self.registry.terminal(asker.conn) else { return };
        let client_id = caller.sees(callee);
        let name = name.unwrap_or_else(|| client_id.clone());
        let body = Called { name: &name, client_id: &client_id, session_id: session }.to_json();
        self.answer_later(asker, Signal::SessionCall, Some(&body));
        let Ownership::Own(end) = self.calls.find(session, asker.conn) else { return };
        if let Stage::Calling { early } = std::mem::replace(&mut end.stage, Stage::Open) {
            for message in early {
                self.hand_over(now, asker.conn, session, &message);
            }
        }
    }

    /// `session::exchange`, `pause` and `resume`.
    pub(crate) fn relay_in_session(&mut self, now: Now, request: &Request<'_>) {
        let Some((session, peer)) = self.own_session(now, request) else { return };
        if let Ownership::Own(End { side: Side::Callee(_), .. }) = self.calls.find(&session, request.conn) {
            self.answered(&session, request.conn);
        }
        let (purpose, message) = (Purpose::Relay { session: session.clone() }, request.message.relayed());
        let reader = Readers::One(TerminalKey::of(&peer));
        let Some(message) = self.charged(now, request, reader, message) else { return };
        let Some((ask, source)) = self.open_ask(now, request, purpose) else { return };
        let payload = Payload::Session { from: request.from.clone(), session, message };
        self.outputs.push_back(Output::Ask {
            ask,
            source,
            target: Target::Terminal(TerminalKey::of(&peer)),
            payload,
        });
    }

    pub(crate) fn relayed(&mut self, now: Now, asker: &Asker, session: &str, reply: Reply) {
        let Reply::Failed(failure) = reply else { return };
        let failed = Failed::of(&failure, Failed::no_session(session));
        let over = matches!(failure, Failure::NoSuchTerminal | Failure::Refused { .. });
        self.fail(now, asker.conn, Some(asker.id), failed);
        if over && self.drop_end(session, asker.conn).is_some() {
            self.push(now, asker.conn, Signal::SessionClose, &session::closed(session, None));
        }
    }

    /// `session::close`: both ends are told under new ids.
    pub(crate) fn end_session(&mut self, now: Now, request: &Request<'_>) {
        let Some((session, peer)) = self.own_session(now, request) else { return };
        self.drop_end(&session, request.conn);
        self.push(now, request.conn, Signal::SessionClose, &session::closed(&session, None));
        self.part(&request.from, &peer, &session, None);
    }

    /// A terminal leaves: the other ends of its sessions are told.
    pub(crate) fn leave_sessions(&mut self, conn: ConnId, terminal: &Terminal) {
        for session in self.calls.of_conn(conn) {
            if let Some(end) = self.drop_end(&session, conn) {
                self.part(&terminal.name, &end.peer, &session, None);
            }
        }
    }

    /// A terminal elsewhere is gone: the ends that its sessions have here are closed, should its node not have come
    /// to say so.
    pub(crate) fn close_sessions_with(&mut self, now: Now, peer: &TerminalName) {
        for (conn, session) in self.calls.with_peer(peer) {
            if matches!(
                self.calls.find(&session, conn),
                Ownership::Own(End { stage: Stage::Calling { .. }, .. })
            ) {
                // The call itself is about to fail, and tells the caller more.
                continue;
            }
            self.drop_end(&session, conn);
            self.push(now, conn, Signal::SessionClose, &session::closed(&session, None));
        }
    }

    /// A call waits for its answer from now on.
    fn let_ring(&mut self, now: Now, session: &str, conn: ConnId) {
        let until = now.mono + limits::CALL_UNANSWERED_MAX;
        if let Some(ringing) = self.calls.ring(session, conn, until) {
            self.timers.set(ringing.until, Alarm::Ringing(ringing.number));
        }
    }

    /// The called terminal has said something in the session: it is no mere call any more.
    fn answered(&mut self, session: &str, conn: ConnId) {
        if let Some(ringing) = self.calls.answer(session, conn) {
            self.timers.unset(ringing.until, Alarm::Ringing(ringing.number));
        }
    }

    fn drop_end(&mut self, session: &str, conn: ConnId) -> Option<End> {
        self.answered(session, conn);
        self.calls.remove(session, conn)
    }

    /// Nobody has answered in time: this end is over, and both are told why. The other end's node watches for itself as well.
    pub(crate) fn stop_ringing(&mut self, now: Now, number: u64) {
        let Some((session, conn)) = self.calls.ringing(number) else { return };
        let Some(end) = self.calls.remove(&session, conn) else { return };
        self.stats.calls_expired += u64::from(matches!(end.side, Side::Caller(_)));
        let reason = Some(CloseReason::Unanswered);
        self.push(now, conn, Signal::SessionClose, &session::closed(&session, reason));
        if let Some(name) = self.registry.terminal(conn).map(|terminal| terminal.name.clone()) {
            self.part(&name, &end.peer, &session, reason);
        }
    }

    /// The session that a request names and its other end, if the sender takes part in it.
    fn own_session(&mut self, now: Now, request: &Request<'_>) -> Option<(String, TerminalName)> {
        let session = session::session_id(request.message).unwrap_or_else(|| "null".to_owned());
        let failed = match self.calls.find(&session, request.conn) {
            Ownership::Own(end) => return Some((session, end.peer.clone())),
            Ownership::Others => {
                let written = self.registry.terminal(request.conn).map(|terminal| terminal.written.clone());
                Failed::no_part_in_session(&written.unwrap_or_default())
            }
            Ownership::Unknown => {
                Failed::no_session(&session.chars().take(SESSION_ID_MAX).collect::<String>())
            }
        };
        self.refuse(now, request, failed);
        None
    }

    /// Tells the other end that the session is over.
    fn part(&mut self, from: &TerminalName, peer: &TerminalName, session: &str, reason: Option<CloseReason>) {
        let message = Message {
            signal: Signal::SessionClose.name().to_owned(),
            v: self.config.version.clone(),
            code: Code::Success.as_str().to_owned(),
            text: Code::Success.text().to_owned(),
            body: Some(session::closed(session, reason)),
        };
        let payload = Payload::Session { from: from.clone(), session: session.to_owned(), message };
        self.bid_farewell(TerminalKey::of(from), peer, payload);
    }

    /// Whoever talks into a partition hears who goes there: a lost peer ends the session.
    fn follow_peer(&mut self, conn: ConnId, peer: &TerminalName) {
        let Some(terminal) = self.registry.terminal(conn) else { return };
        let known = self.knows(&peer.partition);
        let policy = &self.config.policy;
        if known && policy.authorise(Scope::Presence, terminal.partition(), &peer.partition).is_ok() {
            self.watch.follow(conn, &peer.partition);
        }
    }
}

// What other ends ask of the terminals of this node.
impl Terminals {
    /// A call for a terminal of this node.
    pub(crate) fn invite(&mut self, now: Now, conn: ConnId, invitation: Invitation) -> Reply {
        let Invitation { from, account, name, session, audio, video } = invitation;
        let Some(callee) = self.registry.terminal(conn) else {
            return Reply::Failed(Failure::NoSuchTerminal);
        };
        let calls_itself = callee.name == from;
        if session.len() > SESSION_ID_MAX
            || (!calls_itself && matches!(self.calls.find(&session, conn), Ownership::Own(_)))
        {
            self.stats.mesh_refused += 1;
            return Reply::Failed(Failed::no_session(&session).into_failure());
        }
        if !calls_itself && !self.calls.may_be_called(conn) {
            return Reply::Failed(Failed::busy("too many sessions of the called terminal").into_failure());
        }
        if self.calls.ringing_at(conn, account) >= limits::CALLS_RINGING_PER_ACCOUNT_MAX {
            self.stats.shares_exhausted += 1;
            let why = "too many calls of this account ring there already";
            return Reply::Failed(Failed::busy(why).into_failure());
        }
        let client_id = callee.sees(&from);
        let callee_name = callee.state.name.clone();
        let name = name.unwrap_or_else(|| client_id.clone());
        let body =
            Invited { name: &name, client_id: &client_id, session_id: &session, audio, video }.to_json();
        let side = Side::Callee(account);
        let end = End { peer: from.clone(), side, stage: Stage::Open, ringing: None };
        self.calls.insert(&session, conn, end);
        self.let_ring(now, &session, conn);
        self.follow_peer(conn, &from);
        self.push(now, conn, Signal::SessionCall, &body);
        Reply::Called { name: callee_name }
    }

    /// A message from the other end of a session.
    pub(crate) fn take_in_session(
        &mut self,
        now: Now,
        conn: ConnId,
        from: &TerminalName,
        session: &str,
        message: Message,
    ) -> Reply {
        let relayed =
            [Signal::SessionExchange, Signal::SessionPause, Signal::SessionResume, Signal::SessionClose];
        let known = Signal::of(&message.signal).is_some_and(|signal| relayed.contains(&signal));
        // What is no JSON is refused before it can wait anywhere.
        if !known || Outgoing::relayed(&message, 0).is_none() {
            self.stats.mesh_refused += 1;
            return Reply::Failed(Failed::new(Code::Unsupported, Code::Unsupported.text()).into_failure());
        }
        if let Ownership::Own(End { peer, side: Side::Caller(_), .. }) = self.calls.find(session, conn)
            && peer == from
            && message.signal != Signal::SessionClose.name()
        {
            self.answered(session, conn);
        }
        match self.calls.find(session, conn) {
            Ownership::Own(End { peer, stage: Stage::Calling { early }, .. }) if peer == from => {
                if early.len() >= limits::EARLY_MESSAGES_MAX {
                    return Reply::Failed(Failure::Busy { node: self.config.node.clone() });
                }
                early.push(message);
                Reply::Done
            }
            Ownership::Own(End { peer, stage: Stage::Open, .. }) if peer == from => {
                self.hand_over(now, conn, session, &message);
                Reply::Done
            }
            _ => Reply::Failed(Failed::no_session(session).into_failure()),
        }
    }

    fn hand_over(&mut self, now: Now, conn: ConnId, session: &str, message: &Message) {
        if message.signal == Signal::SessionClose.name() {
            if self.drop_end(session, conn).is_some() {
                let reason = message.body.as_deref().and_then(session::close_reason);
                self.push(now, conn, Signal::SessionClose, &session::closed(session, reason));
            }
        } else {
            self.relay(now, conn, message);
        }
    }
}

/// Whether a call that failed so may have reached the called terminal all the same.
fn is_uncertain(failure: &Failure) -> bool {
    matches!(failure, Failure::Deadline | Failure::Interrupted { .. } | Failure::Unreachable { .. })
}
