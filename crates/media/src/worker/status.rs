//! Statistics in mediasoup's shapes: what the router counts, and around it what the worker knows of the way.

use std::net::SocketAddr;

use taoyao_ortc::control::{Refused, Reply};
use taoyao_ortc::{ConsumerId, ProducerId, Stat, TransportId};
use taoyao_sfu::TransportKey;
use taoyao_types::Now;

use super::Worker;
use super::transport::{Kind, Transport};

impl Worker {
    pub(super) fn transport_status(&self, now: Now, room: usize, id: TransportId) -> Result<Reply, Refused> {
        let key = self.key_of(room, id)?;
        Ok(Reply::Status(self.transport_stats(now, room, key)))
    }

    pub(super) fn producer_status(&self, now: Now, room: usize, id: ProducerId) -> Result<Reply, Refused> {
        let room = &self.rooms[room];
        let stats = room.router.producer_stats(now, id).or_else(|| room.data.producer_stats(now, id));
        stats.map(Reply::Status).ok_or(Refused::Unknown("producer"))
    }

    pub(super) fn consumer_status(&self, now: Now, room: usize, id: ConsumerId) -> Result<Reply, Refused> {
        let room = &self.rooms[room];
        let stats = room.router.consumer_stats(now, id).or_else(|| room.data.consumer_stats(now, id));
        stats.map(Reply::Status).ok_or(Refused::Unknown("consumer"))
    }

    /// One object: what and whose it is, what the router counts, and the way.
    pub(super) fn transport_stats(&self, now: Now, room: usize, key: u32) -> Vec<Stat> {
        let Some(transport) = self.transports.get(key as usize) else { return Vec::new() };
        let mut stat = Stat::default()
            .with("type", kind_name(&transport.kind))
            .with("transportId", transport.id.to_string())
            .with("timestamp", now.wall.0)
            .with("bytesReceived", transport.counts.bytes_in)
            .with("bytesSent", transport.counts.bytes_out);
        let counted = self.rooms[room].router.transport_stats(now, TransportKey(key)).unwrap_or_default();
        for (name, value) in counted.into_iter().flat_map(|stat| stat.0) {
            if stat.get(name).is_none() {
                stat = stat.with(name, value);
            }
        }
        vec![self.with_way(stat, transport)]
    }

    fn with_way(&self, stat: Stat, transport: &Transport) -> Stat {
        match &transport.kind {
            Kind::WebRtc(webrtc) => {
                let stats = webrtc.peer.stats();
                let mut stat = stat
                    .with("iceRole", "controlled")
                    .with("iceState", stats.ice_state)
                    .with("dtlsState", stats.dtls_state);
                if let Some(sctp) = stats.sctp_state {
                    stat = stat.with("sctpState", sctp);
                }
                if let Some(selected) = stats.selected {
                    let protocol = if selected.is_tcp { "tcp" } else { "udp" };
                    stat = stat.with("iceSelectedTuple", tuple(self.udp.address(), selected.addr, protocol));
                }
                stat
            }
            Kind::Plain(plain) => match (plain.remote(), plain.socket(false)) {
                (Some(remote), Some(socket)) => stat.with("tuple", tuple(socket.address(), remote, "udp")),
                _ => stat,
            },
            Kind::Tap(_) | Kind::Mirror => stat,
        }
    }
}

fn kind_name(kind: &Kind) -> &'static str {
    match kind {
        Kind::WebRtc(_) => "webrtc-transport",
        Kind::Plain(_) => "plain-rtp-transport",
        Kind::Tap(_) => "direct-transport",
        Kind::Mirror => "pipe-transport",
    }
}

fn tuple(local: SocketAddr, remote: SocketAddr, protocol: &str) -> Stat {
    Stat::default()
        .with("localIp", local.ip().to_string())
        .with("localPort", u32::from(local.port()))
        .with("remoteIp", remote.ip().to_string())
        .with("remotePort", u32::from(remote.port()))
        .with("protocol", protocol)
}
