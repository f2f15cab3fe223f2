//! Whose presence the terminals of this node follow, and who is known to be present elsewhere.

use std::collections::{BTreeMap, BTreeSet};

use taoyao_types::{
    ClientId, ConnId, NodeId, PartitionId, PartitionName, SessionEpoch, TerminalName, limits,
};
use taoyao_wire::link::{ListEntry, PresenceChange, PresenceNews};

/// Places that one terminal is remembered at: where it is, where it was, and one more for a traveller.
const PLACES_MAX: usize = 3;

/// Invariants: a partition is known exactly while somebody follows it (up to [`Watch::settle`]); both follower maps
/// name the same pairs; a terminal is shown at one origin only, the one of its newest session.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    followers: BTreeMap<PartitionName, BTreeSet<ConnId>>,
    followed: BTreeMap<ConnId, BTreeSet<PartitionName>>,
    known: BTreeMap<PartitionName, Known>,
    /// What the mesh was told last.
    told: BTreeSet<PartitionId>,
    changed: bool,
}

/// The terminals of one partition that are connected to other nodes.
#[derive(Debug, Default)]
struct Known {
    members: BTreeMap<ClientId, Places>,
    /// Origins whose members have been named completely once.
    complete: BTreeSet<NodeId>,
    /// Terminals have seen the whole list, so that whoever a first complete naming adds is news to them.
    listed_whole: bool,
}

/// Where a terminal is said to be, newest session first; never empty. One that moved is heard of from both places for
/// a while, in any order, and where clocks disagree the older session may be the one that stays.
#[derive(Debug, Clone)]
struct Places(Vec<Member>);

#[derive(Debug, Clone)]
struct Member {
    origin: NodeId,
    session: SessionEpoch,
    /// As it was when it came; none of one that is only known to have gone there.
    state: Option<String>,
}

/// What followers are to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Seen {
    Came { client: ClientId, state: String },
    Went { client: ClientId },
}

/// What became of one piece of news.
#[derive(Debug, Default)]
pub(crate) struct Taken {
    pub(crate) seen: Vec<Seen>,
    /// Members that were too many to remember.
    pub(crate) dropped: u64,
}

impl Watch {
    pub(crate) fn follow(&mut self, conn: ConnId, partition: &PartitionName) {
        if !self.followed.entry(conn).or_default().insert(partition.clone()) {
            return;
        }
        self.followers.entry(partition.clone()).or_default().insert(conn);
        if !self.known.contains_key(partition) {
            self.known.insert(partition.clone(), Known::default());
            self.changed = true;
        }
    }

    /// Ends all that this connection followed.
    pub(crate) fn unfollow(&mut self, conn: ConnId) {
        for partition in self.followed.remove(&conn).unwrap_or_default() {
            let Some(followers) = self.followers.get_mut(&partition) else { continue };
            followers.remove(&conn);
            if followers.is_empty() {
                self.followers.remove(&partition);
                self.changed = true;
            }
        }
    }

    pub(crate) fn followers(&self, partition: &PartitionName) -> impl Iterator<Item = ConnId> {
        self.followers.get(partition).into_iter().flatten().copied()
    }

    /// Forgets what nobody follows any more. The complete set of followed partitions if it is another than before.
    pub(crate) fn settle(&mut self) -> Option<BTreeSet<PartitionId>> {
        if !std::mem::take(&mut self.changed) {
            return None;
        }
        let Self { known, followers, .. } = self;
        known.retain(|partition, _| followers.contains_key(partition));
        let now: BTreeSet<PartitionId> = known.keys().map(PartitionId::of).collect();
        if now == self.told {
            return None;
        }
        self.told.clone_from(&now);
        Some(now)
    }

    pub(crate) fn partitions(&self) -> usize {
        self.followers.len()
    }

