//! Commands of signalling, one after the other: rooms and transports. The rest is in `consume` and `data`.

use taoyao_ortc::control::{Act, Command, Done, Refused, Reply, RoomName};
use taoyao_ortc::{
    DtlsParameters, DtlsRole, Event, PlainRemote, SctpParameters, TransportId, TransportLocal, TransportPlan,
};
use taoyao_sfu::{Router, RouterConfig, TransportKey, TransportSetup};
use taoyao_types::Now;

use super::plain::{Plain, PlainPlan};
use super::room::Room;
use super::transport::{Kind, Transport, WebRtc, longest_unreached};
use super::{Ledger, Worker, ice, plain};
use crate::peer::{CloseReason, Peer, PeerSetup};

/// The port of SCTP in every answer, and the longest message (reference section 5.11, step 8).
const SCTP_PORT: u16 = 5_000;
const SCTP_MESSAGE_BYTES_MAX: u32 = 262_144;

impl Worker {
    /// Carries a command out and answers it, if it wants an answer.
    pub(super) fn carry_out(&mut self, now: Now, command: Command, ledger: &mut Ledger) {
        let Command { room, number, act } = command;
        if number != 0 {
            ledger.in_hand = Some((room.clone(), number));
        }
        let result = match (self.by_name.get(&room).copied(), act) {
            (_, Act::OpenRoom) => self.open_home(now, &room, ledger),
            (found, Act::CloseRoom) => {
                ledger.lost.remove(&room);
                ledger.open.remove(&room);
                if let Some(index) = found {
                    self.close_room(now, index);
                }
                Ok(Reply::Done)
            }
            (Some(index), act) => {
                self.touch(index);
                self.act(now, index, act)
            }
            (None, _) if ledger.lost.contains(&room) => Err(Refused::WorkerLost),
            (None, _) => Err(Refused::Unknown("room")),
        };
        ledger.in_hand = None;
        if number != 0 {
            (self.events)(Event::Done(Done { room, number, result }));
        }
    }

    fn act(&mut self, now: Now, room: usize, act: Act) -> Result<Reply, Refused> {
        match act {
            Act::OpenRoom | Act::CloseRoom => Ok(Reply::Done),
            Act::CreateTransport { transport, plan } => self.create_transport(now, room, transport, plan),
            Act::ConnectWebRtc { transport, dtls } => self.connect_webrtc(now, room, transport, &dtls),
            Act::ConnectPlain { transport, remote } => self.connect_plain(now, room, transport, &remote),
            Act::RestartIce { transport } => self.restart_ice(room, transport),
            Act::CloseTransport { transport } => {
                let key = self.key_of(room, transport)?;
                self.close_transport(now, key);
                Ok(Reply::Done)
            }
            Act::ProduceData { .. }
            | Act::CloseDataProducer { .. }
            | Act::ConsumeData { .. }
            | Act::CloseDataConsumer { .. } => self.act_on_data(now, room, act),
            Act::TransportStatus { transport } => self.transport_status(now, room, transport),
            Act::ProducerStatus { producer } => self.producer_status(now, room, producer),
            Act::ConsumerStatus { consumer } => self.consumer_status(now, room, consumer),
            other => self.act_on_media(now, room, other),
        }
    }

    fn open_home(&mut self, now: Now, name: &RoomName, ledger: &mut Ledger) -> Result<Reply, Refused> {
        let is_there = self.by_name.contains_key(name);
        if !is_there && self.rooms.len() >= self.config.rooms_per_worker {
            return Err(Refused::Full("this node's media worker has as many rooms as it may".to_owned()));
        }
        self.open_room(now, name, false, ledger);
        Ok(Reply::Done)
    }

    pub(super) fn open_room(&mut self, now: Now, name: &RoomName, is_branch: bool, ledger: &mut Ledger) {
        if self.by_name.contains_key(name) {
            return;
        }
        ledger.lost.remove(name);
        ledger.open.insert(name.clone());
        let initial_outgoing_bitrate = self.config.initial_outgoing_bitrate;
        let config = RouterConfig { initial_outgoing_bitrate, is_branch, ..RouterConfig::default() };
        let router = Router::new(fastrand::u64(..), now.mono, config);
        let index = self.rooms.insert(Room::new(name.clone(), router));
        self.by_name.insert(name.clone(), index);
    }

