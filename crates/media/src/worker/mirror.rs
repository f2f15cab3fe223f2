//! Rooms on several workers: mirrors of producers that are at other workers, and what is passed on to mirrors there.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use taoyao_ortc::control::{Act, RoomName};
use taoyao_ortc::{ProducerId, TransportId};
use taoyao_sfu::{PacketOrigin, TransportKey, TransportSetup};
use taoyao_types::Now;

use super::pipe::{Cargo, Entry, EntryKind, Message};
use super::transport::{Kind, PassedOn, Transport};
use super::{Ask, Door, Ledger, Worker};
use crate::placement::{MirrorId, MirrorPlan, Order, Produced};
use crate::stats::Traffic;

/// Payload type of a sender report (RFC 3550, section 6.4.1), with which every compound packet of a sender begins.
const SENDER_REPORT: u8 = 200;
/// A sender report without blocks.
const REPORT_BYTES: usize = 28;

/// The worker's ends of all pipes.
pub(super) struct Spread {
    own: usize,
    doors: Arc<[Door]>,
    /// What this turn has for each worker.
    cargo: Vec<Cargo>,
    is_loaded: bool,
    /// What cargo is taken out of pipes with.
    empty: Cargo,
    /// Mirrors that are here.
    mirrors: BTreeMap<MirrorId, Mirror>,
    /// The transports here whose producers have these mirrors elsewhere.
    sources: BTreeMap<MirrorId, u32>,
}

/// A producer of another worker.
#[derive(Debug, Clone, Copy)]
struct Mirror {
    /// The mirror transport's slot.
    key: u32,
    from: usize,
    producer: ProducerId,
    /// Of a data channel.
    stream: Option<u16>,
}

impl Spread {
    pub(super) fn new(own: usize, doors: Arc<[Door]>) -> Self {
        let cargo = doors.iter().map(|_| Cargo::default()).collect();
        let (mirrors, sources) = (BTreeMap::new(), BTreeMap::new());
        Self { own, doors, cargo, is_loaded: false, empty: Cargo::default(), mirrors, sources }
    }

    /// One of the mirrors on a transport that stands for one of another worker.
    pub(super) fn mirror_of(&self, key: u32) -> Option<MirrorId> {
        self.mirrors.iter().find(|(_, mirror)| mirror.key == key).map(|(id, _)| *id)
    }

    /// Transports that only stand for others.
    pub(super) fn mirror_transports(&self) -> usize {
        let mut keys: Vec<u32> = self.mirrors.values().map(|mirror| mirror.key).collect();
        keys.sort_unstable();
        keys.dedup();
        keys.len()
    }

    /// With the first packet of a stream goes what `clock_of` writes of its clock.
    pub(super) fn pass_rtp(
        &mut self,
        mirrors: &mut [PassedOn],
        origin: &PacketOrigin,
        packet: &[u8],
        traffic: &mut Traffic,
        mut clock_of: impl FnMut(&mut [u8]) -> Option<usize>,
    ) {
        for passed in mirrors.iter_mut().filter(|one| one.producer == origin.producer) {
            let kind = EntryKind::Rtp { stream: origin.stream, is_rtx: origin.is_rtx };
            self.load(passed.to, traffic, |cargo| cargo.add(passed.mirror, kind, packet));
            if !origin.is_rtx && passed.wants_clock(origin.stream) {
                let mut report = [0; REPORT_BYTES];
                let Some(len) = clock_of(&mut report) else { continue };
                self.load(passed.to, traffic, |cargo| {
                    cargo.add(passed.mirror, EntryKind::Report, &report[..len])
                });
            }
        }
    }

    /// Only what senders say of their clocks is of use elsewhere; once for each worker.
    pub(super) fn pass_rtcp(&mut self, mirrors: &[PassedOn], packet: &[u8], traffic: &mut Traffic) {
        if packet.get(1) != Some(&SENDER_REPORT) {
            return;
        }
        for of_worker in mirrors.chunk_by(|one, next| one.to == next.to) {
            let Some(passed) = of_worker.first() else { continue };
            self.load(passed.to, traffic, |cargo| cargo.add(passed.mirror, EntryKind::Report, packet));
        }
    }

