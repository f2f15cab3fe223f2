//! Whose presence the terminals of this node follow, and who is known to be present elsewhere.

use std::collections::{BTreeMap, BTreeSet};

use taoyao_types::{
    ClientId, ConnId, NodeEpoch, NodeId, PartitionId, PartitionName, SessionEpoch, TerminalName,
};
use taoyao_wire::link::{ListEntry, PresenceChange, PresenceNews};

use crate::known::{Heard, Known, Member, Seen};

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
        for ListEntry { name: TerminalName { client, .. }, origin, life, session, state } in entries {
            // A complete naming and the changes since know better than a list that was on its way meanwhile.
            if known.is_complete(*origin) {
                continue;
            }
            let (heard, state) = (Heard::List { life: *life }, Some(state.clone()));
            if known.is_news(client, Member { origin: *origin, session: *session, heard, state }) {
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
            !known.is_complete(entry.origin) || known.has(&entry.name.client)
        });
        let named: BTreeSet<TerminalName> = entries.iter().map(|entry| entry.name.clone()).collect();
        for (partition, known) in self.known.iter().filter(|(partition, _)| is_listed(partition)) {
            for (client, Member { origin, session, state, .. }) in known.shown() {
                let name = TerminalName { partition: partition.clone(), client: client.clone() };
                let Some(state) = state.clone().filter(|_| !named.contains(&name)) else { continue };
                // Nobody judges by the life of an entry that comes from here.
                let (origin, life, session) = (*origin, NodeEpoch(0), *session);
                entries.push(ListEntry { name, origin, life, session, state });
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
        // Whom a node names for the first time is no news, unless terminals have seen the whole list without it.
        let is_silent = complete.is_some() && !known.is_complete(origin) && !known.listed_whole;
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
                    let member = Member { origin, session, heard: Heard::News, state: Some(state) };
                    known.came(client, member, &mut taken.dropped)
                }
                None => known.went(client, origin, session),
            };
            let is_hushed = is_silent && matches!(seen, Some(Seen::Came { .. }));
            taken.seen.extend(seen.filter(|_| !is_hushed));
        }
        if let Some(complete) = complete {
            taken.seen.extend(known.gone(origin, &complete, &present));
            known.name_completely(origin, complete);
        }
        taken
    }

    /// All terminals of a node are gone.
    pub(crate) fn lost(&mut self, origin: NodeId) -> Vec<(PartitionName, Seen)> {
        let mut gone = Vec::new();
        for (partition, known) in &mut self.known {
            let seen = known.lost(origin);
            gone.extend(seen.into_iter().map(|seen| (partition.clone(), seen)));
        }
        gone
    }

    /// A terminal has logged in here. Where it was before, its end is not to be announced; its last session there.
    pub(crate) fn came_here(&mut self, name: &TerminalName) -> Option<SessionEpoch> {
        self.known.get_mut(&name.partition)?.forget(&name.client)
    }

    /// A terminal of this node lives on at `origin`; followers will hear from there.
    pub(crate) fn went_there(&mut self, name: &TerminalName, origin: NodeId, session: SessionEpoch) {
        if let Some(known) = self.known.get_mut(&name.partition) {
            known.expect(&name.client, Member { origin, session, heard: Heard::News, state: None });
        }
    }
}

#[cfg(test)]
mod tests {
    use taoyao_types::limits;
    use taoyao_wire::link::Complete;

    use super::*;