    pub(super) fn close_room(&mut self, now: Now, index: usize) {
        let of_index = &self.rooms[index];
        let keys: Vec<u32> =
            of_index.transports.values().chain(of_index.mirrors.transports.values()).copied().collect();
        for key in keys {
            self.close_transport(now, key);
        }
        let taps: Vec<_> = self.rooms[index].taps.keys().copied().collect();
        for tap in taps {
            self.drop_tap(index, tap);
        }
        let room = self.rooms.remove(index);
        self.by_name.remove(&room.name);
        self.touched.retain(|touched| *touched != index);
    }

    pub(super) fn key_of(&self, room: usize, transport: TransportId) -> Result<u32, Refused> {
        self.rooms[room].transports.get(&transport).copied().ok_or(Refused::Unknown("transport"))
    }

    fn create_transport(
        &mut self,
        now: Now,
        room: usize,
        id: TransportId,
        plan: TransportPlan,
    ) -> Result<Reply, Refused> {
        self.make_room_for_transport(now, room);
        self.check_room_for_transport(room, id)?;
        match plan {
            TransportPlan::WebRtc { force_tcp, sctp } => {
                let ice = ice::credentials().ok_or_else(|| {
                    Refused::Full("the node has no random numbers for a password".to_owned())
                })?;
                let setup = PeerSetup { ice: ice.clone(), certificate: self.certificate.clone(), sctp };
                let mut peer = Peer::new(now.mono, setup);
                peer.log_as(tracing::warn_span!("transport", %id));
                let webrtc = WebRtc {
                    made: now.mono,
                    peer,
                    ufrags: vec![ice.username_fragment.clone()],
                    reached: Vec::new(),
                    has_sctp: sctp.is_some(),
                };
                let key = self.add_transport(room, id, Kind::WebRtc(Box::new(webrtc)));
                self.by_ufrag.insert(ice.username_fragment.clone(), key);
                self.soil(key);
                let fingerprints = vec![self.certificate.fingerprint().clone()];
                Ok(Reply::Transport(TransportLocal::WebRtc {
                    ice,
                    candidates: ice::candidates(&self.config, self.udp.address(), force_tcp),
                    dtls: DtlsParameters { role: DtlsRole::Auto, fingerprints },
                    sctp: sctp.map(|streams| SctpParameters {
                        port: SCTP_PORT,
                        outgoing: streams.outgoing,
                        incoming: streams.incoming,
                        max_message_size: SCTP_MESSAGE_BYTES_MAX,
                    }),
                }))
            }
            TransportPlan::Plain { rtcp_mux, comedia, from, srtp, remote_srtp } => {
                let plan = PlainPlan { has_mux: rtcp_mux, is_comedia: comedia, from, suite: srtp };
                let mut made = Plain::bind(now.mono, &self.config, &mut self.outbound, plan)?;
                if let Some(Err(refused)) = remote_srtp.map(|key| made.take_key(&key)) {
                    made.close(&mut self.outbound);
                    return Err(refused);
                }
                let local = TransportLocal::Plain {
                    ip: plain::announced_ip(&self.config, &self.udp),
                    port: made.port(),
                    rtcp_port: made.rtcp_port(),
                    srtp: made.local_srtp().cloned(),
                };
                let key = self.add_transport(room, id, Kind::Plain(Box::new(made)));
                let Kind::Plain(made) = &self.transports[key as usize].kind else {
                    return Err(Refused::Unknown("transport"));
                };
                if made.register(&self.registry, key).is_err() {
                    self.close_transport(now, key);
                    return Err(Refused::Full("the node cannot watch more sockets".to_owned()));
                }
                self.arm_plain(now, key);
                Ok(Reply::Transport(local))
            }
        }
    }

