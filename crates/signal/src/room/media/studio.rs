//! Transports, producers and consumers of one room, each with its owner.

use std::collections::BTreeMap;
use std::sync::Arc;

use taoyao_ortc::{ConsumerId, ProducerId, RtpCapabilities, TransportId};
use taoyao_types::{TerminalName, limits};
use taoyao_wire::link::{MediaIds, Receiving, StreamKind, Subscribe};
use taoyao_wire::terminal::media;

use super::is_service;
use super::works::Works;
use crate::room::shares::{Holder, Taken};
use crate::session_ids::SessionIds;

/// What the members of one room send and receive.
///
/// Whatever is in here hangs on something else that is: a transport on its member, a producer on its transport, a consumer
/// on its transport and its producer.
#[derive(Debug)]
pub(in crate::room) struct Studio {
    desks: BTreeMap<TerminalName, Desk>,
    transports: BTreeMap<TransportId, Transport>,
    producers: BTreeMap<ProducerId, Producer>,
    consumers: BTreeMap<ConsumerId, Consumer>,
    /// The one consumer of a producer at a member.
    pairs: BTreeMap<(ProducerId, TerminalName), ConsumerId>,
    /// Of all members in one file.
    whole: Recording,
    whole_recorder: Option<Holder>,
    ids: SessionIds,
    pub(super) works: Works,
    /// Shares of transports that are no more, until the room has given them back.
    freed: Vec<Taken>,
}

/// One member.
#[derive(Debug, Default)]
pub(super) struct Desk {
    pub(super) subscribe: Subscribe,
    pub(super) capabilities: Option<Arc<RtpCapabilities>>,
    /// How many consumers it has.
    consumers: usize,
    /// What it receives on; the first one counts (reference section 5.4).
    pub(super) receives_on: Option<TransportId>,
    pub(super) recording: Recording,
    /// Who asked for the recording and is charged for it.
    pub(super) recorder: Option<Holder>,
}

#[derive(Debug, Default)]
pub(super) enum Recording {
    #[default]
    No,
    /// By the command of this number.
    Starting(u64),
    /// The same, and where it is.
    At(u64, Option<String>),
}

#[derive(Debug)]
pub(super) struct Transport {
    pub(super) owner: TerminalName,
    pub(super) taken: Taken,
    pub(super) is_ready: bool,
}

#[derive(Debug)]
pub(super) struct Producer {
    pub(super) owner: TerminalName,
    pub(super) transport: TransportId,
    pub(super) kind: StreamKind,
    /// JSON text of an object.
    pub(super) app_data: String,
    pub(super) is_paused: bool,
    pub(super) is_ready: bool,
}

#[derive(Debug)]
pub(super) struct Consumer {
    pub(super) owner: TerminalName,
    pub(super) transport: TransportId,
    pub(super) producer: ProducerId,
    pub(super) kind: StreamKind,
    pub(super) stage: Stage,
    /// By its owner, whatever the producer does.
    pub(super) is_paused: bool,
}

/// How far a consumer has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    /// The SFU has been asked for it.
    Asked,
    /// Its owner has been told of it.
    Told,
    /// Its owner is ready, and it runs.
    Acknowledged,
}

/// Something that is no more and that its owner knows of.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Closed {
    Consumer(ConsumerId, TerminalName, StreamKind),
    Producer(ProducerId, TerminalName, StreamKind),
    Transport(TransportId, TerminalName),
}

/// Something that a member has in the studio.
pub(in crate::room) enum Owned {
    Transport(TransportId),
    Producer(ProducerId),
    Consumer(ConsumerId),
}

impl Recording {
    /// Also while it is only being started.
    pub(super) fn is_on(&self) -> bool {
        !matches!(self, Self::No)
    }
}

