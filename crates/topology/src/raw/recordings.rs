//! `[node.recordings]` as it was written.

use crate::mistake::{At, Span};
use crate::paths::Base;
use crate::read::Table;
use crate::recordings::{Bucket, KeepFree, Recordings, WhenFull};

const BUCKET_EXAMPLE: &str =
    "bucket = { endpoint = \"https://s3.example.com\", region = \"eu-1\", name = \"recordings\" }";
/// Less than this holds no recording worth keeping.
const BYTES_MIN: u64 = 16 * 1024 * 1024;
/// TOML's whole numbers are signed.
const BYTES_LIMIT: u64 = i64::MAX as u64;
/// A month.
const HOURS_LIMIT: u64 = 744;
/// A hundred years.
const DAYS_LIMIT: u64 = 36_500;

/// The recorder as it was written.
#[derive(Debug)]
pub(crate) struct RawRecordings {
    /// Of the table, or of its `dir`.
    pub(crate) span: Span,
    dir: Option<String>,
    /// All but the directory, whose default is the node's name.
    recordings: Recordings,
}

impl RawRecordings {
    pub(crate) fn read(mut table: Table<'_>, base: &Base) -> Self {
        let dir = table.text("dir", "dir = \"../recordings/sh\"");
        let bytes_max = table.integer("bytes_max", "bytes_max = 53687091200", BYTES_MIN..=BYTES_LIMIT);
        let mut bytes =
            |key: &'static str, example: &'static str| table.integer(key, example, BYTES_MIN..=BYTES_LIMIT);
        let account_bytes_max = bytes("account_bytes_max", "account_bytes_max = 10737418240");
        let partition_bytes_max = bytes("partition_bytes_max", "partition_bytes_max = 53687091200");
        let keep_free = table.parsed("keep_free", "keep_free = \"1073741824\" or \"5%\"", read_keep_free);
        let when_full = table.parsed("when_full", "when_full = \"refuse\"", read_when_full);
        let hours_max = table.integer("hours_max", "hours_max = 24", 1..=HOURS_LIMIT);
        let days_max = table.integer("days_max", "days_max = 30", 1..=DAYS_LIMIT);
        let bucket = table.table("bucket", BUCKET_EXAMPLE).and_then(|table| read_bucket(table, base));
        let span = dir.as_ref().map_or_else(|| table.span.clone(), |dir| dir.span.clone());
        table.finish();
        let recordings = Recordings {
            dir: dir.as_ref().map(|dir| base.resolve(&dir.value)).unwrap_or_default(),
            bytes_max: bytes_max.unwrap_or(Recordings::BYTES_MAX),
            account_bytes_max: account_bytes_max.unwrap_or(Recordings::ACCOUNT_BYTES_MAX),
            partition_bytes_max,
            keep_free: keep_free.map_or(Recordings::KEEP_FREE, |at| at.value),
            hours_max: hours_max.and_then(|hours| u32::try_from(hours).ok()).unwrap_or(Recordings::HOURS_MAX),
            when_full: when_full.map(|at| at.value).unwrap_or_default(),
            days_max: days_max.and_then(|days| u32::try_from(days).ok()),
            bucket,
        };
        Self { span, dir: dir.map(|dir| dir.value), recordings }
    }

    /// As the node called `name` has it.
    pub(crate) fn of(mut self, name: &str, base: &Base) -> At<Recordings> {
        if self.dir.is_none() {
            self.recordings.dir = base.resolve(&format!("../recordings/{name}"));
        }
        At { value: self.recordings, span: self.span }
    }
}

fn read_when_full(text: &str) -> Result<WhenFull, String> {
    [WhenFull::DeleteOldest, WhenFull::Refuse]
        .into_iter()
        .find(|known| known.name() == text)
        .ok_or_else(|| "it is delete-oldest or refuse".to_owned())
}

fn read_keep_free(text: &str) -> Result<KeepFree, String> {
    let percent = text.strip_suffix('%').map(|number| number.trim().parse::<u8>());
    match (percent, text.parse()) {
        (Some(Ok(percent @ 0..=99)), _) => Ok(KeepFree::Percent(percent)),
        (None, Ok(bytes)) => Ok(KeepFree::Bytes(bytes)),
        _ => Err("it is a number of bytes, or 0% to 99% of the disk".to_owned()),
    }
}

fn read_bucket(mut table: Table<'_>, base: &Base) -> Option<Bucket> {
    // Whoever writes the keys here by mistake does not see them shown.
    table.keep_secret();
    let endpoint = table.required("endpoint", BUCKET_EXAMPLE, read_endpoint);
    let region = table.required_text("region", BUCKET_EXAMPLE);
    let name = table.required_text("name", BUCKET_EXAMPLE);
    let prefix = table.text("prefix", "prefix = \"taoyao/sh\"");
    let keys_file = table.text("keys_file", "keys_file = \"s3.keys\"");
    table.finish();
    Some(Bucket {
        endpoint: endpoint?.value,
        region: region?.value,
        name: name?.value,
        prefix: prefix.map(|prefix| prefix.value).unwrap_or_default(),
        keys_file: keys_file.map(|file| base.resolve(&file.value)),
    })
}

fn read_endpoint(text: &str) -> Result<String, String> {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    match rest {
        Some(host) if !host.is_empty() && !host.contains('@') => Ok(text.to_owned()),
        Some(_) => Err("it has no host, or an account before it".to_owned()),
        None => Err("it begins neither with https:// nor with http://".to_owned()),
    }
}