    const A: NodeId = NodeId(1);
    const B: NodeId = NodeId(2);
    const LIFE: NodeEpoch = NodeEpoch(7);

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
        range(origin, complete.then(Complete::lost), changes)
    }

    fn range(origin: NodeId, complete: Option<Complete>, changes: &[&str]) -> PresenceNews {
        let change = |text: &&str| PresenceChange {
            client: text[1..2].parse().unwrap(),
            session: SessionEpoch(text[2..].parse().unwrap()),
            state: text.starts_with('+').then(|| "{}".to_owned()),
        };
        PresenceNews { partition: cn(), origin, complete, changes: changes.iter().map(change).collect() }
    }

    fn entry(client: &str, origin: NodeId, session: u64) -> ListEntry {
        let name = format!("{client}@cn").parse().unwrap();
        ListEntry { name, origin, life: LIFE, session: SessionEpoch(session), state: "{}".to_owned() }
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
    fn a_list_that_overtook_an_older_naming_is_not_taken_back_by_it() {
        let mut watch = watching();
        let listed = [entry("x", A, 5), entry("y", A, 3), entry("z", A, 3)];
        watch.listed(&cn(), listed.iter(), true);
        let as_of = |life, session| Complete { life, newest: SessionEpoch(session), ..Complete::lost() };
        let older = range(A, Some(as_of(LIFE, 4)), &["+z3"]);
        assert_eq!(take(&mut watch, older), ["-y"], "x came after it, y has left since");
        assert!(take(&mut watch, news(A, false, &["+x5"])).is_empty(), "known from the list");
        assert_eq!(take(&mut watch, range(A, Some(as_of(LIFE, 4)), &["+z3"])), ["-x"], "known from A itself");

        let mut watch = watching();
        watch.listed(&cn(), listed.iter(), true);
        let anew = range(A, Some(as_of(NodeEpoch(LIFE.0 + 1), 0)), &[]);
        assert_eq!(take(&mut watch, anew), ["-x", "-y", "-z"], "A has begun a new life");
    }

    #[test]
    fn each_range_of_a_long_naming_is_true_by_itself() {
        let id = |text: &str| Some(text.parse().unwrap());
        let lower = || Some(Complete { until: id("m"), ..Complete::lost() });
        let upper = || Some(Complete { after: id("m"), ..Complete::lost() });
        let mut watch = watching();
        assert!(take(&mut watch, range(A, lower(), &["+a1", "+m1"])).is_empty());
        assert!(take(&mut watch, range(A, upper(), &["+n1"])).is_empty(), "the first naming goes on");
        assert_eq!(take(&mut watch, news(A, false, &["-a1", "+z1"])), ["-a", "+z"]);
        assert_eq!(
            take(&mut watch, range(A, upper(), &["+o1", "+z1"])),
            ["+o", "-n"],
            "the lower range was lost"
        );
        assert_eq!(take(&mut watch, range(A, lower(), &["+m1"])), [""; 0], "a has left already");
    }

    #[test]
    fn behind_a_lost_range_a_first_naming_is_not_complete() {
        let mut watch = watching();
        let upper = Complete { after: Some("m".parse().unwrap()), ..Complete::lost() };
        take(&mut watch, range(A, Some(upper), &["+n1"]));
        let mut entries = vec![entry("a", A, 1)];
        watch.correct(&mut entries, |_| true);
        assert_eq!(entries.len(), 2, "a is shown, although A has not named it");
        watch.listed(&cn(), entries.iter(), true);
        assert_eq!(take(&mut watch, news(A, true, &["+a1"])), ["-n"]);
    }

    #[test]
    fn one_that_went_elsewhere_is_news_from_there_also_under_the_same_number() {
        for session in [5, 6] {
            let mut watch = watching();
            watch.went_there(&"x@cn".parse().unwrap(), A, SessionEpoch(5));
            assert_eq!(take(&mut watch, news(A, false, &[&format!("+x{session}")])), ["+x"]);
            assert!(take(&mut watch, news(A, true, &[&format!("+x{session}")])).is_empty(), "once");
            assert_eq!(take(&mut watch, news(A, false, &[&format!("-x{session}")])), ["-x"]);
        }
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
        let news = PresenceNews { partition: cn(), origin: A, complete: None, changes };
        let taken = watch.take(news, |_| None);
        assert_eq!((taken.seen.len(), taken.dropped), (limits::PRESENCE_MEMBERS_MAX, 3));
    }
}
