//! What an SFU is doing, for metrics and for operators: a copy of its numbers at one moment.

use std::net::SocketAddr;

use taoyao_ortc::control::RoomName;
use taoyao_ortc::{ConsumerId, ProducerId, Stat, TransportId};

#[derive(Debug, Clone, Default, PartialEq)]
pub struct WorkerStats {
    pub index: usize,
    /// Where it listens, UDP and TCP.
    pub address: Option<SocketAddr>,
    /// How often it failed and was started again.
    pub restarts: u64,
    pub traffic: Traffic,
    pub rooms: Vec<RoomStats>,
}

/// Counts since the worker's start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Traffic {
    pub datagrams_in: u64,
    pub bytes_in: u64,
    /// From addresses that belong to nobody and not a check for anybody.
    pub strangers: u64,
    pub datagrams_out: u64,
    pub bytes_out: u64,
    /// Calls into the kernel for them.
    pub sends: u64,
    /// The kernel took no more, or the connection of the peer was too slow.
    pub dropped_out: u64,
    /// Turns of the worker's loop.
    pub turns: u64,
    /// Packets and messages that were passed on to other workers of their rooms.
    pub piped: u64,
    /// Those that other workers were too slow for.
    pub dropped_by_pipes: u64,
}

/// What of a room is at one worker; the room is the sum of its parts.
#[derive(Debug, Clone, PartialEq)]
pub struct RoomStats {
    pub name: RoomName,
    /// Producers of other workers whose packets come here, too. They stand in their own workers' numbers.
    pub mirrors: usize,
    pub transports: Vec<TransportStats>,
    pub producers: Vec<(ProducerId, Vec<Stat>)>,
    pub consumers: Vec<(ConsumerId, Vec<Stat>)>,
    /// Packets that recorders were too slow for.
    pub dropped_by_taps: u64,
}

#[derive(Debug, Clone, PartialEq)]
pub struct TransportStats {
    pub transport: TransportId,
    /// In mediasoup's shape (reference section 6.5).
    pub stats: Vec<Stat>,
}
