//! What neighbours say about directories and interest, and what their coming and going means.

use std::collections::BTreeSet;

use bytes::Bytes;
use taoyao_types::{NodeEpoch, NodeId, Now, PartitionId, SessionEpoch, TerminalKey, Version, limits};
use taoyao_wire::link::sync::{Change, RefusedReason};
use taoyao_wire::link::{Complete, Displacement, Frame, Lane, PresenceNews, Record, Sync};

use super::Router;
use crate::directory::Added;
use crate::downstream::{Downstream, OutOfStep};
use crate::neighbour::{Neighbour, Queued, Side};
use crate::output::{Alarm, Delivery, Output};

impl Router {
    /// A link to the neighbour is up; the neighbour is in its life `epoch`.
    pub fn handle_link_up(&mut self, now: Now, peer: NodeId, epoch: NodeEpoch) {
        if self.neighbours.get(&peer).is_some_and(Neighbour::is_up) {
            self.handle_link_down(now, peer, "a newer link took its place");
        }
        self.interest.forget(peer);
        let Some(neighbour) = self.neighbours.get_mut(&peer) else { return };
        neighbour.link = Some(epoch);
        neighbour.lost_at = None;
        neighbour.reason.clear();
        neighbour.queued = Queued::default();
        match &mut neighbour.side {
            Side::Parent(upstream) => upstream.handle_up(),
            Side::Child(downstream) => {
                let last_life = self.directory.epoch_of(peer).map_or(epoch, |last| last.max(epoch));
                let resume = downstream.handle_up(epoch, last_life);
                let displaced: Vec<Displacement> = downstream.displaced().copied().collect();
                self.begin_life(peer, epoch);
                self.send_sync(peer, Lane::Control, &resume);
                self.send_sync(peer, Lane::Control, &Sync::Clock { wall: now.wall });
                displaced.into_iter().for_each(|newest| self.send_displaced(peer, newest));
            }
        }
        self.tell_interest();
        self.poll_upstream(now);
    }

    /// The link to the neighbour is gone.
    pub fn handle_link_down(&mut self, now: Now, peer: NodeId, reason: &str) {
        let Some(neighbour) = self.neighbours.get_mut(&peer).filter(|n| n.is_up()) else { return };
        neighbour.link = None;
        neighbour.lost_at = Some(now.mono);
        neighbour.reason = reason.to_owned();
        match &mut neighbour.side {
            Side::Parent(upstream) => upstream.handle_down(),
            Side::Child(downstream) => downstream.handle_down(),
        }
        self.interest.forget(peer);
        self.interrupt(now, peer, reason);
        self.tell_interest();
    }

    /// A frame from the neighbour. One that cannot be understood ends the link.
    pub fn handle_frame(&mut self, now: Now, peer: NodeId, bytes: Bytes) {
        let Some(neighbour) = self.neighbours.get(&peer).filter(|n| n.is_up()) else { return };
        let is_parent = neighbour.is_parent();
        match Frame::decode(bytes) {
            Ok(Frame::Signal(header, body)) => self.handle_signal(now, peer, header, body),
            Ok(Frame::Sync(Sync::Interest { partitions, refresh })) => {
                self.handle_interest(peer, partitions, refresh)
            }
            Ok(Frame::Sync(message)) if is_parent => self.handle_parent(now, peer, message),
            Ok(Frame::Sync(message)) => self.handle_child(now, peer, message),
            Err(bad) => self.close_link(peer, bad.to_string()),
        }
    }

    fn close_link(&mut self, peer: NodeId, reason: String) {
        self.outputs.push_back(Output::CloseLink { peer, reason });
    }

    /// What a child may say of its directory.
    fn handle_child(&mut self, now: Now, peer: NodeId, message: Sync) {
        let Some(Neighbour { side: Side::Child(downstream), .. }) = self.neighbours.get_mut(&peer) else {
            return;
        };
        let step = match message {
            Sync::Journal { applied } => {
                self.stats.journals_resumed += 1;
                downstream.handle_journal(applied)
            }
            Sync::SnapshotBegin { mark } => {
                downstream.handle_snapshot_begin(mark);
                Ok(())
            }
            Sync::SnapshotChunk { id, after, until, records } => {
                let step = downstream.handle_chunk(id, after, until);
                if step.is_ok() {
                    self.take_records(now, peer, &records);
                }
                step
            }
            Sync::SnapshotEnd { id, after } => {
                let step = downstream.handle_snapshot_end(id, after);
                if step.is_ok() {
                    self.finish_snapshot(peer);
                }
                step
            }
            Sync::Changes { first, changes } => {
                let step = downstream.handle_changes(first, changes.len());
                if step.is_ok() {
                    self.take_changes(now, peer, &changes);
                }
                step
            }
            other => return self.close_link(peer, format!("a child does not say {}", kind_of(&other))),
        };
        self.acknowledge(now, peer, step);
    }

