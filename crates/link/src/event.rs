//! What links tell their node.

use std::fmt;
use std::net::SocketAddr;

use bytes::Bytes;
use taoyao_types::{NodeId, NodeName};
use taoyao_wire::link::hello::{Hello, Refusal};

use crate::{Lane, LaneClass, LinkHandle};

/// Numbers a node's links in the order in which they came up; never used twice in a life. An event of an older link
/// to the same peer has another number than the newer link's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkNo(pub u64);

/// Which end did something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Here,
    Peer,
}

/// Why a link or an attempt at one is over, and which end said so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ending {
    pub by: Side,
    pub refusal: Refusal,
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.by {
            Side::Here => write!(f, "{}", self.refusal.reason),
            Side::Peer => write!(f, "the peer says: {}", self.refusal.reason),
        }
    }
}

/// What happened on a node's links. `Up`, `Frames`, `Drained` and `Down` of one link come in this order, and a peer's
/// `Down` comes before the `Up` of its next link.
#[derive(Debug)]
pub enum LinkEvent {
    /// A neighbour is there; `hello` is what it said of itself.
    Up {
        peer: NodeId,
        name: NodeName,
        hello: Hello,
        link: LinkHandle,
    },
    /// Frames in the order in which the peer sent them on this lane; never empty.
    ///
    /// They share the memory of received packets: copy what is kept for long.
    Frames {
        peer: NodeId,
        link: LinkNo,
        lane: Lane,
        frames: Vec<Bytes>,
    },
    /// Everything that waited in this class has been handed to QUIC ([`LaneClass::Directory`] and
    /// [`LaneClass::Bulk`] only).
    Drained {
        peer: NodeId,
        link: LinkNo,
        class: LaneClass,
    },
    Down {
        peer: NodeId,
        link: LinkNo,
        why: Ending,
    },
    /// A link that did not come to be. `peer` is who it claims to be, as far as that is known.
    Refused {
        peer: Option<NodeName>,
        remote: SocketAddr,
        why: Ending,
    },
    /// A parent that cannot be reached; it is dialled again after a pause.
    Unreachable {
        peer: NodeId,
        address: String,
        reason: String,
    },
}
