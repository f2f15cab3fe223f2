//! One node of a checked topology.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use ipnet::IpNet;
use taoyao_types::{NodeId, NodeName, PartitionName};

use crate::address::HostPort;
use crate::guard::Guard;
use crate::media::Media;
use crate::recordings::Recordings;
use crate::rewrite::Rewrite;
use crate::tcp::Tcp;

/// A node as the topology gives it: its place, what it is trusted with, and where it is found.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    pub id: NodeId,
    /// The full path, root first.
    pub name: NodeName,
    /// 1 for the root, 2 for its children, at most `limits::TIERS_MAX`.
    pub tier: usize,
    /// The parent first, then standby parents; empty for the root.
    pub parents: Vec<NodeId>,
    /// The nodes whose first parent this is, in the order of the file.
    pub children: Vec<NodeId>,
    /// The partitions that it owns, at least one; the first is its home.
    pub partitions: Vec<PartitionName>,
    /// Partitions of its ancestors whose terminals may attach here, too.
    pub serves: Vec<PartitionName>,
    /// Where terminals connect: HTTPS and WebSocket over TCP, and bare TCP sockets.
    pub terminals: Option<Terminals>,
    /// Where children dial: QUIC over UDP. Never absent in a node with children.
    pub links: Option<Listener>,
    /// The media forwarder; `None`: the node carries no media.
    pub media: Option<Media>,
    /// The recorder; `None`: the node records nothing. Only a node with `media` has one.
    pub recordings: Option<Recordings>,
    /// Where operators and monitoring ask, over TCP without TLS.
    pub admin: Option<SocketAddr>,
    /// Names under which they ask, besides addresses and `localhost`.
    pub admin_hosts: Vec<String>,
    /// Which terminals are near it.
    pub near: Near,
    /// Which of its addresses terminals in several subnets are told.
    pub rewrite: Rewrite,
    /// Where it keeps its epoch counter and other durable things.
    pub state_dir: PathBuf,
}

impl Node {
    /// The partition that a terminal belongs to if it names none.
    pub fn home_partition(&self) -> &PartitionName {
        &self.partitions[0]
    }

    /// The parent that it registers with; `None` for the root.
    pub fn parent(&self) -> Option<NodeId> {
        self.parents.first().copied()
    }

    /// Every partition whose terminals may attach here: the owned ones, then the served ones.
    pub fn attachable(&self) -> impl Iterator<Item = &PartitionName> {
        self.partitions.iter().chain(&self.serves)
    }

    /// The address under which `client` reaches what the node's media host announces as `source` (reference section 9).
    pub fn rewrite(&self, source: IpAddr, client: IpAddr) -> IpAddr {
        self.rewrite.apply(self.known_address(), source, client)
    }

    /// An address under which others know the node's machine, the one for media before all.
    fn known_address(&self) -> Option<IpAddr> {
        let media = self.media.iter().flat_map(|at| [at.advertise.ip(), Some(at.listen.ip())]);
        let terminals = self.terminals.iter().flat_map(|at| [at.advertise.ip(), Some(at.listen.ip())]);
        let links = self.links.iter().flat_map(|at| [at.advertise.ip(), Some(at.listen.ip())]);
        let known = media.chain(terminals).chain(links).flatten();
        known.map(|ip| ip.to_canonical()).find(|ip| !ip.is_unspecified() && !ip.is_loopback())
    }
}

/// An address to listen at, and the one under which others reach it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listener {
    pub listen: SocketAddr,
    pub advertise: HostPort,
}

/// A [`Listener`] for terminals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terminals {
    pub listen: SocketAddr,
    pub advertise: HostPort,
    /// The operator's own certificate; without it the one in the certificate directory is used.
    pub tls: Option<TlsFiles>,
    /// Listeners for the original's bare sockets (reference section 1.3), in the order of the file.
    pub tcp: Vec<Tcp>,
    /// What is believed of connections and pages.
    pub guard: Guard,
}

impl Terminals {
    /// Where a terminal opens its WebSocket (reference section 1.1).
    pub fn url(&self) -> String {
        format!("wss://{}/websocket.signal", self.advertise)
    }

    /// What a terminal fetches to measure how far away the node is.
    pub fn probe(&self) -> String {
        format!("https://{}/mesh/probe", self.advertise)
    }
}

/// A certificate chain and its private key, both PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    pub cert: PathBuf,
    pub key: PathBuf,
}

/// Hints for choosing the nearest node.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Near {
    /// Terminals with an address in one of these networks are near.
    pub cidr: Vec<IpNet>,
    /// Where the node stands.
    pub geo: Option<Geo>,
}

/// A place on Earth, in degrees.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Geo {
    /// −90 to 90, north is positive.
    pub lat: f64,
    /// −180 to 180, east is positive.
    pub lon: f64,
}

impl Geo {
    /// The great-circle distance in kilometres.
    pub fn km_to(self, other: Geo) -> f64 {
        let (lat_a, lat_b) = (self.lat.to_radians(), other.lat.to_radians());
        let half_lat = (lat_b - lat_a) / 2.0;
        let half_lon = (other.lon - self.lon).to_radians() / 2.0;
        let haversine = half_lat.sin().powi(2) + lat_a.cos() * lat_b.cos() * half_lon.sin().powi(2);
        2.0 * EARTH_RADIUS_KM * haversine.clamp(0.0, 1.0).sqrt().asin()
    }
}

const EARTH_RADIUS_KM: f64 = 6371.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shanghai_lies_about_1070_km_from_beijing() {
        let shanghai = Geo { lat: 31.23, lon: 121.47 };
        let beijing = Geo { lat: 39.90, lon: 116.41 };
        assert!((1060.0..1080.0).contains(&shanghai.km_to(beijing)));
        assert_eq!(shanghai.km_to(shanghai), 0.0);
    }

    #[test]
    fn the_date_line_is_no_border() {
        let west = Geo { lat: 0.0, lon: 179.9 };
        let east = Geo { lat: 0.0, lon: -179.9 };
        assert!(west.km_to(east) < 30.0);
    }
}
