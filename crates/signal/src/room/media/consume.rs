//! Who receives whom: of itself what it subscribed to, anything else when asked for (reference sections 5.3 to 5.6).

use taoyao_ortc::{Act, ConsumerId, ProducerId, Refused, TransportId};
use taoyao_types::TerminalName;
use taoyao_wire::link::{Consumed, Consuming, Failure, MediaNews, RoomEvent, RoomReply, StreamKind};
use taoyao_wire::signals::Signal;
use taoyao_wire::terminal::Code;
use taoyao_wire::terminal::media::of_consumer;

use super::acts::{Asker, Served, busy, done, pause_signals};
use super::studio::Stage;
use super::works::Work;
use crate::failure::Failed;
use crate::io::Token;
use crate::room::hosted::{Room, Said};

/// Why a member cannot receive a producer.
enum Obstacle {
    /// It does already, or the producer is its own.
    Needless,
    NoTransport,
    NoCapabilities,
    TooMany,
}

impl Room {
    /// Everything that others produce and that the member subscribed to.
    pub(super) fn consume_all(&mut self, member: &TerminalName) -> Vec<Said> {
        let Some(studio) = &self.studio else { return Vec::new() };
        let Some(subscribe) = studio.desk(member).map(|desk| desk.subscribe) else { return Vec::new() };
        let wanted =
            studio.producers().filter(|(_, producer)| producer.is_ready && subscribe.takes(producer.kind));
        let wanted: Vec<ProducerId> = wanted.map(|(id, _)| id).collect();
        wanted.into_iter().filter_map(|producer| self.consume(member, producer, None).ok()).collect()
    }

    /// A new producer, for all others who subscribed to such.
    pub(super) fn offer(&mut self, producer: ProducerId) -> Vec<Said> {
        let Some(studio) = &self.studio else { return Vec::new() };
        let Some(kind) = studio.producer(producer).map(|producer| producer.kind) else { return Vec::new() };
        let takers = studio.desks().filter(|(_, desk)| desk.subscribe.takes(kind));
        let takers: Vec<TerminalName> = takers.map(|(name, _)| name.clone()).collect();
        takers.iter().filter_map(|member| self.consume(member, producer, None).ok()).collect()
    }

    /// `media::consume` from a member: the push sent back as a sign that it is ready, or a wish.
    pub(super) fn take_consume(
        &mut self,
        asker: &Asker<'_>,
        producer: ProducerId,
        consumer: Option<ConsumerId>,
    ) -> Served {
        let studio = self.media()?;
        let own = studio.consumer_of(producer, asker.name);
        match (consumer, own) {
            (Some(named), Some(own)) if named == own => done(self.acknowledge(own)),
            // Of one that is gone meanwhile.
            (Some(_), _) => done(Vec::new()),
            (None, Some(own)) => done(self.acknowledge(own)),
            (None, None) => {
                studio
                    .producer(producer)
                    .filter(|producer| producer.is_ready && producer.kind != StreamKind::Data)
                    .ok_or(Failure::NoSuchTerminal)?;
                self.consume_on_request(asker, producer)
            }
        }
    }

    /// `media::data::consume`.
    pub(super) fn consume_data(&mut self, asker: &Asker<'_>, producer: ProducerId) -> Served {
        let studio = self.media()?;
        studio
            .producer(producer)
            .filter(|producer| producer.is_ready && producer.kind == StreamKind::Data)
            .ok_or(Failure::NoSuchTerminal)?;
        self.consume_on_request(asker, producer)
    }

    fn consume_on_request(&mut self, asker: &Asker<'_>, producer: ProducerId) -> Served {
        let lacking = |what: &str| Failed::new(Code::Unknown, format!("无效媒体：{what}")).into_failure();
        match self.consume(asker.name, producer, Some(asker.token)) {
            Ok(said) => Ok((None, vec![said])),
            Err(Obstacle::Needless) => done(Vec::new()),
            Err(Obstacle::NoTransport) => Err(lacking("make a transport to receive on first")),
            Err(Obstacle::NoCapabilities) => Err(lacking("say rtpCapabilities when entering the room")),
            Err(Obstacle::TooMany) => Err(busy("the room has too many consumers")),
        }
    }