    pub(super) fn pass_message(
        &mut self,
        mirrors: &[PassedOn],
        producer: ProducerId,
        (ppid, bytes): (u32, &Bytes),
        traffic: &mut Traffic,
    ) {
        for passed in mirrors.iter().filter(|one| one.producer == producer) {
            let message = Message { mirror: passed.mirror, ppid, bytes: bytes.clone() };
            self.load(passed.to, traffic, |cargo| cargo.add_message(message));
        }
    }

    /// What this worker's router asks of the sender behind a mirror.
    pub(super) fn wish(&mut self, id: MirrorId, packet: &[u8], traffic: &mut Traffic) {
        if let Some(to) = self.mirrors.get(&id).map(|mirror| mirror.from) {
            self.load(to, traffic, |cargo| cargo.add(id, EntryKind::Wish, packet));
        }
    }

    /// Puts what was gathered into the pipes, and wakes those who have emptied theirs.
    pub(super) fn hand_over(&mut self, traffic: &mut Traffic) {
        if !std::mem::take(&mut self.is_loaded) {
            return;
        }
        for (cargo, door) in self.cargo.iter_mut().zip(self.doors.iter()) {
            if cargo.is_empty() {
                continue;
            }
            let put = door.pipe(self.own).put(cargo);
            traffic.dropped_by_pipes += put.dropped;
            if put.is_first {
                door.ask(Ask::Piped(self.own));
            }
        }
    }

    /// A transport is gone, with what was passed on of it or what was mirrored on it.
    pub(super) fn forget_transport(&mut self, key: u32, passed_on: &[PassedOn]) {
        for passed in passed_on {
            self.sources.remove(&passed.mirror);
        }
        self.mirrors.retain(|_, mirror| mirror.key != key);
    }

    fn load(&mut self, to: usize, traffic: &mut Traffic, add: impl FnOnce(&mut Cargo) -> bool) {
        let Some(cargo) = self.cargo.get_mut(to) else { return };
        let is_added = add(cargo);
        traffic.piped += u64::from(is_added);
        traffic.dropped_by_pipes += u64::from(!is_added);
        self.is_loaded = true;
    }
}

impl Worker {
    pub(super) fn obey(&mut self, now: Now, order: Order, ledger: &mut Ledger) {
        match order {
            Order::Command(command) => self.carry_out(now, command, ledger),
            Order::OpenBranch(room) => self.open_room(now, &room, true, ledger),
            Order::DropRoom(room) => self.drop_room(now, room, ledger),
            Order::OpenMirror(plan) => self.open_mirror(now, *plan),
            Order::CloseMirror { room, producer } => self.close_mirror(now, &room, producer),
            Order::Pass { room, producer, mirror, to } => {
                self.begin_passing(&room, PassedOn { producer, to, mirror, clocks_told: 0 });
            }
            Order::StopPassing { mirror } => self.stop_passing(mirror),
        }
    }

    /// Takes what another worker has put into its pipe.
    pub(super) fn unload(&mut self, now: Now, from: usize) {
        let mut cargo = std::mem::take(&mut self.spread.empty);
        self.spread.doors[self.index].pipe(from).take(&mut cargo);
        for (entry, packet) in cargo.packets() {
            self.take_piped(now, entry, packet);
        }
        for message in cargo.messages() {
            if let Some(Mirror { key, stream: Some(stream), .. }) =
                self.spread.mirrors.get(&message.mirror).copied()
            {
                self.pass_on(now, key, stream, message.ppid, &message.bytes);
            }
        }
        cargo.clear();
        self.spread.empty = cargo;
    }

    /// What is for nobody any more is passed over.
    fn take_piped(&mut self, now: Now, entry: Entry, packet: &[u8]) {
        let (mirror, source) = match entry.kind {
            EntryKind::Wish => (None, self.spread.sources.get(&entry.mirror).copied()),
            _ => (self.spread.mirrors.get(&entry.mirror).copied(), None),
        };
        let Some(key) = source.or(mirror.map(|mirror| mirror.key)) else { return };
        let Some(room) = self.transports.get(key as usize).map(|transport| transport.room) else { return };
        let router = &mut self.rooms[room].router;
        match (entry.kind, mirror) {
            (EntryKind::Rtp { stream, is_rtx }, Some(Mirror { producer, .. })) => {
                let origin = PacketOrigin { producer, stream, is_rtx };
                router.handle_mirrored_rtp(now.mono, TransportKey(key), &origin, packet);
            }
            (EntryKind::Report, _) => router.handle_mirrored_rtcp(now, TransportKey(key), packet),
            _ => router.handle_mirrors_wish(now.mono, TransportKey(key), packet),
        }
        self.touch(room);
    }