    fn acknowledge(&mut self, now: Now, peer: NodeId, step: Result<(), OutOfStep>) {
        if let Err(out_of_step) = step {
            return self.close_link(peer, format!("out of step: {out_of_step}"));
        }
        if let Some(downstream) = self.downstream(peer) {
            let applied = Sync::Applied { through: downstream.applied(), complete: downstream.is_complete() };
            self.send_sync(peer, Lane::Control, &applied);
        }
        self.poll_upstream(now);
    }

    fn downstream(&self, peer: NodeId) -> Option<&Downstream> {
        match &self.neighbours.get(&peer)?.side {
            Side::Child(downstream) => Some(downstream),
            Side::Parent(_) => None,
        }
    }

    fn take_changes(&mut self, now: Now, peer: NodeId, changes: &[Change]) {
        let mut room = self.room_for(peer);
        let round = self.downstream(peer).map_or(0, Downstream::round);
        for change in changes {
            match *change {
                Change::Add(record) => self.take_record(now, peer, record, round, &mut room),
                Change::Withdraw(record) => self.take_withdrawal(now, peer, record),
                Change::Lose(record) => {
                    if self.directory.lose(record, peer) {
                        self.stats.records_withdrawn += 1;
                        self.tell_upward(*change);
                    }
                }
                Change::WithdrawOrigin { origin, epoch } => self.take_origin(peer, origin, epoch),
            }
        }
    }

    fn take_records(&mut self, now: Now, peer: NodeId, records: &[Record]) {
        let mut room = self.room_for(peer);
        let round = self.downstream(peer).map_or(0, Downstream::round);
        for record in records {
            self.take_record(now, peer, *record, round, &mut room);
        }
    }

    /// How many records the child may still add.
    fn room_for(&self, child: NodeId) -> usize {
        let held: usize = self.topology.subtree(child).map(|node| self.directory.count_at(node)).sum();
        self.topology.limits().records_per_child.saturating_sub(held)
    }

    fn take_record(&mut self, now: Now, peer: NodeId, record: Record, round: u16, room: &mut usize) {
        let room_left = || match *room {
            0 if self.directory.find(record.key).is_none() => Err(RefusedReason::TooMany),
            _ => Ok(()),
        };
        if let Err(reason) = self.check(now, peer, &record).and_then(|()| room_left()) {
            return self.refuse_record(peer, &record, reason);
        }
        self.give_way(peer, record, round);
        match self.directory.add(record, peer, round) {
            Added::Newest { replaced } => {
                self.stats.records_added += 1;
                self.settle(peer, record.key);
                *room = room.saturating_sub(usize::from(replaced.is_none()));
                self.tell_upward(Change::Add(record));
                match replaced {
                    Some(old) if old.via == self.own => {
                        self.displace_local(record.key, Some(record.origin), record.version)
                    }
                    Some(old) if old.via != peer => {
                        let Record { key, origin, version } = record;
                        self.send_displaced(old.via, Displacement { key, origin: Some(origin), version });
                    }
                    _ => {}
                }
            }
            Added::Outdated { by } if by.via != peer => {
                self.stats.records_outdated += 1;
                let newest = Displacement { key: record.key, origin: Some(by.origin), version: by.version };
                self.send_displaced(peer, newest);
            }
            Added::Buried { last } => self.answer_buried(peer, record, last),
            // Silence would leave the whole node in the dark, with every link well.
            Added::Dead => self.refuse_record(peer, &record, RefusedReason::PastLife),
            Added::Outdated { .. } | Added::Known => {}
        }
    }

    /// What a snapshot has not confirmed does not stand against what it names: the child has only one record of a
    /// terminal, and that is the one it names.
    fn give_way(&mut self, peer: NodeId, record: Record, round: u16) {
        let Some(old) = self.directory.find(record.key).copied() else { return };
        if old.via != peer || old.version <= record.version || old.is_of_round(round) {
            return;
        }
        let gone = Record { key: record.key, origin: old.origin, version: old.version };
        if self.directory.lose(gone, peer) {
            self.tell_upward(Change::Lose(gone));
        }
    }

