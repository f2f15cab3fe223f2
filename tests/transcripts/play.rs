//! Plays a transcript: does what its lines say, and writes down what everybody hears.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use taoyao_core::Input;
use taoyao_ortc::Happening;
use taoyao_ortc::control::StreamScore;
use taoyao_sim::ModelRoom;
use taoyao_types::{ConnId, PartitionName};

use crate::mesh::{Heard, Mesh};
use crate::party::{Party, Stage};
use crate::placeholders::Placeholders;

/// Message ids of what happens before a transcript begins.
const PROLOGUE_ID: i64 = 10_000_001;

struct Play {
    stage: Stage,
    mesh: Mesh,
    conns: BTreeMap<Party, ConnId>,
    placeholders: Placeholders,
    written: Vec<String>,
}

/// The whole transcript as it goes here: its own words, and what was heard in the place of what it says was heard.
pub(crate) fn play(script: &str, stage: Stage) -> String {
    let common = script.lines().find_map(|line| line.strip_prefix("@ in "));
    let common = common.map(|name| name.parse::<PartitionName>().expect("it is a partition"));
    let placeholders = Placeholders::new(stage, common);
    let (mesh, conns) = (Mesh::new(), BTreeMap::new());
    let mut play = Play { stage, mesh, conns, placeholders, written: Vec::new() };
    for line in script.lines() {
        play.perform(line);
    }
    play.written.push(String::new());
    play.written.join("\n")
}

impl Play {
    fn perform(&mut self, line: &str) {
        if is_heard(line) {
            return;
        }
        self.written.push(line.to_owned());
        if line.is_empty() || line.starts_with('#') || line.starts_with("@ in ") {
            return;
        }
        if let Some(prologue) = line.strip_prefix("@ ") {
            return self.prepare(prologue);
        }
        let words: Vec<&str> = line.splitn(3, ' ').collect();
        match (words.as_slice(), words.first().and_then(|word| Party::of(word))) {
            (["sfu", ">", what], None) => self.mesh.notice(|room| happening(what, room)),
            ([_, ">", text], Some(party)) => self.say(party, &self.placeholders.fill_in(party, text)),
            ([_, "connects"], Some(party)) => self.connect(party),
            ([_, "hangs", "up"], Some(party)) => self.hang_up(party),
            ([seconds, "s", "pass"], None) => {
                let seconds: u32 = seconds.parse().unwrap_or_else(|_| panic!("{line}"));
                return self.pass(seconds);
            }
            _ => panic!("nobody knows how to play this line: {line}"),
        }
        self.pass(1);
    }

    /// Something that happens before the transcript begins; what is heard meanwhile is left out.
    fn prepare(&mut self, line: &str) {
        let words: Vec<&str> = line.split(' ').collect();
        match words.as_slice() {
            ["room", "of", owner, "with", members @ ..] => self.meet(party(owner), members),
            [listener, "receives"] => self.open_transport(party(listener), "consuming"),
            [speaker, "sends", kind] => self.send_media(party(speaker), kind),
            [listener, "is", "ready"] => {
                let body = r#"{"roomId":"{room:1}","producerId":"{producer:1}","consumerId":"{consumer:1}"}"#;
                self.ask(party(listener), "media::consume", body);
            }
            ["call", "from", caller, "to", callee] => self.call(party(caller), party(callee)),
            parties => parties.iter().for_each(|word| self.join(word)),
        }
        self.mesh.settle();
    }

    /// `A`, or `A:operator`: a registered terminal that follows all others, and the account that it uses.
    fn join(&mut self, word: &str) {
        let (letter, account) = word.split_once(':').unwrap_or((word, "people"));
        let party = party(letter);
        if party == Party::R {
            let conn = self.mesh.admit_guest(self.mesh.node(self.stage.node(party)), account);
            self.conns.insert(party, conn);
            return;
        }
        self.connect(party);
        let name = self.placeholders.name(party);
        let is_home = self.stage.name(party, None) == name;
        let written = if is_home { party.client_id().to_owned() } else { name.to_string() };
        let body = json!({
            "clientId": written, "clientType": party.client_type(), "name": format!("Name of {letter}"),
            "username": account, "password": "secret", "battery": 100, "charging": true,
        });
        self.ask(party, "client::register", &body.to_string());
        self.ask(party, "client::list", "{}");
    }

