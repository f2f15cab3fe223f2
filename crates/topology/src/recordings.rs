//! Where a node's recordings go and how many of them are kept.

use std::path::PathBuf;

/// The recorder of one node; a node without it refuses to record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recordings {
    /// Where files and their index are; no other program may write there.
    pub dir: PathBuf,
    /// Of all recordings together.
    pub bytes_max: u64,
    /// Of those that one account asked for.
    pub account_bytes_max: u64,
    /// Of those of one partition's rooms; `None`: as many as all may have.
    pub partition_bytes_max: Option<u64>,
    /// What of the disk is left to others.
    pub keep_free: KeepFree,
    pub when_full: WhenFull,
    /// A recording ends when it is as long as this.
    pub hours_max: u32,
    /// Older recordings are deleted; `None`: none is too old.
    pub days_max: Option<u32>,
    /// Where ended recordings are moved to; `None`: they stay in `dir`.
    pub bucket: Option<Bucket>,
}

/// What happens when a share, or the disk, is used up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum WhenFull {
    /// The oldest recordings of the same account that have ended make room, and nobody else's.
    DeleteOldest,
    /// New recordings are refused, and those under way end.
    #[default]
    Refuse,
}

/// A part of the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeepFree {
    Bytes(u64),
    /// 0 to 99.
    Percent(u8),
}

/// An S3-compatible store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bucket {
    /// `https://…`, or `http://…` within one machine.
    pub endpoint: String,
    pub region: String,
    pub name: String,
    /// What all keys begin with.
    pub prefix: String,
    /// A file with the two lines `access_key = …` and `secret_key = …`; `None`: `TAOYAO_S3_ACCESS_KEY` and
    /// `TAOYAO_S3_SECRET_KEY` of the environment. Neither is ever in the topology.
    pub keys_file: Option<PathBuf>,
}

impl Recordings {
    pub const BYTES_MAX: u64 = 50 * 1024 * 1024 * 1024;
    /// Twenty hours of sound and picture at 1 Mbit/s.
    pub const ACCOUNT_BYTES_MAX: u64 = 10 * 1024 * 1024 * 1024;
    pub const KEEP_FREE: KeepFree = KeepFree::Bytes(1024 * 1024 * 1024);
    pub const HOURS_MAX: u32 = 24;
}

impl WhenFull {
    /// As the file calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::DeleteOldest => "delete-oldest",
            Self::Refuse => "refuse",
        }
    }
}
