//! One room's parts: what is at which worker, and who needs which mirror.

use std::collections::{BTreeMap, BTreeSet};

use taoyao_ortc::control::{Act, Command, RoomName};
use taoyao_ortc::{ConsumerId, MediaKind, ProducerId, TransportId};

use super::mirrors::Mirror;
use super::{Load, Order, Orders, Produced};
use crate::tap::TapId;

pub(super) struct Room {
    pub(super) name: RoomName,
    pub(super) home: usize,
    /// The other workers that have a part of it.
    branches: BTreeSet<usize>,
    /// A worker of it has failed, and it was not opened again.
    is_lost: bool,
    transports: BTreeMap<TransportId, usize>,
    pub(super) producers: BTreeMap<ProducerId, Producer>,
    consumers: BTreeMap<ConsumerId, Consumer>,
    /// Taps with the producers that are mirrored for them.
    pub(super) taps: BTreeMap<TapId, Vec<ProducerId>>,
    /// What commands are to make that were not answered yet, by the commands' numbers.
    made: BTreeMap<u64, Made>,
}

pub(super) struct Producer {
    pub(super) transport: TransportId,
    pub(super) worker: usize,
    pub(super) what: Produced,
    /// By worker.
    pub(super) mirrors: BTreeMap<usize, Mirror>,
}

#[derive(Clone, Copy)]
struct Consumer {
    transport: TransportId,
    producer: ProducerId,
    worker: usize,
}

enum Made {
    Room,
    Transport(TransportId),
    Producer(ProducerId),
    Consumer(ConsumerId),
}

impl Room {
    /// To be opened by the command with this number.
    pub(super) fn new(name: RoomName, home: usize, number: u64) -> Self {
        Self {
            name,
            home,
            branches: BTreeSet::new(),
            is_lost: false,
            transports: BTreeMap::new(),
            producers: BTreeMap::new(),
            consumers: BTreeMap::new(),
            taps: BTreeMap::new(),
            made: (number != 0).then_some((number, Made::Room)).into_iter().collect(),
        }
    }

    pub(super) fn transport(&self, id: TransportId) -> Option<usize> {
        self.transports.get(&id).copied()
    }

    pub(super) fn is_lost(&self) -> bool {
        self.is_lost
    }

    pub(super) fn is_at(&self, worker: usize) -> bool {
        worker == self.home || self.branches.contains(&worker)
    }

    pub(super) fn transports_by_worker(&self, workers: usize) -> Vec<usize> {
        let mut counts = vec![0; workers];
        self.transports.values().for_each(|worker| counts[*worker] += 1);
        counts
    }

    /// The worker that has what the command is about.
    pub(super) fn worker_of(&self, act: &Act) -> Option<usize> {
        match act {
            Act::OpenRoom | Act::CloseRoom => Some(self.home),
            Act::CreateTransport { transport, .. }
            | Act::ConnectWebRtc { transport, .. }
            | Act::ConnectPlain { transport, .. }
            | Act::RestartIce { transport }
            | Act::CloseTransport { transport }
            | Act::Produce { transport, .. }
            | Act::Consume { transport, .. }
            | Act::ProduceData { transport, .. }
            | Act::ConsumeData { transport, .. }
            | Act::TransportStatus { transport } => self.transport(*transport),
            Act::PauseProducer { producer, .. }
            | Act::CloseProducer { producer }
            | Act::CloseDataProducer { producer }
            | Act::ProducerStatus { producer } => self.producers.get(producer).map(|one| one.worker),
            Act::PauseConsumer { consumer, .. }
            | Act::CloseConsumer { consumer }
            | Act::PreferLayers { consumer, .. }
            | Act::Prioritise { consumer, .. }
            | Act::RequestKeyFrame { consumer }
            | Act::CloseDataConsumer { consumer }
            | Act::ConsumerStatus { consumer } => self.consumers.get(consumer).map(|one| one.worker),
        }
    }

    /// The command with what has to be done before and after it.
    pub(super) fn place(
        &mut self,
        target: usize,
        command: Command,
        loads: &mut [Load],
        orders: &mut Orders,
    ) -> Vec<(usize, Order)> {
        if !self.is_lost {
            self.prepare(target, &command.act, orders);
        }
        let mut before = orders.take();
        if !self.is_lost {
            self.follow(target, &command, loads, orders);
        }
        before.push((target, Order::Command(command)));
        before.append(&mut orders.take());
        before
    }

