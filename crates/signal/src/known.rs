//! The terminals of one partition that are connected to other nodes, as far as this node has heard.

use std::collections::{BTreeMap, BTreeSet};

use taoyao_types::{ClientId, NodeEpoch, NodeId, SessionEpoch, limits};
use taoyao_wire::link::Complete;

/// Places that one terminal is remembered at: where it is, where it was, and one more for a traveller.
const PLACES_MAX: usize = 3;

/// Invariant: a terminal is shown at one origin only, the one of its newest session.
#[derive(Debug, Default)]
pub(crate) struct Known {
    members: BTreeMap<ClientId, Places>,
    /// How much of its members each origin has named completely.
    named: BTreeMap<NodeId, Named>,
    /// Terminals have seen the whole list, so that whoever a first complete naming adds is news to them.
    pub(crate) listed_whole: bool,
}

/// How far the first complete naming of an origin got, which may come in several ranges.
#[derive(Debug, PartialEq, Eq)]
enum Named {
    Through(ClientId),
    All,
}

/// Where a terminal is said to be, newest session first; never empty. One that moved is heard of from both places for
/// a while, in any order, and where clocks disagree the older session may be the one that stays.
#[derive(Debug, Clone)]
struct Places(Vec<Member>);

#[derive(Debug, Clone)]
pub(crate) struct Member {
    pub(crate) origin: NodeId,
    pub(crate) session: SessionEpoch,
    pub(crate) heard: Heard,
    /// As it was when it came; none of one that is only known to have gone there.
    pub(crate) state: Option<String>,
}

/// Where a member was heard of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Heard {
    /// From its origin; all of an origin's news comes in its order.
    News,
    /// In a list, which may have overtaken older news. The origin was in this life.
    List { life: NodeEpoch },
}

/// What followers are to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Seen {
    Came { client: ClientId, state: String },
    Went { client: ClientId },
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
    /// Whether this origin has named all of its members once.
    pub(crate) fn is_complete(&self, origin: NodeId) -> bool {
        self.named.get(&origin) == Some(&Named::All)
    }

    pub(crate) fn has(&self, client: &ClientId) -> bool {
        self.members.contains_key(client)
    }

    /// Everybody by the newest session.
    pub(crate) fn shown(&self) -> impl Iterator<Item = (&ClientId, &Member)> {
        self.members.iter().filter_map(|(client, places)| Some((client, places.shown()?)))
    }

    /// Takes note of a member without telling it; whether nobody here knew of it.
    pub(crate) fn is_news(&mut self, client: &ClientId, member: Member) -> bool {
        matches!(self.put(client, member), Put::Newest)
    }

    pub(crate) fn came(&mut self, client: ClientId, member: Member, dropped: &mut u64) -> Option<Seen> {
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

    /// Takes note of where an unknown terminal will be heard of.
    pub(crate) fn expect(&mut self, client: &ClientId, member: Member) {
        self.members.entry(client.clone()).or_insert(Places(vec![member]));
    }

    /// Forgets a terminal; its newest session.
    pub(crate) fn forget(&mut self, client: &ClientId) -> Option<SessionEpoch> {
        self.members.remove(client)?.shown().map(|member| member.session)
    }

    /// A session has ended, and with it all older ones of the terminal wherever they were: they had been displaced.
    /// Two nodes may have numbered a session alike; each ends its own.
    pub(crate) fn went(&mut self, client: ClientId, origin: NodeId, session: SessionEpoch) -> Option<Seen> {
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

    /// Those of the origin's terminals of whom a complete naming speaks and who are not `present` are gone from there.
    pub(crate) fn gone(
        &mut self,
        origin: NodeId,
        complete: &Complete,
        present: &BTreeSet<ClientId>,
    ) -> Vec<Seen> {
        let gone = self.members.extract_if(.., |client, places| {
            if complete.spans(client) && !present.contains(client) {
                places.0.retain(|member| member.origin != origin || !member.is_judged_by(complete));
            }
            places.0.is_empty()
        });
        gone.map(|(client, _)| Seen::Went { client }).collect()
    }

    /// Notes that an origin has named a range of its members.
    pub(crate) fn name_completely(&mut self, origin: NodeId, range: Complete) {
        let follows = match (&range.after, self.named.get(&origin)) {
            (_, Some(Named::All)) => return,
            (None, _) => true,
            (Some(after), Some(Named::Through(last))) => after == last,
            (Some(_), None) => false,
        };
        // Behind a range that was lost nothing is complete; the next naming of all begins anew.
        if follows {
            self.named.insert(origin, range.until.map_or(Named::All, Named::Through));
        }
    }

    /// All terminals of the origin are gone.
    pub(crate) fn lost(&mut self, origin: NodeId) -> Vec<Seen> {
        self.named.remove(&origin);
        self.gone(origin, &Complete::lost(), &BTreeSet::new())
    }
}

impl Member {
    /// What was heard in a list may be newer than a complete naming that comes after it.
    fn is_judged_by(&self, complete: &Complete) -> bool {
        match self.heard {
            Heard::News => true,
            Heard::List { life } => complete.judges(life, self.session),
        }
    }
}

impl Places {
    fn shown(&self) -> Option<&Member> {
        self.0.first()
    }

    /// Notes where the terminal is said to be; true if that is now the newest.
    fn put(&mut self, member: Member) -> bool {
        if let Some(index) = self.0.iter().position(|place| place.origin == member.origin) {
            let known = &mut self.0[index];
            if known.session == member.session && member.heard == Heard::News {
                known.heard = Heard::News;
            }
            // One that is only expected is news when it comes, also under the number of the session that it displaced.
            let is_expected = known.state.is_none() && known.session == member.session;
            if known.session >= member.session && !is_expected {
                return false;
            }
            self.0.remove(index);
        }
        let index = self.0.partition_point(|place| place.session >= member.session);
        self.0.insert(index, member);
        self.0.truncate(PLACES_MAX);
        index == 0
    }
}
