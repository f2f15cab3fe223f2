//! What a node tells of its recordings.

use serde::{Deserialize, Serialize};
use taoyao_types::NodeName;

/// `GET /api/recordings`: the recordings of one node, the newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordingsReport {
    pub node: NodeName,
    /// Whether the node has a recorder at all.
    pub records: bool,
    /// Why it records nothing all the same: its folder cannot be used.
    #[serde(default)]
    pub fault: Option<String>,
    pub recordings: Vec<RecordingReport>,
    /// Whether there are older ones that the question's limit leaves out.
    pub has_more: bool,
}

/// `GET /api/recordings/{id}`: one recording.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordingDetails {
    pub node: NodeName,
    #[serde(flatten)]
    pub recording: RecordingReport,
}

/// One recording: all that one member sent, or all of a room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordingReport {
    pub recording: String,
    pub room: String,
    /// Whose media it is; of a whole room its media terminal.
    pub member: String,
    #[serde(default)]
    pub is_whole_room: bool,
    /// `recording`, `finished`, `interrupted` or `failed`.
    pub state: String,
    /// Why it is over: `stopped`, `left`, `room-closed`, `node-ended`, `too-long`, `quota-used-up`, `disk-full`, `disk-fault`,
    /// `media-lost` or `recorder-failed`.
    #[serde(default)]
    pub end: Option<String>,
    /// Why it ended otherwise than by being stopped, or why it is not where it should be.
    #[serde(default)]
    pub reason: Option<String>,
    /// Unix milliseconds.
    pub started_at_ms: u64,
    /// Of one under way 0, of an interrupted one an estimate.
    pub duration_ms: u64,
    /// Of the media file.
    pub bytes: u64,
    /// The name of the media file in the node's folder or bucket.
    pub file: String,
    /// Whether there is a picture of it.
    pub has_preview: bool,
    /// Whether its files are in the bucket.
    pub is_uploaded: bool,
    pub dropped_packets: u64,
    pub tracks: Vec<TrackReport>,
}

/// What one producer sent. One who comes back goes on in the track of the file that it had.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrackReport {
    pub producer: String,
    /// Its name in the file.
    #[serde(default)]
    pub label: String,
    /// Such as `video/VP8`.
    pub mime_type: String,
    /// Its track in the file; none if nothing of it could be recorded.
    pub number: Option<u32>,
    /// Where in the file its first and its last frame lie.
    pub from_ms: Option<u64>,
    pub until_ms: Option<u64>,
    pub frames: u64,
    pub lost_packets: u64,
    pub dropped_frames: u64,
    /// Why it is not in the file: `codec`, `container` or `too-many`.
    #[serde(default)]
    pub left_out: Option<String>,
}