    /// The room goes everywhere but at its home, where the command itself ends it.
    pub(super) fn close(self, loads: &mut [Load], orders: &mut Orders) {
        for worker in self.transports.values() {
            loads[*worker].transports -= 1;
        }
        loads[self.home].rooms -= 1;
        for branch in self.branches {
            loads[branch].rooms -= 1;
            orders.give(branch, close(&self.name));
        }
    }

    /// After it was lost; one that was not stays as it is.
    pub(super) fn open_again(&mut self, loads: &mut [Load], orders: &mut Orders) {
        if std::mem::take(&mut self.is_lost) {
            for branch in std::mem::take(&mut self.branches) {
                loads[branch].rooms -= 1;
                orders.give(branch, close(&self.name));
            }
        }
    }

    /// A worker of it failed. Returns whether that is new; then all other workers drop their parts.
    pub(super) fn lose(&mut self, loads: &mut [Load], orders: &mut Orders) -> bool {
        if std::mem::replace(&mut self.is_lost, true) {
            return false;
        }
        for worker in self.transports.values() {
            loads[*worker].transports -= 1;
        }
        self.transports.clear();
        self.producers.clear();
        self.consumers.clear();
        self.taps.clear();
        self.made.clear();
        for worker in self.branches.iter().copied().chain([self.home]).filter(|_| !self.branches.is_empty()) {
            orders.give(worker, Order::DropRoom(self.name.clone()));
        }
        true
    }

    /// A command was answered. What it was to make is not there if it was refused. Returns whether it opened the room.
    pub(super) fn settle(
        &mut self,
        number: u64,
        is_refused: bool,
        loads: &mut [Load],
        orders: &mut Orders,
    ) -> bool {
        match self.made.remove(&number) {
            Some(Made::Room) => return true,
            Some(Made::Transport(id)) if is_refused => self.forget_transport(id, loads, orders),
            Some(Made::Producer(id)) if is_refused => self.forget_producer(id, orders),
            Some(Made::Consumer(id)) if is_refused => self.forget_consumer(id, orders),
            _ => {}
        }
        false
    }

    pub(super) fn forget_transport(&mut self, id: TransportId, loads: &mut [Load], orders: &mut Orders) {
        let Some(worker) = self.transports.remove(&id) else { return };
        loads[worker].transports -= 1;
        let of = self.producers.iter().filter(|(_, one)| one.transport == id);
        for producer in of.map(|(id, _)| *id).collect::<Vec<_>>() {
            self.forget_producer(producer, orders);
        }
        let of = self.consumers.iter().filter(|(_, one)| one.transport == id);
        for consumer in of.map(|(id, _)| *id).collect::<Vec<_>>() {
            self.forget_consumer(consumer, orders);
        }
        if self.branches.contains(&worker) && !self.transports.values().any(|at| *at == worker) {
            self.close_branch(worker, loads, orders);
        }
    }

    /// What must be there before the command comes.
    fn prepare(&mut self, target: usize, act: &Act, orders: &mut Orders) {
        match act {
            Act::CreateTransport { .. } if !self.is_at(target) => {
                orders.give(target, Order::OpenBranch(self.name.clone()));
            }
            Act::Consume { transport, producer, .. } | Act::ConsumeData { transport, producer, .. }
                if self.transports.contains_key(transport) =>
            {
                self.mirror(*producer, target, orders);
            }
            _ => {}
        }
    }

    /// What the command changes, and what has to be done once it has come.
    fn follow(&mut self, target: usize, command: &Command, loads: &mut [Load], orders: &mut Orders) {
        let number = command.number;
        match command.act {
            Act::CreateTransport { transport, .. } => {
                self.add_transport(target, transport, number, loads, orders);
            }
            Act::CloseTransport { transport } => self.forget_transport(transport, loads, orders),
            Act::Produce { transport, producer, .. } | Act::ProduceData { transport, producer, .. } => {
                if let Some(what) = Produced::of(&command.act) {
                    self.add_producer(producer, transport, what, number, orders);
                }
            }
            Act::PauseProducer { producer, is_paused } => self.pause(producer, is_paused, orders),
            Act::CloseProducer { producer } | Act::CloseDataProducer { producer } => {
                self.forget_producer(producer, orders);
            }
            Act::Consume { transport, consumer, producer, .. }
            | Act::ConsumeData { transport, consumer, producer } => {
                self.add_consumer(consumer, Consumer { transport, producer, worker: target }, number);
            }
            Act::CloseConsumer { consumer } | Act::CloseDataConsumer { consumer } => {
                self.forget_consumer(consumer, orders);
            }
            _ => {}
        }
    }