    /// Exactly one consumer for each producer and member.
    fn consume(
        &mut self,
        member: &TerminalName,
        producer: ProducerId,
        token: Option<Token>,
    ) -> Result<Said, Obstacle> {
        let studio = self.studio.as_mut().ok_or(Obstacle::Needless)?;
        let of = studio.producer(producer).ok_or(Obstacle::Needless)?;
        if of.owner == *member || studio.consumer_of(producer, member).is_some() {
            return Err(Obstacle::Needless);
        }
        let kind = of.kind;
        let desk = studio.desk(member).ok_or(Obstacle::Needless)?;
        let is_ready = |id: &TransportId| studio.transport(*id).is_some_and(|transport| transport.is_ready);
        let transport = desk.receives_on.filter(is_ready).ok_or(Obstacle::NoTransport)?;
        let capabilities = desk.capabilities.clone();
        if kind != StreamKind::Data && capabilities.is_none() {
            return Err(Obstacle::NoCapabilities);
        }
        let consumer = studio.add_consumer(member, transport, (producer, kind)).ok_or(Obstacle::TooMany)?;
        let act = match capabilities.filter(|_| kind != StreamKind::Data) {
            Some(capabilities) => Act::Consume { transport, consumer, producer, capabilities },
            None => Act::ConsumeData { transport, consumer, producer },
        };
        self.work(act, Work::Consume { token, consumer }).ok_or(Obstacle::Needless)
    }

    /// The SFU has made it: its owner is told. Data flows at once, media when the owner is ready.
    pub(super) fn consumed(&mut self, id: ConsumerId, how: Consumed) -> Vec<Said> {
        let Some(studio) = &mut self.studio else { return Vec::new() };
        let Some(consumer) = studio.consumer_mut(id) else { return Vec::new() };
        let is_data = consumer.kind == StreamKind::Data;
        consumer.stage = if is_data { Stage::Acknowledged } else { Stage::Told };
        let (owner, producer, kind) = (consumer.owner.clone(), consumer.producer, consumer.kind);
        let Some(of) = studio.producer(producer) else { return Vec::new() };
        let (source, app_data) = (of.owner.clone(), of.app_data.clone());
        let (producer, consumer) = (producer.to_string(), id.to_string());
        let told = Consuming { source, producer, consumer, kind, app_data, how };
        self.tell_media(&owner, MediaNews::Consuming(Box::new(told))).into_iter().collect()
    }

    /// The SFU has not made it: nobody is told (reference section 5.5), but who asked for it.
    pub(super) fn not_consumed(&mut self, id: ConsumerId, why: &Refused) {
        tracing::debug!(room = self.id, consumer = %id, %why, "not consumed");
        if let Some(studio) = &mut self.studio {
            studio.close_consumer(id);
        }
    }

    /// Its owner is ready: it runs from now on, unless the owner has paused it. Once.
    fn acknowledge(&mut self, id: ConsumerId) -> Vec<Said> {
        let Some(studio) = &mut self.studio else { return Vec::new() };
        let Some(consumer) = studio.consumer_mut(id).filter(|consumer| consumer.stage == Stage::Told) else {
            return Vec::new();
        };
        consumer.stage = Stage::Acknowledged;
        let (owner, producer, is_paused) = (consumer.owner.clone(), consumer.producer, consumer.is_paused);
        if is_paused {
            return Vec::new();
        }
        // Clients do not look at `producerPaused` (quirk Q31): they are told.
        let is_silent = studio.producer(producer).is_some_and(|producer| producer.is_paused);
        let (_, signal) = pause_signals(is_silent);
        let mut said = vec![self.order(Act::PauseConsumer { consumer: id, is_paused: false })];
        said.extend(self.push(&owner, signal, of_consumer(&self.id, &id)));
        said
    }

    /// To one member, if it is there.
    pub(super) fn push(&mut self, to: &TerminalName, signal: Signal, body: String) -> Option<Said> {
        self.tell_media(to, MediaNews::Push { signal: signal.name().to_owned(), body })
    }

    pub(super) fn tell_media(&mut self, to: &TerminalName, news: MediaNews) -> Option<Said> {
        self.tell_one(to, RoomEvent::Media { to: Some(to.clone()), news: Box::new(news) })
    }
}

/// The end of a wish to receive.
pub(super) fn consume_reply(result: Result<(), &Refused>) -> Result<RoomReply, Failure> {
    result.map(|()| RoomReply::Done).map_err(super::answers::failure)
}
