//! Lists that the mesh collects for terminals of this node: one for all who want the same, few at a time for each terminal, and
//! of each account only so many bytes a second.
//!
//! A list goes to every node and back, on the links that calls use. Whoever asks for hundreds at once would be felt by everybody
//! on the way; so its lists wait in line, and those of others do not wait behind them.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound;
use std::sync::Arc;
use std::time::Duration;

use taoyao_types::{ConnId, Instant, Now, limits};
use taoyao_wire::link::{ListPage, ListQuery};
use taoyao_wire::terminal::Code;

use crate::asks::{OpenAsk, Purpose};
use crate::bucket::Bucket;
use crate::failure::Failed;
use crate::io::{AskId, Output};
use crate::say::Request;
use crate::terminals::Terminals;
use crate::timers::Alarm;

/// Bytes that one token stands for.
const TOKEN_BYTES: usize = 1024;
/// Bytes of an entry besides its state, about.
const ENTRY_BYTES: usize = 64;
/// The pause between two looks at the lines while somebody waits.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// A list that a terminal has asked for.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    pub(crate) ask: AskId,
    pub(crate) conn: ConnId,
    pub(crate) account: Arc<str>,
    pub(crate) query: ListQuery,
    pub(crate) since: Instant,
}

/// All of them. Invariant: `of_terminal` counts those in `under_way`, first and joined.
#[derive(Debug, Default)]
pub(crate) struct Gatherings {
    under_way: BTreeMap<AskId, UnderWay>,
    lines: BTreeMap<ConnId, VecDeque<Wanted>>,
    of_terminal: BTreeMap<ConnId, usize>,
    spent: BTreeMap<Arc<str>, Bucket>,
    /// The connection for which a list was begun last.
    turn: Option<ConnId>,
}

#[derive(Debug)]
struct UnderWay {
    first: Wanted,
    joined: Vec<(AskId, ConnId)>,
}

impl Gatherings {
    /// Lists that wait for their turn.
    pub(crate) fn waiting(&self) -> usize {
        self.lines.values().map(VecDeque::len).sum()
    }

    pub(crate) fn want(&mut self, wanted: Wanted) {
        self.lines.entry(wanted.conn).or_default().push_back(wanted);
    }

    /// Takes those out of the lines whose turn has come; returns the lists to collect.
    pub(crate) fn begin(&mut self, now: Instant) -> Vec<Wanted> {
        let behind = (self.turn.map_or(Bound::Unbounded, Bound::Excluded), Bound::Unbounded);
        let ahead = self.lines.keys().take_while(|conn| self.turn.is_some_and(|turn| **conn <= turn));
        let conns: Vec<ConnId> =
            self.lines.range(behind).map(|(conn, _)| conn).chain(ahead).copied().collect();
        let mut begun = Vec::new();
        for conn in conns {
            while self.of_terminal.get(&conn).is_none_or(|count| *count < limits::LISTS_PER_TERMINAL) {
                let Some(wanted) = self.lines.get(&conn).and_then(VecDeque::front) else { break };
                let same = self.like(&wanted.query);
                let account = Arc::clone(&wanted.account);
                if same.is_none() && !self.may_collect(now, &account) {
                    break;
                }
                let Some(wanted) = self.step_forward(conn) else { break };
                *self.of_terminal.entry(conn).or_default() += 1;
                match same.and_then(|ask| self.under_way.get_mut(&ask)) {
                    Some(under_way) => under_way.joined.push((wanted.ask, conn)),
                    None => {
                        self.turn = Some(conn);
                        begun.push(wanted.clone());
                        self.under_way.insert(wanted.ask, UnderWay { first: wanted, joined: Vec::new() });
                    }
                }
            }
        }
        begun
    }