    /// A record of what has ended here. If the child tells of it late, it has let go and does so again. If it has not,
    /// somebody let go in its place while it was away: its terminal is elsewhere now, or has to outbid the past.
    fn answer_buried(&mut self, peer: NodeId, record: Record, last: Version) {
        let key = record.key;
        let by = match self.directory.find(key) {
            Some(entry) if entry.via == peer => return,
            Some(entry) if entry.version > record.version => {
                Displacement { key, origin: Some(entry.origin), version: entry.version }
            }
            // Above the version itself, if that is the one that ended.
            _ => Displacement {
                key,
                origin: None,
                version: Version { seq: last.seq.saturating_add(1), ..last },
            },
        };
        self.send_displaced(peer, by);
    }

    /// A withdrawal is remembered longer than what it ends, and keeps all that is older from coming back: a child may
    /// withdraw what came by it, and of what did not only what it could have registered.
    fn take_withdrawal(&mut self, now: Now, peer: NodeId, record: Record) {
        let entry = self.directory.find(record.key);
        let is_its_own = entry.is_some_and(|entry| entry.via == peer && entry.version >= record.version);
        if !is_its_own && let Err(reason) = self.check_withdrawal(now, peer, &record) {
            return self.refuse_record(peer, &record, reason);
        }
        self.settle(peer, record.key);
        if self.directory.withdraw(record, peer, now.mono) {
            self.stats.records_withdrawn += 1;
            self.tell_upward(Change::Withdraw(record));
        }
    }

    /// Whether the child may say that such a terminal is there.
    fn check(&self, now: Now, peer: NodeId, record: &Record) -> Result<(), RefusedReason> {
        self.check_withdrawal(now, peer, record)?;
        match self.topology.may_attach(record.origin, record.key.partition()) {
            true => Ok(()),
            false => Err(RefusedReason::ForeignOrigin),
        }
    }

    /// Whether the child may say that such a terminal is gone. A node that lets go of what it does not have (any more) says
    /// so in its own name, and that need not be the name of a node which has terminals of the partition.
    fn check_withdrawal(&self, now: Now, peer: NodeId, record: &Record) -> Result<(), RefusedReason> {
        if !self.topology.may_register(peer, record.key.partition()) {
            return Err(RefusedReason::NotDelegated);
        }
        if record.origin != peer && !self.topology.is_below(record.origin, peer) {
            return Err(RefusedReason::ForeignOrigin);
        }
        let skew = limits::CLOCK_SKEW_MAX.as_millis() as u64;
        if record.version.session.wall_ms() > now.wall.0 + skew {
            return Err(RefusedReason::ClockAhead);
        }
        Ok(())
    }

    fn refuse_record(&mut self, peer: NodeId, record: &Record, reason: RefusedReason) {
        self.stats.records_refused += 1;
        if matches!(reason, RefusedReason::NotDelegated | RefusedReason::ForeignOrigin) {
            let (node, partition) =
                (self.name_of(record.origin), self.name_of_partition(record.key.partition()));
            self.accuse(peer, format!("a terminal of partition {partition} at node {node}: {reason}"));
        }
        let refused = Sync::Refused { key: record.key, version: record.version, reason };
        self.send_sync(peer, Lane::Urgent, &refused);
    }

    /// Tells a child that a terminal of it has moved, until it has let go.
    pub(super) fn send_displaced(&mut self, peer: NodeId, by: Displacement) {
        if let Some(Neighbour { side: Side::Child(downstream), .. }) = self.neighbours.get_mut(&peer) {
            downstream.displace(by);
        }
        self.send_sync(peer, Lane::Urgent, &Sync::Displaced(by));
    }

    fn settle(&mut self, peer: NodeId, key: TerminalKey) {
        if let Some(Neighbour { side: Side::Child(downstream), .. }) = self.neighbours.get_mut(&peer) {
            downstream.settle(key);
        }
    }

    fn take_origin(&mut self, peer: NodeId, origin: NodeId, epoch: NodeEpoch) {
        let is_behind = origin == peer || self.topology.is_below(origin, peer);
        if is_behind && self.directory.withdraw_origin(origin, epoch) {
            self.stats.origins_withdrawn += 1;
            self.tell_upward(Change::WithdrawOrigin { origin, epoch });
        }
    }

    /// The neighbour lives anew: nothing of its earlier lives is there any more.
    fn begin_life(&mut self, peer: NodeId, epoch: NodeEpoch) {
        let Some(known) = self.directory.epoch_of(peer).filter(|known| *known < epoch) else { return };
        if self.directory.withdraw_origin(peer, known) {
            self.stats.origins_withdrawn += 1;
            self.tell_upward(Change::WithdrawOrigin { origin: peer, epoch: known });
        }
    }

