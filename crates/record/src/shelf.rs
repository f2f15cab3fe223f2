//! The recordings that there are: index, store, quota and retention in one place.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, UNIX_EPOCH};

use taoyao_types::Wall;

use crate::config::{RecorderConfig, WhenFull};
use crate::id::RecordingId;
use crate::index::{self, Entry, State};
use crate::store::{Store, StoreError};

/// How the reason of an upload that failed begins.
const NOT_UPLOADED: &str = "not uploaded";

pub(crate) struct Shelf {
    pub(crate) folder: PathBuf,
    pub(crate) store: Store,
    entries: Mutex<BTreeMap<RecordingId, Entry>>,
    /// Held by whoever uploads, so that nothing is uploaded twice.
    uploading: tokio::sync::Mutex<()>,
    bytes_max: u64,
    age_max: Option<Duration>,
    when_full: WhenFull,
}

/// The recorder's folder or store cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("the folder of recordings {}: {source}", folder.display())]
    Folder { folder: PathBuf, source: std::io::Error },
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A recording was not deleted.
#[derive(Debug, thiserror::Error)]
pub enum DeleteError {
    #[error("there is no recording {0}")]
    Unknown(RecordingId),
    #[error("recording {0} is under way; stop it first")]
    UnderWay(RecordingId),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the index of recordings: {0}")]
    Index(#[from] std::io::Error),
}

impl Shelf {
    /// What was under way when the node ended counts as interrupted from here on.
    pub(crate) fn open(config: &RecorderConfig) -> Result<Self, OpenError> {
        let folder = config.folder.clone();
        let at_fault = |source| OpenError::Folder { folder: config.folder.clone(), source };
        fs::create_dir_all(&folder).map_err(at_fault)?;
        let mut entries = BTreeMap::new();
        for mut entry in index::load(&folder).map_err(at_fault)? {
            if !entry.has_ended() {
                interrupt(&folder, &mut entry);
                index::save(&folder, &entry).map_err(at_fault)?;
            }
            entries.insert(entry.id.clone(), entry);
        }
        Ok(Self {
            store: Store::open(&folder, config.bucket.as_ref())?,
            folder,
            entries: Mutex::new(entries),
            uploading: tokio::sync::Mutex::default(),
            bytes_max: config.bytes_max,
            age_max: config.age_max,
            when_full: config.when_full,
        })
    }

    pub(crate) fn entries(&self) -> MutexGuard<'_, BTreeMap<RecordingId, Entry>> {
        // An entry is put in whole; a thread that died has left nothing half done.
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn get(&self, id: &RecordingId) -> Option<Entry> {
        self.entries().get(id).cloned()
    }

    /// Takes an entry into the index, on the disk too.
    pub(crate) fn put(&self, entry: Entry) -> std::io::Result<()> {
        index::save(&self.folder, &entry)?;
        self.entries().insert(entry.id.clone(), entry);
        Ok(())
    }

    /// Notes how large a recording under way is.
    pub(crate) fn grow(&self, id: &RecordingId, bytes: u64) {
        if let Some(entry) = self.entries().get_mut(id) {
            entry.bytes = bytes;
        }
    }

    /// Whether there is room for more, or could be made.
    pub(crate) fn could_have_room(&self) -> bool {
        let entries = self.entries();
        let counts = |entry: &&Entry| self.when_full == WhenFull::Refuse || !entry.has_ended();
        entries.values().filter(counts).map(|entry| entry.bytes).sum::<u64>() < self.bytes_max
    }

    /// Deletes the oldest recordings until there is room. False if there is none.
    pub(crate) async fn make_room(&self) -> bool {
        while self.used() >= self.bytes_max {
            let Some(oldest) = self.oldest().filter(|_| self.when_full == WhenFull::DeleteOldest) else {
                return false;
            };
            if let Err(error) = self.delete(&oldest).await {
                tracing::warn!(recording = %oldest, %error, "the oldest recording cannot make room");
                return false;
            }
            tracing::info!(recording = %oldest, "deleted: newer recordings need its room");
        }
        true
    }

    pub(crate) fn is_full(&self) -> bool {
        self.used() >= self.bytes_max
    }

