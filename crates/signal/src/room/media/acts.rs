//! What members ask of a room's media.

use taoyao_ortc::{Act, Command, RoomName, TransportPlan, router_capabilities};
use taoyao_types::{NodeId, Now, TerminalName, limits};
use taoyao_wire::link::{Failure, MediaAnswer, RoomAct, RoomReply, RoomRequest, StreamKind};
use taoyao_wire::signals::Signal;
use taoyao_wire::terminal::media::{
    BadMedia, ConsumerAct, MediaRequest, ProducerAct, TransportAct, WebRtcWish, of_consumer, of_producer,
    with_json,
};
use taoyao_wire::terminal::{Code, Fields};

use super::studio::{Stage, Studio};
use super::works::Work;
use crate::failure::Failed;
use crate::io::Token;
use crate::room::host::no_room;
use crate::room::hosted::{Room, Said};
use crate::room::shares::{Holder, Taken};
use crate::terminals::Terminals;

/// Who asks, and how it is answered.
pub(super) struct Asker<'a> {
    pub(super) name: &'a TerminalName,
    /// Whether it may act on what belongs to others.
    may_act: bool,
    pub(super) token: Token,
    ask: u64,
    body: &'a str,
}

/// What comes of a request at once; without a reply it is answered later.
pub(super) type Served = Result<(Option<RoomReply>, Vec<Said>), Failure>;

impl Terminals {
    /// `media::*`.
    pub(in crate::room) fn serve_media(
        &mut self,
        now: Now,
        token: Token,
        origin: NodeId,
        request: &RoomRequest,
    ) -> Option<Result<RoomReply, Failure>> {
        let RoomAct::Media { ask, signal, body } = &request.act else { return None };
        let may_act = match self.room_for(origin, request) {
            Ok((_, standing)) => standing.may_act,
            Err(failure) => return Some(Err(failure)),
        };
        let asker = Asker { name: &request.from, may_act, token, ask: *ask, body };
        let wanted = transport_wanted(signal, body).map(|plain_ports| {
            let holder = Holder::of(origin, request);
            Taken { holder, plain_ports }
        });
        if let Some(Err((what, why))) = wanted.as_ref().map(|wanted| self.media_shares.take(wanted)) {
            return Some(Err(self.refuse_share(what, why)));
        }
        let Some(room) = self.rooms.get_mut(&request.room) else { return Some(Err(no_room(&request.room))) };
        let key = room.key;
        match room.serve(&asker, signal, wanted) {
            Err(failure) => {
                wanted.iter().for_each(|wanted| self.media_shares.give_back(wanted));
                Some(Err(failure))
            }
            Ok((reply, said)) => {
                self.reply_room(token, reply.map(Ok));
                self.publish_news(now, key, said);
                None
            }
        }
    }
}

/// The ports of its own that a request for a transport wants; none if it wants no transport.
fn transport_wanted(signal: &str, body: &str) -> Option<usize> {
    match Signal::of(signal)? {
        Signal::MediaTransportWebrtcCreate => Some(0),
        // One for RTP, and one for RTCP where they do not share it.
        Signal::MediaTransportPlainCreate => {
            Some(if Fields::of_text(body).flag("rtcpMux").unwrap_or(true) { 1 } else { 2 })
        }
        _ => None,
    }
}

impl Room {
    /// With the share `taken` for it where it wants a transport.
    fn serve(&mut self, asker: &Asker<'_>, signal: &str, taken: Option<Taken>) -> Served {
        let (Some(studio), Some(signal)) = (&self.studio, Signal::of(signal)) else {
            return Err(self.no_service());
        };
        match MediaRequest::of(signal, &Fields::of_text(asker.body)) {
            // Clients close and pause what they do not have (reference section 5.7).
            Err(BadMedia::Unknown(_)) if is_ignorable(signal) => done(Vec::new()),
            Err(bad) => Err(refused(&bad)),
            Ok(_) if signal.row().answered && studio.works.is_full() => Err(busy("the room's media is busy")),
            Ok(request) => match self.carry_out(asker, request, taken) {
                Err(Failure::NoSuchTerminal) if is_ignorable(signal) => done(Vec::new()),
                Err(Failure::NoSuchTerminal) => Err(refused(&BadMedia::Unknown(thing_of(signal)))),
                other => other,
            },
        }
    }

