//! The index of recordings: one JSON file beside each recording, so that the index lives as long as what it speaks of.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use taoyao_ortc::{MediaKind, ProducerId};
use taoyao_types::Wall;

use crate::id::RecordingId;
use crate::plan::{RecordingPlan, TrackPlan};

/// What is known of one recording.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    pub id: RecordingId,
    pub room: String,
    pub member: String,
    pub state: State,
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
    /// The disk did not take it. What was written before plays.
    Failed,
}

/// What became of one track.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TrackEntry {
    pub producer: ProducerId,
    pub kind: MediaKind,
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
    /// False if nothing decodable came, or if the container cannot hold the codec.
    pub is_recorded: bool,
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
            state: State::Recording,
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
            mime_type: plan.mime_type.clone(),
            number: None,
            from_ms: None,
            until_ms: None,
            is_recorded: false,
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
    let beside = folder.join(format!("{}.json.new", entry.id));
    fs::write(&beside, text)?;
    fs::rename(beside, path_of(folder, &entry.id))
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
        let plan = RecordingPlan { id, room: "r".into(), member: "m".into(), tracks: vec![] };
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