    pub(crate) async fn delete(&self, id: &RecordingId) -> Result<(), DeleteError> {
        let entry = self.get(id).ok_or_else(|| DeleteError::Unknown(id.clone()))?;
        if !entry.has_ended() {
            return Err(DeleteError::UnderWay(id.clone()));
        }
        for name in names(&entry) {
            self.store.delete(name, entry.is_uploaded).await?;
        }
        index::remove(&self.folder, id)?;
        self.entries().remove(id);
        Ok(())
    }

    /// Deletes what is too old.
    pub(crate) async fn retire(&self, now: Wall) {
        let Some(age_max) = self.age_max else { return };
        let age_max_ms = u64::try_from(age_max.as_millis()).unwrap_or(u64::MAX);
        let is_old =
            |entry: &&Entry| entry.has_ended() && now.0.saturating_sub(entry.started_at.0) > age_max_ms;
        let old: Vec<RecordingId> =
            self.entries().values().filter(is_old).map(|entry| entry.id.clone()).collect();
        for id in old {
            match self.delete(&id).await {
                Ok(()) => tracing::info!(recording = %id, "deleted: it is older than recordings are kept"),
                Err(error) => tracing::warn!(recording = %id, %error, "an old recording cannot be deleted"),
            }
        }
    }

    /// Moves what has ended into the bucket; what fails stays in the folder, with the reason.
    pub(crate) async fn upload_ended(&self) {
        if !self.store.has_bucket() {
            return;
        }
        let _one_at_a_time = self.uploading.lock().await;
        let waits = |entry: &&Entry| entry.has_ended() && !entry.is_uploaded;
        let waiting: Vec<Entry> = self.entries().values().filter(waits).cloned().collect();
        for entry in waiting {
            let result = self.upload(&entry).await;
            self.note_upload(entry, result).await;
        }
    }

    async fn note_upload(&self, mut entry: Entry, result: Result<(), StoreError>) {
        let id = entry.id.clone();
        if self.get(&id).is_none() {
            // Deleted meanwhile: what has arrived in the bucket goes, too.
            for name in names(&entry) {
                if let Err(error) = self.store.delete(name, true).await {
                    tracing::warn!(recording = %id, %error, "a deleted recording stays in the bucket");
                }
            }
            return;
        }
        match result {
            Ok(()) => {
                entry.is_uploaded = true;
                // A reason of its own stays; that of an upload which failed before does not.
                entry.reason = entry.reason.filter(|reason| !reason.starts_with(NOT_UPLOADED));
            }
            Err(error) => entry.reason = Some(format!("{NOT_UPLOADED}: {error}")),
        }
        let is_uploaded = entry.is_uploaded;
        let files: Vec<PathBuf> = names(&entry).map(|name| self.folder.join(name)).collect();
        let saved = self.put(entry);
        // Only when the index knows where the files are may the copies here go.
        if saved.is_ok() && is_uploaded {
            files.iter().filter_map(|file| fs::remove_file(file).err()).for_each(|error| {
                tracing::warn!(recording = %id, %error, "the uploaded copy stays in the folder");
            });
        }
    }

    async fn upload(&self, entry: &Entry) -> Result<(), StoreError> {
        for name in names(entry) {
            self.store.upload(name).await?;
        }
        Ok(())
    }

    fn used(&self) -> u64 {
        self.entries().values().map(|entry| entry.bytes).sum()
    }

    fn oldest(&self) -> Option<RecordingId> {
        let entries = self.entries();
        let ended = entries.values().filter(|entry| entry.has_ended());
        ended.min_by_key(|entry| entry.started_at).map(|entry| entry.id.clone())
    }
}

fn names(entry: &Entry) -> impl Iterator<Item = &str> {
    std::iter::once(entry.file.as_str()).chain(entry.preview.as_deref())
}

/// How large and how long it became is seen from the file itself.
fn interrupt(folder: &std::path::Path, entry: &mut Entry) {
    entry.state = State::Interrupted;
    entry.reason = Some("the node ended while it was being recorded".to_owned());
    let Ok(meta) = fs::metadata(folder.join(&entry.file)) else { return };
    entry.bytes = meta.len();
    let written = meta.modified().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok());
    let written_ms = written.map_or(0, |at| u64::try_from(at.as_millis()).unwrap_or(u64::MAX));
    entry.duration_ms = written_ms.saturating_sub(entry.started_at.0);
}
