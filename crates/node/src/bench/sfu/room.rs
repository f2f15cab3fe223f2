//! One room of a forwarder in this process: a producer and consumers, connected as browsers are.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

pub(super) use taoyao_media::load;
use taoyao_media::load::{Audience, Link, Load, Producer};
use taoyao_media::peer::Certificate;
use taoyao_media::{Config, Media};
use taoyao_ortc::{
    Act, Command, ConsumerId, Done, DtlsParameters, DtlsRole, Event, Fingerprint, IceParameters, MediaKind,
    ProducerId, Reply, RtpParameters, SrtpSuite, TransportId, TransportLocal, TransportPlan,
    router_capabilities,
};

use super::super::error::{BenchError, io};

pub(super) const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
/// A command takes microseconds.
const ANSWER_MAX: Duration = Duration::from_secs(10);
const ROOM: &str = "bench";

pub(super) struct Room {
    media: Media,
    events: Receiver<Event>,
    number: u64,
    ids: u128,
}

/// What new ends are to be told: the SFU's credentials and certificate.
type Told = (IceParameters, DtlsParameters);

/// A room with everyone connected.
pub(super) struct Gathering {
    pub(super) room: Room,
    pub(super) producer: Producer,
    pub(super) audience: Audience,
}

impl Gathering {
    /// The producer begins paused.
    pub(super) fn new(consumers: usize, load: Load, suite: SrtpSuite) -> Result<Self, BenchError> {
        let mut room = Room::open()?;
        let mut links = room.connect(1 + consumers, suite)?;
        let (id, link) = links.remove(0);
        let producer = room.produce(id, load::video())?;
        let listeners = links
            .into_iter()
            .map(|(id, link)| Ok((link, room.hear(id, producer)?)))
            .collect::<Result<Vec<_>, BenchError>>()?;
        let audience = Audience::start(listeners).map_err(io("the audience"))?;
        Ok(Self { room, producer: Producer::start(link, load), audience })
    }
}

impl Room {
    pub(super) fn open() -> Result<Self, BenchError> {
        let config = Config {
            listen: LOOPBACK,
            port: 0,
            workers: 1,
            enable_tcp: false,
            max_incoming_bitrate: None,
            ..Config::default()
        };
        let (sender, events) = channel();
        // Nobody listens any more when the room is dropped.
        let media = Media::start(config, move |event| drop(sender.send(event)))?;
        let mut room = Self { media, events, number: 0, ids: 0 };
        room.ask(Act::OpenRoom)?;
        Ok(room)
    }

    /// Datagrams that the worker has sent so far.
    pub(super) fn sent(&self) -> u64 {
        self.media.stats().first().map_or(0, |stats| stats.traffic.datagrams_out)
    }

    pub(super) fn ask(&mut self, act: Act) -> Result<Reply, BenchError> {
        self.number += 1;
        self.media.send(Command { room: ROOM.into(), number: self.number, act });
        loop {
            match self.events.recv_timeout(ANSWER_MAX) {
                Ok(Event::Done(Done { number, result, .. })) if number == self.number => {
                    return result.map_err(|refused| BenchError::Answer(refused.to_string()));
                }
                Ok(_) => {}
                Err(_) => return Err(BenchError::Late("the media worker does not answer".to_owned())),
            }
        }
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.media.addresses()[0]
    }

    /// Transports for ends with this certificate, and what those ends are to be told.
    pub(super) fn invite(
        &mut self,
        count: usize,
        fingerprint: &Fingerprint,
    ) -> Result<Vec<(TransportId, Told)>, BenchError> {
        (0..count).map(|_| self.invite_one(fingerprint)).collect()
    }

    fn invite_one(&mut self, fingerprint: &Fingerprint) -> Result<(TransportId, Told), BenchError> {
        let transport = TransportId::of_random(self.id());
        let plan = TransportPlan::WebRtc { force_tcp: false, sctp: None };
        let local = self.ask(Act::CreateTransport { transport, plan })?;
        let Reply::Transport(TransportLocal::WebRtc { ice, dtls, .. }) = local else {
            return Err(BenchError::Answer("a transport of another kind".to_owned()));
        };
        let theirs = DtlsParameters { role: DtlsRole::Client, fingerprints: vec![fingerprint.clone()] };
        self.ask(Act::ConnectWebRtc { transport, dtls: theirs })?;
        Ok((transport, (ice, dtls)))
    }

    /// Ends in this process that offer one suite only.
    pub(super) fn connect(
        &mut self,
        count: usize,
        suite: SrtpSuite,
    ) -> Result<Vec<(TransportId, Link)>, BenchError> {
        let certificate = Certificate::generate_offering(&[suite])
            .map_err(|error| BenchError::Lacking(error.to_string()))?;
        let (ids, told): (Vec<_>, Vec<_>) =
            self.invite(count, certificate.fingerprint())?.into_iter().unzip();
        let links = Link::connect(self.address(), &certificate, &told)?;
        Ok(ids.into_iter().zip(links).collect())
    }

    pub(super) fn produce(
        &mut self,
        transport: TransportId,
        rtp: RtpParameters,
    ) -> Result<ProducerId, BenchError> {
        let producer = ProducerId::of_random(self.id());
        self.ask(Act::Produce { transport, producer, kind: MediaKind::Video, rtp, is_paused: false })?;
        Ok(producer)
    }

    /// A consumer that is paused, and what it will be sent.
    pub(super) fn consume(
        &mut self,
        transport: TransportId,
        producer: ProducerId,
    ) -> Result<(ConsumerId, RtpParameters), BenchError> {
        let consumer = ConsumerId::of_random(self.id());
        let capabilities = Arc::new(router_capabilities());
        match self.ask(Act::Consume { transport, consumer, producer, capabilities })? {
            Reply::Consumed { rtp, .. } => Ok((consumer, rtp)),
            _ => Err(BenchError::Answer("not a consumer".to_owned())),
        }
    }

    /// A consumer that is not paused; returns the SSRC of what it is sent.
    fn hear(&mut self, transport: TransportId, producer: ProducerId) -> Result<u32, BenchError> {
        let (consumer, rtp) = self.consume(transport, producer)?;
        self.ask(Act::PauseConsumer { consumer, is_paused: false })?;
        let ssrc = rtp.encodings.first().and_then(|encoding| encoding.ssrc);
        ssrc.ok_or_else(|| BenchError::Answer("a consumer without an SSRC".to_owned()))
    }

    fn id(&mut self) -> u128 {
        self.ids += 1;
        self.ids
    }
}
