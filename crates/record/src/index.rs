//! The index of recordings: one JSON file beside each recording, so that the index lives as long as what it speaks of.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use taoyao_ortc::{MediaKind, ProducerId, RecordEnd};
use taoyao_types::Wall;

use crate::disk;
use crate::id::RecordingId;
use crate::plan::{RecordingPlan, TrackPlan};

/// What is known of one recording.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    pub id: RecordingId,
    pub room: String,
    /// Whose media it is; of a whole room its media terminal.
    pub member: String,
    #[serde(default)]
    pub is_whole_room: bool,
    /// Who is charged for its bytes; empty in entries that are older than accounts' shares.
    #[serde(default)]
    pub holder: String,
    /// Of the room.
    #[serde(default)]
    pub partition: String,
    pub state: State,
    /// Why it is over; none while it is under way, and of one whose node was killed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<RecordEnd>,
    /// Why it ended otherwise than by being stopped, or why it is not where it should be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    pub started_at: Wall,
    /// Milliseconds; of an interrupted recording an estimate.
    pub duration_ms: u64,
    /// Of the media file; grows while it is being written.
    pub bytes: u64,
    /// The name of the media file in the store.
    pub file: String,
    /// The name of the JPEG in the store.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preview: Option<String>,
    /// The files are in the object store and no longer in the folder.
    #[serde(default)]
    pub is_uploaded: bool,
    pub tracks: Vec<TrackEntry>,
    /// Packets that did not fit into the recorder's queue.
    pub dropped_packets: u64,
}

/// How far a recording has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    Recording,
    Finished,
    /// The node ended while it was being written. The file plays up to about a second before.
    Interrupted,
    /// It ended for a reason that nobody wanted, which `end` names. What was written before plays.
    Failed,
}

/// Why a track is not in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LeftOut {
    /// The recorder has no form for it.
    Codec,
    /// The file is of a kind that cannot hold it.
    Container,
    /// The file has as many tracks as one may have.
    TooMany,
}

/// What became of one track.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TrackEntry {
    pub producer: ProducerId,
    pub kind: MediaKind,
    /// Its name in the file.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub label: String,
    pub mime_type: String,
    /// Its track in the file, from 1. One who comes back with the same codec goes on in the track that it had.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<u32>,
    /// Where in the file its first frame lies, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_ms: Option<u64>,
    /// And its last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until_ms: Option<u64>,
    pub is_recorded: bool,
    /// Why it is not; none if nothing decodable came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_out: Option<LeftOut>,
    pub frames: u64,
    /// Packets that never came.
    pub lost_packets: u64,
    /// Frames that were left out because a packet of them, or of a frame that they need, was missing.
    pub dropped_frames: u64,
}

impl Entry {
    pub(crate) fn new(plan: &RecordingPlan, file: String, started_at: Wall) -> Self {
        Self {
            id: plan.id.clone(),
            room: plan.room.clone(),
            member: plan.member.clone(),
            is_whole_room: plan.is_whole_room,
            holder: plan.holder.clone(),
            partition: plan.partition.clone(),
            state: State::Recording,
            end: None,
            reason: None,
            started_at,
            duration_ms: 0,
            bytes: 0,
            file,
            preview: None,
            is_uploaded: false,
            tracks: plan.tracks.iter().map(TrackEntry::new).collect(),
            dropped_packets: 0,
        }
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.state != State::Recording
    }
}

impl TrackEntry {
    pub(crate) fn new(plan: &TrackPlan) -> Self {
        Self {
            producer: plan.producer,
            kind: plan.kind,
            label: plan.label.clone(),
            mime_type: plan.mime_type.clone(),
            number: None,
            from_ms: None,
            until_ms: None,
            is_recorded: false,
            left_out: None,
            frames: 0,
            lost_packets: 0,
            dropped_frames: 0,
        }
    }
}

/// The folder's entries. Files that are none are passed over.
pub(crate) fn load(folder: &Path) -> io::Result<Vec<Entry>> {
    let mut entries = Vec::new();
    for file in fs::read_dir(folder)? {
        let path = file?.path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let entry = fs::read(&path).ok().and_then(|text| serde_json::from_slice::<Entry>(&text).ok());
        match entry.filter(|entry| path == path_of(folder, &entry.id) && has_own_names(entry)) {
            Some(entry) => entries.push(entry),
            None => {
                tracing::warn!(file = %path.display(), "this is no entry of a recording; it is left alone")
            }
        }
    }
    Ok(entries)
}

/// Writes an entry so that it is there whole or as it was.
pub(crate) fn save(folder: &Path, entry: &Entry) -> io::Result<()> {
    let text = serde_json::to_vec_pretty(entry).map_err(io::Error::other)?;
    disk::replace(&path_of(folder, &entry.id), &text)
}

pub(crate) fn remove(folder: &Path, id: &RecordingId) -> io::Result<()> {
    match fs::remove_file(path_of(folder, id)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

fn path_of(folder: &Path, id: &RecordingId) -> PathBuf {
    folder.join(format!("{id}.json"))
}

/// Whoever can write into the folder shall not make the node read or delete files elsewhere.
fn has_own_names(entry: &Entry) -> bool {
    let is_own = |name: &String| {
        name.strip_prefix(entry.id.as_str())
            .and_then(|rest| rest.strip_prefix('.'))
            .is_some_and(|extension| extension.bytes().all(|byte| byte.is_ascii_alphanumeric()))
    };
    is_own(&entry.file) && entry.preview.as_ref().is_none_or(is_own)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(id: &str, file: &str) -> Entry {
        let id: RecordingId = id.parse().unwrap();
        let plan = RecordingPlan {
            id,
            room: "r".into(),
            member: "m".into(),
            is_whole_room: false,
            holder: "ann".into(),
            partition: "cn".into(),
            tracks: vec![],
        };
        Entry::new(&plan, file.to_owned(), Wall(7))
    }

    #[test]
    fn entries_come_back_and_foreign_files_and_names_do_not() {
        let folder = tempfile::tempdir().unwrap();
        save(folder.path(), &entry("a", "a.webm")).unwrap();
        save(folder.path(), &entry("b", "../b.webm")).unwrap();
        save(folder.path(), &entry("c", "a.webm")).unwrap();
        fs::write(folder.path().join("d.json"), "{").unwrap();
        assert_eq!(load(folder.path()).unwrap(), [entry("a", "a.webm")]);
    }
}
