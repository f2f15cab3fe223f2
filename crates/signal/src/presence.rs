//! `client::online` and `client::offline`: of this node's terminals to the mesh, and of all to this node's terminals.

use std::collections::BTreeMap;

use taoyao_types::{ConnId, NodeId, Now, PartitionId, PartitionName, TerminalName};
use taoyao_wire::link::{PresenceChange, PresenceNews};
use taoyao_wire::signals::Signal;
use taoyao_wire::terminal::{client, state};

use crate::announcer::News;
use crate::io::Output;
use crate::known::Seen;
use crate::terminal::Terminal;
use crate::terminals::Terminals;

impl Terminals {
    /// A terminal has registered: it follows its own partition, and the others learn of it.
    pub(crate) fn come(&mut self, conn: ConnId) {
        let Some(terminal) = self.registry.terminal(conn) else { return };
        self.watch.follow(conn, terminal.partition());
        self.announcer
            .add(terminal.name.clone(), News::Online { state: terminal.state.to_json(), proxy: false });
        self.publish_presence(conn);
    }

    /// A terminal of this node has turned out to be the newer one after all: whoever was told that it is elsewhere is
    /// told again.
    pub(crate) fn stay(&mut self, conn: ConnId) {
        let Some(terminal) = self.registry.terminal(conn) else { return };
        if self.watch.came_here(&terminal.name).is_some() {
            let news = News::Online { state: terminal.state.to_json(), proxy: false };
            self.announcer.add(terminal.name.clone(), news);
        }
        self.publish_presence(conn);
    }

    /// Tells the mesh that a terminal of this node is present.
    pub(crate) fn publish_presence(&mut self, conn: ConnId) {
        let Some(terminal) = self.registry.terminal(conn) else { return };
        let (partition, changes) = (terminal.partition().clone(), vec![present(terminal)]);
        self.outputs.push_back(Output::Publish { partition, changes, complete: false });
    }

    /// Names all members of these partitions to the mesh.
    pub(crate) fn refresh_presence(&mut self, partitions: Vec<PartitionId>) {
        for id in partitions {
            let Some(partition) = self.partitions.get(&id).cloned() else { continue };
            let members = self.registry.members(&partition, None);
            let changes = members.map(|(_, terminal)| present(terminal)).collect();
            self.outputs.push_back(Output::Publish { partition, changes, complete: true });
        }
    }

    /// Another node's terminals have come or gone.
    pub(crate) fn take_presence(&mut self, now: Now, news: PresenceNews) {
        let partition = news.partition.clone();
        let Self { registry, watch, .. } = self;
        let local = |client: &_| {
            let name = TerminalName { partition: partition.clone(), client: Clone::clone(client) };
            registry.by_name(&name).and_then(|conn| registry.terminal(conn)).map(|terminal| terminal.session)
        };
        let taken = watch.take(news, local);
        self.stats.members_dropped += taken.dropped;
        for seen in taken.seen {
            self.pass_on(now, &partition, seen);
        }
    }

    /// All terminals of a node are gone for good.
    pub(crate) fn take_loss(&mut self, now: Now, origin: NodeId) {
        for (partition, seen) in self.watch.lost(origin) {
            self.pass_on(now, &partition, seen);
        }
    }

    fn pass_on(&mut self, now: Now, partition: &PartitionName, seen: Seen) {
        let partition = partition.clone();
        match seen {
            Seen::Came { client, state } => {
                self.announcer.add(TerminalName { partition, client }, News::Online { state, proxy: true });
            }
            Seen::Went { client } => {
                let name = TerminalName { partition, client };
                // News from where it was before: it is here now.
                if self.registry.by_name(&name).is_some() {
                    return;
                }
                self.close_sessions_with(now, &name);
                self.announcer.add(name, News::Offline);
            }
        }
    }

    /// Announces what the budget allows now.
    pub(crate) fn announce_waiting(&mut self, now: Now) {
        if self.asks.are_parting() {
            return;
        }
        while let Some(name) = self.announcer.first(now.mono) {
            let followers: Vec<ConnId> = self.watch.followers(&name.partition).collect();
            let cost = u32::try_from(followers.len()).unwrap_or(u32::MAX);
            let Some((name, news)) = self.announcer.next(now.mono, cost) else { return };
            self.announce(now, &name, &news, followers);
        }
    }

    /// One message text serves all followers of one partition: they see the terminal under the same id.
    fn announce(&mut self, now: Now, name: &TerminalName, news: &News, followers: Vec<ConnId>) {
        let mut texts: BTreeMap<PartitionName, Option<String>> = BTreeMap::new();
        for conn in followers {
            let Some(viewer) = self.registry.terminal(conn) else { continue };
            if viewer.name == *name {
                continue;
            }
            let viewer = viewer.partition().clone();
            let text = match texts.get(&viewer) {
                Some(text) => text.clone(),
                None => {
                    let text = self.announcement(now, &name.seen_from(&viewer), news);
                    texts.entry(viewer).or_insert(text).clone()
                }
            };
            if let Some(text) = text {
                self.say(conn, text);
            }
        }
    }

    fn announcement(&mut self, now: Now, client_id: &str, news: &News) -> Option<String> {
        match news {
            News::Online { state, proxy } => {
                let body = state::shown(state, client_id, *proxy)?;
                Some(self.pushed(now, Signal::ClientOnline, &body))
            }
            News::Offline => Some(self.pushed(now, Signal::ClientOffline, &client::offline(client_id))),
        }
    }
}

fn present(terminal: &Terminal) -> PresenceChange {
    let Terminal { name, session, state, .. } = terminal;
    PresenceChange { client: name.client.clone(), session: *session, state: Some(state.to_json()) }
}