impl Studio {
    /// `room` is the room's id, whose random digits make the ids of what is in it.
    pub(in crate::room) fn new(room: &str) -> Self {
        let digits = room.chars().rev().filter_map(|c| c.to_digit(16)).take(16);
        let seed = digits.fold(0, |seed: u64, digit| (seed << 4) | u64::from(digit));
        Self {
            desks: BTreeMap::new(),
            transports: BTreeMap::new(),
            producers: BTreeMap::new(),
            consumers: BTreeMap::new(),
            pairs: BTreeMap::new(),
            whole: Recording::No,
            whole_recorder: None,
            ids: SessionIds::new(seed, taoyao_types::NodeId(0)),
            works: Works::default(),
            freed: Vec::new(),
        }
    }

    /// A member says what it receives, when it enters or enters again.
    pub(in crate::room) fn seat(&mut self, name: &TerminalName, receiving: &Receiving) {
        let capabilities = receiving.capabilities.as_deref().and_then(media::capabilities).map(Arc::new);
        let desk = self.desks.entry(name.clone()).or_default();
        (desk.subscribe, desk.capabilities) = (receiving.subscribe, capabilities);
    }

    pub(super) fn desk(&self, name: &TerminalName) -> Option<&Desk> {
        self.desks.get(name)
    }

    pub(super) fn desks(&self) -> impl Iterator<Item = (&TerminalName, &Desk)> {
        self.desks.iter()
    }

    /// Of a member, or of the whole room where the room's media terminal is named; none where nobody of the name is here.
    pub(super) fn recording(&self, subject: &TerminalName) -> Option<&Recording> {
        if is_service(subject) { Some(&self.whole) } else { Some(&self.desks.get(subject)?.recording) }
    }

    pub(super) fn set_recording(&mut self, subject: &TerminalName, recording: Recording) {
        if is_service(subject) {
            self.whole = recording;
        } else if let Some(desk) = self.desks.get_mut(subject) {
            desk.recording = recording;
        }
    }

    /// Who is charged for a recording that is being started.
    pub(super) fn set_recorder(&mut self, subject: &TerminalName, holder: Holder) {
        if is_service(subject) {
            self.whole_recorder = Some(holder);
        } else if let Some(desk) = self.desks.get_mut(subject) {
            desk.recorder = Some(holder);
        }
    }

    /// Who is charged for the recordings under way, once for each.
    pub(super) fn recorders(&self) -> impl Iterator<Item = &Holder> {
        let of_members = self.desks.values().map(|desk| (&desk.recording, &desk.recorder));
        let all = of_members.chain([(&self.whole, &self.whole_recorder)]);
        all.filter(|(recording, _)| recording.is_on()).filter_map(|(_, recorder)| recorder.as_ref())
    }

    /// Whether anything is being recorded.
    pub(super) fn is_recorded(&self) -> bool {
        let of_members = self.desks.values().map(|desk| &desk.recording);
        of_members.chain([&self.whole]).any(|recording| matches!(recording, Recording::At(..)))
    }

    pub(super) fn transport(&self, id: TransportId) -> Option<&Transport> {
        self.transports.get(&id)
    }

    pub(super) fn transport_mut(&mut self, id: TransportId) -> Option<&mut Transport> {
        self.transports.get_mut(&id)
    }

    pub(super) fn producer(&self, id: ProducerId) -> Option<&Producer> {
        self.producers.get(&id)
    }

    pub(super) fn producer_mut(&mut self, id: ProducerId) -> Option<&mut Producer> {
        self.producers.get_mut(&id)
    }

    pub(super) fn producers(&self) -> impl Iterator<Item = (ProducerId, &Producer)> {
        self.producers.iter().map(|(id, producer)| (*id, producer))
    }

    pub(super) fn consumer(&self, id: ConsumerId) -> Option<&Consumer> {
        self.consumers.get(&id)
    }

    pub(super) fn consumer_mut(&mut self, id: ConsumerId) -> Option<&mut Consumer> {
        self.consumers.get_mut(&id)
    }

    /// What `member` receives the producer by.
    pub(super) fn consumer_of(&self, producer: ProducerId, member: &TerminalName) -> Option<ConsumerId> {
        self.pairs.get(&(producer, member.clone())).copied()
    }