    /// What the request names but is not there is [`Failure::NoSuchTerminal`] in here.
    fn carry_out(&mut self, asker: &Asker<'_>, request: MediaRequest, taken: Option<Taken>) -> Served {
        match request {
            MediaRequest::Capabilities => {
                let body = with_json(asker.body, "rtpCapabilities", &router_capabilities());
                Ok((Some(RoomReply::Media(MediaAnswer::Body(body))), Vec::new()))
            }
            MediaRequest::CreateWebRtc(WebRtcWish { force_tcp, consuming, sctp, .. }) => {
                self.create_transport(asker, TransportPlan::WebRtc { force_tcp, sctp }, (consuming, taken))
            }
            MediaRequest::CreatePlain { rtcp_mux, comedia, from, srtp, remote_srtp } => {
                let from = from.or_else(|| self.address_of(asker.name));
                let plan = TransportPlan::Plain { rtcp_mux, comedia, from, srtp, remote_srtp };
                self.create_transport(asker, plan, (true, taken))
            }
            MediaRequest::ConnectWebRtc { transport, dtls } => {
                asker.owns(&self.media()?.transport(transport).ok_or(Failure::NoSuchTerminal)?.owner)?;
                let work = Work::Connect { token: asker.token, transport };
                self.later(Act::ConnectWebRtc { transport, dtls }, work)
            }
            MediaRequest::Transport { transport, act } => {
                let owner = &self.media()?.transport(transport).ok_or(Failure::NoSuchTerminal)?.owner;
                match act {
                    // The answer is a password for the owner alone.
                    TransportAct::RestartIce => asker.owns(owner)?,
                    TransportAct::Close | TransportAct::Status => asker.may_touch(owner)?,
                }
                let (token, body) = (asker.token, asker.body.to_owned());
                match act {
                    TransportAct::Close => done(self.close_transport(transport)),
                    TransportAct::RestartIce => {
                        self.later(Act::RestartIce { transport }, Work::RestartIce { token, body })
                    }
                    TransportAct::Status => {
                        self.later(Act::TransportStatus { transport }, Work::Status { token, body })
                    }
                }
            }
            MediaRequest::Produce { transport, kind, rtp, app_data } => {
                let stream = match kind {
                    taoyao_ortc::MediaKind::Audio => StreamKind::Audio,
                    taoyao_ortc::MediaKind::Video => StreamKind::Video,
                };
                let producer = self.new_producer(asker, transport, stream, app_data)?;
                let act = Act::Produce { transport, producer, kind, rtp: *rtp, is_paused: false };
                self.later(act, Work::Produce { token: asker.token, producer })
            }
            MediaRequest::ProduceData { transport, stream, label, protocol, app_data } => {
                let producer = self.new_producer(asker, transport, StreamKind::Data, app_data)?;
                let act = Act::ProduceData { transport, producer, stream, label, protocol };
                self.later(act, Work::Produce { token: asker.token, producer })
            }
            MediaRequest::Producer { producer, is_data, act } => {
                self.act_on_producer(asker, producer, is_data, act)
            }
            MediaRequest::Consume { producer, consumer } => self.take_consume(asker, producer, consumer),
            MediaRequest::ConsumeData { producer } => self.consume_data(asker, producer),
            MediaRequest::Consumer { consumer, is_data, act } => {
                self.act_on_consumer(asker, consumer, is_data, act)
            }
        }
    }

    fn create_transport(
        &mut self,
        asker: &Asker<'_>,
        plan: TransportPlan,
        (receives, taken): (bool, Option<Taken>),
    ) -> Served {
        let (Some(taken), studio) = (taken, self.media()?) else { return Err(Failure::NoSuchTerminal) };
        // An operator who is no member has nothing to send or to receive.
        if studio.desk(asker.name).is_none() {
            return Err(crate::room::host::no_membership(asker.name, asker.name));
        }
        let Some(transport) = studio.add_transport(asker.name, receives, taken) else {
            return Err(busy(&format!("a member has {} transports at most", limits::MEMBER_TRANSPORTS_MAX)));
        };
        let work = Work::CreateTransport { token: asker.token, ask: asker.ask, transport };
        self.later(Act::CreateTransport { transport, plan }, work)
    }

