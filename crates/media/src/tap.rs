//! A tap: what producers of a room send, decrypted, for a recorder in the same process (mediasoup's direct transport).

use std::fmt;
use std::sync::mpsc::SyncSender;

use taoyao_ortc::control::RoomName;
use taoyao_ortc::{ProducerId, RtpParameters};
use taoyao_types::Now;

/// What is tapped, and where it goes.
pub struct TapPlan {
    pub room: RoomName,
    pub producers: Vec<ProducerId>,
    /// Bounded. What does not fit is dropped and counted: a slow recorder slows nobody down.
    pub sink: SyncSender<TapItem>,
}

/// What comes out of a tap: of each producer its stream, then packets, then the end.
#[derive(Debug, Clone, PartialEq)]
pub enum TapItem {
    /// The packets of this producer are as these parameters say: one encoding, the router's payload types.
    Stream { producer: ProducerId, rtp: Box<RtpParameters> },
    /// One RTP packet, whole, as it arrived now.
    Packet { producer: ProducerId, at: Now, packet: Vec<u8> },
    /// What the stream's clock means (RFC 3550, section 6.4.1), in the numbers of its packets: before its first packet if the
    /// sender has told it by then, or else as soon as it has, and about once a second. The clocks of all streams of one
    /// sender are told on one wall clock.
    Report { producer: ProducerId, at: Now, ntp: u64, rtp: u32 },
    /// The producer was paused (no packets will come) or goes on (a key frame is asked for).
    Paused { producer: ProducerId, is_paused: bool },
    /// Nothing more comes from this producer, or nothing ever did: it is not there or is not of media.
    Ended { producer: ProducerId },
}

/// One tap of a media handle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TapId(pub(crate) u64);

impl fmt::Debug for TapPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TapPlan")
            .field("room", &self.room)
            .field("producers", &self.producers)
            .finish_non_exhaustive()
    }
}
