//! A model of an SFU: keeps books of what it was asked for, sends nothing, and answers at once and always alike.

use std::collections::{BTreeMap, BTreeSet};

use taoyao_ortc::{
    Act, Command, ConsumerId, Done, DtlsParameters, DtlsRole, Encoding, Event, Fingerprint, IceCandidate,
    IceParameters, ProducerId, Refused, Reply, RoomName, RtcpParameters, RtpParameters, SctpParameters,
    SctpStreamParameters, Stat, TransportId, TransportLocal, TransportPlan,
};

/// All rooms of one node.
#[derive(Debug, Default)]
pub struct ModelSfu {
    rooms: BTreeMap<RoomName, ModelRoom>,
    /// Rooms beyond which it is full; none: never.
    pub rooms_max: Option<usize>,
}

/// What there is in one room.
#[derive(Debug, Default)]
pub struct ModelRoom {
    pub transports: BTreeSet<TransportId>,
    pub producers: BTreeMap<ProducerId, ModelProducer>,
    pub consumers: BTreeMap<ConsumerId, ModelConsumer>,
    made: u32,
}

#[derive(Debug)]
pub struct ModelProducer {
    pub transport: TransportId,
    pub is_paused: bool,
    what: What,
}

#[derive(Debug)]
enum What {
    Media(Box<RtpParameters>),
    Data { stream: SctpStreamParameters, label: String, protocol: String },
}

#[derive(Debug)]
pub struct ModelConsumer {
    pub transport: TransportId,
    pub producer: ProducerId,
    /// As its owner wants it, whatever the producer does.
    pub is_paused: bool,
}

impl ModelSfu {
    pub fn room(&self, name: &str) -> Option<&ModelRoom> {
        self.rooms.get(name)
    }

    pub fn rooms(&self) -> impl Iterator<Item = (&RoomName, &ModelRoom)> {
        self.rooms.iter()
    }

    /// What a command comes to; nothing is said of one without a number.
    pub fn carry_out(&mut self, command: Command) -> Option<Event> {
        let Command { room, number, act } = command;
        let result = self.act(&room, act);
        (number != 0).then_some(Event::Done(Done { room, number, result }))
    }

    fn act(&mut self, name: &RoomName, act: Act) -> Result<Reply, Refused> {
        match act {
            Act::OpenRoom if self.rooms_max.is_some_and(|max| self.rooms.len() >= max) => {
                Err(Refused::Full("the SFU has as many rooms as it may".to_owned()))
            }
            Act::OpenRoom => {
                self.rooms.insert(RoomName::clone(name), ModelRoom::default());
                Ok(Reply::Done)
            }
            Act::CloseRoom => self.rooms.remove(name).map(|_| Reply::Done).ok_or(Refused::Unknown("room")),
            act => self.rooms.get_mut(name).ok_or(Refused::Unknown("room"))?.act(act),
        }
    }
}

impl ModelRoom {
    fn act(&mut self, act: Act) -> Result<Reply, Refused> {
        match act {
            Act::OpenRoom | Act::CloseRoom => {}
            Act::CreateTransport { transport, plan } => {
                self.transports.insert(transport);
                return Ok(Reply::Transport(local(&plan)));
            }
            Act::ConnectWebRtc { transport, .. } | Act::ConnectPlain { transport, .. } => {
                self.transport(transport)?;
            }
            Act::RestartIce { transport } => {
                self.transport(transport)?;
                return Ok(Reply::Ice(ice("again")));
            }
            Act::CloseTransport { transport } => self.close_transport(transport)?,
            Act::Produce { transport, producer, rtp, is_paused, .. } => {
                self.produce(transport, producer, is_paused, What::Media(Box::new(rtp)))?;
                return Ok(Reply::Produced { consumer_type: "simple" });
            }
            Act::ProduceData { transport, producer, stream, label, protocol } => {
                self.produce(transport, producer, false, What::Data { stream, label, protocol })?;
            }
            Act::PauseProducer { producer, is_paused } => {
                self.producers.get_mut(&producer).ok_or(Refused::Unknown("producer"))?.is_paused = is_paused;
            }
            Act::CloseProducer { producer } | Act::CloseDataProducer { producer } => {
                self.close_producer(producer)?;
            }
            Act::Consume { transport, consumer, producer, .. }
            | Act::ConsumeData { transport, consumer, producer } => {
                return self.consume(transport, consumer, producer);
            }
            Act::PauseConsumer { consumer, is_paused } => {
                self.consumers.get_mut(&consumer).ok_or(Refused::Unknown("consumer"))?.is_paused = is_paused;
            }
            Act::CloseConsumer { consumer } | Act::CloseDataConsumer { consumer } => {
                self.consumers.remove(&consumer).ok_or(Refused::Unknown("consumer"))?;
            }
            Act::PreferLayers { consumer, .. }
            | Act::Prioritise { consumer, .. }
            | Act::RequestKeyFrame { consumer } => {
                self.consumers.get(&consumer).ok_or(Refused::Unknown("consumer"))?;
            }
            Act::TransportStatus { transport } => {
                self.transport(transport)?;
                return Ok(status("webrtc-transport"));
            }
            Act::ProducerStatus { producer } => {
                self.producers.get(&producer).ok_or(Refused::Unknown("producer"))?;
                return Ok(status("inbound-rtp"));
            }
            Act::ConsumerStatus { consumer } => {
                self.consumers.get(&consumer).ok_or(Refused::Unknown("consumer"))?;
                return Ok(status("outbound-rtp"));
            }
        }
        Ok(Reply::Done)
    }