    /// Everybody's consumers of a producer.
    pub(super) fn consumers_of(&self, producer: ProducerId) -> Vec<ConsumerId> {
        let pairs = self.pairs.iter().skip_while(|((of, _), _)| *of < producer);
        pairs.take_while(|((of, _), _)| *of == producer).map(|(_, consumer)| *consumer).collect()
    }

    /// Whether the SFU or the recorder has yet to answer.
    pub(in crate::room) fn is_busy(&self) -> bool {
        !self.works.is_empty()
    }

    /// The shares that its transports have.
    pub(in crate::room) fn taken(&self) -> impl Iterator<Item = Taken> {
        self.transports.values().map(|transport| transport.taken)
    }

    /// The shares of transports that have ended since this was asked.
    pub(super) fn take_freed(&mut self) -> Vec<Taken> {
        std::mem::take(&mut self.freed)
    }

    /// None if the member has too many.
    pub(super) fn add_transport(
        &mut self,
        owner: &TerminalName,
        receives: bool,
        taken: Taken,
    ) -> Option<TransportId> {
        let own = self.transports.values().filter(|transport| transport.owner == *owner).count();
        if own >= limits::MEMBER_TRANSPORTS_MAX {
            return None;
        }
        let id = TransportId::of_random(self.ids.bits());
        if let Some(desk) = self.desks.get_mut(owner).filter(|_| receives) {
            desk.receives_on.get_or_insert(id);
        }
        self.transports.insert(id, Transport { owner: owner.clone(), taken, is_ready: false });
        Some(id)
    }

    /// None if the member has too many.
    pub(super) fn add_producer(
        &mut self,
        owner: &TerminalName,
        transport: TransportId,
        kind: StreamKind,
        app_data: String,
    ) -> Option<ProducerId> {
        let own = self.producers.values().filter(|producer| producer.owner == *owner).count();
        if own >= limits::MEMBER_PRODUCERS_MAX {
            return None;
        }
        let id = ProducerId::of_random(self.ids.bits());
        let (is_paused, is_ready) = (false, false);
        let owner = owner.clone();
        self.producers.insert(id, Producer { owner, transport, kind, app_data, is_paused, is_ready });
        Some(id)
    }

    /// None if the member or the room has too many.
    pub(super) fn add_consumer(
        &mut self,
        owner: &TerminalName,
        transport: TransportId,
        (producer, kind): (ProducerId, StreamKind),
    ) -> Option<ConsumerId> {
        if self.consumers.len() >= limits::ROOM_CONSUMERS_MAX {
            return None;
        }
        let own = self.desks.get_mut(owner)?;
        if own.consumers >= limits::MEMBER_CONSUMERS_MAX {
            return None;
        }
        own.consumers += 1;
        let id = ConsumerId::of_random(self.ids.bits());
        self.pairs.insert((producer, owner.clone()), id);
        let (owner, stage, is_paused) = (owner.clone(), Stage::Asked, false);
        self.consumers.insert(id, Consumer { owner, transport, producer, kind, stage, is_paused });
        Some(id)
    }

    pub(super) fn close_consumer(&mut self, id: ConsumerId) -> Vec<Closed> {
        let Some(Consumer { owner, producer, kind, stage, .. }) = self.consumers.remove(&id) else {
            return Vec::new();
        };
        self.pairs.remove(&(producer, owner.clone()));
        if let Some(desk) = self.desks.get_mut(&owner) {
            desk.consumers -= 1;
        }
        let is_known = stage > Stage::Asked;
        is_known.then_some(Closed::Consumer(id, owner, kind)).into_iter().collect()
    }

    /// Its consumers first.
    pub(super) fn close_producer(&mut self, id: ProducerId) -> Vec<Closed> {
        let consumers = self.consumers_of(id);
        let mut closed: Vec<Closed> =
            consumers.into_iter().flat_map(|consumer| self.close_consumer(consumer)).collect();
        if let Some(Producer { owner, kind, is_ready: true, .. }) = self.producers.remove(&id) {
            closed.push(Closed::Producer(id, owner, kind));
        }
        closed
    }

