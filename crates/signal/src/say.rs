//! Everything that leaves the machine goes through here: messages to terminals, and asks to the mesh.

use taoyao_auth::Account;
use taoyao_types::{ConnId, Now, TerminalKey, TerminalName, limits};
use taoyao_wire::link::{Message, Payload, Target};
use taoyao_wire::signals::Signal;
use taoyao_wire::terminal::{Code, Incoming, Outgoing, client, config};

use crate::asks::{Asker, OpenAsk, Purpose};
use crate::failure::Failed;
use crate::io::{AskId, Output};
use crate::terminals::Terminals;

/// A request of a registered terminal, while it is worked on.
pub(crate) struct Request<'a> {
    pub(crate) conn: ConnId,
    pub(crate) from: TerminalName,
    pub(crate) account: Account,
    pub(crate) signal: Signal,
    pub(crate) message: &'a Incoming<'a>,
}

impl Request<'_> {
    /// What is needed to answer later.
    pub(crate) fn asker(&self) -> Asker {
        let Self { conn, from, message, .. } = self;
        Asker { conn: *conn, name: from.clone(), id: message.id, v: message.v.clone().into_owned() }
    }
}

impl Terminals {
    pub(crate) fn say(&mut self, conn: ConnId, text: String) {
        if let Some(backlog) = self.registry.terminal_mut(conn).and_then(|terminal| terminal.backlog.as_mut())
        {
            backlog.push(&text);
        }
        if let Some(socket) = self.lines.outward(conn) {
            self.write(socket, text);
        }
    }

    pub(crate) fn write(&mut self, socket: ConnId, text: String) {
        self.stats.messages_out += 1;
        self.stats.bytes_out += text.len() as u64;
        self.outputs.push_back(Output::ToTerminal { conn: socket, text });
    }

    /// Closes what the connection is written to, if it is there.
    pub(crate) fn close(&mut self, socket: Option<ConnId>, code: u16, reason: String) {
        if let Some(conn) = socket {
            self.outputs.push_back(Output::Close { conn, code, reason });
        }
    }

    /// A success under the request's own id and version.
    pub(crate) fn answer(&mut self, request: &Request<'_>, body: Option<&str>) {
        let Request { conn, signal, message, .. } = request;
        let text = Outgoing::success(&message.v, message.id, signal.name(), body).encode();
        self.say(*conn, text);
    }

    /// A success for a terminal that has waited for it.
    pub(crate) fn answer_later(&mut self, asker: &Asker, signal: Signal, body: Option<&str>) {
        let text = Outgoing::success(&asker.v, asker.id, signal.name(), body).encode();
        self.say(asker.conn, text);
    }

    /// A message that the node starts, under a new id.
    pub(crate) fn push(&mut self, now: Now, conn: ConnId, signal: Signal, body: &str) {
        let text = self.pushed(now, signal, body);
        self.say(conn, text);
    }

    /// The text of a push, for one or for many.
    pub(crate) fn pushed(&mut self, now: Now, signal: Signal, body: &str) -> String {
        let id = self.message_ids.next(now.wall);
        Outgoing::success(&self.config.version, id, signal.name(), Some(body)).encode()
    }

    /// Another terminal's message under an id of this node; returns the id. None if its body is no JSON: then another
    /// node is at fault, and the terminal is spared.
    pub(crate) fn relay(&mut self, now: Now, conn: ConnId, message: &Message) -> Option<i64> {
        let (id, text) = self.relayed_text(now, message)?;
        self.say(conn, text);
        Some(id)
    }

    /// The same as text, for one or for many: an id needs to be new to each of them only.
    pub(crate) fn relayed_text(&mut self, now: Now, message: &Message) -> Option<(i64, String)> {
        let id = self.message_ids.next(now.wall);
        let text = Outgoing::relayed(message, id).map(|outgoing| outgoing.encode());
        if text.is_none() {
            self.stats.mesh_refused += 1;
        }
        text.map(|text| (id, text))
    }

    /// A `platform::error` for the request with this id; for a message without one under a new id.
    pub(crate) fn fail(&mut self, now: Now, conn: ConnId, id: Option<i64>, failed: Failed) {
        let id = id.unwrap_or_else(|| self.message_ids.next(now.wall));
        *self.stats.errors.entry(failed.code).or_default() += 1;
        let body = failed.retry_after.map(client::retry_after);
        let error = Outgoing::error(&self.config.version, id, failed.code, &failed.text);
        let text = Outgoing { body: body.as_deref().or(error.body), ..error }.encode();
        self.say(conn, text);
    }

    pub(crate) fn refuse(&mut self, now: Now, request: &Request<'_>, failed: Failed) {
        self.fail(now, request.conn, Some(request.message.id), failed);
    }

    /// `client::config`, always under a new id (quirk Q11).
    pub(crate) fn push_config(&mut self, now: Now, conn: ConnId) {
        let Some(terminal) = self.registry.terminal(conn) else { return };
        let kind = terminal.state.client_type;
        let body = config::body(kind, &self.config.media, &self.config.ice, now.wall, self.offset);
        self.push(now, conn, Signal::ClientConfig, &body);
    }

    /// Opens an ask on behalf of a request, or refuses the request if too many are open already.
    pub(crate) fn open_ask(
        &mut self,
        now: Now,
        request: &Request<'_>,
        purpose: Purpose,
    ) -> Option<(AskId, TerminalKey)> {
        let full = self.asks.is_full();
        let (asks_open, source) = self.registry.asks_open(request.conn)?;
        if full || *asks_open >= limits::TERMINAL_ASKS_MAX {
            let node = self.config.node.clone();
            self.refuse(now, request, Failed::busy(format!("too many requests at {node}")));
            return None;
        }
        *asks_open += 1;
        Some((self.asks.open(OpenAsk::Request(request.asker(), purpose)), source))
    }

    /// Asks without anybody waiting for the reply. Given up silently when too many asks are open.
    pub(crate) fn bid_farewell(&mut self, source: TerminalKey, target: &TerminalName, payload: Payload) {
        if self.asks.is_full() {
            return;
        }
        let is_local = self.registry.by_name(target).is_some();
        let ask = self.asks.open(OpenAsk::Farewell { is_local });
        self.outputs.push_back(Output::Ask {
            ask,
            source,
            target: Target::Terminal(TerminalKey::of(target)),
            payload,
        });
    }

    /// A text for a code of which there is nothing better to say.
    pub(crate) fn plainly(code: Code) -> Failed {
        Failed::new(code, code.text())
    }
}
