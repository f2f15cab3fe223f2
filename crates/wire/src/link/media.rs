//! What travels of a room's media between the room's node and the nodes of its members.
//!
//! The room's node writes bodies as far as everybody sees them alike. Where somebody is named, the member's node writes the
//! body: every terminal knows others by names of its own.

use std::fmt;

use serde::{Deserialize, Serialize};
use taoyao_ortc::RecordEnd;
use taoyao_types::TerminalName;

use super::room::RoomState;
use crate::terminal::media::{PlainCreated, WebRtcCreated};

/// What a member receives, as it says when it enters.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Receiving {
    #[serde(default)]
    pub subscribe: Subscribe,
    /// `rtpCapabilities` as JSON text; without them it receives nothing.
    pub capabilities: Option<String>,
}

/// What is consumed for a member without being asked for (reference section 5.3).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Subscribe {
    #[default]
    All,
    Audio,
    Video,
    Nothing,
}

/// What a producer sends, as its `streamId` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum StreamKind {
    Audio,
    Video,
    Data,
}

/// The answer to a `media::*` request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum MediaAnswer {
    /// The body as JSON text.
    Body(String),
    /// With the addresses that the SFU announces; the member's node gives the member those that it reaches.
    WebRtc(Box<WebRtcCreated>),
    /// The same.
    Plain(PlainCreated),
    Produced {
        kind: StreamKind,
        producer: String,
    },
}

/// What members are told of media.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum MediaNews {
    /// A push in which nobody is named; its body is JSON text.
    Push { signal: String, body: String },
    /// `media::consume` or `media::data::consume`.
    Consuming(Box<Consuming>),
    /// Who is how loud, in dBov; empty in silence.
    Volumes(Vec<(TerminalName, i8)>),
    /// All media of the room is lost: enter it again (reference section 5.9), with this pass if it has a password.
    Lost { pass: Option<String> },
    /// A recording has begun or is over.
    Recorded(Box<RecordNews>),
    /// The answer to the request of this number, before what may only be said after it (quirk Q4). It comes as a reply, too:
    /// the first one counts.
    Answered { ask: u64, answer: MediaAnswer },
}

/// What has become of a recording of the room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordNews {
    /// The room with this done.
    pub state: RoomState,
    /// Whose: a member's, or of the room's media terminal that of the whole room.
    pub who: TerminalName,
    /// Why it is over; none of one that has begun.
    pub end: Option<RecordEnd>,
}

/// A new consumer of the member that is told of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Consuming {
    pub source: TerminalName,
    pub producer: String,
    pub consumer: String,
    pub kind: StreamKind,
    /// JSON text of the producer's own, an object.
    pub app_data: String,
    pub how: Consumed,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Consumed {
    /// `rtp` is JSON text.
    Media { consumer_type: String, rtp: String, is_paused: bool },
    /// `stream` is JSON text.
    Data { label: String, protocol: String, stream: String },
}

/// The ids of what one member sends and receives (`room::client::list::id`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct MediaIds {
    pub data_producers: Vec<String>,
    pub data_consumers: Vec<String>,
    pub audio_producers: Vec<String>,
    pub video_producers: Vec<String>,
    pub audio_consumers: Vec<String>,
    pub video_consumers: Vec<String>,
}

impl MediaNews {
    /// About how many bytes it takes to keep it, besides what every piece of news takes.
    pub(super) fn weight(&self) -> usize {
        match self {
            Self::Push { signal, body } => signal.len() + body.len(),
            Self::Consuming(consuming) => {
                let Consuming { producer, consumer, app_data, how, .. } = &**consuming;
                let how = match how {
                    Consumed::Media { consumer_type, rtp, .. } => consumer_type.len() + rtp.len(),
                    Consumed::Data { label, protocol, stream } => label.len() + protocol.len() + stream.len(),
                };
                producer.len() + consumer.len() + app_data.len() + how
            }
            Self::Volumes(volumes) => size_of_val(volumes.as_slice()),
            Self::Answered { answer: MediaAnswer::Body(body), .. } => body.len(),
            // Candidates, keys and fingerprints of one transport.
            Self::Answered { .. } => 4 * 1024,
            Self::Recorded(news) => {
                let RecordNews { state, .. } = &**news;
                size_of::<RecordNews>()
                    + state.room.len()
                    + state.name.as_deref().map_or(0, str::len)
                    + state.media.len()
            }
            Self::Lost { .. } => 0,
        }
    }
}

impl Subscribe {
    /// In any case; what is unknown means everything.
    pub fn of(text: &str) -> Self {
        match text.to_ascii_uppercase().as_str() {
            "ALL_AUDIO" => Self::Audio,
            "ALL_VIDEO" => Self::Video,
            "NONE" => Self::Nothing,
            _ => Self::All,
        }
    }

    /// Data is never consumed without being asked for.
    pub fn takes(self, kind: StreamKind) -> bool {
        match kind {
            StreamKind::Audio => matches!(self, Self::All | Self::Audio),
            StreamKind::Video => matches!(self, Self::All | Self::Video),
            StreamKind::Data => false,
        }
    }
}

impl fmt::Display for StreamKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Audio => "audio",
            Self::Video => "video",
            Self::Data => "data",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_subscribed_is_read_in_any_case_and_means_everything_if_unknown() {
        for (text, audio, video) in [
            ("ALL", true, true),
            ("all_audio", true, false),
            ("All_Video", false, true),
            ("none", false, false),
            ("", true, true),
            ("錄", true, true),
        ] {
            let subscribe = Subscribe::of(text);
            assert_eq!(subscribe.takes(StreamKind::Audio), audio, "{text}");
            assert_eq!(subscribe.takes(StreamKind::Video), video, "{text}");
            assert!(!subscribe.takes(StreamKind::Data), "{text}");
        }
    }
}
