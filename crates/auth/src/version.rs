//! Which state of an account somebody has logged in to: whatever was allowed before a change ends with it.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// 64 bits of the SHA-256 of all that the user table says of an account but for its tokens, which are looked up each time.
/// Two states of one account have it in common by chance only.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct AccountVersion(pub u64);

impl AccountVersion {
    pub(crate) fn of(state: &str) -> Self {
        let hash = Sha256::digest(state.as_bytes());
        let (start, _) = hash.split_at(size_of::<u64>());
        Self(start.iter().fold(0, |bits, byte| bits << 8 | u64::from(*byte)))
    }
}

impl fmt::Display for AccountVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_state_is_another_version() {
        assert_eq!(AccountVersion::of("a"), AccountVersion::of("a"));
        assert_ne!(AccountVersion::of("a"), AccountVersion::of("b"));
        assert_ne!(AccountVersion::of(""), AccountVersion::default());
    }
}
