//! What a terminal of a storm sends and receives in rooms, and what must be true of it when it is quiet again.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use taoyao_types::{Instant, TerminalName};

use crate::client::{Client, Complaints, Replies};
use crate::world::World;

/// What one terminal has in the rooms that it is in.
#[derive(Debug, Default)]
pub struct Studio {
    rooms: BTreeMap<String, Gear>,
    /// The room of each request for a transport, and whether it is to receive on.
    asked: BTreeMap<i64, (String, bool)>,
}

/// In one room.
#[derive(Debug, Default)]
struct Gear {
    sends_on: Option<String>,
    receives_on: Option<String>,
    /// Whether it has asked for the one and for the other: it does so once.
    has_asked: [bool; 2],
    producers: BTreeSet<String>,
    /// Producers of others by the consumers that it was told of.
    consumers: BTreeMap<String, String>,
}

impl Studio {
    pub(crate) fn forget(&mut self) {
        self.rooms.clear();
        self.asked.clear();
    }

    pub(crate) fn leave(&mut self, room: &str) {
        self.rooms.remove(room);
        self.asked.retain(|_, (of, _)| of != room);
    }

    /// An answer to one of its requests.
    pub(crate) fn hear_answer(&mut self, asked: &str, id: i64, body: &Value) {
        match asked {
            "media::transport::webrtc::create" => {
                let Some((room, receives)) = self.asked.remove(&id) else { return };
                let transport = body["transportId"].as_str().map(str::to_owned);
                let gear = self.rooms.entry(room).or_default();
                *(if receives { &mut gear.receives_on } else { &mut gear.sends_on }) = transport;
            }
            "media::produce" => {
                let Some((room, _)) = self.asked.remove(&id) else { return };
                let producer = body["producerId"].as_str().map(str::to_owned);
                self.rooms.entry(room).or_default().producers.extend(producer);
            }
            _ => {}
        }
    }

    /// A push; `text` is sent back where it says that something is received.
    pub(crate) fn hear(
        &mut self,
        text: &str,
        (signal, body): (&str, &Value),
        (replies, complaints): (&mut Replies, &mut Complaints),
        who: &TerminalName,
    ) {
        let word = |field: &str| body[field].as_str().unwrap_or_default().to_owned();
        let Some(gear) = self.rooms.get_mut(&word("roomId")) else { return };
        match signal {
            "media::consume" => {
                if gear.receives_on.is_none() {
                    complaints.push(format!("Q4: {who} receives before it was answered: {text}"));
                }
                if gear.consumers.values().any(|producer| *producer == word("producerId")) {
                    complaints.push(format!("I3: {who} receives a producer twice: {text}"));
                }
                gear.consumers.insert(word("consumerId"), word("producerId"));
                replies.push(text.to_owned());
            }
            "media::consumer::close" => drop(gear.consumers.remove(&word("consumerId"))),
            "media::producer::close" => drop(gear.producers.remove(&word("producerId"))),
            _ => {}
        }
    }
}

impl Client {
    /// The next thing that a member does who wants to send and to receive.
    pub(crate) fn equip(&mut self, now: Instant, room: &str) -> Option<String> {
        let gear = self.studio.rooms.entry(room.to_owned()).or_default();
        for receives in [false, true] {
            if !std::mem::replace(&mut gear.has_asked[usize::from(receives)], true) {
                let body = json!({ "roomId": room, "producing": !receives, "consuming": receives });
                return Some(self.ask_for(now, "media::transport::webrtc::create", (room, receives), body));
            }
        }
        let transport = gear.sends_on.clone().filter(|_| gear.producers.len() < PRODUCERS_MAX)?;
        let rtp = json!({ "codecs": [] });
        let body = json!({ "roomId": room, "transportId": transport, "kind": "audio", "rtpParameters": rtp });
        Some(self.ask_for(now, "media::produce", (room, false), body))
    }

    /// Closes one of its producers.
    pub(crate) fn hush(&mut self, room: &str) -> Option<String> {
        let producer = self.studio.rooms.get(room)?.producers.first().cloned()?;
        Some(self.push("media::producer::close", json!({ "roomId": room, "producerId": producer })))
    }

    fn ask_for(&mut self, now: Instant, signal: &'static str, what: (&str, bool), body: Value) -> String {
        let text = self.request(now, signal, body);
        self.studio.asked.insert(self.next_id, (what.0.to_owned(), what.1));
        text
    }
}

/// What one terminal sends in one room at most.
const PRODUCERS_MAX: usize = 2;

/// When it is quiet: everybody receives what all others in the room send, once, and an SFU has nothing of anybody who is
/// not there.
pub(crate) fn everybody_receives_the_others(world: &World) -> Vec<String> {
    let mut wrong = Vec::new();
    for client in world.clients.iter().filter(|client| client.is_registered) {
        for (room, gear) in
            client.studio.rooms.iter().filter(|(room, _)| client.meetings.rooms.contains_key(*room))
        {
            if gear.receives_on.is_none() {
                continue;
            }
            let others = world.clients.iter().filter(|other| {
                other.name != client.name && other.is_registered && other.meetings.rooms.contains_key(room)
            });
            let sent: BTreeSet<&String> = others
                .filter_map(|other| other.studio.rooms.get(room))
                .flat_map(|gear| &gear.producers)
                .collect();
            let received: BTreeSet<&String> = gear.consumers.values().collect();
            let missing: Vec<_> = sent.difference(&received).collect();
            if !missing.is_empty() {
                wrong.push(format!("{} does not receive {missing:?} in room {room}", client.name));
            }
        }
    }
    for node in world.topology().nodes() {
        let (Some(machine), Some(sfu)) = (world.node(node.id), world.sfu(node.id)) else { continue };
        let hosted: BTreeMap<String, usize> =
            machine.terminals().rooms().map(|room| (room.id, room.members.len())).collect();
        for (room, there) in sfu.rooms() {
            let is_empty =
                there.transports.is_empty() && there.producers.is_empty() && there.consumers.is_empty();
            match hosted.get(&**room) {
                None => wrong.push(format!("{} still carries room {room}", node.name)),
                Some(0) if !is_empty => wrong.push(format!("{} carries {there:?} for nobody", node.name)),
                Some(_) => {}
            }
        }
    }
    wrong
}
