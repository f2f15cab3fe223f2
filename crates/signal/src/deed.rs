//! `platform::*` and `system::*` (reference 4.5): what an account wants done to its node or to the machine under it.
//!
//! Whether it may, and who is told, is decided here; the doing is the shell's ([`Output::Perform`]). No shell ever sees a
//! terminal's words: what runs is what the operator listed.

use std::collections::BTreeMap;

use taoyao_types::{ConnId, Instant, Now, limits};
use taoyao_wire::signals::Signal;
use taoyao_wire::terminal::machine::script_result;
use taoyao_wire::terminal::{Code, Fields, Machine, Outgoing};

use crate::asks::Asker;
use crate::failure::Failed;
use crate::io::{Audit, Output};
use crate::say::Request;
use crate::terminals::Terminals;
use crate::timers::Alarm;

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deed {
    /// Look at the machine.
    Look,
    /// Run the operator's script of this name; whether it takes these arguments is for the doer to say.
    Run { script: String, arguments: Vec<String> },
    /// Drain the node and end it. Nobody waits for the end.
    Stop,
}

/// How it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Performed {
    Looked(Box<Machine>),
    /// The script has ended: its exit code, none if a signal ended it, and what it said.
    Ran {
        exit: Option<i32>,
        output: String,
    },
    /// The script was killed at its time-out.
    Overdue,
    /// The script does not take these arguments; the text says what it takes.
    Refused(String),
    /// It could not be begun, and why.
    Failed(String),
}

/// A deed that is being done.
#[derive(Debug)]
pub(crate) struct OpenDeed {
    signal: Signal,
    /// Who waits for it; nobody after its time, or if all were told before.
    asker: Option<Asker>,
    deadline: Instant,
    /// What the audit log will say, but for the end.
    audit: Audit,
}

#[derive(Debug, Default)]
pub(crate) struct Deeds {
    last: u64,
    open: BTreeMap<u64, OpenDeed>,
}

impl Deeds {
    fn is_full(&self) -> bool {
        self.open.len() >= limits::DEEDS_MAX
    }

    fn begin(&mut self, deed: OpenDeed) -> u64 {
        self.last += 1;
        self.open.insert(self.last, deed);
        self.last
    }
}

impl Terminals {
    /// `system::info`.
    pub(crate) fn look_at_machine(&mut self, now: Now, request: &Request<'_>) {
        self.begin_deed(now, request, Deed::Look, Some(request.asker()));
    }

    /// `platform::script`: a name and arguments, separated by blanks.
    pub(crate) fn run_script(&mut self, now: Now, request: &Request<'_>) {
        if self.config.scripts.is_empty() {
            return self.refuse_unlisted(now, request);
        }
        let written = Fields::of(request.message.body).text("script").unwrap_or_default();
        let mut words = written.split_ascii_whitespace().map(str::to_owned);
        let Some(script) = words.next() else {
            let failed = Failed::new(Code::BadFormat, format!("无效命令：{}", written.trim_ascii()));
            return self.refuse(now, request, failed);
        };
        if written.len() > limits::SCRIPT_BYTES_MAX || !self.config.scripts.contains(&script) {
            let all: Vec<&str> = self.config.scripts.iter().map(String::as_str).collect();
            let all = all.join(", ");
            let text = format!("{}：no such script; there are: {all}", Code::BadRequest.text());
            self.audit(request, "script");
            return self.refuse(now, request, Failed::new(Code::BadRequest, text));
        }
        let deed = Deed::Run { script, arguments: words.collect() };
        self.begin_deed(now, request, deed, Some(request.asker()));
    }

    /// `platform::reboot`, `platform::shutdown`, `system::reboot`, `system::shutdown`: all terminals of the node are told,
    /// the sender under its own id, which is its answer; then it is done.
    pub(crate) fn order_node(&mut self, now: Now, request: &Request<'_>) {
        let deed = match request.signal {
            Signal::PlatformShutdown => Deed::Stop,
            order if self.config.orders.contains(&order) => {
                Deed::Run { script: order.name().to_owned(), arguments: Vec::new() }
            }
            _ => return self.refuse_unlisted(now, request),
        };
        if deed != Deed::Stop && self.deeds.is_full() {
            return self.refuse_busy(now, request);
        }
        self.tell_all(now, request);
        if self.registry.terminal(request.conn).is_none() {
            self.answer(request, None);
        }
        self.begin_deed(now, request, deed, None);
    }

