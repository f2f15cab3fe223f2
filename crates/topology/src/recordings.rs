//! Where a node's recordings go and how many of them are kept.

use std::path::PathBuf;

/// The recorder of one node; a node without it refuses to record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recordings {
    /// Where files and their index are; no other program may write there.
    pub dir: PathBuf,
    /// Of all recordings together.
    pub bytes_max: u64,
    pub when_full: WhenFull,
    /// Older recordings are deleted; `None`: none is too old.
    pub days_max: Option<u32>,
    /// Where ended recordings are moved to; `None`: they stay in `dir`.
    pub bucket: Option<Bucket>,
}

/// What happens when `bytes_max` is used up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum WhenFull {
    #[default]
    DeleteOldest,
    /// New recordings are refused, and those under way end.
    Refuse,
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