    /// A list has shown these terminals elsewhere. `whole`: it left nobody of the partition out. Returns those that
    /// nobody here knew of: they are news to whoever follows besides the one who listed.
    pub(crate) fn listed<'a>(
        &mut self,
        partition: &PartitionName,
        entries: impl Iterator<Item = &'a ListEntry>,
        whole: bool,
    ) -> Vec<ClientId> {
        let mut news = Vec::new();
        let Some(known) = self.known.get_mut(partition) else { return news };
        known.listed_whole |= whole;
        for ListEntry { name: TerminalName { client, .. }, origin, session, state } in entries {
            // A complete naming and the changes since know better than a list that was on its way meanwhile.
            if known.complete.contains(origin) {
                continue;
            }
            let member = Member { origin: *origin, session: *session, state: Some(state.clone()) };
            if matches!(known.put(client, member), Put::Newest) {
                news.push(client.clone());
            }
        }
        news
    }

    /// Puts a list right by what is known: it may have been on its way while news came, and a node that could not be
    /// asked has not lost its terminals. So a list agrees with the announcements before and after it.
    pub(crate) fn correct(&self, entries: &mut Vec<ListEntry>, is_listed: impl Fn(&PartitionName) -> bool) {
        entries.retain(|entry| {
            let Some(known) = self.known.get(&entry.name.partition) else { return true };
            !known.complete.contains(&entry.origin) || known.members.contains_key(&entry.name.client)
        });
        let named: BTreeSet<TerminalName> = entries.iter().map(|entry| entry.name.clone()).collect();
        for (partition, known) in self.known.iter().filter(|(partition, _)| is_listed(partition)) {
            for (client, places) in &known.members {
                let name = TerminalName { partition: partition.clone(), client: client.clone() };
                let Some(Member { origin, session, state: Some(state) }) = places.shown() else { continue };
                if !named.contains(&name) {
                    entries.push(ListEntry {
                        name,
                        origin: *origin,
                        session: *session,
                        state: state.clone(),
                    });
                }
            }
        }
    }

    /// Takes in what another node says about its terminals. `local` is the session of one that is connected here.
    pub(crate) fn take(
        &mut self,
        news: PresenceNews,
        local: impl Fn(&ClientId) -> Option<SessionEpoch>,
    ) -> Taken {
        let PresenceNews { partition, origin, complete, changes } = news;
        let mut taken = Taken::default();
        let Some(known) = self.known.get_mut(&partition) else { return taken };
        let first = complete && !known.complete.contains(&origin);
        let silent = first && !known.listed_whole;
        let present: BTreeSet<ClientId> = changes
            .iter()
            .filter(|change| change.state.is_some())
            .map(|change| change.client.clone())
            .collect();
        for PresenceChange { client, session, state } in changes {
            let is_local = local(&client).is_some_and(|own| own >= session);
            let seen = match state {
                Some(_) if is_local => None,
                Some(state) => {
                    known.came(client, Member { origin, session, state: Some(state) }, &mut taken.dropped)
                }
                None => known.went(client, origin, session),
            };
            let hushed = silent && matches!(seen, Some(Seen::Came { .. }));
            taken.seen.extend(seen.filter(|_| !hushed));
        }
        if complete {
            known.complete.insert(origin);
            taken.seen.extend(known.gone(origin, &present));
        }
        taken
    }

    /// All terminals of a node are gone.
    pub(crate) fn lost(&mut self, origin: NodeId) -> Vec<(PartitionName, Seen)> {
        let mut gone = Vec::new();
        for (partition, known) in &mut self.known {
            known.complete.remove(&origin);
            let seen = known.gone(origin, &BTreeSet::new());
            gone.extend(seen.into_iter().map(|seen| (partition.clone(), seen)));
        }
        gone
    }

    /// A terminal has logged in here. Where it was before, its end is not to be announced; its last session there.
    pub(crate) fn came_here(&mut self, name: &TerminalName) -> Option<SessionEpoch> {
        let places = self.known.get_mut(&name.partition)?.members.remove(&name.client)?;
        places.shown().map(|member| member.session)
    }

    /// A terminal of this node lives on at `origin`; followers will hear from there.
    pub(crate) fn went_there(&mut self, name: &TerminalName, origin: NodeId, session: SessionEpoch) {
        if let Some(known) = self.known.get_mut(&name.partition) {
            let unseen = Member { origin, session, state: None };
            known.members.entry(name.client.clone()).or_insert(Places(vec![unseen]));
        }
    }
}

/// What putting a member in has changed.
enum Put {
    /// The terminal is now shown by this session.
    Newest,
    /// It is known already, or a newer session is shown.
    Behind,
    /// There are too many members.
    Full,
}

impl Known {
    fn put(&mut self, client: &ClientId, member: Member) -> Put {
        if let Some(places) = self.members.get_mut(client) {
            return if places.put(member) { Put::Newest } else { Put::Behind };
        }
        if self.members.len() >= limits::PRESENCE_MEMBERS_MAX {
            return Put::Full;
        }
        self.members.insert(client.clone(), Places(vec![member]));
        Put::Newest
    }

