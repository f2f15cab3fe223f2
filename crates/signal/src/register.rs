//! `client::register`: from a claim over the check of its credentials to a registered terminal (reference 3.2, 3.3).

use taoyao_auth::Account;
use taoyao_types::{ConnId, Now, Role, Secret, TerminalKey, TerminalName, limits};
use taoyao_wire::signals::Signal;
use taoyao_wire::terminal::client::{self, Register};
use taoyao_wire::terminal::{ClientState, ClientType, Code, Incoming, Outgoing, Readings};

use crate::backlog::Backlog;
use crate::conn::{Claim, Conn};
use crate::failure::Failed;
use crate::guest::GUEST;
use crate::io::{Output, Verified};
use crate::room::is_service;
use crate::terminal::Terminal;
use crate::terminals::Terminals;
use crate::timers::Alarm;

impl Terminals {
    /// A check has ended. One that nobody waits for any more is dropped.
    pub(crate) fn verified(&mut self, now: Now, conn: ConnId, number: u64, verified: Verified) {
        let Some((claim, waiting)) = self.registry.verified(conn, number) else { return };
        match verified {
            Verified::Accepted(account) => self.accept(now, conn, claim, account),
            Verified::PutOff(span) => {
                self.stats.logins_put_off += 1;
                self.fail(now, conn, Some(claim.id), Failed::not_looked_at(span));
            }
            Verified::NotFor(why) => {
                self.stats.logins_refused += 1;
                let why = format!("{}：denied by rule account: {why}", Code::Refused.text());
                self.fail(now, conn, Some(claim.id), Failed::new(Code::Refused, why));
            }
            Verified::Refused if claim.by_ticket => self.refuse_ticket(now, conn, claim.id),
            Verified::Refused => {
                self.stats.logins_refused += 1;
                self.fail(now, conn, Some(claim.id), Failed::new(Code::Unauthorised, "注册失败"));
            }
        }
        // A second registration among them makes the rest wait again.
        for text in waiting {
            self.receive(now, conn, &text);
        }
    }

    pub(crate) fn register(&mut self, now: Now, conn: ConnId, message: &Incoming<'_>) {
        if self.draining {
            return self.fail(now, conn, Some(message.id), Failed::busy("this node is about to end"));
        }
        let body = Register::of(message);
        let mut vouched = None;
        if body.ticket.is_some() && self.registry.terminal(conn).is_none() {
            if self.resume(now, conn, message, &body) {
                return;
            }
            // Who is to register anew says all that a registration says.
            vouched = self.vouched(now, &body).filter(|_| body.client_type.is_some());
            if body.username.is_empty() && vouched.is_none() {
                return self.refuse_ticket(now, conn, message.id);
            }
        }
        let name = match self.claimed_name(body.client_id.as_deref()) {
            Ok(name) => name,
            Err(failed) => return self.fail(now, conn, Some(message.id), failed),
        };
        self.verifications += 1;
        let number = self.verifications;
        let claim = Claim {
            id: message.id,
            v: message.v.clone().into_owned(),
            name: name.clone(),
            written: body.client_id.unwrap_or_default(),
            client_type: body.client_type,
            display: body.name,
            readings: body.readings,
            resume: body.resume,
            by_ticket: vouched.is_some() && body.username.is_empty(),
        };
        self.registry.verify(conn, number, claim);
        let (username, password) = (body.username, Secret(body.password));
        let conn = self.lines.outward(conn).unwrap_or(conn);
        let verify = Output::Verify { conn, number, username, password, vouched, terminal: name };
        self.outputs.push_back(verify);
    }

    /// The full name of who wants to attach, if that may attach here.
    fn claimed_name(&self, client_id: Option<&str>) -> Result<TerminalName, Failed> {
        let bad = |why: String| Failed::new(Code::BadRequest, format!("终端标识无效：{why}"));
        let written = client_id.ok_or_else(|| bad("clientId is missing".into()))?;
        let name = TerminalName::resolve(written, &self.config.home).map_err(|why| bad(why.to_string()))?;
        if name.client.as_str() == GUEST {
            return Err(bad(format!("{GUEST} is the name of scripts")));
        }
        if is_service(&name) {
            return Err(bad(format!("{} is the name of the media service", name.client)));
        }
        if self.config.serves.contains(&name.partition) {
            return Ok(name);
        }
        let serves: Vec<&str> = self.config.serves.iter().map(|partition| partition.as_str()).collect();
        let why = format!(
            "{} does not serve partition {}; it serves {}",
            self.config.node,
            name.partition,
            serves.join(", ")
        );
        Err(Failed::new(Code::Refused, format!("{}：{why}", Code::Refused.text())))
    }

    fn accept(&mut self, now: Now, conn: ConnId, claim: Claim, account: Account) {
        let kind = claim.client_type.as_deref().unwrap_or("null").parse::<ClientType>();
        let kind = match kind {
            Ok(kind) => kind,
            Err(unknown) => return self.fail(now, conn, Some(claim.id), unknown.into()),
        };
        if let Err(failed) = self.check_takeover(conn, &claim.name, &account) {
            return self.fail(now, conn, Some(claim.id), failed);
        }
        if let Err(failed) = self.check_share(conn, &claim.name, &account) {
            return self.fail(now, conn, Some(claim.id), failed);
        }
        self.stats.registrations += 1;
        match self.registry.terminal(conn) {
            Some(terminal) if terminal.name == claim.name => self.refresh(now, conn, kind, claim, account),
            Some(_) => {
                self.resign(now, conn);
                self.admit(now, conn, kind, claim, account);
            }
            None => self.admit(now, conn, kind, claim, account),
        }
    }