    fn finish_snapshot(&mut self, peer: NodeId) {
        self.stats.snapshots_received += 1;
        let round = self.downstream(peer).map_or(0, Downstream::round);
        for record in self.directory.sweep_unconfirmed(peer, round) {
            self.tell_upward(Change::Lose(record));
        }
    }

    /// What a parent may say of its directory.
    fn handle_parent(&mut self, now: Now, peer: NodeId, message: Sync) {
        let Some(Neighbour { side: Side::Parent(upstream), .. }) = self.neighbours.get_mut(&peer) else {
            return;
        };
        match message {
            Sync::Resume { epoch, last_life, applied, snapshot, digest: _ } => {
                let answer = upstream.handle_resume((epoch, applied, snapshot), self.epoch, &self.journal);
                self.send_sync(peer, Lane::Directory, &answer);
                self.hear_last_life(now, peer, last_life);
                self.poll_upstream(now);
            }
            Sync::Clock { wall } => self.outputs.push_back(Output::ParentClock { wall }),
            Sync::Applied { through, complete } => {
                upstream.handle_applied(through, complete);
                self.poll_upstream(now);
            }
            Sync::Displaced(newest) => self.handle_displaced(now, peer, newest),
            Sync::Refused { key, version, reason } => self.handle_refused(key, version, reason),
            other => self.close_link(peer, format!("a parent does not say {}", kind_of(&other))),
        }
    }

    /// The parent remembers a life of this node, and takes nothing of a lower one: its state was restored from a backup, and its
    /// clock is behind. A higher one is asked for once: if it happens again, another node runs under the same name.
    fn hear_last_life(&mut self, now: Now, parent: NodeId, last: NodeEpoch) {
        if last <= self.epoch || self.was_outlived {
            return;
        }
        let counted = now.wall.0 / 1_000 + limits::LIFE_AHEAD_MAX.as_secs();
        if u64::from(last.0) > counted {
            return self
                .accuse(parent, format!("it remembers life {} of this node, which cannot be", last.0));
        }
        self.was_outlived = true;
        self.outputs.push_back(Output::Outlived { last });
    }

    /// This node takes a higher life than any that is remembered of it, and says all of its own terminals anew in that.
    pub fn handle_new_life(&mut self, now: Now, epoch: NodeEpoch) {
        if epoch <= self.epoch {
            return;
        }
        let own = self.directory.walk(None).filter(|(_, entry)| entry.via == self.own);
        let own: Vec<(TerminalKey, SessionEpoch)> =
            own.map(|(key, entry)| (key, entry.version.session)).collect();
        self.epoch = epoch;
        for (key, session) in own {
            self.register(now, key, session);
        }
    }

    /// Tells the children what time it is, from time to time.
    pub(super) fn tell_time(&mut self, now: Now) {
        if now.mono.since(self.time_told_at) < limits::CLOCK_TOLD_EVERY {
            return;
        }
        self.time_told_at = now.mono;
        let children =
            self.neighbours.values().filter(|neighbour| neighbour.is_up() && !neighbour.is_parent());
        for child in children.map(|child| child.id).collect::<Vec<_>>() {
            self.send_sync(child, Lane::Control, &Sync::Clock { wall: now.wall });
        }
    }

    /// A newer session of a terminal of this subtree lives elsewhere. Letting go is confirmed by a withdrawal, also
    /// of what is gone already; the parent asks again until it hears of it.
    fn handle_displaced(&mut self, now: Now, parent: NodeId, newest: Displacement) {
        let Displacement { key, origin, version } = newest;
        if origin.is_some_and(|origin| !self.topology.may_attach(origin, key.partition())) {
            return self.accuse(parent, format!("terminal {key} cannot be at the node that it says"));
        }
        if self.directory.find(key).is_some_and(|entry| entry.version >= version) {
            return;
        }
        let gone = self.directory.displace(key, version, now.mono);
        match gone {
            Some(entry) if entry.via == self.own => self.displace_local(key, origin, version),
            Some(entry) => self.send_displaced(entry.via, newest),
            None => {}
        }
        let nothing = Version { session: SessionEpoch(0), epoch: NodeEpoch(0), seq: 0 };
        let (origin, version) = gone.map_or((self.own, nothing), |entry| (entry.origin, entry.version));
        self.tell_upward(Change::Withdraw(Record { key, origin, version }));
        self.poll_upstream(now);
    }