    fn transport(&self, id: TransportId) -> Result<(), Refused> {
        self.transports.contains(&id).then_some(()).ok_or(Refused::Unknown("transport"))
    }

    fn produce(
        &mut self,
        transport: TransportId,
        id: ProducerId,
        is_paused: bool,
        what: What,
    ) -> Result<(), Refused> {
        self.transport(transport)?;
        self.producers.insert(id, ModelProducer { transport, is_paused, what });
        Ok(())
    }

    fn consume(
        &mut self,
        transport: TransportId,
        id: ConsumerId,
        producer: ProducerId,
    ) -> Result<Reply, Refused> {
        self.transport(transport)?;
        let of = self.producers.get(&producer).ok_or(Refused::Unknown("producer"))?;
        let on_it = self.consumers.values().filter(|consumer| consumer.transport == transport).count();
        self.made += 1;
        let reply = match &of.what {
            What::Data { stream, label, protocol } => {
                let stream_id = u16::try_from(on_it).unwrap_or(u16::MAX);
                let stream = SctpStreamParameters { stream_id, ..*stream };
                Reply::DataConsumed { stream, label: label.clone(), protocol: protocol.clone() }
            }
            What::Media(rtp) => Reply::Consumed {
                consumer_type: "simple",
                rtp: RtpParameters {
                    mid: Some(on_it.to_string()),
                    codecs: rtp.codecs.clone(),
                    header_extensions: Vec::new(),
                    encodings: vec![Encoding { ssrc: Some(1_000 * self.made), ..Encoding::default() }],
                    rtcp: RtcpParameters { mux: Some(true), ..rtp.rtcp.clone() },
                },
                is_producer_paused: of.is_paused,
            },
        };
        let is_paused = matches!(of.what, What::Media(_));
        self.consumers.insert(id, ModelConsumer { transport, producer, is_paused });
        Ok(reply)
    }

    fn close_transport(&mut self, id: TransportId) -> Result<(), Refused> {
        self.transport(id)?;
        self.transports.remove(&id);
        self.consumers.retain(|_, consumer| consumer.transport != id);
        let on_it = self.producers.iter().filter(|(_, producer)| producer.transport == id);
        for producer in on_it.map(|(id, _)| *id).collect::<Vec<_>>() {
            self.close_producer(producer)?;
        }
        Ok(())
    }

    fn close_producer(&mut self, id: ProducerId) -> Result<(), Refused> {
        self.producers.remove(&id).ok_or(Refused::Unknown("producer"))?;
        self.consumers.retain(|_, consumer| consumer.producer != id);
        Ok(())
    }
}

fn local(plan: &TransportPlan) -> TransportLocal {
    const PORT: u16 = 44_444;
    const SCTP_PORT: u16 = 5_000;
    match plan {
        TransportPlan::WebRtc { sctp, .. } => TransportLocal::WebRtc {
            ice: ice("first"),
            candidates: vec![IceCandidate {
                foundation: "udpcandidate".to_owned(),
                priority: 1_076_302_079,
                ip: ADDRESS.to_owned(),
                protocol: "udp".to_owned(),
                port: PORT,
                kind: "host".to_owned(),
                tcp_type: None,
            }],
            dtls: DtlsParameters {
                role: DtlsRole::Auto,
                fingerprints: vec![Fingerprint {
                    algorithm: "sha-256".to_owned(),
                    value: "AB:CD".to_owned(),
                }],
            },
            sctp: sctp.map(|streams| SctpParameters {
                port: SCTP_PORT,
                outgoing: streams.outgoing,
                incoming: streams.incoming,
                max_message_size: 262_144,
            }),
        },
        TransportPlan::Plain { rtcp_mux, .. } => TransportLocal::Plain {
            ip: ADDRESS.parse().expect("an address"),
            port: PORT,
            rtcp_port: (!rtcp_mux).then_some(PORT + 1),
            srtp: None,
        },
    }
}

/// Of a network for documents (RFC 5737), so that no rule of any topology changes it.
const ADDRESS: &str = "203.0.113.7";

fn ice(fragment: &str) -> IceParameters {
    let (username_fragment, password) = (fragment.to_owned(), "secret".to_owned());
    IceParameters { username_fragment, password, ice_lite: true }
}

fn status(kind: &str) -> Reply {
    Reply::Status(vec![Stat::default().with("type", kind)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_hangs_on_a_transport_ends_with_it() {
        let mut sfu = ModelSfu::default();
        let room: RoomName = "r".into();
        let mut act = |number, act| sfu.carry_out(Command { room: RoomName::clone(&room), number, act });
        let (transport, producer) = (TransportId::of_random(1), ProducerId::of_random(2));
        assert_eq!(act(0, Act::OpenRoom), None);
        let plan =
            TransportPlan::Plain { rtcp_mux: true, comedia: true, from: None, srtp: None, remote_srtp: None };
        act(1, Act::CreateTransport { transport, plan });
        let (label, protocol) = (String::new(), String::new());
        let stream = SctpStreamParameters::default();
        act(2, Act::ProduceData { transport, producer, stream, label, protocol });
        act(3, Act::ConsumeData { transport, consumer: ConsumerId::of_random(3), producer });
        act(4, Act::CloseTransport { transport });
        let left = sfu.room("r").unwrap();
        assert!(left.transports.is_empty() && left.producers.is_empty() && left.consumers.is_empty());
    }
}
