//! Terminals on every node of a mesh that talk to each other all the time.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::mesh::Mesh;
use crate::notes::End;
use crate::patience::{settle, until};
use crate::player::Player;

/// Between two things that one terminal does.
const PACE: Duration = Duration::from_millis(200);

/// Two terminals on every node: one of the node's own partition, and on sites one of `mobile.cn`, which the root owns.
pub(crate) struct Crowd {
    pub(crate) players: Vec<Arc<Player>>,
    _lives: JoinSet<()>,
}

/// Terminals in conversation, until it is stopped.
pub(crate) struct Talk {
    stop: watch::Sender<bool>,
    talkers: JoinSet<()>,
}

impl Crowd {
    /// Brings terminals to all nodes of a mesh that is ready.
    pub(crate) fn gather(mesh: &Mesh) -> Self {
        let mut players = Vec::new();
        for place in mesh.places() {
            let home = place.name.default_partition();
            let roams = place.parent.is_some() && !place.has_children;
            let second = if roams { "mobile.cn".to_owned() } else { home.to_string() };
            let names = [format!("one-{}@{home}", place.short), format!("two-{}@{second}", place.short)];
            for name in names {
                let dialler = mesh.dialler().clone();
                let player = Player::new(name.parse().unwrap(), place.name.clone(), place.terminals, dialler);
                players.push(Arc::new(player));
            }
        }
        let mut lives = JoinSet::new();
        players.iter().for_each(|player| drop(lives.spawn(player.clone().live())));
        Self { players, _lives: lives }
    }

    /// Lets all terminals talk but those of `mute`, the short name of a node.
    pub(crate) fn talk(&self, mute: Option<&str>) -> Talk {
        let (stop, stopped) = watch::channel(false);
        let mut talkers = JoinSet::new();
        for (seed, player) in self.players.iter().enumerate() {
            if mute != Some(player.node.short()) {
                talkers.spawn(talk(player.clone(), self.players.clone(), seed as u64, stopped.clone()));
            }
        }
        Talk { stop, talkers }
    }

    /// Every terminal calls every other and sends it a number; all of it arrives.
    pub(crate) async fn assert_all_reach_all(&self) {
        let mut calls = JoinSet::new();
        for player in &self.players {
            calls.spawn(call_all(player.clone(), self.players.clone()));
        }
        settle(&calls.join_all().await.concat());
        let sent: Vec<(String, usize, u64)> =
            self.players.iter().flat_map(|from| self.number_all(from)).collect();
        until("all numbers heard", async || {
            let missing = sent.iter().filter(|(from, to, number)| {
                let last = self.players[*to].noted(|notes| notes.heard.get(from)?.last().copied());
                last.is_none_or(|last| last < *number)
            });
            missing
                .map(|(from, to, number)| format!("{number} of {from} to {}", self.players[*to].name))
                .collect()
        })
        .await;
    }

    /// What the terminals noted and must never have been able to note.
    pub(crate) fn faults(&self) -> Vec<String> {
        let faults = |player: &Arc<Player>| player.noted(|notes| notes.faults(&player.name.to_string()));
        self.players.iter().flat_map(faults).collect()
    }

    /// How many requests ended in such a way.
    pub(crate) fn count(&self, is_wanted: impl Fn(&End) -> bool) -> usize {
        self.players.iter().map(|player| player.noted(|notes| notes.count(&is_wanted))).sum()
    }

    /// Everybody of whom anybody was told to be offline.
    pub(crate) fn told_offline(&self) -> Vec<String> {
        let told = |player: &Arc<Player>| {
            let own = &player.name;
            let all = player.noted(|notes| notes.told_offline.clone()).into_iter();
            all.map(move |(id, at)| {
                format!("{own} was told that {id} is offline, {at:.1?} after it was made")
            })
            .collect::<Vec<_>>()
        };
        self.players.iter().flat_map(told).collect()
    }

    /// Everybody who had to attach again.
    pub(crate) fn thrown_out(&self) -> Vec<String> {
        let again = self.players.iter().filter(|player| player.noted(|notes| notes.registrations > 1));
        again.map(|player| format!("{} lost its connection", player.name)).collect()
    }

    fn number_all(&self, from: &Arc<Player>) -> Vec<(String, usize, u64)> {
        let others = self.players.iter().enumerate().filter(|(_, to)| to.name != from.name);
        others
            .filter_map(|(index, to)| Some((from.name.to_string(), index, from.unicast(&to.name)?)))
            .collect()
    }
}

impl Talk {
    /// Lets everybody finish; requests under way end first.
    pub(crate) async fn stop(mut self) {
        self.stop.send_replace(true);
        while let Some(talker) = self.talkers.join_next().await {
            talker.unwrap();
        }
    }
}

async fn talk(player: Arc<Player>, all: Vec<Arc<Player>>, seed: u64, stopped: watch::Receiver<bool>) {
    let mut dice = fastrand::Rng::with_seed(seed);
    while !*stopped.borrow() {
        sleep(PACE.mul_f64(0.5 + dice.f64())).await;
        let to = &all[dice.usize(..all.len())].name;
        if *to == player.name {
            continue;
        }
        match dice.u8(0..4) {
            0 => drop(player.call(to).await),
            1 => player.look_at(to).await,
            _ => drop(player.unicast(to)),
        }
    }
}

async fn call_all(player: Arc<Player>, all: Vec<Arc<Player>>) -> Vec<String> {
    let mut wrong = Vec::new();
    for to in all.iter().filter(|to| to.name != player.name) {
        let end = player.call(&to.name).await;
        if end != Some(End::Answered) {
            wrong.push(format!("{} calls {}: {end:?}", player.name, to.name));
        }
    }
    wrong
}
