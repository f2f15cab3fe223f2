//! `client::list`: collected by the mesh from all nodes concerned, this one among them.

use std::collections::{BTreeMap, BTreeSet};

use taoyao_types::{Now, PartitionName, Scope, TerminalName, limits};
use taoyao_wire::link::{ListEntry, ListPage, ListQuery};
use taoyao_wire::signals::Signal;
use taoyao_wire::terminal::client::{self, ListRequest};
use taoyao_wire::terminal::{ClientType, Code, Incoming, state};

use crate::announcer::News;
use crate::asks::Asker;
use crate::failure::Failed;
use crate::room::is_service;
use crate::say::Request;
use crate::terminals::Terminals;

impl Terminals {
    /// The terminals of this node that a query asks for and that policy shows to its `home`: home first, then the
    /// other partitions by name, each by client id. Bounded by the query, the configuration and
    /// [`limits::LIST_BYTES_MAX`], so that a part of a list always fits into one message.
    pub fn local_list(&self, query: &ListQuery) -> Vec<ListEntry> {
        let limit = query.limit.min(self.config.list_max) as usize;
        if query.rooms {
            return self.local_rooms(query, limit);
        }
        let mut entries = self.registered(query, limit);
        entries.extend(self.service_for(query));
        entries.sort_by_cached_key(|entry| (entry.name.partition != query.home, entry.name.clone()));
        entries.truncate(limit);
        entries
    }

    fn registered(&self, query: &ListQuery, limit: usize) -> Vec<ListEntry> {
        let mut entries = Vec::new();
        let mut bytes = 0;
        for partition in self.partitions_of(query) {
            let after =
                query.after.as_ref().filter(|after| after.partition == *partition).map(|after| &after.client);
            for (_, terminal) in self.registry.members(partition, after) {
                let kind = terminal.state.client_type.as_str();
                if self.is_own_service(&terminal.name) {
                    continue;
                }
                if query.client_type.as_deref().is_some_and(|wanted| wanted != kind) {
                    continue;
                }
                let state = terminal.state.to_json();
                bytes += state.len();
                if entries.len() >= limit || bytes > limits::LIST_BYTES_MAX {
                    return entries;
                }
                let (name, session) = (terminal.name.clone(), terminal.session);
                let (origin, life) = (self.config.node_id, self.config.epoch);
                entries.push(ListEntry { name, origin, life, session, state });
            }
        }
        entries
    }

    /// The partitions with terminals here that a query may see, in its order, from the one of `after` on.
    fn partitions_of<'a>(&'a self, query: &'a ListQuery) -> impl Iterator<Item = &'a PartitionName> {
        let rank = |partition: &'a PartitionName| (*partition != query.home, partition);
        let mut partitions: Vec<&PartitionName> = self.registry.partitions().collect();
        partitions.sort_by_key(|partition| rank(partition));
        partitions.into_iter().filter(move |partition| {
            let wanted = query.partitions.is_empty() || query.partitions.contains(partition);
            let ahead = query.after.as_ref().is_none_or(|after| rank(&after.partition) <= rank(partition));
            wanted && ahead && self.config.policy.authorise(Scope::See, &query.home, partition).is_ok()
        })
    }

    pub(crate) fn list(&mut self, now: Now, request: &Request<'_>) {
        let query = match self.query(request.message, &request.from) {
            Ok(query) => query,
            Err(failed) => return self.refuse(now, request, failed),
        };
        for partition in &query.partitions {
            if let Err(denied) = self.config.policy.authorise(Scope::See, &query.home, partition) {
                return self.deny(now, request, denied);
            }
        }
        self.gather(now, request, query);
    }

    fn query(&self, message: &Incoming<'_>, from: &TerminalName) -> Result<ListQuery, Failed> {
        let request = ListRequest::of(message);
        let bad = |what: &str, why: String| Failed::new(Code::BadRequest, format!("请求错误：{what} {why}"));
        let client_type = match request.client_type {
            Some(text) => Some(text.parse::<ClientType>()?.as_str().to_owned()),
            None => None,
        };
        let mut partitions = Vec::new();
        if let Some(text) = request.partition {
            let partition: PartitionName =
                text.parse().map_err(|why| bad("partition is no name of a partition:", format!("{why}")))?;
            partitions.push(partition);
        }
        let after = match request.after {
            Some(text) => {
                let name = TerminalName::resolve(&text, &from.partition);
                Some(name.map_err(|why| bad("after is no client id:", why.to_string()))?)
            }
            None => None,
        };
        let limit = request.limit.unwrap_or(self.config.list_max).min(self.config.list_max);
        Ok(ListQuery { rooms: false, home: from.partition.clone(), client_type, partitions, after, limit })
    }