    fn add_transport(
        &mut self,
        worker: usize,
        id: TransportId,
        number: u64,
        loads: &mut [Load],
        orders: &mut Orders,
    ) {
        if self.transports.contains_key(&id) {
            return;
        }
        self.transports.insert(id, worker);
        loads[worker].transports += 1;
        self.note_made(number, Made::Transport(id));
        if worker != self.home && self.branches.insert(worker) {
            loads[worker].rooms += 1;
            self.mirror_all_sound(worker, orders);
        }
    }

    fn add_producer(
        &mut self,
        id: ProducerId,
        transport: TransportId,
        what: Produced,
        number: u64,
        orders: &mut Orders,
    ) {
        let Some(worker) = self.transport(transport).filter(|_| !self.producers.contains_key(&id)) else {
            return;
        };
        let made = Producer { transport, worker, what, mirrors: BTreeMap::new() };
        let is_everywhere = made.is_everywhere();
        self.producers.insert(id, made);
        self.note_made(number, Made::Producer(id));
        if is_everywhere {
            for worker in self.branches.iter().copied().chain([self.home]).collect::<Vec<_>>() {
                self.mirror(id, worker, orders);
            }
        }
    }

    fn add_consumer(&mut self, id: ConsumerId, consumer: Consumer, number: u64) {
        let is_new = !self.consumers.contains_key(&id);
        let has_ends = self.producers.contains_key(&consumer.producer)
            && self.transports.contains_key(&consumer.transport);
        if !is_new || !has_ends {
            return;
        }
        self.consumers.insert(id, consumer);
        self.count_user(consumer.producer, consumer.worker);
        self.note_made(number, Made::Consumer(id));
    }

    fn note_made(&mut self, number: u64, made: Made) {
        if number != 0 {
            self.made.insert(number, made);
        }
    }

    fn pause(&mut self, id: ProducerId, pause: bool, orders: &mut Orders) {
        let Some(producer) = self.producers.get_mut(&id) else { return };
        if let Produced::Media { is_paused, .. } = &mut producer.what {
            *is_paused = pause;
        }
        for worker in producer.mirrors.keys() {
            let act = Act::PauseProducer { producer: id, is_paused: pause };
            orders.give(*worker, Order::Command(Command { room: self.name.clone(), number: 0, act }));
        }
    }

    fn forget_producer(&mut self, id: ProducerId, orders: &mut Orders) {
        let Some(producer) = self.producers.remove(&id) else { return };
        for (worker, mirror) in producer.mirrors {
            self.end_mirror(id, &mirror, (producer.worker, worker), orders);
        }
        self.consumers.retain(|_, consumer| consumer.producer != id);
    }

    fn forget_consumer(&mut self, id: ConsumerId, orders: &mut Orders) {
        if let Some(consumer) = self.consumers.remove(&id) {
            self.release(consumer.producer, consumer.worker, orders);
        }
    }

    fn close_branch(&mut self, worker: usize, loads: &mut [Load], orders: &mut Orders) {
        self.branches.remove(&worker);
        loads[worker].rooms -= 1;
        for producer in self.producers.values_mut() {
            if let Some(mirror) = producer.mirrors.remove(&worker) {
                orders.give(producer.worker, mirror.stop());
            }
        }
        orders.give(worker, close(&self.name));
    }
}

impl Producer {
    /// Sound is heard at every worker of the room: each finds out by itself who is to be forwarded, and the home tells who
    /// speaks.
    pub(super) fn is_everywhere(&self) -> bool {
        matches!(self.what, Produced::Media { kind: MediaKind::Audio, .. })
    }
}

fn close(room: &RoomName) -> Order {
    Order::Command(Command { room: room.clone(), number: 0, act: Act::CloseRoom })
}
