//! What is to be recorded: one member of a room, and the tracks that it sends.

use taoyao_ortc::{Codec, MediaKind, ParameterValue, ProducerId};

use crate::id::RecordingId;

/// One recording: all of one member's tracks in one file.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordingPlan {
    pub id: RecordingId,
    pub room: String,
    /// Whose media it is, by its full name; of a whole room that of its media terminal.
    pub member: String,
    /// Everybody's tracks, each by its name in one Matroska file, who comes later with them.
    pub is_whole_room: bool,
    /// Who is charged for its bytes, opaque; and the room's partition, which has a bound of its own.
    pub holder: String,
    pub partition: String,
    /// The tracks that are there at the start. They decide the container: MP4 for opus and H264, WebM for opus, VP8, VP9
    /// and AV1, and Matroska for any other mixture. What a track that is added later brings into WebM makes it Matroska.
    pub tracks: Vec<TrackPlan>,
}

/// One producer as the recorder sees it: one RTP stream in the router's numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct TrackPlan {
    pub producer: ProducerId,
    pub kind: MediaKind,
    /// What the track is called in the file; may be empty.
    pub label: String,
    /// Such as `video/VP8`; compared without regard to case.
    pub mime_type: String,
    /// RTP timestamps a second.
    pub clock_rate: u32,
    /// Of sound; 1 if it is not said.
    pub channels: Option<u8>,
    /// Packets of another payload type are not this track's and are passed over.
    pub payload_type: u8,
    /// What decoders need to know before the first picture, as SDP carries it (`sprop-parameter-sets` of RFC 6184, section
    /// 8.1, or the three of RFC 7798, section 7.1, joined by commas); empty: it comes with the pictures.
    pub parameter_sets: String,
    /// Tracks with the same name share the clock that their sender reports speak of (the RTCP CNAME); tracks without one
    /// do, too.
    pub cname: Option<String>,
}

impl TrackPlan {
    /// A track whose packets are as `codec` says.
    pub fn of_codec(producer: ProducerId, kind: MediaKind, label: String, codec: &Codec) -> Self {
        const SETS: [&str; 4] = ["sprop-parameter-sets", "sprop-vps", "sprop-sps", "sprop-pps"];
        let sets = SETS.iter().filter_map(|name| text_of(codec.parameters.get(*name)?));
        Self {
            producer,
            kind,
            label,
            parameter_sets: sets.collect::<Vec<_>>().join(","),
            mime_type: codec.mime_type.clone(),
            clock_rate: codec.clock_rate,
            channels: codec.channels,
            payload_type: codec.payload_type,
            cname: None,
        }
    }
}

fn text_of(value: &ParameterValue) -> Option<&str> {
    match value {
        ParameterValue::Text(text) => Some(text),
        _ => None,
    }
}
