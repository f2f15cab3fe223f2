//! Recordings for the command line, whose users may see all of a node.

use taoyao_record::{Entry, LeftOut, State, TrackEntry};
use taoyao_types::NodeName;

use super::Recordings;
use crate::report::{RecordingDetails, RecordingReport, RecordingsReport, TrackReport};

impl Recordings {
    /// At most `limit`, the newest first: of one room or of all, begun at `since` (Unix milliseconds) or later.
    pub(crate) fn report(
        &self,
        node: NodeName,
        room: Option<&str>,
        since: u64,
        limit: usize,
    ) -> RecordingsReport {
        let entries = self.studio().map(|studio| studio.recorder.list()).unwrap_or_default();
        let is_wanted =
            |entry: &&Entry| entry.started_at.0 >= since && room.is_none_or(|room| entry.room == room);
        let mut wanted = entries.iter().filter(is_wanted);
        let recordings = wanted.by_ref().take(limit).map(report).collect();
        RecordingsReport {
            node,
            records: self.0.is_some(),
            fault: self.fault(),
            recordings,
            has_more: wanted.next().is_some(),
        }
    }

    /// None if there is none of this id.
    pub(crate) fn details(&self, node: NodeName, id: &str) -> Option<RecordingDetails> {
        let entry = self.studio()?.recorder.get(&id.parse().ok()?)?;
        Some(RecordingDetails { node, recording: report(&entry) })
    }
}

fn report(entry: &Entry) -> RecordingReport {
    let state = match entry.state {
        State::Recording => "recording",
        State::Finished => "finished",
        State::Interrupted => "interrupted",
        State::Failed => "failed",
    };
    RecordingReport {
        recording: entry.id.to_string(),
        room: entry.room.clone(),
        member: entry.member.clone(),
        is_whole_room: entry.is_whole_room,
        state: state.to_owned(),
        end: entry.end.map(|end| end.name().to_owned()),
        reason: entry.reason.clone(),
        started_at_ms: entry.started_at.0,
        duration_ms: entry.duration_ms,
        bytes: entry.bytes,
        file: entry.file.clone(),
        has_preview: entry.preview.is_some(),
        is_uploaded: entry.is_uploaded,
        dropped_packets: entry.dropped_packets,
        tracks: entry.tracks.iter().map(track).collect(),
    }
}

fn track(entry: &TrackEntry) -> TrackReport {
    TrackReport {
        producer: entry.producer.to_string(),
        label: entry.label.clone(),
        mime_type: entry.mime_type.clone(),
        number: entry.number,
        from_ms: entry.from_ms,
        until_ms: entry.until_ms,
        frames: entry.frames,
        lost_packets: entry.lost_packets,
        dropped_frames: entry.dropped_frames,
        left_out: entry.left_out.map(|why| match why {
            LeftOut::Codec => "codec".to_owned(),
            LeftOut::Container => "container".to_owned(),
            LeftOut::TooMany => "too-many".to_owned(),
        }),
    }
}