    /// All that is on it first.
    pub(super) fn close_transport(&mut self, id: TransportId) -> Vec<Closed> {
        let Some(Transport { owner, taken, is_ready }) = self.transports.remove(&id) else {
            return Vec::new();
        };
        self.freed.push(taken);
        if let Some(desk) = self.desks.get_mut(&owner).filter(|desk| desk.receives_on == Some(id)) {
            desk.receives_on = None;
        }
        let consumers = self.consumers.iter().filter(|(_, consumer)| consumer.transport == id);
        let consumers: Vec<ConsumerId> = consumers.map(|(id, _)| *id).collect();
        let producers = self.producers.iter().filter(|(_, producer)| producer.transport == id);
        let producers: Vec<ProducerId> = producers.map(|(id, _)| *id).collect();
        let mut closed: Vec<Closed> = consumers.into_iter().flat_map(|id| self.close_consumer(id)).collect();
        closed.extend(producers.into_iter().flat_map(|id| self.close_producer(id)));
        if is_ready {
            closed.push(Closed::Transport(id, owner));
        }
        closed
    }

    /// A member's transports, ready or not.
    pub(super) fn transports_of(&self, name: &TerminalName) -> Vec<TransportId> {
        let own = self.transports.iter().filter(|(_, transport)| transport.owner == *name);
        own.map(|(id, _)| *id).collect()
    }

    /// Everything, in the order in which it hangs on something else.
    pub(super) fn close_all(&mut self) -> Vec<Closed> {
        let all: Vec<TransportId> = self.transports.keys().copied().collect();
        all.into_iter().flat_map(|transport| self.close_transport(transport)).collect()
    }

    /// The member is gone; its transports must be closed before.
    pub(super) fn remove_desk(&mut self, name: &TerminalName) -> Option<Desk> {
        self.desks.remove(name)
    }

    /// Everything is gone but the members.
    pub(super) fn clear(&mut self) {
        self.freed
            .extend(std::mem::take(&mut self.transports).into_values().map(|transport| transport.taken));
        self.producers.clear();
        self.consumers.clear();
        self.pairs.clear();
        self.desks.values_mut().for_each(|desk| (desk.receives_on, desk.consumers) = (None, 0));
    }

    /// Everything with its owner, also what nobody has been told of yet.
    pub(in crate::room) fn owned(&self) -> impl Iterator<Item = (&TerminalName, Owned)> {
        let transports = self.transports.iter().map(|(id, of)| (&of.owner, Owned::Transport(*id)));
        let producers = self.producers.iter().map(|(id, of)| (&of.owner, Owned::Producer(*id)));
        let consumers = self.consumers.iter().map(|(id, of)| (&of.owner, Owned::Consumer(*id)));
        transports.chain(producers).chain(consumers)
    }

