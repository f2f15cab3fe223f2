//! Whether the account behind a terminal may send a signal at all; who it may be sent to is policy's.

use taoyao_auth::{Denied, Lacking};
use taoyao_types::{Exhausted, Now, Role, TerminalName};
use taoyao_wire::signals::{Need, Signal};
use taoyao_wire::terminal::Code;

use crate::asks::Asker;
use crate::failure::Failed;
use crate::io::{Audit, Output};
use crate::say::Request;
use crate::terminals::Terminals;

impl Terminals {
    /// What the signal table asks of the account. Membership, participation and ownership are looked at where the room
    /// or the session is known.
    pub(crate) fn check_account(&mut self, request: &Request<'_>) -> Result<(), Failed> {
        let row = request.signal.row();
        let account = &request.account;
        let checked = account.admits(row.name).and_then(|()| match row.need {
            Need::Nothing | Need::Registered | Need::Member | Need::Participant | Need::Owner => Ok(()),
            Need::Operator => account.may_as(Role::Operator, row.name),
            Need::Named => account.is_named_for(row.name),
        });
        checked.map_err(|lacking| {
            self.audit(request, &lacking.rule());
            lacking.into()
        })
    }

    /// Whether the account may act on what belongs to others.
    pub(crate) fn is_operator(request: &Request<'_>) -> bool {
        request.account.may_as(Role::Operator, request.signal.name()).is_ok()
    }

    /// The account has all that it may have of something, or the node has no more of it.
    pub(crate) fn exhausted(&mut self, exhausted: Exhausted, what: &str) -> Failed {
        self.stats.shares_exhausted += u64::from(matches!(exhausted, Exhausted::Own { .. }));
        Failed::busy(match exhausted {
            Exhausted::Own { max } => {
                format!("this account has its whole share of {max} {what} at this node")
            }
            Exhausted::All { max } => format!("all {max} {what} of this node are in use"),
        })
    }

    /// Refuses what policy between the two partitions does not allow.
    pub(crate) fn deny(&mut self, now: Now, request: &Request<'_>, denied: Denied) {
        self.audit(request, &denied.rule);
        self.refuse(now, request, denied.into());
    }

    /// Notes a refusal for the operator's audit log.
    pub(crate) fn audit(&mut self, request: &Request<'_>, rule: &str) {
        self.note(Some(request.account.name.to_string()), &request.from, request.signal, Some(rule));
    }

    /// The same for one who has waited for the answer; its account may be gone.
    pub(crate) fn audit_later(&mut self, asker: &Asker, signal: Signal, rule: &str) {
        let account = self.registry.caller(asker.conn).map(|caller| caller.account.name.to_string());
        self.note(account, &asker.name, signal, Some(rule));
    }

    /// Notes that a privilege was used.
    pub(crate) fn audit_use(&mut self, request: &Request<'_>) {
        self.note(Some(request.account.name.to_string()), &request.from, request.signal, None);
    }

    pub(crate) fn note(
        &mut self,
        account: Option<String>,
        from: &TerminalName,
        signal: Signal,
        denied: Option<&str>,
    ) {
        if denied.is_some() {
            self.stats.denied += 1;
        }
        let denied = denied.map(str::to_owned);
        let audit = Audit { account, terminal: from.clone(), signal: signal.name(), denied, detail: None };
        self.outputs.push_back(Output::Audit(audit));
    }
}

impl From<Lacking> for Failed {
    fn from(lacking: Lacking) -> Self {
        Self::new(Code::Refused, format!("{}：{lacking}", Code::Refused.text()))
    }
}
