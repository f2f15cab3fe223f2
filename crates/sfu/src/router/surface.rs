//! What a router is told about transports, and what it answers.

use taoyao_ortc::{ProducerId, RtpParameters};

/// A transport as its worker knows it: the slot in the worker's table of peers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TransportKey(pub u32);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RouterConfig {
    /// Bits per second that a new transport is thought to carry (reference section 6.1).
    pub initial_outgoing_bitrate: u64,
    /// Where set, only so many producers of sound are forwarded: those who spoke last.
    pub last_speakers: Option<usize>,
    /// Whether another router of the same room tells who is heard.
    pub is_branch: bool,
}

impl Default for RouterConfig {
    fn default() -> Self {
        Self { initial_outgoing_bitrate: 400_000, last_speakers: None, is_branch: false }
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TransportSetup {
    /// Whether what is sent is bounded by what the way is measured to carry; plain transports do without.
    pub has_congestion_control: bool,
    /// Bits per second that the peer is asked to stay below. What comes beyond a quarter more is left out.
    pub max_incoming_bitrate: Option<u64>,
    /// Bits per second that the peer is sent at most.
    pub max_outgoing_bitrate: Option<u64>,
    /// Whether it stands for a transport of another router of the room: nothing is asked of it but key frames, and its
    /// producers' news are told where they really are.
    pub is_mirror: bool,
}

/// Which stream of which producer a packet was of; by this a mirror of the producer knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PacketOrigin {
    pub producer: ProducerId,
    /// Its place among the producer's encodings.
    pub stream: usize,
    pub is_rtx: bool,
}

/// A new consumer, as its terminal is told.
#[derive(Debug, Clone, PartialEq)]
pub struct Consumed {
    /// `simple`, `simulcast` or `svc`.
    pub consumer_type: &'static str,
    pub rtp: RtpParameters,
    pub is_producer_paused: bool,
}

/// A packet that stands at the beginning of the caller's buffer, to be encrypted and sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transmit {
    pub to: TransportKey,
    pub len: usize,
    pub kind: TransmitKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransmitKind {
    Rtp,
    Rtcp,
}
