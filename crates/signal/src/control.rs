//! `control::*`: a terminal asks another, which answers for itself (reference 4.2); and what only operators start.

use taoyao_types::{Now, Scope, TerminalKey, TerminalName};
use taoyao_wire::Class;
use taoyao_wire::link::{Message, Payload, Reply, Target};
use taoyao_wire::signals::Signal;
use taoyao_wire::terminal::{Code, Fields, Outgoing};

use crate::allowance::Readers;
use crate::asks::{Asker, Purpose};
use crate::failure::Failed;
use crate::io::Output;
use crate::say::Request;
use crate::terminal::Terminal;
use crate::terminals::Terminals;

impl Terminals {
    /// Forwarded without the field `to`; ends in the other terminal's own answer.
    pub(crate) fn control(&mut self, now: Now, request: &Request<'_>) {
        let fields = Fields::of(request.message.body);
        let written = fields.text("to").unwrap_or_else(|| "null".into());
        let Some(to) = self.target(now, request, &written) else { return };
        if request.signal == Signal::ControlWakeup && to == request.from {
            return self.refuse(now, request, Failed::new(Code::BadRequest, "不能自己唤醒自己"));
        }
        let message = request.message.relayed_with(Some(fields.without("to")));
        let reader = Readers::One(TerminalKey::of(&to));
        let Some(message) = self.charged(now, request, reader, message) else { return };
        let purpose = Purpose::Control { to: written.into_owned() };
        let Some((ask, source)) = self.open_ask(now, request, purpose) else { return };
        let payload = Payload::Message { from: request.from.clone(), message };
        let target = Target::Terminal(TerminalKey::of(&to));
        self.outputs.push_back(Output::Ask { ask, source, target, payload });
    }

    pub(crate) fn controlled(&mut self, now: Now, asker: &Asker, to: &str, reply: Reply) {
        let failed = match reply {
            Reply::Message(message) => match Outgoing::relayed(&message, asker.id) {
                Some(answer) => return self.say(asker.conn, answer.encode()),
                None => Self::plainly(Code::BadFormat),
            },
            Reply::Failed(failure) => Failed::of(&failure, Failed::no_target(to)),
            _ => Self::plainly(Code::Unknown),
        };
        self.fail(now, asker.conn, Some(asker.id), failed);
    }

    /// `client::reboot` and `client::shutdown`, which only guests can start: told to the terminal, and success whether
    /// or not there is one (reference 8).
    pub(crate) fn order(&mut self, now: Now, request: &Request<'_>) {
        let written = Fields::of(request.message.body).text("clientId").unwrap_or_default();
        let Some(to) = self.target(now, request, &written) else { return };
        self.audit_use(request);
        let message = request.message.relayed_with(Some("{}".to_owned()));
        let (source, target) = (TerminalKey::of(&request.from), Target::Terminal(TerminalKey::of(&to)));
        let payload = Payload::Message { from: request.from.clone(), message };
        self.outputs.push_back(Output::Tell { source, target, class: Class::Event, payload });
        self.answer(request, None);
    }

    /// The terminal that is to be controlled, if there can be one and policy lets it be.
    fn target(&mut self, now: Now, request: &Request<'_>, written: &str) -> Option<TerminalName> {
        let home = &request.from.partition;
        let Ok(to) = TerminalName::resolve(written, home) else {
            self.refuse(now, request, Failed::no_target(written));
            return None;
        };
        match self.config.policy.authorise(Scope::Control, home, &to.partition) {
            Ok(_) => Some(to),
            Err(denied) => {
                self.deny(now, request, denied);
                None
            }
        }
    }
}

/// What a message that the mesh brings to a terminal does to the terminal's state, before it is handed over.
pub(crate) fn note_control(terminal: &mut Terminal, message: &Message) {
    if message.signal == Signal::ControlClientRecord.name() {
        let body = message.body.as_deref().unwrap_or_default();
        terminal.state.readings.client_recording = Fields::of_text(body).flag("enabled");
    }
}

impl Failed {
    pub(crate) fn no_target(written: &str) -> Self {
        let written: String = written.chars().take(TARGET_CHARS_MAX).collect();
        Self::new(Code::Unknown, format!("目标终端无效：{written}"))
    }
}

/// Characters of an unknown target that its error repeats.
const TARGET_CHARS_MAX: usize = 130;