    pub(crate) fn listed(&mut self, asker: &Asker, query: &ListQuery, page: ListPage) {
        if query.rooms {
            return self.rooms_listed(asker, query, &page);
        }
        let entries = self.put_right(query, page.entries);
        let Some(viewer) = self.registry.caller(asker.conn) else { return };
        let policy = &self.config.policy;
        let mut states = Vec::new();
        let mut bytes = 0;
        let mut shown = Vec::new();
        let bytes_max = limits::LIST_BYTES_MAX.min(self.list_bytes(asker.conn));
        let mut cut = false;
        for entry in entries {
            if policy.authorise(Scope::See, &query.home, &entry.name.partition).is_err() {
                continue;
            }
            let proxy = entry.origin != self.config.node_id;
            let Some(text) = state::shown(&entry.state, &viewer.sees(&entry.name), proxy) else { continue };
            bytes += text.len() + 1;
            if states.len() >= query.limit as usize || bytes > bytes_max {
                cut = true;
                break;
            }
            states.push(text);
            // A node's SFU comes and goes with its node: nobody is told.
            if !is_service(&entry.name) {
                shown.push(entry);
            }
        }
        let filtered = query.client_type.is_some() || query.after.is_some();
        let follows = self.registry.terminal(asker.conn).is_some();
        let cut = cut || states.len() >= query.limit as usize;
        if follows {
            self.follow_listed(asker, query, shown, cut, filtered);
        }
        let body = client::list(states.iter().map(String::as_str));
        self.answer_later(asker, Signal::ClientList, Some(&body));
    }

    /// What has changed while a whole list was collected: here, and elsewhere as far as news has come.
    fn put_right(&self, query: &ListQuery, mut entries: Vec<ListEntry>) -> Vec<ListEntry> {
        if query.client_type.is_some() || query.after.is_some() {
            return entries;
        }
        entries.retain(|entry| entry.origin != self.config.node_id);
        // Of SFUs there is no news.
        let services: Vec<ListEntry> = entries.extract_if(.., |entry| is_service(&entry.name)).collect();
        let local = self.local_list(query);
        let here: BTreeSet<TerminalName> = local.iter().map(|entry| entry.name.clone()).collect();
        let is_listed =
            |partition: &PartitionName| query.partitions.is_empty() || query.partitions.contains(partition);
        self.watch.correct(&mut entries, is_listed);
        entries.retain(|entry| !here.contains(&entry.name));
        entries.extend(local);
        entries.extend(services);
        entries.sort_by(|a, b| {
            let away = |entry: &ListEntry| entry.name.partition != query.home;
            away(a).cmp(&away(b)).then_with(|| a.name.cmp(&b.name))
        });
        entries
    }

    /// Whoever lists a partition follows it from then on, also one of which nobody is here or reachable now: those
    /// who come are news. A list that was cut follows the partitions that it got to.
    fn follow_listed(
        &mut self,
        asker: &Asker,
        query: &ListQuery,
        shown: Vec<ListEntry>,
        cut: bool,
        filtered: bool,
    ) {
        let whole = !cut && !filtered;
        let mut by_partition: BTreeMap<PartitionName, Vec<ListEntry>> = BTreeMap::new();
        let every = query.partitions.is_empty() && !cut;
        let all = self.partitions.values().filter(|_| every).take(limits::WATCHED_MAX);
        for partition in query.partitions.iter().chain([&query.home]).chain(all) {
            by_partition.entry(partition.clone()).or_default();
        }
        for entry in shown {
            by_partition.entry(entry.name.partition.clone()).or_default().push(entry);
        }
        for (partition, entries) in by_partition {
            let policy = &self.config.policy;
            let may = |scope| policy.authorise(scope, &query.home, &partition).is_ok();
            if !self.knows(&partition) || !may(Scope::See) || !may(Scope::Presence) {
                continue;
            }
            let whole = whole && (query.partitions.is_empty() || query.partitions.contains(&partition));
            self.watch.follow(asker.conn, &partition);
            self.tell_listed(&partition, entries, whole);
        }
    }

    /// What one terminal's list found is news to the others who follow the partition.
    fn tell_listed(&mut self, partition: &PartitionName, mut entries: Vec<ListEntry>, whole: bool) {
        // One that is connected here is known better than a list that was on its way meanwhile.
        let own = self.config.node_id;
        entries.retain(|entry| entry.origin != own && self.registry.by_name(&entry.name).is_none());
        let news = self.watch.listed(partition, entries.iter(), whole);
        if self.watch.followers(partition).count() < 2 {
            return;
        }
        for entry in entries.into_iter().filter(|entry| news.contains(&entry.name.client)) {
            self.announcer.add(entry.name, News::Online { state: entry.state, proxy: true });
        }
    }
}
