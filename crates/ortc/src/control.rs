//! What signalling asks of an SFU, what is answered, and what the SFU tells by itself.
//!
//! Whoever asks chooses the ids, so that a thing can be closed before it is known that it was made. Commands about one
//! room are carried out in their order. A command with a number gets exactly one [`Done`] with it; one with the number 0
//! gets none. What comes of one transport and what is on it, [`Happening`]s and answers, comes in one order.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::capabilities::RtpCapabilities;
use crate::id::{ConsumerId, ProducerId, TransportId};
use crate::rtp::{MediaKind, RtpParameters};
use crate::stats::Stat;
use crate::transport::{
    DtlsParameters, IceParameters, PlainRemote, SctpStreamParameters, TransportLocal, TransportPlan,
};

/// A room's id as signalling knows it.
pub type RoomName = Arc<str>;

/// How much one SFU carries, all its workers together; signalling hands out no more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capacity {
    pub rooms: usize,
    pub transports: usize,
    /// Port numbers for plain transports.
    pub plain_ports: usize,
}

/// As much as anybody wants: of an SFU that says no by itself.
impl Default for Capacity {
    fn default() -> Self {
        Self { rooms: usize::MAX, transports: usize::MAX, plain_ports: usize::MAX }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct Command {
    pub room: RoomName,
    /// Comes back in [`Done`]; 0: no answer is wanted.
    pub number: u64,
    pub act: Act,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Act {
    /// Must come first. Answer: [`Reply::Done`].
    OpenRoom,
    /// Closes all that is in it, without [`Happening`]s.
    CloseRoom,
    /// Answer: [`Reply::Transport`].
    CreateTransport {
        transport: TransportId,
        plan: TransportPlan,
    },
    /// The peer's DTLS role and fingerprints. Answer: [`Reply::Done`], before anything has connected.
    ConnectWebRtc {
        transport: TransportId,
        dtls: DtlsParameters,
    },
    ConnectPlain {
        transport: TransportId,
        remote: PlainRemote,
    },
    /// Answer: [`Reply::Ice`].
    RestartIce {
        transport: TransportId,
    },
    CloseTransport {
        transport: TransportId,
    },
    /// Answer: [`Reply::Produced`].
    Produce {
        transport: TransportId,
        producer: ProducerId,
        kind: MediaKind,
        rtp: RtpParameters,
        is_paused: bool,
    },
    PauseProducer {
        producer: ProducerId,
        is_paused: bool,
    },
    /// Closes its consumers with it.
    CloseProducer {
        producer: ProducerId,
    },
    /// Starts paused. Answer: [`Reply::Consumed`].
    Consume {
        transport: TransportId,
        consumer: ConsumerId,
        producer: ProducerId,
        capabilities: Arc<RtpCapabilities>,
    },
    /// Sends nothing while paused; a video consumer that goes on begins with a key frame.
    PauseConsumer {
        consumer: ConsumerId,
        is_paused: bool,
    },
    CloseConsumer {
        consumer: ConsumerId,
    },
    /// Upper bounds, from 0; without a temporal layer all of them.
    PreferLayers {
        consumer: ConsumerId,
        spatial: u8,
        temporal: Option<u8>,
    },
    /// 1 (default) to 255; consumers of a higher priority get their layers first.
    Prioritise {
        consumer: ConsumerId,
        priority: u8,
    },
    RequestKeyFrame {
        consumer: ConsumerId,
    },
    /// Answer: [`Reply::Done`].
    ProduceData {
        transport: TransportId,
        producer: ProducerId,
        stream: SctpStreamParameters,
        label: String,
        protocol: String,
    },
    CloseDataProducer {
        producer: ProducerId,
    },
    /// Answer: [`Reply::DataConsumed`].
    ConsumeData {
        transport: TransportId,
        consumer: ConsumerId,
        producer: ProducerId,
    },
    CloseDataConsumer {
        consumer: ConsumerId,
    },
    /// Answer: [`Reply::Status`].
    TransportStatus {
        transport: TransportId,
    },
    /// Of a producer of media or data. Answer: [`Reply::Status`].
    ProducerStatus {
        producer: ProducerId,
    },
    /// Of a consumer of media or data. Answer: [`Reply::Status`].
    ConsumerStatus {
        consumer: ConsumerId,
    },
}

/// How a command with a number ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Done {
    pub room: RoomName,
    pub number: u64,
    pub result: Result<Reply, Refused>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Reply {
    Done,
    Transport(TransportLocal),
    Ice(IceParameters),
    /// `consumer_type` is what its consumers will say of themselves: `simple`, `simulcast` or `svc`.
    Produced {
        consumer_type: &'static str,
    },
    Consumed {
        consumer_type: &'static str,
        rtp: RtpParameters,
        is_producer_paused: bool,
    },
    DataConsumed {
        stream: SctpStreamParameters,
        label: String,
        protocol: String,
    },
    Status(Vec<Stat>),
}

/// Why a command was not carried out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("there is no such {0} in this room")]
    Unknown(&'static str),
    /// What was sent makes no sense; says what and why.
    #[error("{0}")]
    Invalid(String),
    /// The other end cannot receive it, or the router cannot speak it.
    #[error("{0}")]
    Unsupported(String),
    /// A limit is reached; says which.
    #[error("{0}")]
    Full(String),
    /// The node's operator has not switched it on.
    #[error("this node has no {0}")]
    SwitchedOff(&'static str),
    /// The worker of the room ended; everything in the room is gone.
    #[error("the room's media worker has failed; enter the room again")]
    WorkerLost,
}

/// What an SFU says: the end of a command, or what nobody asked for.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    Done(Done),
    Happened { room: RoomName, what: Happening },
}

/// What a router noticed (reference section 4.4).
#[derive(Debug, Clone, PartialEq)]
pub enum Happening {
    /// The peer is gone (DTLS closed, or ICE consent lost) and all on the transport is closed.
    TransportClosed {
        transport: TransportId,
    },
    /// 0 to 10 for each stream of a producer.
    ProducerScore {
        producer: ProducerId,
        scores: Vec<StreamScore>,
    },
    ConsumerScore {
        consumer: ConsumerId,
        score: u8,
        producer_score: u8,
        producer_scores: Vec<u8>,
    },
    /// Nothing is being sent where there is none.
    LayersChanged {
        consumer: ConsumerId,
        layers: Option<(u8, Option<u8>)>,
    },
    OrientationChanged {
        producer: ProducerId,
        camera: bool,
        flip: bool,
        rotation: u16,
    },
    /// Who is heard, the loudest first, in dBov (-127 to 0); empty in silence.
    Volumes {
        volumes: Vec<(ProducerId, i8)>,
    },
    /// Who has the floor.
    DominantSpeaker {
        producer: ProducerId,
    },
    /// The worker of the room ended; everything in the room is gone, and it is to be opened anew.
    RoomLost,
}

/// What signalling asks of a node's recorder. Commands about one member are carried out in their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordCommand {
    pub room: RoomName,
    /// Whose media is recorded: its full name, by which the recorder tells it from others of the room. The room's media
    /// terminal stands for the whole room.
    pub member: String,
    /// Comes back in [`Recorded`]; 0: no answer is wanted.
    pub number: u64,
    pub act: RecordAct,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecordAct {
    /// Record these producers from now on, one file for all. There is no recording of this member yet.
    Start { sources: Vec<RecordSource>, charge: RecordCharge, is_whole_room: bool },
    /// Record these, too, in the same file. A recording that has ended meanwhile takes no more.
    Add { sources: Vec<RecordSource> },
    /// End the member's recording, if there is one.
    Stop { end: RecordEnd },
}

/// One producer that is recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordSource {
    pub producer: ProducerId,
    pub kind: MediaKind,
    /// What people know it by: the name of its track in the file.
    pub label: String,
}

/// Who pays for a recording with its share of the disk.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecordCharge {
    /// The account that asked for it; opaque to the recorder.
    pub holder: String,
    /// The partition of the room.
    pub partition: String,
}

/// Why a recording is over. The names are what terminals, entries and metrics have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RecordEnd {
    /// Somebody who may asked for it.
    Stopped,
    /// Who was recorded has left, or was made to.
    Left,
    RoomClosed,
    /// The node was told to end.
    NodeEnded,
    /// It lasted as long as one may.
    TooLong,
    /// The share of its account, its partition or its node was used up.
    QuotaUsedUp,
    /// The disk has no more than what is kept free.
    DiskFull,
    /// The disk did not take it.
    DiskFault,
    /// The room's media was lost.
    MediaLost,
    /// The recorder failed.
    RecorderFailed,
}

