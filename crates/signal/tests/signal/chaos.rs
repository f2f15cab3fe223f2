//! Random lives of terminals on three nodes: whatever happens, each knows in the end who is there.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Value, json};
use taoyao_types::{PartitionName, TerminalName};

use crate::world::{Line, World, registration};

const NODES: [&str; 3] = ["cn", "cn/east", "cn/west"];
const PARTITIONS: [&str; 3] = ["cn", "east.cn", "west.cn"];

struct Chaos {
    world: World,
    seed: u64,
    seen: BTreeMap<Line, Viewer>,
    sessions: Vec<String>,
}

/// What one terminal believes.
struct Viewer {
    name: TerminalName,
    present: BTreeSet<TerminalName>,
}

#[test]
fn everybody_knows_in_the_end_who_is_there() {
    for seed in 0..60 {
        let world = World::new(&NODES);
        let mut chaos = Chaos { world, seed, seen: BTreeMap::new(), sessions: vec!["none".into()] };
        for _ in 0..80 {
            chaos.step();
            chaos.hear();
        }
        chaos.world.pass(Duration::from_secs(20));
        chaos.hear();
        chaos.compare(seed);
        chaos.end(seed);
    }
}

impl Chaos {
    fn pick(&mut self, choices: usize) -> usize {
        self.seed = self.seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.seed >> 33) as usize % choices
    }

    fn someone(&mut self) -> Option<Line> {
        let lines: Vec<Line> = self.seen.keys().copied().collect();
        if lines.is_empty() { None } else { Some(lines[self.pick(lines.len())]) }
    }

    fn a_name(&mut self) -> String {
        let (client, partition) = (self.pick(4), self.pick(PARTITIONS.len()));
        format!("t{client}@{}", PARTITIONS[partition])
    }

    fn step(&mut self) {
        match self.pick(10) {
            0..3 => self.arrive(),
            3 => {
                if let Some(line) = self.someone() {
                    self.world.hang_up(line);
                    self.seen.remove(&line);
                }
            }
            4 => {
                let span = self.pick(3_000) as u64;
                self.world.pass(Duration::from_millis(span));
            }
            _ => self.speak(),
        }
    }

    /// Any node takes its own partition's terminals, and the first takes all: terminals roam and meet themselves.
    fn arrive(&mut self) {
        let (node, name) = (self.pick(NODES.len()), self.a_name());
        let at = if name.ends_with(&format!("@{}", PARTITIONS[node])) { node } else { 0 };
        let line = self.world.connect(at);
        self.seen.insert(line, Viewer { name: name.parse().unwrap(), present: BTreeSet::new() });
        self.world.send(line, 1, "client::register", registration(&name));
        self.world.send(line, 2, "client::list", json!({}));
    }

    fn speak(&mut self) {
        let Some(line) = self.someone() else { return };
        let name = self.a_name();
        let place = self.pick(self.sessions.len());
        let session = self.sessions[place].clone();
        let (signal, body) = match self.pick(9) {
            0 => ("session::call", json!({"clientId": name})),
            1 => ("session::exchange", json!({"sessionId": session, "type": "offer"})),
            2 => ("session::close", json!({"sessionId": session})),
            3 => ("client::unicast", json!({"to": name})),
            4 => ("client::broadcast", json!({})),
            5 => ("client::status", json!({"clientId": name})),
            6 => ("client::heartbeat", json!({"battery": "x"})),
            7 => ("client::nonsense", json!(null)),
            _ => ("client::register", json!({"clientId": 7, "clientType": "toaster"})),
        };
        self.world.send(line, 3, signal, body);
    }

    /// Everybody takes in what it is told.
    fn hear(&mut self) {
        let lines: Vec<Line> = self.seen.keys().copied().collect();
        for line in lines {
            for message in self.world.hear(line) {
                self.take_in(line, &message);
            }
            if self.world.closed(line).is_some() {
                self.seen.remove(&line);
            }
        }
    }

    fn take_in(&mut self, line: Line, message: &Value) {
        let body = &message["body"];
        if let Some(session) = body["sessionId"].as_str() {
            self.sessions.push(session.to_owned());
        }
        let Some(viewer) = self.seen.get_mut(&line) else { return };
        let home = viewer.name.partition.clone();
        let named = |body: &Value| full(body["clientId"].as_str().unwrap(), &home);
        match message["header"]["signal"].as_str().unwrap() {
            "client::list" => viewer.present = body.as_array().unwrap().iter().map(named).collect(),
            "client::online" => drop(viewer.present.insert(named(body))),
            "client::offline" => drop(viewer.present.remove(&named(body))),
            _ => {}
        }
    }

    fn compare(&self, seed: u64) {
        let there: BTreeSet<TerminalName> = self.seen.values().map(|viewer| viewer.name.clone()).collect();
        for (line, viewer) in &self.seen {
            assert_eq!(viewer.present, there, "{line:?}, {:?}, seed {seed}", viewer.name);
        }
    }

    fn end(&mut self, seed: u64) {
        for line in std::mem::take(&mut self.seen).into_keys() {
            self.world.hang_up(line);
        }
        self.world.pass(Duration::from_secs(400));
        for node in &self.world.nodes {
            let stats = node.stats();
            let left = [stats.registered, stats.session_ends, stats.asks_open, stats.partitions_watched];
            assert_eq!((left, node.poll_timeout()), ([0; 4], None), "seed {seed}");
        }
    }
}

fn full(shown: &str, home: &PartitionName) -> TerminalName {
    TerminalName::resolve(shown, home).unwrap()
}
