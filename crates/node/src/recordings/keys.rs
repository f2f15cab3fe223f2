//! The keys of a bucket: from a file or from the environment, never from the topology.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use taoyao_record::BucketConfig;
use taoyao_topology::Bucket;
use taoyao_types::Secret;

const ACCESS: &str = "TAOYAO_S3_ACCESS_KEY";
const SECRET: &str = "TAOYAO_S3_SECRET_KEY";

/// A bucket's keys cannot be had. No text shows any of them.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    #[error("{path}: the keys of the bucket cannot be read: {source}")]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("{path}: write the two lines `access_key = …` and `secret_key = …`")]
    Incomplete { path: PathBuf },
    #[error("set {ACCESS} and {SECRET}, or write `keys_file` into `recordings.bucket`")]
    NotSet,
}

/// The bucket with its keys.
pub(super) fn bucket(bucket: &Bucket) -> Result<BucketConfig, KeysError> {
    let (access_key, secret_key) = match &bucket.keys_file {
        Some(path) => from_file(path)?,
        None => from_environment().ok_or(KeysError::NotSet)?,
    };
    Ok(BucketConfig {
        endpoint: bucket.endpoint.clone(),
        region: bucket.region.clone(),
        bucket: bucket.name.clone(),
        prefix: bucket.prefix.clone(),
        access_key,
        secret_key,
    })
}

fn from_environment() -> Option<(String, Secret)> {
    Some((std::env::var(ACCESS).ok()?, Secret(std::env::var(SECRET).ok()?)))
}

fn from_file(path: &Path) -> Result<(String, Secret), KeysError> {
    let text =
        fs::read_to_string(path).map_err(|source| KeysError::Unreadable { path: path.to_owned(), source })?;
    let value = |wanted: &str| {
        let lines = text.lines().filter_map(|line| line.split_once('='));
        let mut found = lines.filter(|(name, _)| name.trim() == wanted).map(|(_, value)| value.trim());
        found.next().filter(|value| !value.is_empty()).map(str::to_owned)
    };
    let incomplete = || KeysError::Incomplete { path: path.to_owned() };
    Ok((value("access_key").ok_or_else(incomplete)?, Secret(value("secret_key").ok_or_else(incomplete)?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_both_keys_and_none_is_shown() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s3.keys");
        fs::write(&path, "# keys\naccess_key = plum\nsecret_key = peach=9=\n").unwrap();
        let settings = Bucket {
            endpoint: "https://s3".into(),
            region: "eu".into(),
            name: "rec".into(),
            prefix: String::new(),
            keys_file: Some(path.clone()),
        };
        let config = bucket(&settings).unwrap();
        assert_eq!((config.access_key.as_str(), config.secret_key.0.as_str()), ("plum", "peach=9="));
        assert!(!format!("{config:?}").contains("peach"));
        fs::write(&path, "access_key = plum\nsecret_key = \n").unwrap();
        let told = bucket(&settings).unwrap_err().to_string();
        assert!(told.contains("secret_key") && !told.contains("plum"), "{told}");
    }
}
