//! One room of a forwarder in this process: a producer and consumers, connected as browsers are.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use taoyao_media::load::{self, Audience, Link, Load, Producer};
use taoyao_media::peer::Certificate;
use taoyao_media::{Config, Media};
use taoyao_ortc::{
    Act, Command, ConsumerId, Done, DtlsParameters, DtlsRole, Event, IceParameters, MediaKind, ProducerId,
    Reply, TransportId, TransportLocal, TransportPlan, router_capabilities,
};

use super::super::error::{BenchError, io};

pub(super) const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
/// A command takes microseconds.
const ANSWER_MAX: Duration = Duration::from_secs(10);
const ROOM: &str = "bench";
/// Bits per second that consumers are thought to receive at first: more than any load, so that none waits for the estimate.
const BITRATE: u64 = 60_000_000;

pub(super) struct Room {
    media: Media,
    events: Receiver<Event>,
    number: u64,
}

/// A room with everyone connected.
pub(super) struct Gathering {
    pub(super) room: Room,
    pub(super) producer: Producer,
    pub(super) audience: Audience,
}

impl Gathering {
    /// The producer begins paused.
    pub(super) fn new(consumers: usize, load: Load) -> Result<Self, BenchError> {
        let mut room = Room::open()?;
        let mut links = room.connect(1 + consumers)?;
        let (id, link) = links.remove(0);
        let producer = room.produce(id)?;
        let listeners = links
            .into_iter()
            .map(|(id, link)| Ok((link, room.consume(id, producer)?)))
            .collect::<Result<Vec<_>, BenchError>>()?;
        let audience = Audience::start(listeners).map_err(io("the audience"))?;
        Ok(Self { room, producer: Producer::start(link, load), audience })
    }
}

impl Room {
    fn open() -> Result<Self, BenchError> {
        let config = Config {
            listen: LOOPBACK,
            port: 0,
            workers: 1,
            enable_tcp: false,
            max_incoming_bitrate: None,
            initial_outgoing_bitrate: BITRATE,
            ..Config::default()
        };
        let (sender, events) = channel();
        // Nobody listens any more when the room is dropped.
        let media = Media::start(config, move |event| drop(sender.send(event)))?;
        let mut room = Self { media, events, number: 0 };
        room.ask(Act::OpenRoom)?;
        Ok(room)
    }

    /// Datagrams that the worker has sent so far.
    pub(super) fn sent(&self) -> u64 {
        self.media.stats().first().map_or(0, |stats| stats.traffic.datagrams_out)
    }

    fn ask(&mut self, act: Act) -> Result<Reply, BenchError> {
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

    fn connect(&mut self, count: usize) -> Result<Vec<(TransportId, Link)>, BenchError> {
        let certificate = Certificate::generate().map_err(|error| BenchError::Lacking(error.to_string()))?;
        let mut told: Vec<(IceParameters, DtlsParameters)> = Vec::with_capacity(count);
        let ids: Vec<TransportId> = (0..count).map(|at| TransportId::of_random(at as u128)).collect();
        for transport in &ids {
            let transport = *transport;
            let plan = TransportPlan::WebRtc { force_tcp: false, sctp: None };
            let local = self.ask(Act::CreateTransport { transport, plan })?;
            let Reply::Transport(TransportLocal::WebRtc { ice, dtls, .. }) = local else {
                return Err(BenchError::Answer("a transport of another kind".to_owned()));
            };
            let fingerprints = vec![certificate.fingerprint().clone()];
            let ours = DtlsParameters { role: DtlsRole::Client, fingerprints };
            self.ask(Act::ConnectWebRtc { transport, dtls: ours })?;
            told.push((ice, dtls));
        }
        let to = self.media.addresses()[0];
        let links = Link::connect(to, &certificate, &told)?;
        Ok(ids.into_iter().zip(links).collect())
    }

    fn produce(&mut self, transport: TransportId) -> Result<ProducerId, BenchError> {
        let producer = ProducerId::of_random(0);
        let (kind, rtp) = (MediaKind::Video, load::video());
        self.ask(Act::Produce { transport, producer, kind, rtp, is_paused: false })?;
        Ok(producer)
    }

    /// Returns the SSRC of what is consumed.
    fn consume(&mut self, transport: TransportId, producer: ProducerId) -> Result<u32, BenchError> {
        let consumer = ConsumerId::of_random(u128::from(self.number));
        let capabilities = router_capabilities().into();
        let consumed = self.ask(Act::Consume { transport, consumer, producer, capabilities })?;
        self.ask(Act::PauseConsumer { consumer, is_paused: false })?;
        let Reply::Consumed { rtp, .. } = consumed else {
            return Err(BenchError::Answer("not a consumer".to_owned()));
        };
        let ssrc = rtp.encodings.first().and_then(|encoding| encoding.ssrc);
        ssrc.ok_or_else(|| BenchError::Answer("a consumer without an SSRC".to_owned()))
    }
}
