//! What workers are told so that a room can be on several of them.

use std::sync::Arc;

use taoyao_ortc::control::{Act, Command, RoomName};
use taoyao_ortc::{MediaKind, ProducerId, RtpParameters, SctpStreamParameters, TransportId};

/// A producer's mirror at one worker, by a number that no other had before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct MirrorId(pub(crate) u64);

/// What one worker has to do.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Order {
    Command(Command),
    /// Carries a part of a room from now on.
    OpenBranch(RoomName),
    /// All of the room is gone at another worker: here it goes, too.
    DropRoom(RoomName),
    /// Has a producer of another worker from now on.
    OpenMirror(Box<MirrorPlan>),
    /// No longer; its consumers here go with it.
    CloseMirror {
        room: RoomName,
        producer: ProducerId,
    },
    /// Passes on what its producer sends.
    Pass {
        room: RoomName,
        producer: ProducerId,
        mirror: MirrorId,
        to: usize,
    },
    /// No longer.
    StopPassing {
        mirror: MirrorId,
    },
}

/// A producer as its mirror knows it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct MirrorPlan {
    pub(crate) room: RoomName,
    pub(crate) mirror: MirrorId,
    /// The worker where the producer is.
    pub(crate) from: usize,
    /// The producer's transport: producers of one transport share a clock, and their mirrors do.
    pub(crate) transport: TransportId,
    pub(crate) producer: ProducerId,
    pub(crate) what: Produced,
}

/// What a producer is of.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Produced {
    Media { kind: MediaKind, rtp: Arc<RtpParameters>, is_paused: bool },
    Data { stream: SctpStreamParameters, label: String, protocol: String },
}

impl Produced {
    /// By the command that makes it; none for other commands.
    pub(super) fn of(act: &Act) -> Option<Self> {
        match act {
            Act::Produce { kind, rtp, is_paused, .. } => {
                Some(Self::Media { kind: *kind, rtp: Arc::new(rtp.clone()), is_paused: *is_paused })
            }
            Act::ProduceData { stream, label, protocol, .. } => {
                Some(Self::Data { stream: *stream, label: label.clone(), protocol: protocol.clone() })
            }
            _ => None,
        }
    }
}