    fn drop_room(&mut self, now: Now, room: RoomName, ledger: &mut Ledger) {
        ledger.open.remove(&room);
        if let Some(index) = self.by_name.get(&room).copied() {
            self.close_room(now, index);
        }
        ledger.lost.insert(room);
    }

    /// What cannot be produced here was refused at its own worker, too.
    fn open_mirror(&mut self, now: Now, plan: MirrorPlan) {
        let MirrorPlan { room, mirror, from, transport, producer, what } = plan;
        let Some(index) = self.by_name.get(&room).copied() else { return };
        let key = self.mirror_transport(now, index, transport);
        let of_index = &mut self.rooms[index];
        let (is_made, stream) = match what {
            Produced::Media { kind, rtp, is_paused } => {
                let made =
                    of_index.router.produce(now.mono, TransportKey(key), producer, kind, &rtp, is_paused);
                if made.is_ok() {
                    of_index.producers.insert(producer, key);
                }
                (made.is_ok(), None)
            }
            Produced::Data { stream, label, protocol } => {
                let is_made = of_index.data.produce(producer, key, stream, (label, protocol));
                (is_made, Some(stream.stream_id))
            }
        };
        if is_made {
            of_index.mirrors.producers.insert(producer, mirror);
            self.spread.mirrors.insert(mirror, Mirror { key, from, producer, stream });
        }
        self.drop_idle_mirror(key);
    }

    fn mirror_transport(&mut self, now: Now, room: usize, transport: TransportId) -> u32 {
        if let Some(key) = self.rooms[room].mirrors.transports.get(&transport) {
            return *key;
        }
        let key = self.insert_transport(Transport::new(transport, room, Kind::Mirror));
        let of_index = &mut self.rooms[room];
        let setup = TransportSetup { is_mirror: true, ..TransportSetup::default() };
        of_index.router.add_transport(TransportKey(key), setup);
        of_index.router.set_connected(now.mono, TransportKey(key), true);
        of_index.mirrors.transports.insert(transport, key);
        key
    }

    fn close_mirror(&mut self, now: Now, room: &RoomName, producer: ProducerId) {
        let Some(index) = self.by_name.get(room).copied() else { return };
        let Some(id) = self.rooms[index].mirrors.producers.remove(&producer) else { return };
        let Some(mirror) = self.spread.mirrors.remove(&id) else { return };
        if mirror.stream.is_some() {
            // One that is not there any more is as good as closed.
            let _answer = self.act_on_data(now, index, Act::CloseDataProducer { producer });
        } else {
            self.rooms[index].close_producer(producer);
        }
        self.touch(index);
        self.drop_idle_mirror(mirror.key);
    }

    fn drop_idle_mirror(&mut self, key: u32) {
        if self.spread.mirror_of(key).is_none() {
            self.remove_transport(key);
        }
    }

    /// Of a producer that was refused or is gone nothing is passed on, and nobody waits for it.
    fn begin_passing(&mut self, room: &RoomName, passed: PassedOn) {
        let Some(index) = self.by_name.get(room).copied() else { return };
        let of_index = &self.rooms[index];
        let key = of_index.producers.get(&passed.producer).copied();
        let Some(key) = key.or_else(|| of_index.data.transport_of(passed.producer)) else { return };
        let Some(transport) = self.transports.get_mut(key as usize) else { return };
        transport.mirrors.push(passed);
        transport.mirrors.sort_by_key(|one| one.to);
        self.spread.sources.insert(passed.mirror, key);
    }

    fn stop_passing(&mut self, mirror: MirrorId) {
        let Some(key) = self.spread.sources.remove(&mirror) else { return };
        if let Some(transport) = self.transports.get_mut(key as usize) {
            transport.mirrors.retain(|one| one.mirror != mirror);
        }
    }
}