    /// A deed is done, well or not.
    pub(crate) fn deed_done(&mut self, now: Now, number: u64, done: Performed) {
        let Some(OpenDeed { signal, asker, deadline, audit }) = self.deeds.open.remove(&number) else {
            return;
        };
        self.timers.unset(deadline, Alarm::Deed(number));
        let detail = audit.detail.iter().cloned().chain(done.outcome()).collect::<Vec<_>>().join(": ");
        self.outputs.push_back(Output::Audit(Audit { detail: Some(detail), ..audit }));
        let Some(asker) = asker.filter(|asker| self.is_there(asker)) else { return };
        match done {
            Performed::Looked(machine) => self.answer_later(&asker, signal, Some(&machine.to_json())),
            Performed::Ran { output, .. } => self.answer_later(&asker, signal, Some(&script_result(&output))),
            Performed::Overdue => self.fail(now, asker.conn, Some(asker.id), overdue("was killed")),
            Performed::Refused(why) => {
                let text = format!("{}：{why}", Code::BadRequest.text());
                self.fail(now, asker.conn, Some(asker.id), Failed::new(Code::BadRequest, text));
            }
            Performed::Failed(why) => {
                let text = format!("{}：{why}", Code::ServerFault.text());
                self.fail(now, asker.conn, Some(asker.id), Failed::new(Code::ServerFault, text));
            }
        }
    }

    /// Whoever waits for a deed has waited long enough; the deed goes on.
    pub(crate) fn deed_overdue(&mut self, now: Now, number: u64) {
        let asker = self.deeds.open.get_mut(&number).and_then(|deed| deed.asker.take());
        if let Some(asker) = asker.filter(|asker| self.is_there(asker)) {
            self.fail(now, asker.conn, Some(asker.id), overdue("goes on, its end will be in the audit log"));
        }
    }

    fn begin_deed(&mut self, now: Now, request: &Request<'_>, deed: Deed, asker: Option<Asker>) {
        let audit = Audit {
            account: Some(request.account.name.to_string()),
            terminal: request.from.clone(),
            signal: request.signal.name(),
            denied: None,
            detail: deed.name(),
        };
        if deed == Deed::Stop {
            self.outputs.push_back(Output::Audit(audit));
            return self.outputs.push_back(Output::Perform { number: 0, deed });
        }
        if self.deeds.is_full() {
            return self.refuse_busy(now, request);
        }
        let deadline = now.mono + limits::REQUEST_TIMEOUT;
        let number = self.deeds.begin(OpenDeed { signal: request.signal, asker, deadline, audit });
        self.timers.set(deadline, Alarm::Deed(number));
        self.outputs.push_back(Output::Perform { number, deed });
    }

    fn tell_all(&mut self, now: Now, request: &Request<'_>) {
        let message = request.message.relayed();
        let partitions: Vec<_> = self.registry.partitions().cloned().collect();
        let members = partitions.iter().flat_map(|partition| self.registry.members(partition, None));
        let all: Vec<ConnId> = members.map(|(conn, _)| conn).collect();
        let Some((_, text)) = self.relayed_text(now, &message) else { return };
        let own = Outgoing::relayed(&message, request.message.id).map(|outgoing| outgoing.encode());
        for conn in all {
            let own = own.as_ref().filter(|_| conn == request.conn);
            self.say(conn, own.unwrap_or(&text).clone());
        }
    }

    fn refuse_unlisted(&mut self, now: Now, request: &Request<'_>) {
        self.audit(request, "script");
        self.refuse(now, request, Failed::new(Code::NotAcceptable, "功能没有开启"));
    }

    fn refuse_busy(&mut self, now: Now, request: &Request<'_>) {
        self.refuse(now, request, Failed::busy("too many scripts are running"));
    }
}

impl Deed {
    /// As the audit log calls it, where the signal's name does not say it all.
    fn name(&self) -> Option<String> {
        match self {
            Deed::Run { script, arguments } => {
                Some([std::slice::from_ref(script), arguments].concat().join(" "))
            }
            Deed::Look | Deed::Stop => None,
        }
    }
}

impl Performed {
    /// As the audit log calls it.
    fn outcome(&self) -> Option<String> {
        match self {
            Performed::Looked(_) => None,
            Performed::Ran { exit: Some(code), .. } => Some(format!("exit {code}")),
            Performed::Ran { exit: None, .. } => Some("ended by a signal".to_owned()),
            Performed::Overdue => Some("killed at its time-out".to_owned()),
            Performed::Refused(why) | Performed::Failed(why) => Some(why.clone()),
        }
    }
}

fn overdue(what: &str) -> Failed {
    Failed::new(Code::Timeout, format!("{}：the script {what}", Code::Timeout.text()))
}
