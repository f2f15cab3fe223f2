//! What is to be recorded: one member of a room, and the tracks that it sends.

use taoyao_ortc::{Codec, MediaKind, ProducerId};

use crate::id::RecordingId;

/// One recording: all of one member's tracks in one file.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordingPlan {
    pub id: RecordingId,
    pub room: String,
    /// Whose media it is, by its full name.
    pub member: String,
    /// The tracks that are there at the start. They decide the container: MP4 for opus and H264, WebM for opus, VP8, VP9
    /// and AV1, and Matroska for any other mixture. What a track that is added later brings into WebM makes it Matroska.
    pub tracks: Vec<TrackPlan>,
}

/// One producer as the recorder sees it: one RTP stream in the router's numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct TrackPlan {
    pub producer: ProducerId,
    pub kind: MediaKind,
    /// Such as `video/VP8`; compared without regard to case.
    pub mime_type: String,
    /// RTP timestamps a second.
    pub clock_rate: u32,
    /// Of sound; 1 if it is not said.
    pub channels: Option<u8>,
    /// Packets of another payload type are not this track's and are passed over.
    pub payload_type: u8,
    /// Tracks with the same name share the clock that their sender reports speak of (the RTCP CNAME); tracks without one
    /// do, too.
    pub cname: Option<String>,
}

impl TrackPlan {
    /// A track whose packets are as `codec` says.
    pub fn of_codec(producer: ProducerId, kind: MediaKind, codec: &Codec) -> Self {
        Self {
            producer,
            kind,
            mime_type: codec.mime_type.clone(),
            clock_rate: codec.clock_rate,
            channels: codec.channels,
            payload_type: codec.payload_type,
            cname: None,
        }
    }
}