impl RecordEnd {
    pub const ALL: [Self; 10] = [
        Self::Stopped,
        Self::Left,
        Self::RoomClosed,
        Self::NodeEnded,
        Self::TooLong,
        Self::QuotaUsedUp,
        Self::DiskFull,
        Self::DiskFault,
        Self::MediaLost,
        Self::RecorderFailed,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Stopped => "stopped",
            Self::Left => "left",
            Self::RoomClosed => "room-closed",
            Self::NodeEnded => "node-ended",
            Self::TooLong => "too-long",
            Self::QuotaUsedUp => "quota-used-up",
            Self::DiskFull => "disk-full",
            Self::DiskFault => "disk-fault",
            Self::MediaLost => "media-lost",
            Self::RecorderFailed => "recorder-failed",
        }
    }

    /// Whether something is missing that somebody wanted recorded.
    pub fn is_failure(self) -> bool {
        matches!(
            self,
            Self::QuotaUsedUp | Self::DiskFull | Self::DiskFault | Self::MediaLost | Self::RecorderFailed
        )
    }
}

/// What became of a recording: the answer to a [`RecordCommand`], or, with the number 0, that it has ended by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    pub room: RoomName,
    pub member: String,
    pub number: u64,
    /// The number of the command that began it; 0 if there was none to end.
    pub recording: u64,
    /// Where the recording is, as operators and REST know it; none if there was nothing to end. Refused: nothing is being
    /// recorded.
    pub result: Result<Option<String>, Refused>,
    /// Why it is over; none of one that begins.
    pub end: Option<RecordEnd>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamScore {
    pub encoding: usize,
    pub ssrc: Option<u32>,
    pub rid: Option<String>,
    pub score: u8,
}
