//! The recordings that there are: index, store, quota and retention in one place.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, UNIX_EPOCH};

use taoyao_types::Wall;

use crate::config::{RecorderConfig, WhenFull};
use crate::disk::{self, KeepFree, Space};
use crate::id::RecordingId;
use crate::index::{self, Entry, State};
use crate::quota::{NoRoom, Quota, Usage};
use crate::store::{Store, StoreError};

/// How the reason of an upload that failed begins.
const NOT_UPLOADED: &str = "not uploaded";

pub(crate) struct Shelf {
    pub(crate) folder: PathBuf,
    pub(crate) store: Store,
    books: Mutex<Books>,
    /// Held by whoever uploads, so that nothing is uploaded twice.
    uploading: tokio::sync::Mutex<()>,
    quota: Quota,
    keep_free: KeepFree,
    pub(crate) time_max: Duration,
    age_max: Option<Duration>,
    when_full: WhenFull,
}

/// The entries, and what they use together.
#[derive(Default)]
pub(crate) struct Books {
    entries: BTreeMap<RecordingId, Entry>,
    usage: Usage,
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
        disk::private_folder(&folder).map_err(at_fault)?;
        let mut books = Books::default();
        for mut entry in index::load(&folder).map_err(at_fault)? {
            if !entry.has_ended() {
                interrupt(&folder, &mut entry);
                // On a full disk the next start says the same again.
                if let Err(error) = index::save(&folder, &entry) {
                    tracing::warn!(recording = %entry.id, %error, "the entry of a recording cannot be written");
                }
            }
            books.put(entry);
        }
        Ok(Self {
            store: Store::open(&folder, config.bucket.as_ref())?,
            folder,
            books: Mutex::new(books),
            uploading: tokio::sync::Mutex::default(),
            quota: Quota::of(config),
            keep_free: config.keep_free,
            time_max: config.time_max,
            age_max: config.age_max,
            when_full: config.when_full,
        })
    }

    pub(crate) fn books(&self) -> MutexGuard<'_, Books> {
        // An entry is put in whole; a thread that died has left nothing half done.
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn get(&self, id: &RecordingId) -> Option<Entry> {
        self.books().entries.get(id).cloned()
    }

    /// Takes an entry into the index, on the disk too.
    pub(crate) fn put(&self, entry: Entry) -> std::io::Result<()> {
        index::save(&self.folder, &entry)?;
        self.books().put(entry);
        Ok(())
    }

    /// Takes an entry into the index, whatever the disk does.
    pub(crate) fn settle(&self, entry: Entry) {
        if let Err(error) = index::save(&self.folder, &entry) {
            tracing::error!(recording = %entry.id, %error, "the entry of a recording cannot be written");
        }
        self.books().put(entry);
    }

    /// Whether there is room for one more recording of this account in this partition; with `delete-oldest` the account's
    /// own oldest recordings make it, and nobody else's.
    pub(crate) async fn make_room(&self, holder: &str, partition: &str) -> Result<(), NoRoom> {
        while let Err(why) = self.check(holder, partition) {
            // What is in the bucket takes nothing of the disk.
            let is_of_use = |entry: &Entry| why != NoRoom::Disk || !entry.is_uploaded;
            let oldest = self.oldest_of(holder, is_of_use);
            let Some(oldest) = oldest.filter(|_| self.when_full == WhenFull::DeleteOldest) else {
                return Err(why);
            };
            if let Err(error) = self.delete(&oldest).await {
                tracing::warn!(recording = %oldest, %error, "the oldest recording cannot make room");
                return Err(why);
            }
            tracing::info!(
                target: "audit", recording = %oldest, holder, "deleted: newer ones of its account need its room"
            );
        }
        Ok(())
    }

    /// Whether there is room as things are.
    pub(crate) fn check(&self, holder: &str, partition: &str) -> Result<(), NoRoom> {
        self.quota.check(&self.books().usage, holder, partition)?;
        match Space::of(&self.folder) {
            Ok(space) if self.keep_free.is_kept(space) => Ok(()),
            Ok(_) => Err(NoRoom::Disk),
            Err(error) => {
                tracing::warn!(%error, "the disk of the recordings does not say how full it is");
                Err(NoRoom::Disk)
            }
        }
    }

    /// Takes away what has not come to be a recording.
    pub(crate) fn discard(&self, entry: &Entry) {
        let removed = fs::remove_file(self.folder.join(&entry.file));
        if let Err(error) = removed.and_then(|()| index::remove(&self.folder, &entry.id)) {
            tracing::warn!(recording = %entry.id, %error, "files of a recording that did not begin stay");
        }
        self.books().remove(&entry.id);
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
        self.books().remove(id);
        Ok(())
    }

    /// Deletes what is too old.
    pub(crate) async fn retire(&self, now: Wall) {
        let Some(age_max) = self.age_max else { return };
        let age_max_ms = u64::try_from(age_max.as_millis()).unwrap_or(u64::MAX);
        let is_old =
            |entry: &&Entry| entry.has_ended() && now.0.saturating_sub(entry.started_at.0) > age_max_ms;
        let old: Vec<RecordingId> =
            self.books().entries.values().filter(is_old).map(|entry| entry.id.clone()).collect();
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
        let waiting: Vec<Entry> = self.books().entries.values().filter(waits).cloned().collect();
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

    fn oldest_of(&self, holder: &str, is_of_use: impl Fn(&Entry) -> bool) -> Option<RecordingId> {
        let books = self.books();
        // Entries without an account are nobody's own.
        let own = books.entries.values().filter(|entry| !holder.is_empty() && entry.holder == holder);
        let ended = own.filter(|entry| entry.has_ended() && is_of_use(entry));
        ended.min_by_key(|entry| entry.started_at).map(|entry| entry.id.clone())
    }
}

impl Books {
    pub(crate) fn entries(&self) -> &BTreeMap<RecordingId, Entry> {
        &self.entries
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.usage.all()
    }

    /// Notes how large a recording under way is.
    pub(crate) fn grow(&mut self, id: &RecordingId, bytes: u64) {
        if let Some(entry) = self.entries.get_mut(id) {
            self.usage.remove(entry);
            entry.bytes = bytes;
            self.usage.add(entry);
        }
    }

    fn put(&mut self, entry: Entry) {
        self.usage.add(&entry);
        if let Some(before) = self.entries.insert(entry.id.clone(), entry) {
            self.usage.remove(&before);
        }
    }

    fn remove(&mut self, id: &RecordingId) {
        if let Some(entry) = self.entries.remove(id) {
            self.usage.remove(&entry);
        }
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
