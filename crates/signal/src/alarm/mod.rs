//! `client::alarm` (reference 4.1): kept by the node that owns the terminal's partition, wherever it was raised.
//!
//! - `outbox`: alarms of terminals here that their owners do not have yet; sent one by one, again and again until taken.
//! - `kept`: alarms of the partitions that this node owns, each once.
//! - `fair`: in both, an account's alarms make way for its own, so that nobody washes out what others have raised.

mod fair;
mod kept;
mod outbox;

use taoyao_types::{AccountTag, NodeId, Now, PartitionId, TerminalKey, limits};
use taoyao_wire::link::{AlarmReport, Failure, Payload, Reply, Target};
use taoyao_wire::terminal::Fields;

use crate::asks::OpenAsk;
use crate::failure::Failed;
use crate::io::Output;
use crate::say::Request;
use crate::terminals::Terminals;
use crate::timers::Alarm;

pub(crate) use kept::Kept;
pub(crate) use outbox::Outbox;

impl Terminals {
    /// The alarms that this node keeps, the newest first.
    pub fn alarms(&self) -> impl Iterator<Item = &AlarmReport> {
        self.alarms.iter()
    }

    /// A terminal of this node raises an alarm. Nobody answers it.
    pub(crate) fn raise_alarm(&mut self, now: Now, request: &Request<'_>) {
        let Some(terminal) = self.registry.terminal_mut(request.conn) else { return };
        terminal.state.readings.alarming = Some(true);
        if !terminal.alarms.take(now.mono, 1) {
            return self.refuse(now, request, Failed::busy("too many alarms from this terminal"));
        }
        if !self.accounts.may_alarm(now.mono, &request.account.name) {
            self.stats.shares_exhausted += 1;
            return self.refuse(now, request, Failed::busy("too many alarms from this account"));
        }
        self.stats.alarms_raised += 1;
        let fields = Fields::of(request.message.body);
        let report = AlarmReport {
            from: request.from.clone(),
            account: AccountTag::of(&request.account.name),
            node: self.config.node.clone(),
            epoch: self.config.epoch,
            number: self.stats.alarms_raised,
            at: now.wall.0,
            message: fields.text("message").unwrap_or_default().into_owned(),
            datetime: fields.text("datetime").map(|date| date.into_owned()),
        };
        let report = bounded(report);
        let partition = PartitionId::of(&request.from.partition);
        let own = self.config.node_id;
        match self.config.owners.get(&partition).copied().unwrap_or(own) {
            owner if owner == own => self.keep_alarm(report),
            owner => {
                self.stats.alarms_lost += u64::from(self.outbox.put(owner, report));
                self.report_alarms(now, owner);
            }
        }
    }

    /// Sends the owner the oldest alarm that it does not have, unless one is on its way or the owner is given a rest.
    pub(crate) fn report_alarms(&mut self, now: Now, owner: NodeId) {
        let Some(report) = self.outbox.next(owner).cloned() else { return };
        if self.asks.is_full() {
            return self.rest_alarms(now, owner);
        }
        let (source, payload) = (TerminalKey::of(&report.from), Payload::Alarm(report));
        let ask = self.asks.open(OpenAsk::Alarm(owner));
        self.outbox.sent(owner);
        self.outputs.push_back(Output::Ask { ask, source, target: Target::Node(owner), payload });
    }

    /// The owner has rested.
    pub(crate) fn resume_alarms(&mut self, now: Now, owner: NodeId) {
        self.outbox.rested(owner);
        self.report_alarms(now, owner);
    }

    /// What became of an alarm on its way.
    pub(crate) fn alarm_replied(&mut self, now: Now, owner: NodeId, reply: Reply) {
        match reply {
            Reply::Done => self.outbox.taken(owner),
            Reply::Failed(Failure::Denied { rule }) => {
                let node = self.config.name_of(owner);
                tracing::error!(
                    node,
                    rule,
                    "an alarm is not taken by the node that should have it, and is lost"
                );
                self.stats.alarms_lost += 1;
                self.outbox.taken(owner);
            }
            _ => return self.rest_alarms(now, owner),
        }
        self.report_alarms(now, owner);
    }

    fn rest_alarms(&mut self, now: Now, owner: NodeId) {
        let rest = self.outbox.rest(owner);
        self.timers.set(now.mono + rest, Alarm::Reports(owner));
    }

    /// Another node reports an alarm. It must be one where the terminal's partition may attach, and this one its owner.
    pub(crate) fn take_alarm(&mut self, origin: NodeId, report: AlarmReport) -> Reply {
        let partition = PartitionId::of(&report.from.partition);
        let is_own = self.config.owners.get(&partition) == Some(&self.config.node_id);
        let attaches = self.config.servers.get(&partition).is_some_and(|nodes| nodes.contains(&origin));
        if !is_own || !attaches || NodeId::of(&report.node) != origin {
            self.stats.mesh_refused += 1;
            return Reply::Failed(Failure::Denied { rule: "alarms".to_owned() });
        }
        if self.alarms.is_new(&report) {
            self.keep_alarm(bounded(report));
        }
        Reply::Done
    }

    fn keep_alarm(&mut self, report: AlarmReport) {
        let AlarmReport { from, node, message, .. } = &report;
        tracing::warn!(terminal = %from, %node, ?message, "alarm");
        self.stats.alarms_taken += 1;
        self.stats.alarms_displaced += u64::from(self.alarms.keep(report));
    }
}

/// The report with texts of a length that can be kept and shown.
fn bounded(mut report: AlarmReport) -> AlarmReport {
    let cut = |text: &mut String, bytes| text.truncate(text.floor_char_boundary(bytes));
    cut(&mut report.message, limits::ALARM_BYTES_MAX);
    report.datetime.iter_mut().for_each(|date| cut(date, DATE_BYTES_MAX));
    report
}

/// Bytes of a terminal's date: `yyyyMMddHHmmss` and room for other habits. What goes beyond is cut off.
const DATE_BYTES_MAX: usize = 32;