    /// What a member sends and receives, as far as it has been told.
    pub(in crate::room) fn ids_of(&self, name: &TerminalName) -> MediaIds {
        let mut ids = MediaIds::default();
        for (id, producer) in self.producers.iter().filter(|(_, p)| p.owner == *name && p.is_ready) {
            let list = match producer.kind {
                StreamKind::Audio => &mut ids.audio_producers,
                StreamKind::Video => &mut ids.video_producers,
                StreamKind::Data => &mut ids.data_producers,
            };
            list.push(id.to_string());
        }
        for (id, consumer) in
            self.consumers.iter().filter(|(_, c)| c.owner == *name && c.stage > Stage::Asked)
        {
            let list = match consumer.kind {
                StreamKind::Audio => &mut ids.audio_consumers,
                StreamKind::Video => &mut ids.video_consumers,
                StreamKind::Data => &mut ids.data_consumers,
            };
            list.push(id.to_string());
        }
        ids
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> TerminalName {
        text.parse().unwrap()
    }

    fn taken() -> Taken {
        let act = taoyao_wire::link::RoomAct::Leave;
        let (account, room) = (taoyao_types::AccountTag::NOBODY, String::new());
        let (from, session) = (name("a@cn"), taoyao_types::SessionEpoch(1));
        let request =
            taoyao_wire::link::RoomRequest { from, session, account, room, is_operator: false, act };
        Taken { holder: Holder::of(taoyao_types::NodeId(1), &request), plain_ports: 0 }
    }

    /// `a` sends a sound that `b` receives.
    fn studio() -> (Studio, TransportId, ProducerId, ConsumerId) {
        let mut studio = Studio::new("0000000a-89ab-4def-8123-456789abcdef");
        for member in ["a@cn", "b@cn"] {
            studio.seat(&name(member), &Receiving::default());
        }
        let sends_on = studio.add_transport(&name("a@cn"), false, taken()).unwrap();
        let receives_on = studio.add_transport(&name("b@cn"), true, taken()).unwrap();
        for id in [sends_on, receives_on] {
            studio.transport_mut(id).unwrap().is_ready = true;
        }
        let producer = studio.add_producer(&name("a@cn"), sends_on, StreamKind::Audio, "{}".into()).unwrap();
        studio.producer_mut(producer).unwrap().is_ready = true;
        let consumer =
            studio.add_consumer(&name("b@cn"), receives_on, (producer, StreamKind::Audio)).unwrap();
        studio.consumer_mut(consumer).unwrap().stage = Stage::Told;
        (studio, sends_on, producer, consumer)
    }

    #[test]
    fn what_hangs_on_a_transport_ends_before_it() {
        let (mut studio, sends_on, producer, consumer) = studio();
        assert_eq!(studio.consumer_of(producer, &name("b@cn")), Some(consumer));
        let closed = studio.close_transport(sends_on);
        let expected = [
            Closed::Consumer(consumer, name("b@cn"), StreamKind::Audio),
            Closed::Producer(producer, name("a@cn"), StreamKind::Audio),
            Closed::Transport(sends_on, name("a@cn")),
        ];
        assert_eq!(closed, expected);
        assert_eq!(studio.consumer_of(producer, &name("b@cn")), None);
        assert_eq!(studio.ids_of(&name("b@cn")), MediaIds::default());
        assert_eq!(studio.close_transport(sends_on), []);
        assert_eq!(studio.take_freed(), [taken()], "once");
    }

    #[test]
    fn what_nobody_was_told_of_ends_in_silence() {
        let (mut studio, sends_on, producer, consumer) = studio();
        studio.consumer_mut(consumer).unwrap().stage = Stage::Asked;
        studio.producer_mut(producer).unwrap().is_ready = false;
        assert_eq!(studio.ids_of(&name("a@cn")), MediaIds::default());
        assert_eq!(studio.close_transport(sends_on), [Closed::Transport(sends_on, name("a@cn"))]);
        assert!(studio.consumer(consumer).is_none());
    }

    #[test]
    fn a_member_has_so_many_transports_and_receives_on_the_first() {
        let (mut studio, ..) = studio();
        let first = studio.desk(&name("b@cn")).unwrap().receives_on;
        let more = std::iter::from_fn(|| studio.add_transport(&name("b@cn"), true, taken())).count();
        assert_eq!(more, limits::MEMBER_TRANSPORTS_MAX - 1);
        assert_eq!(studio.desk(&name("b@cn")).unwrap().receives_on, first);
        studio.close_transport(first.unwrap());
        assert_eq!(studio.desk(&name("b@cn")).unwrap().receives_on, None);
    }

    #[test]
    fn ids_of_two_rooms_differ() {
        let id = |room: &str| {
            let mut studio = Studio::new(room);
            studio.add_transport(&name("a@cn"), false, taken()).unwrap()
        };
        let room = "0000000a-89ab-4def-8123-456789abcdef";
        assert_eq!(id(room), id(room));
        assert_ne!(id(room), id("0000000a-89ab-4def-8123-456789abcdee"));
    }
}