    /// Passed down to where the record came from, where an operator can see it.
    fn handle_refused(&mut self, key: TerminalKey, version: Version, reason: RefusedReason) {
        let Some(entry) = self.directory.find(key).copied().filter(|entry| entry.version == version) else {
            return;
        };
        if entry.via == self.own {
            self.not_taken.insert(key, reason);
            if reason == RefusedReason::ClockAhead {
                self.deliver(Delivery::Refused { key, session: version.session });
            }
            return self.alarm(Alarm::Refused { key, reason: reason.to_string() });
        }
        self.send_sync(entry.via, Lane::Urgent, &Sync::Refused { key, version, reason });
    }

    fn handle_interest(&mut self, peer: NodeId, partitions: Vec<PartitionId>, refresh: Vec<PartitionId>) {
        let partitions = self.may_follow(peer, partitions);
        let refresh: BTreeSet<PartitionId> =
            refresh.into_iter().filter(|id| partitions.contains(id)).collect();
        self.interest.set_peer(peer, partitions);
        let here: Vec<PartitionId> =
            refresh.iter().filter(|id| self.topology.may_attach(self.own, **id)).copied().collect();
        if !here.is_empty() {
            self.deliver(Delivery::Refresh { partitions: here });
        }
        self.tell_interest_but(Some(peer), &refresh);
    }

    pub(super) fn tell_interest(&mut self) {
        self.tell_interest_but(None, &BTreeSet::new());
    }

    /// Tells every neighbour what this node wants from it now; those but `asker` are asked for `refresh` as well.
    pub(super) fn tell_interest_but(&mut self, asker: Option<NodeId>, refresh: &BTreeSet<PartitionId>) {
        let none = BTreeSet::new();
        let up: Vec<NodeId> = self.neighbours.values().filter(|n| n.is_up()).map(|n| n.id).collect();
        for peer in up {
            let refresh = if Some(peer) == asker { &none } else { refresh };
            if let Some(wish) = self.interest.wish(peer, &self.topology, refresh) {
                let partitions = wish.partitions.into_iter().collect();
                let refresh = wish.new.into_iter().collect();
                self.send_sync(peer, Lane::Control, &Sync::Interest { partitions, refresh });
            }
        }
    }

    /// Withdraws what lies behind links that were lost too long ago.
    pub(super) fn expire_leases(&mut self, now: Now) {
        let over = |n: &&mut Neighbour| n.lost_at.is_some_and(|at| now.mono.since(at) >= limits::LEASE);
        let lost: Vec<(NodeId, bool)> = self
            .neighbours
            .values_mut()
            .filter(over)
            .map(|neighbour| {
                neighbour.lost_at = None;
                if let Side::Child(downstream) = &mut neighbour.side {
                    downstream.handle_withdrawn();
                }
                (neighbour.id, neighbour.is_parent())
            })
            .collect();
        for (peer, is_parent) in lost {
            let origins: Vec<NodeId> = if is_parent {
                let nodes = self.topology.nodes().iter().map(|node| node.id);
                nodes.filter(|node| *node != self.own && !self.topology.is_below(*node, self.own)).collect()
            } else {
                self.topology.subtree(peer).collect()
            };
            for origin in origins {
                self.lose_origin(now, origin);
            }
        }
    }

    fn lose_origin(&mut self, now: Now, origin: NodeId) {
        if let Some(epoch) = self.directory.epoch_of(origin)
            && self.directory.withdraw_origin(origin, epoch)
        {
            self.stats.origins_withdrawn += 1;
            self.tell_upward(Change::WithdrawOrigin { origin, epoch });
        }
        let watched = self.interest.watched();
        let Some(node) = self.topology.node(origin) else { return };
        let partitions: Vec<_> =
            node.attachable().filter(|name| watched.contains(&PartitionId::of(name))).cloned().collect();
        for partition in partitions {
            let complete = Some(Complete::lost());
            let news = PresenceNews { partition, origin, complete, changes: Vec::new() };
            if self.interest.is_local(PartitionId::of(&news.partition)) {
                self.deliver(Delivery::Presence(news.clone()));
            }
            self.send_presence(now, news, None);
        }
    }
}

/// What a message is called when it comes from the wrong side.
fn kind_of(message: &Sync) -> &'static str {
    match message {
        Sync::Resume { .. } => "resume",
        Sync::Clock { .. } => "clock",
        Sync::Journal { .. } => "journal",
        Sync::SnapshotBegin { .. } | Sync::SnapshotChunk { .. } | Sync::SnapshotEnd { .. } => "snapshot",
        Sync::Changes { .. } => "changes",
        Sync::Applied { .. } => "applied",
        Sync::Displaced(_) => "displaced",
        Sync::Refused { .. } => "refused",
        Sync::Interest { .. } => "interest",
    }
}