    /// Where there is no room for one more, one that nobody has come to goes; its terminal is told.
    fn make_room_for_transport(&mut self, now: Now, room: usize) {
        let is_worker_full =
            self.transports.len() - self.spread.mirror_transports() >= self.config.transports_per_worker;
        let is_room_full = self.rooms[room].transports.len() >= self.config.transports_per_room;
        if !is_worker_full && !is_room_full {
            return;
        }
        let counts = |transport: &Transport| is_worker_full || transport.room == room;
        let candidates = self.transports.iter().filter(|(_, transport)| counts(transport));
        if let Some(key) = longest_unreached(now.mono, candidates).and_then(|key| u32::try_from(key).ok()) {
            self.give_up(now, key, &CloseReason::NeverReached);
        }
    }

    fn check_room_for_transport(&self, room: usize, id: TransportId) -> Result<(), Refused> {
        let transports = &self.rooms[room].transports;
        if transports.contains_key(&id) {
            return Err(Refused::Invalid("there is a transport with this id".to_owned()));
        }
        if transports.len() >= self.config.transports_per_room {
            return Err(Refused::Full("the room has as many transports as it may".to_owned()));
        }
        if self.transports.len() - self.spread.mirror_transports() >= self.config.transports_per_worker {
            return Err(Refused::Full(
                "this node's media worker has as many transports as it may".to_owned(),
            ));
        }
        Ok(())
    }

    fn add_transport(&mut self, room: usize, id: TransportId, kind: Kind) -> u32 {
        let setup = match &kind {
            Kind::WebRtc(_) => TransportSetup {
                has_congestion_control: true,
                max_incoming_bitrate: self.config.max_incoming_bitrate,
                ..TransportSetup::default()
            },
            Kind::Plain(_) | Kind::Tap(_) | Kind::Mirror => TransportSetup::default(),
        };
        let key = self.insert_transport(Transport::new(id, room, kind));
        self.rooms[room].transports.insert(id, key);
        self.rooms[room].router.add_transport(TransportKey(key), setup);
        key
    }

    pub(super) fn insert_transport(&mut self, transport: Transport) -> u32 {
        u32::try_from(self.transports.insert(transport)).expect("limits keep the table far smaller")
    }

    fn connect_webrtc(
        &mut self,
        now: Now,
        room: usize,
        id: TransportId,
        dtls: &DtlsParameters,
    ) -> Result<Reply, Refused> {
        let key = self.key_of(room, id)?;
        let webrtc = self.transports[key as usize]
            .webrtc()
            .ok_or_else(|| Refused::Invalid("this transport is not of WebRTC".to_owned()))?;
        webrtc.peer.connect(now.mono, dtls).map_err(|error| Refused::Invalid(error.to_string()))?;
        self.soil(key);
        Ok(Reply::Done)
    }

    fn connect_plain(
        &mut self,
        now: Now,
        room: usize,
        id: TransportId,
        remote: &PlainRemote,
    ) -> Result<Reply, Refused> {
        let key = self.key_of(room, id)?;
        let plain =
            self.plain(key).ok_or_else(|| Refused::Invalid("this transport is not plain".to_owned()))?;
        plain.connect(now.mono, remote)?;
        self.settle_plain(now, key);
        Ok(Reply::Done)
    }

    /// The newest credentials and those before them stay valid: the peer changes when it is ready.
    fn restart_ice(&mut self, room: usize, id: TransportId) -> Result<Reply, Refused> {
        let key = self.key_of(room, id)?;
        let ice = ice::credentials()
            .ok_or_else(|| Refused::Full("the node has no random numbers for a password".to_owned()))?;
        let webrtc = self.transports[key as usize]
            .webrtc()
            .ok_or_else(|| Refused::Invalid("this transport is not of WebRTC".to_owned()))?;
        let retired = webrtc.peer.restart_ice(ice.clone());
        webrtc.ufrags.push(ice.username_fragment.clone());
        if let Some(retired) = retired {
            webrtc.ufrags.retain(|ufrag| *ufrag != retired);
            self.by_ufrag.remove(&retired);
        }
        self.by_ufrag.insert(ice.username_fragment.clone(), key);
        Ok(Reply::Ice(ice))
    }

    pub(super) fn plain(&mut self, key: u32) -> Option<&mut Plain> {
        match &mut self.transports.get_mut(key as usize)?.kind {
            Kind::Plain(plain) => Some(plain),
            Kind::WebRtc(_) | Kind::Tap(_) | Kind::Mirror => None,
        }
    }
}