    fn came(&mut self, client: ClientId, member: Member, dropped: &mut u64) -> Option<Seen> {
        let state = member.state.clone()?;
        match self.put(&client, member) {
            Put::Newest => Some(Seen::Came { client, state }),
            Put::Behind => None,
            Put::Full => {
                *dropped += 1;
                None
            }
        }
    }

    /// A session has ended, and with it all older ones of the terminal wherever they were: they had been displaced.
    /// Two nodes may have numbered a session alike; each ends its own.
    fn went(&mut self, client: ClientId, origin: NodeId, session: SessionEpoch) -> Option<Seen> {
        let places = self.members.get_mut(&client)?;
        places.0.retain(|member| {
            member.session > session || member.session == session && member.origin != origin
        });
        if !places.0.is_empty() {
            return None;
        }
        self.members.remove(&client);
        Some(Seen::Went { client })
    }

    /// All terminals of `origin` but those `present` are gone from there.
    fn gone(&mut self, origin: NodeId, present: &BTreeSet<ClientId>) -> Vec<Seen> {
        let gone = self.members.extract_if(.., |client, places| {
            if !present.contains(client) {
                places.0.retain(|member| member.origin != origin);
            }
            places.0.is_empty()
        });
        gone.map(|(client, _)| Seen::Went { client }).collect()
    }
}

impl Places {
    fn shown(&self) -> Option<&Member> {
        self.0.first()
    }