    /// A list has come, of so many bytes: its account is charged. Returns all asks that it answers.
    pub(crate) fn end(&mut self, now: Instant, ask: AskId, bytes: usize) -> Vec<AskId> {
        let Some(UnderWay { first, joined }) = self.under_way.remove(&ask) else { return Vec::new() };
        self.spent.retain(|_, bucket| !bucket.is_full(now));
        let full =
            || Bucket::new(now, limits::ACCOUNT_LISTS_KIB_PER_SECOND, limits::ACCOUNT_LISTS_KIB_AT_ONCE);
        let cost = u32::try_from(bytes.div_ceil(TOKEN_BYTES)).unwrap_or(u32::MAX);
        self.spent.entry(first.account).or_insert_with(full).charge(now, cost);
        let mut answered = vec![(first.ask, first.conn)];
        answered.extend(joined);
        for (_, conn) in &answered {
            if let Some(count) = self.of_terminal.get_mut(conn) {
                *count -= 1;
                if *count == 0 {
                    self.of_terminal.remove(conn);
                }
            }
        }
        answered.into_iter().map(|(ask, _)| ask).collect()
    }

    /// Takes those out of the lines who have waited for too long.
    pub(crate) fn give_up(&mut self, now: Instant) -> Vec<AskId> {
        let mut given_up = Vec::new();
        self.lines.retain(|_, line| {
            let is_late = |wanted: &Wanted| now.since(wanted.since) >= limits::LIST_WAIT_MAX;
            while let Some(late) = line.pop_front_if(|wanted| is_late(wanted)) {
                given_up.push(late.ask);
            }
            !line.is_empty()
        });
        given_up
    }

    /// The list under way that will be the same. Only whole lists of terminals are put right by what has changed meanwhile.
    fn like(&self, query: &ListQuery) -> Option<AskId> {
        if query.rooms || query.client_type.is_some() || query.after.is_some() {
            return None;
        }
        self.under_way.iter().find(|(_, under_way)| under_way.first.query == *query).map(|(ask, _)| *ask)
    }

    fn may_collect(&mut self, now: Instant, account: &Arc<str>) -> bool {
        let own = self.under_way.values().filter(|under_way| under_way.first.account == *account).count();
        // Taking nothing tells whether there is something.
        own < limits::LISTS_PER_ACCOUNT
            && self.spent.get_mut(account).is_none_or(|bucket| bucket.take(now, 0))
    }

    fn step_forward(&mut self, conn: ConnId) -> Option<Wanted> {
        let line = self.lines.get_mut(&conn)?;
        let wanted = line.pop_front();
        if line.is_empty() {
            self.lines.remove(&conn);
        }
        wanted
    }
}

impl Terminals {
    /// Has a list collected for the sender of a request, as soon as it is its turn.
    pub(crate) fn gather(&mut self, now: Now, request: &Request<'_>, query: ListQuery) {
        let purpose = Purpose::List(Box::new(query.clone()));
        let Some((ask, _)) = self.open_ask(now, request, purpose) else { return };
        let account = Arc::clone(&request.account.name);
        self.gatherings.want(Wanted { ask, conn: request.conn, account, query, since: now.mono });
        self.begin_gatherings(now);
    }

    /// Goes through the lines, now and as long as somebody waits.
    pub(crate) fn begin_gatherings(&mut self, now: Now) {
        for ask in self.gatherings.give_up(now.mono) {
            self.put_off_list(now, ask);
        }
        for Wanted { ask, query, since, .. } in self.gatherings.begin(now.mono) {
            self.outputs.push_back(Output::Gather { ask, query, waited: now.mono.since(since) });
        }
        if self.gatherings.waiting() > 0 && !self.lists_watched {
            self.lists_watched = true;
            self.timers.set(now.mono + LOOK_EVERY, Alarm::Lists);
        }
    }

    fn put_off_list(&mut self, now: Now, ask: AskId) {
        let Some(OpenAsk::Request(asker, _)) = self.asks.close(ask) else { return };
        if self.is_answerable(&asker) {
            self.stats.lists_put_off += 1;
            let why = "this account asks for more lists than the links shall carry";
            self.fail(now, asker.conn, Some(asker.id), Failed::busy(why));
        }
    }

    /// A list has been collected.
    pub(crate) fn take_page(&mut self, now: Now, ask: AskId, page: ListPage) {
        let bytes = page.entries.iter().map(|entry| entry.state.len() + ENTRY_BYTES).sum();
        let mut answered = self.gatherings.end(now.mono, ask, bytes);
        let last = answered.pop();
        for ask in answered {
            self.hand_page(now, ask, page.clone());
        }
        if let Some(last) = last {
            self.hand_page(now, last, page);
        }
        self.begin_gatherings(now);
    }