    fn new_producer(
        &mut self,
        asker: &Asker<'_>,
        transport: taoyao_ortc::TransportId,
        kind: StreamKind,
        app_data: String,
    ) -> Result<taoyao_ortc::ProducerId, Failure> {
        let studio = self.media()?;
        asker.owns(&studio.transport(transport).ok_or(Failure::NoSuchTerminal)?.owner)?;
        let too_many = || busy(&format!("a member has {} producers at most", limits::MEMBER_PRODUCERS_MAX));
        studio.add_producer(asker.name, transport, kind, app_data).ok_or_else(too_many)
    }

    fn act_on_producer(
        &mut self,
        asker: &Asker<'_>,
        id: taoyao_ortc::ProducerId,
        is_data: bool,
        act: ProducerAct,
    ) -> Served {
        let studio = self.media()?;
        let producer = studio.producer_mut(id).filter(|producer| producer.is_ready);
        let producer = producer.filter(|producer| (producer.kind == StreamKind::Data) == is_data);
        let producer = producer.ok_or(Failure::NoSuchTerminal)?;
        asker.may_touch(&producer.owner)?;
        match act {
            ProducerAct::Close => done(self.close_producer(id)),
            ProducerAct::Pause(is_paused) if producer.is_paused == is_paused => done(Vec::new()),
            ProducerAct::Pause(is_paused) => {
                producer.is_paused = is_paused;
                done(self.producer_paused(id, is_paused))
            }
            ProducerAct::Status => {
                let work = Work::Status { token: asker.token, body: asker.body.to_owned() };
                self.later(Act::ProducerStatus { producer: id }, work)
            }
        }
    }

    /// Its owner is told, and all who receive it and want to (quirk Q32: nothing is started that was not acknowledged).
    fn producer_paused(&mut self, id: taoyao_ortc::ProducerId, is_paused: bool) -> Vec<Said> {
        let mut said = vec![self.order(Act::PauseProducer { producer: id, is_paused })];
        let Some(studio) = &self.studio else { return said };
        let Some(producer) = studio.producer(id) else { return said };
        let (own, others) = pause_signals(is_paused);
        let running = studio.consumers_of(id).into_iter().filter_map(|id| Some((id, studio.consumer(id)?)));
        let running =
            running.filter(|(_, consumer)| consumer.stage == Stage::Acknowledged && !consumer.is_paused);
        let consumers: Vec<_> = running.map(|(id, consumer)| (id, consumer.owner.clone())).collect();
        let owner = producer.owner.clone();
        said.extend(self.push(&owner, own, of_producer(&self.id, &id)));
        for (consumer, owner) in consumers {
            said.extend(self.push(&owner, others, of_consumer(&self.id, &consumer)));
        }
        said
    }

    fn act_on_consumer(
        &mut self,
        asker: &Asker<'_>,
        id: taoyao_ortc::ConsumerId,
        is_data: bool,
        act: ConsumerAct,
    ) -> Served {
        let studio = self.media()?;
        let consumer = studio.consumer(id).filter(|consumer| consumer.stage > Stage::Asked);
        let consumer = consumer.filter(|consumer| (consumer.kind == StreamKind::Data) == is_data);
        asker.may_touch(&consumer.ok_or(Failure::NoSuchTerminal)?.owner)?;
        let consumer = id;
        match act {
            ConsumerAct::Close => done(self.close_consumer(consumer)),
            ConsumerAct::Pause(is_paused) => done(self.pause_consumer(consumer, is_paused)),
            ConsumerAct::RequestKeyFrame => done(vec![self.order(Act::RequestKeyFrame { consumer })]),
            ConsumerAct::PreferLayers { spatial, temporal } => {
                done(vec![self.order(Act::PreferLayers { consumer, spatial, temporal })])
            }
            ConsumerAct::Prioritise(priority) => {
                done(vec![self.order(Act::Prioritise { consumer, priority })])
            }
            ConsumerAct::Status => {
                let work = Work::Status { token: asker.token, body: asker.body.to_owned() };
                self.later(Act::ConsumerStatus { consumer }, work)
            }
        }
    }

