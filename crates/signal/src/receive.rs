//! What a terminal says: read, checked in the order of reference 1.4, and given to its handler.

use taoyao_types::{ConnId, Now};
use taoyao_wire::bodies::check_body;
use taoyao_wire::link::Reply;
use taoyao_wire::signals::{Route, Sender, Signal};
use taoyao_wire::terminal::{Code, Incoming, Readings, fields::Fields};

use crate::conn::Conn;
use crate::failure::Failed;
use crate::guest::is_for_guests;
use crate::io::Output;
use crate::say::Request;
use crate::terminals::Terminals;
use crate::timers::Alarm;

impl Terminals {
    pub(crate) fn receive(&mut self, now: Now, conn: ConnId, text: &str) {
        let held = match self.registry.conn_mut(conn) {
            None => return,
            Some(Conn::Verifying(verifying)) => verifying.hold(text),
            Some(Conn::Opened(_) | Conn::Registered(_) | Conn::Guest(_)) => {
                return self.read(now, conn, text);
            }
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
        if let Some(terminal) = self.registry.terminal_mut(conn) {
            terminal.heard_at = now.mono;
        }
        let caller = self.registry.caller(conn);
        let caller = caller.map(|caller| (caller.name.clone(), caller.account.clone(), caller.is_guest()));
        if caller.is_some() && self.take_answer(conn, &message) {
            return;
        }
        let Some(signal) = Signal::of(&message.signal) else {
            let name: String = message.signal.chars().take(SIGNAL_CHARS_MAX).collect();
            let failed = Failed::new(Code::Unsupported, format!("不支持的信令协议：{name}"));
            return self.fail(now, conn, Some(message.id), failed);
        };
        *self.stats.signals.entry(signal).or_default() += 1;
        if signal == Signal::ClientRegister {
            return match check_body(signal, message.body) {
                Ok(()) => self.register(now, conn, &message),
                Err(unreadable) => self.fail(now, conn, Some(message.id), unreadable.into()),
            };
        }
        let Some((from, account, is_guest)) = caller else {
            return self.fail(now, conn, Some(message.id), Failed::unauthorised());
        };
        let request = Request { conn, from, account, signal, message: &message };
        if is_guest {
            return self.serve_guest(now, &request);
        }
        // What only nodes say is accepted and without effect (reference 4.1).
        if signal.row().sender != Sender::Node {
            self.carry_out(now, &request);
        }
    }

    fn serve_guest(&mut self, now: Now, request: &Request<'_>) {
        if !self.attaches(&request.from.partition) {
            self.audit(request, "partition");
            let why = format!("{}：no partition of the account is at this node", Code::Refused.text());
            return self.refuse(now, request, Failed::new(Code::Refused, why));
        }
        if is_for_guests(request.signal) {
            return self.carry_out(now, request);
        }
        let why = format!("{}：{} needs a terminal", Code::BadRequest.text(), request.signal.name());
        self.refuse(now, request, Failed::new(Code::BadRequest, why));
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
        if let Err(failed) = self.check_account(request) {
            return self.refuse(now, request, failed);
        }
        if let Err(unreadable) = check_body(request.signal, request.message.body) {
            return self.refuse(now, request, unreadable.into());
        }
        match request.signal {
            Signal::ClientAlarm => self.raise_alarm(now, request),
            Signal::ClientBroadcast => self.broadcast(now, request),
            Signal::ClientClose => self.take_leave(now, request),
            Signal::ClientConfig => self.push_config(now, request.conn),
            Signal::ClientHeartbeat => self.heartbeat(now, request),
            Signal::ClientList => self.list(now, request),
            Signal::ClientReboot | Signal::ClientShutdown => self.order(now, request),
            Signal::ClientStatus => self.status(now, request),
            Signal::ClientUnicast => self.unicast(now, request),
            Signal::ControlAi
            | Signal::ControlBeauty
            | Signal::ControlBell
            | Signal::ControlClientRecord
            | Signal::ControlConfigAudio
            | Signal::ControlConfigVideo
            | Signal::ControlPhotograph
            | Signal::ControlPtz
            | Signal::ControlWakeup
            | Signal::ControlWatermark => self.control(now, request),
            Signal::PlatformReboot
            | Signal::PlatformShutdown
            | Signal::SystemReboot
            | Signal::SystemShutdown => self.order_node(now, request),
            Signal::PlatformScript => self.run_script(now, request),
            Signal::SystemInfo => self.look_at_machine(now, request),
            Signal::SessionCall => self.call(now, request),
            Signal::SessionClose => self.end_session(now, request),
            Signal::SessionExchange | Signal::SessionPause | Signal::SessionResume => {
                self.relay_in_session(now, request);
            }
            Signal::RoomCreate => self.create_room_for(now, request),
            Signal::RoomEnter => self.enter_room(now, request),
            Signal::RoomLeave => self.leave_room(now, request),
            Signal::RoomList => self.list_rooms(now, request),
            // Taken before, and what only nodes say.
            Signal::ClientRegister | Signal::ClientOffline | Signal::ClientOnline | Signal::PlatformError => {
            }
            signal => {
                debug_assert_eq!(signal.row().route, Route::Room, "{} has no handler", signal.name());
                self.ask_in_room(now, request);
            }
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
