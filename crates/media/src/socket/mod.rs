//! Sockets of a worker: UDP in batches both ways, and TCP with the framing of RFC 4571.

pub(crate) mod gather;
pub(crate) mod inbound;
pub(crate) mod outbound;
pub(crate) mod tcp;
pub(crate) mod udp;

pub(crate) use gather::Gather;
pub(crate) use inbound::Inbound;
pub(crate) use outbound::{Outbound, Via};
pub(crate) use tcp::TcpPeers;
pub(crate) use udp::Udp;
