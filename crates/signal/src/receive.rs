//! What a terminal says: read, checked in the order of reference 1.4, and given to its handler.

use taoyao_types::{ConnId, Now};
use taoyao_wire::link::Reply;
use taoyao_wire::signals::Signal;
use taoyao_wire::terminal::{Code, Incoming, Readings, fields::Fields};

use crate::conn::Conn;
use crate::failure::Failed;
use crate::io::Output;
use crate::say::Request;
use crate::terminals::Terminals;
use crate::timers::Alarm;

impl Terminals {
    pub(crate) fn receive(&mut self, now: Now, conn: ConnId, text: &str) {
        let held = match self.registry.conn_mut(conn) {
            None => return,
            Some(Conn::Verifying(verifying)) => verifying.hold(text),
            Some(Conn::Opened(_) | Conn::Registered(_)) => return self.read(now, conn, text),
        };
        if !held {
            let id = Incoming::decode(text).ok().map(|message| message.id);
            self.fail(now, conn, id, Failed::busy("the registration is still being checked"));
        }
    }

    fn read(&mut self, now: Now, conn: ConnId, text: &str) {
        let message = match Incoming::decode(text) {
            Ok(message) => message,
            Err(reject) => return self.fail(now, conn, reject.id, reject.into()),
        };
        let terminal = self.registry.terminal_mut(conn);
        let from = terminal.map(|terminal| {
            terminal.heard_at = now.mono;
            terminal.name.clone()
        });
        if from.is_some() && self.take_answer(conn, &message) {
            return;
        }
        let Some(signal) = Signal::of(&message.signal) else {
            let name: String = message.signal.chars().take(SIGNAL_CHARS_MAX).collect();
            let failed = Failed::new(Code::Unsupported, format!("不支持的信令协议：{name}"));
            return self.fail(now, conn, Some(message.id), failed);
        };
        if signal == Signal::ClientRegister {
            return self.register(now, conn, &message);
        }
        let Some(from) = from else {
            return self.fail(now, conn, Some(message.id), Failed::unauthorised());
        };
        self.carry_out(now, &Request { conn, from, signal, message: &message });
    }

    /// The terminal's next message with the id of a request is its answer, whatever its signal (reference 2.6).
    fn take_answer(&mut self, conn: ConnId, message: &Incoming<'_>) -> bool {
        let Some(waiting) = self.pending.take(conn, message.id) else { return false };
        self.timers.unset(waiting.deadline, Alarm::Unanswered(conn, message.id));
        self.outputs
            .push_back(Output::Reply { token: waiting.token, reply: Reply::Message(message.relayed()) });
        true
    }

    fn carry_out(&mut self, now: Now, request: &Request<'_>) {
        match request.signal {
            Signal::ClientAlarm => self.raise_alarm(request),
            Signal::ClientBroadcast => self.broadcast(now, request),
            Signal::ClientClose => self.take_leave(now, request),
            Signal::ClientConfig => self.push_config(now, request.conn),
            Signal::ClientHeartbeat => self.heartbeat(now, request),
            Signal::ClientList => self.list(now, request),
            Signal::ClientStatus => self.status(now, request),
            Signal::ClientUnicast => self.unicast(now, request),
            Signal::SessionCall => self.call(now, request),
            Signal::SessionClose => self.end_session(now, request),
            Signal::SessionExchange | Signal::SessionPause | Signal::SessionResume => {
                self.relay_in_session(now, request);
            }
            // Taken before, and what only nodes say: accepted and without effect (reference 4.1).
            Signal::ClientRegister
            | Signal::ClientOffline
            | Signal::ClientOnline
            | Signal::ClientReboot
            | Signal::ClientShutdown
            | Signal::PlatformError => {}
        }
    }

    fn raise_alarm(&mut self, request: &Request<'_>) {
        if let Some(terminal) = self.registry.terminal_mut(request.conn) {
            terminal.state.readings.alarming = Some(true);
            tracing::info!(terminal = %terminal.name, "a terminal raised an alarm");
        }
    }

    fn take_leave(&mut self, now: Now, request: &Request<'_>) {
        self.answer(request, None);
        self.dismiss(now, request.conn, NORMAL_CLOSURE, "closed on request");
    }

    fn heartbeat(&mut self, now: Now, request: &Request<'_>) {
        self.answer(request, None);
        let heard = self.offset.long_date(now.wall);
        if let Some(terminal) = self.registry.terminal_mut(request.conn) {
            terminal.state.merge(Readings::of(&Fields::of(request.message.body)));
            terminal.state.last_heartbeat = heard;
        }
    }
}

/// Characters of an unknown signal that its error repeats.
const SIGNAL_CHARS_MAX: usize = 80;
/// WebSocket close code.
pub(crate) const NORMAL_CLOSURE: u16 = 1000;
