//! A scripted terminal: speaks the terminal protocol, remembers what it asked and what it heard.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Value, json};
use taoyao_types::{ConnId, Instant, NodeId, TerminalName};

use crate::forger::MARK;
use crate::meeting::Meetings;
use crate::studio::Studio;

/// A terminal's place in [`crate::World`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ClientIndex(pub usize);

/// One terminal and its latest connection.
#[derive(Debug)]
pub struct Client {
    pub name: TerminalName,
    /// What it writes as its `clientId`.
    pub written: String,
    pub at: Option<(NodeId, ConnId)>,
    pub is_registered: bool,
    pub is_watching: bool,
    /// Whom it believes to be online, by the name it is shown.
    pub sees: BTreeSet<String>,
    /// Whom it was told to be offline, on all its connections.
    pub told_offline: Vec<String>,
    pub pending: BTreeMap<i64, (&'static str, Instant)>,
    pub sessions: Vec<String>,
    pub answers: BTreeMap<String, u64>,
    pub meetings: Meetings,
    pub studio: Studio,
    /// The last number heard of each sender, for order.
    heard: BTreeMap<(String, &'static str), u64>,
    said: BTreeMap<(String, &'static str), u64>,
    calls_heard: BTreeSet<String>,
    pub(crate) next_id: i64,
}

/// What a terminal noticed that must not be.
pub(crate) type Complaints = Vec<String>;

/// What a terminal does in reply to what it heard.
pub(crate) type Replies = Vec<String>;

impl Client {
    pub(crate) fn new(name: TerminalName, written: String) -> Self {
        Self {
            name,
            written,
            at: None,
            is_registered: false,
            is_watching: false,
            sees: BTreeSet::new(),
            told_offline: Vec::new(),
            pending: BTreeMap::new(),
            sessions: Vec::new(),
            answers: BTreeMap::new(),
            meetings: Meetings::default(),
            studio: Studio::default(),
            heard: BTreeMap::new(),
            said: BTreeMap::new(),
            calls_heard: BTreeSet::new(),
            // In the range that clients use, so that a node's own ids never meet them (reference 2.3).
            next_id: 10_000_000,
        }
    }

    /// A new connection: everything of the old one is over.
    pub(crate) fn connect(&mut self, node: NodeId, conn: ConnId) {
        self.at = Some((node, conn));
        self.forget();
    }

    pub(crate) fn disconnect(&mut self) {
        self.at = None;
        self.forget();
    }

    fn forget(&mut self) {
        self.is_registered = false;
        self.is_watching = false;
        self.sees.clear();
        self.calls_heard.clear();
        self.pending.clear();
        self.sessions.clear();
        self.meetings.forget();
        self.studio.forget();
    }

    pub(crate) fn register(&mut self, now: Instant) -> String {
        let body = json!({
            "clientId": self.written, "clientType": "WEB", "name": self.name.client.as_str(),
            "username": "taoyao", "password": "taoyao",
        });
        self.request(now, "client::register", body)
    }

    pub(crate) fn request(&mut self, now: Instant, signal: &'static str, body: Value) -> String {
        let text = self.push(signal, body);
        self.pending.insert(self.next_id, (signal, now));
        text
    }

    pub(crate) fn push(&mut self, signal: &str, body: Value) -> String {
        self.next_id += 1;
        json!({ "header": { "v": "1.0.0", "id": self.next_id, "signal": signal }, "body": body }).to_string()
    }

    /// A unicast that carries what the receiver needs to judge it.
    pub(crate) fn unicast(&mut self, to: &TerminalName, lifetime: u64) -> String {
        let number = self.number(to, "unicast");
        let from = format!("{}#{lifetime}", self.name);
        let body = json!({ "to": to.to_string(), "for": to.to_string(), "from": from, "number": number });
        self.push("client::unicast", body)
    }

    /// An offer or answer within a session, numbered like a unicast.
    pub(crate) fn exchange(&mut self, session: &str, lifetime: u64) -> String {
        let number = self.number_of(session.to_owned(), "exchange");
        let from = format!("{}#{lifetime}/{session}", self.name);
        let body = json!({ "sessionId": session, "type": "candidate", "from": from, "number": number });
        self.push("session::exchange", body)
    }

    fn number(&mut self, to: &TerminalName, kind: &'static str) -> u64 {
        self.number_of(to.to_string(), kind)
    }

    fn number_of(&mut self, to: String, kind: &'static str) -> u64 {
        let number = self.said.entry((to, kind)).or_default();
        *number += 1;
        *number
    }

    /// Takes one message from the node.
    pub(crate) fn hear(&mut self, now: Instant, text: &str) -> (Replies, Complaints) {
        let (mut replies, mut complaints) = (Vec::new(), Vec::new());
        let message: Value = match serde_json::from_str(text) {
            Ok(message) => message,
            Err(error) => return (replies, vec![format!("{} got no JSON: {error}: {text}", self.name)]),
        };
        if text.contains(MARK) {
            complaints.push(format!("I11: {} was told a forgery: {text}", self.name));
        }
        let id = message["header"]["id"].as_i64().unwrap_or_default();
        let signal = message["header"]["signal"].as_str().unwrap_or_default().to_owned();
        let body = &message["body"];
        if let Some((asked, since)) = self.pending.remove(&id) {
            // Who enters again keeps what it sends and receives.
            let room = body["roomId"].as_str().unwrap_or_default();
            if asked == "room::enter" && !self.meetings.rooms.contains_key(room) {
                self.studio.leave(room);
            }
            self.meetings.hear_answer(asked, id, &message);
            self.studio.hear_answer(asked, id, body);
            self.hear_answer(now, asked, since, &message, &mut replies, &mut complaints);
            return (replies, complaints);
        }
        match signal.as_str() {
            "client::online" => self.see(body["clientId"].as_str(), true),
            "client::offline" => self.see(body["clientId"].as_str(), false),
            "client::unicast" => self.judge_order(body, "unicast", &mut complaints),
            "session::exchange" => self.judge_order(body, "exchange", &mut complaints),
            "session::call" => self.hear_call(body, &mut complaints),
            "session::close" => {
                self.sessions.retain(|session| Some(session.as_str()) != body["sessionId"].as_str())
            }
            _ if signal.starts_with("media::") => {
                let said = (&mut replies, &mut complaints);
                self.studio.hear(text, (&signal, body), said, &self.name);
            }
            _ if signal.starts_with("room::") => {
                if matches!(signal.as_str(), "room::close" | "room::create") {
                    self.studio.leave(body["roomId"].as_str().unwrap_or_default());
                }
                self.meetings.hear(&signal, body, &mut complaints, &self.name);
            }
            _ => {}
        }
        (replies, complaints)
    }

    fn hear_answer(
        &mut self,
        now: Instant,
        asked: &'static str,
        since: Instant,
        message: &Value,
        replies: &mut Replies,
        complaints: &mut Complaints,
    ) {
        let took = now.since(since);
        if took > Duration::from_secs(5) {
            complaints.push(format!("I8: {} waited {took:?} for {asked}", self.name));
        }
        let code = message["code"].as_str().unwrap_or("none");
        *self.answers.entry(format!("{asked} {code}")).or_default() += 1;
        if code != "0000" {
            return;
        }
        let body = &message["body"];
        match asked {
            "client::register" => {
                self.is_registered = true;
                if self.is_watching_by_nature() {
                    replies.push(self.request(now, "client::list", json!({})));
                }
            }
            "client::list" => {
                self.is_watching = true;
                // Nodes' SFUs are listed, and never announced.
                let entries = body.as_array().into_iter().flatten();
                let terminals = entries.filter(|entry| entry["clientType"] != "MEDIA");
                let ids = terminals.filter_map(|entry| entry["clientId"].as_str());
                self.sees = ids.map(str::to_owned).collect();
            }
            "session::call" => self.sessions.extend(body["sessionId"].as_str().map(str::to_owned)),
            _ => {}
        }
    }

    /// Every fourth terminal keeps a list of all others.
    pub(crate) fn is_watching_by_nature(&self) -> bool {
        self.name.client.as_str().ends_with('0') || self.name.client.as_str().ends_with('4')
    }

    fn see(&mut self, id: Option<&str>, is_online: bool) {
        let Some(id) = id else { return };
        if is_online {
            self.sees.insert(id.to_owned());
        } else {
            self.sees.remove(id);
            self.told_offline.push(id.to_owned());
        }
    }

    fn hear_call(&mut self, body: &Value, complaints: &mut Complaints) {
        let Some(session) = body["sessionId"].as_str() else {
            return complaints.push(format!("{} was called without a session", self.name));
        };
        if !self.calls_heard.insert(session.to_owned()) {
            complaints.push(format!("I2: {} was called twice in session {session}", self.name));
        }
        self.sessions.push(session.to_owned());
    }

    fn judge_order(&mut self, body: &Value, kind: &'static str, complaints: &mut Complaints) {
        let (from, number) =
            (body["from"].as_str().unwrap_or_default(), body["number"].as_u64().unwrap_or_default());
        let meant_for = body["for"].as_str();
        if meant_for.is_some_and(|meant_for| meant_for != self.name.to_string()) {
            complaints.push(format!("I1: {} got a {kind} meant for {meant_for:?}", self.name));
        }
        let last = self.heard.entry((from.to_owned(), kind)).or_default();
        if number == *last {
            complaints.push(format!("I3: {} got {kind} {number} of {from} twice", self.name));
        } else if number < *last {
            complaints.push(format!("I4: {} got {kind} {number} of {from} after {last}", self.name));
        }
        *last = number;
    }
}
