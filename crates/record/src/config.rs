//! Where recordings go, and how much of them is kept.

use std::path::PathBuf;
use std::time::Duration;

use taoyao_types::Secret;

use crate::disk::KeepFree;

/// The settings of a node's recorder.
#[derive(Debug, Clone)]
pub struct RecorderConfig {
    /// Where files are written, and where the index is. Made if it is not there.
    pub folder: PathBuf,
    /// Where ended recordings are moved to; none: they stay in the folder.
    pub bucket: Option<BucketConfig>,
    /// Bytes of all recordings together.
    pub bytes_max: u64,
    /// Of those of one account, and of those of one partition.
    pub account_bytes_max: u64,
    pub partition_bytes_max: u64,
    /// What of the disk is left to others: nothing is recorded beyond.
    pub keep_free: KeepFree,
    /// What happens when any of these is used up.
    pub when_full: WhenFull,
    /// A recording ends when it is as long as this.
    pub time_max: Duration,
    /// Recordings are deleted when they began longer ago than this; none: never.
    pub age_max: Option<Duration>,
}

/// What happens when a recorder has no more room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhenFull {
    /// The oldest recordings of the same account that have ended make room. Nobody else's do.
    DeleteOldest,
    /// New recordings are refused, and those under way end.
    Refuse,
}

/// An S3-compatible store.
#[derive(Debug, Clone)]
pub struct BucketConfig {
    /// Such as `https://s3.eu-central-1.amazonaws.com`; with `http://` keys and media travel in the clear.
    pub endpoint: String,
    pub region: String,
    pub bucket: String,
    /// What all keys begin with, such as `recordings/node-1`; may be empty.
    pub prefix: String,
    pub access_key: String,
    pub secret_key: Secret,
}

impl RecorderConfig {
    /// 50 GiB in this folder for anybody, of a disk that keeps 1 GiB free; then nothing is recorded. A day long at most, and
    /// nothing is too old.
    pub fn in_folder(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
            bucket: None,
            bytes_max: 50 * 1024 * 1024 * 1024,
            account_bytes_max: u64::MAX,
            partition_bytes_max: u64::MAX,
            keep_free: KeepFree::Bytes(1024 * 1024 * 1024),
            when_full: WhenFull::Refuse,
            time_max: Duration::from_secs(86_400),
            age_max: None,
        }
    }
}