    /// By its owner. One that is not acknowledged does not run anyway.
    fn pause_consumer(&mut self, id: taoyao_ortc::ConsumerId, is_paused: bool) -> Vec<Said> {
        let Some(studio) = &mut self.studio else { return Vec::new() };
        let Some(consumer) = studio.consumer_mut(id).filter(|consumer| consumer.is_paused != is_paused)
        else {
            return Vec::new();
        };
        consumer.is_paused = is_paused;
        let (owner, producer) = (consumer.owner.clone(), consumer.producer);
        let runs = consumer.stage == Stage::Acknowledged;
        let is_silent = studio.producer(producer).is_some_and(|producer| producer.is_paused);
        let mut said = Vec::new();
        if runs {
            said.push(self.order(Act::PauseConsumer { consumer: id, is_paused }));
        }
        if is_paused || !is_silent {
            let (_, signal) = pause_signals(is_paused);
            said.extend(self.push(&owner, signal, of_consumer(&self.id, &id)));
        }
        said
    }

    pub(super) fn media(&mut self) -> Result<&mut Studio, Failure> {
        match &mut self.studio {
            Some(studio) => Ok(studio),
            None => Err(Failure::NoSuchTerminal),
        }
    }

    fn no_service(&self) -> Failure {
        Failed::new(Code::Unknown, format!("无效媒体服务：{}", self.media)).into_failure()
    }

    pub(super) fn name_at_sfu(&self) -> RoomName {
        RoomName::from(self.id.as_str())
    }

    /// A command that nobody waits for.
    pub(super) fn order(&self, act: Act) -> Said {
        Said::ToMedia(Command { room: self.name_at_sfu(), number: 0, act })
    }

    /// A command whose answer is for `work`.
    pub(super) fn work(&mut self, act: Act, work: Work) -> Option<Said> {
        let number = self.studio.as_mut()?.works.begin(work);
        Some(Said::ToMedia(Command { room: self.name_at_sfu(), number, act }))
    }

    fn later(&mut self, act: Act, work: Work) -> Served {
        Ok((None, self.work(act, work).into_iter().collect()))
    }
}

impl Asker<'_> {
    /// What nobody can do for another.
    fn owns(&self, owner: &TerminalName) -> Result<(), Failure> {
        if self.name == owner { Ok(()) } else { Err(Failure::Denied { rule: "owner".to_owned() }) }
    }

    /// What the room's owner and operators do to others, too.
    fn may_touch(&self, owner: &TerminalName) -> Result<(), Failure> {
        if self.may_act { Ok(()) } else { self.owns(owner) }
    }
}

pub(super) fn done(said: Vec<Said>) -> Served {
    Ok((Some(RoomReply::Done), said))
}

/// For a producer's owner and for its consumers.
pub(super) fn pause_signals(is_paused: bool) -> (Signal, Signal) {
    if is_paused {
        (Signal::MediaProducerPause, Signal::MediaConsumerPause)
    } else {
        (Signal::MediaProducerResume, Signal::MediaConsumerResume)
    }
}

/// Whether what the signal names may be gone already, without anybody being told.
fn is_ignorable(signal: Signal) -> bool {
    !signal.row().answered && !matches!(signal, Signal::MediaConsume | Signal::MediaDataConsume)
}

/// What a signal is about.
fn thing_of(signal: Signal) -> &'static str {
    let about = |what: &str| signal.name().contains(what);
    match () {
        () if about("consumer::") => "consumer",
        () if about("transport::") || about("::produce") && !about("producer") || about("ice::") => {
            "transport"
        }
        () => "producer",
    }
}

pub(super) fn busy(why: &str) -> Failure {
    Failed::busy(why).into_failure()
}

pub(super) fn refused(bad: &BadMedia) -> Failure {
    let failed = match bad {
        BadMedia::Unknown(_) => Failed::new(Code::Unknown, format!("无效媒体：{bad}")),
        BadMedia::Field { .. } | BadMedia::NoRequest => {
            Failed::new(Code::BadFormat, format!("{}：{bad}", Code::BadFormat.text()))
        }
    };
    failed.into_failure()
}
