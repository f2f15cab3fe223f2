//! Terminals that meet in rooms during a storm: what each believes, and what must be true when it is quiet again.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use taoyao_types::TerminalName;

use crate::client::{Client, ClientIndex, Complaints};
use crate::world::World;

/// Rooms that a storm makes at most; more would leave few that meet.
const ROOMS_MAX: usize = 4;

/// What one terminal believes of the rooms that it is in.
#[derive(Debug, Default)]
pub struct Meetings {
    /// Members by the names that it is shown, itself among them.
    pub rooms: BTreeMap<String, BTreeSet<String>>,
    /// The last message by which it left each room: an answer to what it had asked before lets it in no more.
    left: BTreeMap<String, i64>,
    /// Rooms that it has made and not told anybody of yet.
    pub made: Vec<String>,
    /// The last number heard of each sender in each room, since it entered.
    heard: BTreeMap<(String, String), u64>,
    said: u64,
}

impl Meetings {
    /// The connection is new: it is in no room.
    pub(crate) fn forget(&mut self) {
        self.rooms.clear();
        self.heard.clear();
    }

    pub(crate) fn leave(&mut self, room: &str) {
        self.rooms.remove(room);
        self.heard.retain(|(of, _), _| of != room);
    }

    /// An answer to one of its requests.
    pub(crate) fn hear_answer(&mut self, asked: &str, id: i64, message: &Value) {
        let Some(room) = message["body"]["roomId"].as_str().map(str::to_owned) else { return };
        match asked {
            "room::create" => self.made.push(room),
            "room::enter" if self.left.get(&room).is_none_or(|left| *left < id) => {
                self.leave(&room);
                self.rooms.insert(room, BTreeSet::new());
            }
            _ => {}
        }
    }

    /// A push; what it says of a room that the terminal has left meanwhile is old.
    pub(crate) fn hear(
        &mut self,
        signal: &str,
        body: &Value,
        complaints: &mut Complaints,
        who: &TerminalName,
    ) {
        let Some(room) = body["roomId"].as_str() else { return };
        let client = || body["clientId"].as_str().map(str::to_owned);
        let Some(members) = self.rooms.get_mut(room) else { return };
        match signal {
            "room::enter" => members.extend(client()),
            "room::leave" => drop(client().map(|client| members.remove(&client))),
            "room::client::list" => {
                let clients = body["clients"].as_array().into_iter().flatten();
                *members =
                    clients.filter_map(|client| client["clientId"].as_str().map(str::to_owned)).collect();
            }
            "room::close" | "room::create" => self.leave(room),
            "room::broadcast" => self.judge(room, body, complaints, who),
            _ => {}
        }
    }

    fn judge(&mut self, room: &str, body: &Value, complaints: &mut Complaints, who: &TerminalName) {
        let (from, number) =
            (body["from"].as_str().unwrap_or_default(), body["number"].as_u64().unwrap_or_default());
        let last = self.heard.entry((room.to_owned(), from.to_owned())).or_default();
        if number <= *last {
            complaints.push(format!("I3, I4: {who} heard {from} say {number} after {last} in room {room}"));
        }
        *last = number;
    }
}

impl Client {
    fn say_in_room(&mut self, room: &str, lifetime: u64) -> String {
        self.meetings.said += 1;
        let from = format!("{}#{lifetime}", self.name);
        let body = json!({ "roomId": room, "from": from, "number": self.meetings.said });
        self.push("room::broadcast", body)
    }
}

/// One thing that a terminal might do about rooms.
pub(crate) fn meet(world: &mut World, index: ClientIndex) {
    let made: Vec<String> = world.clients[index.0].meetings.made.drain(..).collect();
    world.rooms.extend(made);
    let excess = world.rooms.len().saturating_sub(ROOMS_MAX);
    world.rooms.drain(..excess);
    let (now, dice) = (world.now, world.rng.u32(0..100));
    let known = (!world.rooms.is_empty()).then(|| world.rooms[world.rng.usize(0..world.rooms.len())].clone());
    let lifetime = world.client(index).at.map_or(0, |(_, conn)| conn.0);
    let client = &mut world.clients[index.0];
    let own = client.meetings.rooms.keys().next_back().cloned();
    let text = match (dice, known, own) {
        (0..6, _, _) | (_, None, _) => client.request(now, "room::create", json!({ "name": "n" })),
        (6..40, Some(room), _) => {
            let capabilities = json!({ "codecs": [] });
            client.request(now, "room::enter", json!({ "roomId": room, "rtpCapabilities": capabilities }))
        }
        (40..55, _, Some(room)) => {
            client.meetings.leave(&room);
            client.studio.leave(&room);
            let text = client.push("room::leave", json!({ "roomId": room }));
            client.meetings.left.insert(room, client.next_id);
            text
        }
        (55..58, _, Some(room)) => client.push("room::close", json!({ "roomId": room })),
        (58..78, _, Some(room)) => match client.equip(now, &room) {
            Some(text) => text,
            None => return,
        },
        (78..81, _, Some(room)) => match client.hush(&room) {
            Some(text) => text,
            None => return,
        },
        (_, _, Some(room)) => client.say_in_room(&room, lifetime),
        _ => return,
    };
    world.say(index, text);
}

/// When it is quiet: everybody who believes to be in a room is, nobody else is, and all see the same members.
pub(crate) fn everybody_agrees_who_meets(world: &World) -> Vec<String> {
    let mut hosted: BTreeMap<String, BTreeSet<TerminalName>> = BTreeMap::new();
    for node in world.topology().nodes().iter().filter_map(|node| world.node(node.id)) {
        hosted.extend(node.terminals().rooms().map(|room| (room.id, room.members)));
    }
    let mut wrong = Vec::new();
    for client in world.clients.iter().filter(|client| client.is_registered) {
        for (room, seen) in &client.meetings.rooms {
            let nobody = BTreeSet::new();
            let members = hosted.get(room).unwrap_or(&nobody);
            let shown = |name: &TerminalName| match *name == client.name {
                true => client.written.clone(),
                false => name.seen_from(&client.name.partition),
            };
            let expected: BTreeSet<String> = members.iter().map(shown).collect();
            if !members.contains(&client.name) {
                wrong.push(format!(
                    "{} believes to be in room {room}, whose members are {members:?}",
                    client.name
                ));
            } else if *seen != expected {
                wrong.push(format!("{} sees {seen:?} in room {room}, there are {expected:?}", client.name));
            }
        }
    }
    for (room, members) in &hosted {
        for member in members {
            let is_there = world.clients.iter().any(|client| {
                client.name == *member && client.is_registered && client.meetings.rooms.contains_key(room)
            });
            if !is_there {
                wrong.push(format!("room {room} has the phantom member {member}"));
            }
        }
    }
    wrong
}