    /// Notes where the terminal is said to be; true if that is now the newest.
    fn put(&mut self, member: Member) -> bool {
        let known = self.0.iter().position(|place| place.origin == member.origin);
        if known.is_some_and(|index| self.0[index].session >= member.session) {
            return false;
        }
        if let Some(index) = known {
            self.0.remove(index);
        }
        let index = self.0.partition_point(|place| place.session >= member.session);
        self.0.insert(index, member);
        self.0.truncate(PLACES_MAX);
        index == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: NodeId = NodeId(1);
    const B: NodeId = NodeId(2);

    fn cn() -> PartitionName {
        "cn".parse().unwrap()
    }

    fn watching() -> Watch {
        let mut watch = Watch::default();
        watch.follow(ConnId(1), &cn());
        watch
    }

    /// `+x1` is terminal x with session 1, `-x1` its end.
    fn news(origin: NodeId, complete: bool, changes: &[&str]) -> PresenceNews {
        let change = |text: &&str| PresenceChange {
            client: text[1..2].parse().unwrap(),
            session: SessionEpoch(text[2..].parse().unwrap()),
            state: text.starts_with('+').then(|| "{}".to_owned()),
        };
        PresenceNews { partition: cn(), origin, complete, changes: changes.iter().map(change).collect() }
    }

    fn entry(client: &str, origin: NodeId, session: u64) -> ListEntry {
        let name = format!("{client}@cn").parse().unwrap();
        ListEntry { name, origin, session: SessionEpoch(session), state: "{}".to_owned() }
    }

    #[test]
    fn a_list_that_was_on_its_way_is_put_right_by_the_news_since() {
        let mut watch = watching();
        take(&mut watch, news(A, true, &["+x1", "+y1"]));
        take(&mut watch, news(A, false, &["-x1"]));
        let mut entries = vec![entry("x", A, 1), entry("z", B, 1)];
        watch.correct(&mut entries, |_| true);
        let names: Vec<_> = entries.iter().map(|entry| entry.name.to_string()).collect();
        assert_eq!(names, ["z@cn", "y@cn"], "x has left, y could not be asked, nothing is known of B");
    }

    fn take(watch: &mut Watch, news: PresenceNews) -> Vec<String> {
        let taken = watch.take(news, |_| None);
        let text = |seen: Seen| match seen {
            Seen::Came { client, .. } => format!("+{client}"),
            Seen::Went { client } => format!("-{client}"),
        };
        taken.seen.into_iter().map(text).collect()
    }

    #[test]
    fn each_session_is_announced_once_and_only_its_own_end_ends_it() {
        let mut watch = watching();
        assert_eq!(take(&mut watch, news(A, false, &["+x2"])), ["+x"]);
        assert!(take(&mut watch, news(A, false, &["+x2", "+x1", "-x1"])).is_empty());
        assert_eq!(take(&mut watch, news(B, false, &["+x3"])), ["+x"], "it moved");
        assert!(take(&mut watch, news(A, false, &["-x2"])).is_empty(), "the old place ends late");
        assert!(take(&mut watch, news(A, true, &[])).is_empty());
        assert_eq!(take(&mut watch, news(B, false, &["-x3"])), ["-x"]);
        assert!(take(&mut watch, news(B, false, &["-x3"])).is_empty());
    }

    #[test]
    fn an_older_session_that_stays_behind_is_still_present() {
        let mut watch = watching();
        assert_eq!(take(&mut watch, news(A, false, &["+x9"])), ["+x"]);
        assert!(take(&mut watch, news(B, false, &["+x5"])).is_empty(), "B's clock is behind");
        assert!(take(&mut watch, news(A, true, &[])).is_empty(), "A restarted, but x is at B");
        assert_eq!(take(&mut watch, news(B, false, &["-x5"])), ["-x"]);
    }

    #[test]
    fn of_two_sessions_numbered_alike_the_end_of_one_leaves_the_other() {
        let mut watch = watching();
        assert_eq!(take(&mut watch, news(A, false, &["+x5"])), ["+x"]);
        take(&mut watch, news(B, false, &["+x5"]));
        assert!(take(&mut watch, news(B, false, &["-x5"])).is_empty());
        assert_eq!(take(&mut watch, news(A, false, &["-x5"])), ["-x"]);
    }

    #[test]
    fn a_first_complete_naming_is_silent_unless_the_whole_list_was_seen() {
        let mut watch = watching();
        assert!(take(&mut watch, news(A, true, &["+x1", "+y1"])).is_empty());
        assert_eq!(take(&mut watch, news(A, true, &["+y1", "+z1"])), ["+z", "-x"]);

        let mut watch = watching();
        let listed = ["x", "y"].map(|client| entry(client, A, 1));
        watch.listed(&cn(), listed.iter(), true);
        assert_eq!(take(&mut watch, news(A, true, &["+y1", "+z1"])), ["+z", "-x"]);
    }

    #[test]
    fn a_lost_node_takes_its_terminals_along() {
        let mut watch = watching();
        take(&mut watch, news(A, false, &["+x1", "+y1"]));
        take(&mut watch, news(B, false, &["+y2"]));
        let lost = watch.lost(A);
        assert_eq!(lost, [(cn(), Seen::Went { client: "x".parse().unwrap() })]);
        assert!(watch.lost(A).is_empty());
    }

    #[test]
    fn what_moved_here_is_not_announced_from_there() {
        let mut watch = watching();
        take(&mut watch, news(A, false, &["+x5"]));
        assert_eq!(watch.came_here(&"x@cn".parse().unwrap()), Some(SessionEpoch(5)));
        assert!(take(&mut watch, news(A, true, &[])).is_empty());
        let stale = watch.take(news(A, false, &["+x5"]), |_| Some(SessionEpoch(6)));
        assert!(stale.seen.is_empty());
    }

    #[test]
    fn what_moved_away_is_heard_of_from_there() {
        let mut watch = watching();
        watch.went_there(&"x@cn".parse().unwrap(), A, SessionEpoch(4));
        assert_eq!(take(&mut watch, news(A, false, &["+x5"])), ["+x"]);
        assert_eq!(watch.lost(A).len(), 1);
    }

    #[test]
    fn the_mesh_is_told_changes_of_the_set_only() {
        let mut watch = watching();
        watch.follow(ConnId(2), &cn());
        assert_eq!(watch.settle(), Some(BTreeSet::from([PartitionId::of(&cn())])));
        watch.unfollow(ConnId(1));
        assert_eq!(watch.settle(), None);
        watch.unfollow(ConnId(2));
        watch.follow(ConnId(3), &cn());
        assert_eq!(watch.settle(), None, "a replaced follower is no change");
        watch.unfollow(ConnId(3));
        assert_eq!(watch.settle(), Some(BTreeSet::new()));
    }

    #[test]
    fn members_beyond_the_bound_are_counted_and_not_announced() {
        let mut watch = watching();
        let change = |n: usize| PresenceChange {
            client: n.to_string().parse().unwrap(),
            session: SessionEpoch(1),
            state: Some("{}".into()),
        };
        let changes = (0..limits::PRESENCE_MEMBERS_MAX + 3).map(change).collect();
        let news = PresenceNews { partition: cn(), origin: A, complete: false, changes };
        let taken = watch.take(news, |_| None);
        assert_eq!((taken.seen.len(), taken.dropped), (limits::PRESENCE_MEMBERS_MAX, 3));
    }
}