    /// A client id that is in use here belongs to the account that registered it; others need to be operators.
    fn check_takeover(&mut self, conn: ConnId, name: &TerminalName, account: &Account) -> Result<(), Failed> {
        let signal = Signal::ClientRegister;
        let holder = self.registry.by_name(name).filter(|holder| *holder != conn);
        let Some(holder) = holder.and_then(|holder| self.registry.terminal(holder)) else { return Ok(()) };
        if holder.account.name == account.name || account.may_as(Role::Operator, signal.name()).is_ok() {
            return Ok(());
        }
        self.note(Some(account.name.to_string()), name, signal, Some("owner"));
        let why = format!("denied by rule owner: {name} is in use by another account");
        Err(Failed::new(Code::Refused, format!("{}：{why}", Code::Refused.text())))
    }

    /// One terminal more is the account's to have, unless it takes the place of another one of it.
    fn check_share(&mut self, conn: ConnId, name: &TerminalName, account: &Account) -> Result<(), Failed> {
        let given_up = [Some(conn), self.registry.by_name(name)];
        let given_up = given_up.into_iter().flatten().filter_map(|conn| self.registry.terminal(conn));
        if given_up.into_iter().any(|terminal| terminal.account.name == account.name) {
            return Ok(());
        }
        match self.accounts.add_terminal(&account.name) {
            Ok(()) => {
                // It is counted when it is admitted.
                self.accounts.remove_terminal(&account.name);
                Ok(())
            }
            Err(exhausted) => Err(self.exhausted(exhausted, "terminals")),
        }
    }

    /// The same terminal registers again on its connection: it is answered anew and stays (quirk Q16, without the kick).
    fn refresh(&mut self, now: Now, conn: ConnId, kind: ClientType, claim: Claim, account: Account) {
        let heard = self.offset.long_date(now.wall);
        let Some(terminal) = self.registry.terminal_mut(conn) else { return };
        if terminal.account.name != account.name {
            self.accounts.remove_terminal(&terminal.account.name);
            // Was looked at before.
            let _room = self.accounts.add_terminal(&account.name);
        }
        terminal.account = account;
        terminal.written = claim.written;
        terminal.state.client_type = kind;
        terminal.state.name = claim.display;
        terminal.state.last_heartbeat = heard;
        terminal.state.merge(claim.readings);
        let index = terminal.index;
        self.welcome(now, conn, claim.id, &claim.v, (index, claim.resume));
    }

    fn admit(&mut self, now: Now, conn: ConnId, kind: ClientType, claim: Claim, account: Account) {
        if let Some(old) = self.registry.by_name(&claim.name) {
            self.replace(now, old, &self.config.node.to_string());
        }
        let Some(ip) = self.registry.conn(conn).and_then(Conn::ip) else { return };
        let before = self.watch.came_here(&claim.name);
        let session = self.logins.issue(now.wall, before);
        let mut state = ClientState {
            ip: ip.to_string(),
            name: claim.display,
            client_type: kind,
            partition: claim.name.partition.clone(),
            node: self.config.node.clone(),
            readings: Readings::default(),
            server_recording: None,
            last_heartbeat: self.offset.long_date(now.wall),
        };
        state.merge(claim.readings);
        let key = TerminalKey::of(&claim.name);
        let index = self.indexes.take();
        let terminal = Terminal {
            key,
            written: claim.written,
            account,
            index,
            session,
            registered_at: now.mono,
            has_outbid: false,
            heard_at: now.mono,
            silent_at: now.mono + limits::TERMINAL_SILENT_MAX,
            state,
            broadcasts: Terminal::full_bucket(now.mono),
            alarms: Terminal::full_alarms(now.mono),
            backlog: None,
            back_by: None,
            asks_open: 0,
            name: claim.name,
        };
        // There is room, as was looked at before.
        let _room = self.accounts.add_terminal(&terminal.account.name);
        self.timers.set(terminal.silent_at, Alarm::Silent(conn));
        self.registry.register(conn, terminal);
        self.outputs.push_back(Output::Admitted { conn: self.lines.outward(conn).unwrap_or(conn) });
        self.welcome(now, conn, claim.id, &claim.v, (index, claim.resume));
        self.outputs.push_back(Output::Register { key, session });
        self.come(conn);
    }

    /// The answer comes first, the configuration second (quirk Q7). What a terminal that may come back is told counts from
    /// here on.
    fn welcome(&mut self, now: Now, conn: ConnId, id: i64, v: &str, (index, resume): (u32, bool)) {
        let Some(terminal) = self.registry.terminal_mut(conn) else { return };
        terminal.backlog = None;
        let body = match self.registry.terminal(conn).filter(|_| resume) {
            Some(terminal) => {
                let ticket = self.ticket(now, terminal);
                client::resumed(index, &ticket, limits::RESUME_KEPT, false)
            }
            None => client::registered(index),
        };
        let text = Outgoing::success(v, id, Signal::ClientRegister.name(), Some(&body)).encode();
        self.say(conn, text);
        if let Some(terminal) = self.registry.terminal_mut(conn) {
            terminal.backlog = resume.then(Backlog::default);
        }
        self.push_config(now, conn);
    }
}