    fn hand_page(&mut self, now: Now, ask: AskId, page: ListPage) {
        let Some(OpenAsk::Request(asker, purpose)) = self.asks.close(ask) else { return };
        if !self.is_answerable(&asker) {
            return;
        }
        match purpose {
            Purpose::List(query) => self.listed(&asker, &query, page),
            _ => self.fail(now, asker.conn, Some(asker.id), Self::plainly(Code::Unknown)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(ask: u64, conn: u64, account: &str) -> Wanted {
        let home = "cn".parse().unwrap();
        let query = ListQuery {
            rooms: false,
            home,
            client_type: None,
            partitions: Vec::new(),
            after: None,
            limit: 100,
        };
        Wanted { ask: AskId(ask), conn: ConnId(conn), account: account.into(), query, since: Instant(0) }
    }

    fn filtered(ask: u64, conn: u64, account: &str) -> Wanted {
        let mut wanted = wanted(ask, conn, account);
        wanted.query.limit = u32::try_from(ask).unwrap();
        wanted.query.client_type = Some("WEB".to_owned());
        wanted
    }

    fn begun(gatherings: &mut Gatherings, now: Instant) -> Vec<u64> {
        gatherings.begin(now).into_iter().map(|wanted| wanted.ask.0).collect()
    }

    #[test]
    fn all_who_want_the_same_at_once_share_one() {
        let mut gatherings = Gatherings::default();
        for n in 1..=1_000 {
            gatherings.want(wanted(n, n, "shared"));
        }
        assert_eq!(begun(&mut gatherings, Instant(0)), [1]);
        assert_eq!(gatherings.waiting(), 0, "a whole site comes back at once");
        assert_eq!(gatherings.end(Instant(0), AskId(1), 500_000).len(), 1_000);
        assert!(gatherings.of_terminal.is_empty() && gatherings.under_way.is_empty());
    }

    #[test]
    fn a_terminal_and_an_account_have_few_at_once_and_others_do_not_wait_for_them() {
        let mut gatherings = Gatherings::default();
        for n in 1..=256 {
            gatherings.want(filtered(n, 1 + n % 64, "eve"));
        }
        assert_eq!(begun(&mut gatherings, Instant(0)).len(), limits::LISTS_PER_ACCOUNT);
        gatherings.want(filtered(300, 100, "ann"));
        assert_eq!(begun(&mut gatherings, Instant(0)), [300]);
        let mut alone = Gatherings::default();
        (1..=9).for_each(|n| alone.want(filtered(n, 7, "eve")));
        assert_eq!(begun(&mut alone, Instant(0)).len(), limits::LISTS_PER_TERMINAL);
    }

    #[test]
    fn an_account_gets_so_many_bytes_a_second_and_late_ones_are_given_up() {
        const LIST: usize = 120 * 1024;
        let mut gatherings = Gatherings::default();
        let (mut count, mut late, mut now) = (0, 0, Instant(0));
        for n in 1..=2_000 {
            gatherings.want(filtered(n, 1, "eve"));
        }
        let end = Instant(0) + limits::LIST_WAIT_MAX;
        while now <= end {
            late += gatherings.give_up(now).len();
            for ask in begun(&mut gatherings, now) {
                count += gatherings.end(now, AskId(ask), LIST).len();
            }
            now = now + Duration::from_millis(10);
        }
        let seconds = limits::LIST_WAIT_MAX.as_secs() as usize;
        let kib = limits::ACCOUNT_LISTS_KIB_AT_ONCE as usize
            + seconds * limits::ACCOUNT_LISTS_KIB_PER_SECOND as usize;
        assert!((kib / 120..=kib / 120 + 2).contains(&count), "{count} lists");
        assert_eq!(count + late, 2_000);
    }

    #[test]
    fn all_terminals_of_an_account_have_their_turn() {
        let mut gatherings = Gatherings::default();
        for n in 0..400 {
            gatherings.want(filtered(n + 1, 1 + n % 40, "eve"));
        }
        let mut served = BTreeMap::new();
        for _ in 0..40 {
            for Wanted { ask, conn, .. } in gatherings.begin(Instant(0)) {
                *served.entry(conn).or_insert(0) += 1;
                gatherings.end(Instant(0), ask, 0);
            }
        }
        assert_eq!(served.len(), 40, "{served:?}");
    }
}