    fn meet(&mut self, owner: Party, members: &[&str]) {
        self.ask(owner, "room::create", r#"{"name":"meeting"}"#);
        for member in members {
            self.ask(
                party(member),
                "room::enter",
                r#"{"roomId":"{room:1}","rtpCapabilities":{"codecs":[]}}"#,
            );
        }
    }

    fn open_transport(&mut self, party: Party, what_for: &str) {
        let body = format!(r#"{{"roomId":"{{room:1}}","{what_for}":true}}"#);
        self.ask(party, "media::transport::webrtc::create", &body);
    }

    /// On a transport of its own, which is the newest.
    fn send_media(&mut self, party: Party, kind: &str) {
        self.open_transport(party, "producing");
        let transport = self.placeholders.newest("transport");
        let head = format!(r#""roomId":"{{room:1}}","transportId":"{transport}""#);
        if kind == "data" {
            let body =
                format!(r#"{{{head},"label":"chat","protocol":"","sctpStreamParameters":{{"streamId":0}}}}"#);
            return self.ask(party, "media::data::produce", &body);
        }
        let body = format!(r#"{{{head},"kind":"{kind}","rtpParameters":{{"codecs":[]}}}}"#);
        self.ask(party, "media::produce", &body);
    }

    fn call(&mut self, caller: Party, callee: Party) {
        self.ask(caller, "session::call", &format!(r#"{{"clientId":"{{{}}}"}}"#, callee.letter()));
    }

    /// Says something before the transcript begins; ids of rooms and sessions that it brings are known from then on.
    fn ask(&mut self, party: Party, signal: &str, body: &str) {
        let body = self.placeholders.fill_in(party, body);
        let header = format!(r#"{{"v":"1.0.0","id":{PROLOGUE_ID},"signal":"{signal}"}}"#);
        self.say(party, &format!(r#"{{"header":{header},"body":{body}}}"#));
        for (conn, heard) in self.mesh.settle() {
            if let Heard::Text(text) = heard {
                let message: Value = serde_json::from_str(&text).unwrap();
                self.placeholders.learn(&message["body"]);
                if self.conns.get(&party) != Some(&conn) {
                    continue;
                }
                assert_ne!(message["header"]["signal"], "platform::error", "{signal} of {party:?}: {text}");
            }
        }
    }

    fn connect(&mut self, party: Party) {
        let node = self.mesh.node(self.stage.node(party));
        let conn = self.mesh.connect(node, party.ip());
        self.conns.insert(party, conn);
    }

    fn say(&mut self, party: Party, text: &str) {
        let conn = self.conn(party);
        self.mesh
            .input(self.mesh.node(self.stage.node(party)), Input::TerminalText { conn, text: text.into() });
    }

    fn hang_up(&mut self, party: Party) {
        let conn = self.conn(party);
        self.conns.remove(&party);
        self.mesh.input(self.mesh.node(self.stage.node(party)), Input::TerminalClosed { conn });
    }

    fn conn(&self, party: Party) -> ConnId {
        *self.conns.get(&party).unwrap_or_else(|| panic!("{party:?} is not there"))
    }

    /// Lets time pass and writes down what was heard in it, party by party: the order between parties is free.
    fn pass(&mut self, seconds: u32) {
        let heard: Vec<(ConnId, Heard)> = (0..seconds).flat_map(|_| self.mesh.settle()).collect();
        for (party, conn) in self.conns.clone() {
            for (_, heard) in heard.iter().filter(|(to, _)| *to == conn) {
                self.write(party, heard);
            }
        }
        let known: Vec<ConnId> = self.conns.values().copied().collect();
        let lost = heard.iter().find(|(to, _)| !known.contains(to));
        assert!(lost.is_none(), "said to somebody who is not there: {lost:?}");
        let is_closed = |conn: &ConnId| {
            heard.iter().any(|(to, heard)| to == conn && matches!(heard, Heard::Closed { .. }))
        };
        self.conns.retain(|_, conn| !is_closed(conn));
    }

    fn write(&mut self, party: Party, heard: &Heard) {
        let letter = party.letter();
        let line = match heard {
            Heard::Text(text) => format!("{letter} < {}", self.placeholders.put_in(party, text)),
            Heard::Closed { code, reason } => format!("{letter} closed {code} {reason}"),
        };
        self.written.push(line);
    }
}

/// What an SFU notices of the first thing that it has in a room.
fn happening(what: &str, room: &ModelRoom) -> Option<Happening> {
    let producer = room.producers.keys().next().copied();
    let consumer = room.consumers.keys().next().copied();
    Some(match what {
        "volumes" => Happening::Volumes { volumes: vec![(producer?, -40)] },
        "silence" => Happening::Volumes { volumes: Vec::new() },
        "layers" => Happening::LayersChanged { consumer: consumer?, layers: Some((1, Some(2))) },
        "no layers" => Happening::LayersChanged { consumer: consumer?, layers: None },
        "consumer score" => Happening::ConsumerScore {
            consumer: consumer?,
            score: 10,
            producer_score: 9,
            producer_scores: vec![9, 0],
        },
        "producer score" => Happening::ProducerScore {
            producer: producer?,
            scores: vec![StreamScore { encoding: 0, ssrc: Some(7), rid: None, score: 10 }],
        },
        "orientation" => {
            Happening::OrientationChanged { producer: producer?, camera: true, flip: false, rotation: 90 }
        }
        "transport closed" => Happening::TransportClosed { transport: *room.transports.iter().next()? },
        "room lost" => Happening::RoomLost,
        _ => panic!("no SFU notices {what}"),
    })
}

/// Whether a line says what somebody hears.
fn is_heard(line: &str) -> bool {
    let mut words = line.split(' ');
    words.next().and_then(Party::of).is_some() && matches!(words.next(), Some("<" | "closed"))
}

fn party(letter: &str) -> Party {
    Party::of(letter).unwrap_or_else(|| panic!("there is no party {letter}"))
}
