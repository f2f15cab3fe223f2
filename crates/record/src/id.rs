//! The name of a recording, which is also the name of its files.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use taoyao_types::limits::RECORDING_ID_BYTES_MAX;

/// 1 to 64 of the letters `a-z`, `A-Z`, digits, `-` and `_`: safe in a path, in a URL and as a key of an object store.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RecordingId(String);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a recording's id has 1 to {RECORDING_ID_BYTES_MAX} of the characters a-z A-Z 0-9 - _")]
pub struct BadRecordingId;

impl RecordingId {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for RecordingId {
    type Err = BadRecordingId;
    fn from_str(text: &str) -> Result<Self, BadRecordingId> {
        Self::try_from(text.to_owned())
    }
}

impl TryFrom<String> for RecordingId {
    type Error = BadRecordingId;
    fn try_from(text: String) -> Result<Self, BadRecordingId> {
        let is_plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
        let has_length = (1..=RECORDING_ID_BYTES_MAX).contains(&text.len());
        if is_plain && has_length { Ok(Self(text)) } else { Err(BadRecordingId) }
    }
}

impl From<RecordingId> for String {
    fn from(id: RecordingId) -> Self {
        id.0
    }
}

impl fmt::Display for RecordingId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_could_leave_the_folder_are_refused() {
        for name in ["", ".", "..", "../x", "a/b", "a\\b", "a.json", "a b", "錄", "a\0", &"a".repeat(65)] {
            assert_eq!(name.parse::<RecordingId>(), Err(BadRecordingId), "{name}");
        }
        assert_eq!("9f-A_0".parse::<RecordingId>().map(String::from), Ok("9f-A_0".to_owned()));
    }
}
