//! Where and how a node's media forwarder (SFU) serves: its sockets, its threads and the limits on what it takes.

use std::net::SocketAddr;
use std::ops::RangeInclusive;

use crate::address::HostPort;

/// The media forwarder of one node; a node without it signals rooms, but carries no sound or picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Media {
    /// UDP and TCP of the first worker; each further one has the next port.
    pub listen: SocketAddr,
    /// What terminals are told in the place of the address, with the first worker's port.
    pub advertise: HostPort,
    /// Threads; `None`: one for each core.
    pub workers: Option<u16>,
    /// Whether terminals that get no UDP through may come by TCP (RFC 6544).
    pub tcp: bool,
    /// UDP ports for plain RTP, one or two for each plain transport (reference section 6.1).
    pub plain_ports: RangeInclusive<u16>,
    /// Bits per second that one transport may send to the node (reference section 6.1).
    pub bitrate_in_max: u64,
    /// Transports of one room at one worker; further ones go to other workers. `None`: as the forwarder thinks right.
    pub room_transports_per_worker: Option<usize>,
}

impl Media {
    /// The original's range.
    pub const PLAIN_PORTS: RangeInclusive<u16> = 40_000..=44_443;
    /// The original's bound on what one transport sends, sound and picture together.
    pub const BITRATE_IN_MAX: u64 = 1_600_000;
}
