//! Bearer tokens: how scripts and people's machines log in without a password. Shown once, kept as a hash.

use std::fmt::Write;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use taoyao_types::Secret;

/// What every token begins with, so that people and scanners of repositories know one when they see it.
const PREFIX: &str = "tao_";

/// What is kept of a token: the SHA-256 of its text, in hexadecimal digits.
///
/// A fast hash is enough: a token is 32 random bytes, which nobody guesses, however fast each guess may be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TokenHash([u8; 32]);

/// Why a text is no hash of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a token's hash has 64 hexadecimal digits; `taoyao user token` makes one")]
pub struct BadTokenHash;

/// The token made of `random`, which must be fresh: `tao_` and 43 letters, digits, `-` and `_`.
pub fn token(random: [u8; 32]) -> Secret {
    Secret(format!("{PREFIX}{}", BASE64_URL_SAFE_NO_PAD.encode(random)))
}

impl TokenHash {
    pub fn of(token: &Secret) -> Self {
        Self(Sha256::digest(token.0.as_bytes()).into())
    }

    /// Whether they are the same. Takes the same time for any two.
    pub(crate) fn matches(&self, other: &Self) -> bool {
        bool::from(self.0.ct_eq(&other.0))
    }
}

impl TryFrom<String> for TokenHash {
    type Error = BadTokenHash;

    fn try_from(text: String) -> Result<Self, BadTokenHash> {
        let mut bytes = [0; 32];
        if text.len() != 2 * bytes.len() || !text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(BadTokenHash);
        }
        for (place, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&text[2 * place..2 * place + 2], 16).map_err(|_| BadTokenHash)?;
        }
        Ok(Self(bytes))
    }
}

impl From<TokenHash> for String {
    fn from(hash: TokenHash) -> Self {
        hash.0.iter().fold(String::new(), |mut text, byte| {
            write!(text, "{byte:02x}").expect("a text takes any text");
            text
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_recognisable_and_hidden() {
        let token = token([0xff; 32]);
        assert_eq!(token.0, format!("tao_{}8", "_".repeat(42)));
        assert!(!format!("{token:?}").contains("tao_"));
    }

    #[test]
    fn a_hash_survives_its_text_and_nothing_else_is_one() {
        let hash = TokenHash::of(&token([7; 32]));
        let text = String::from(hash.clone());
        assert_eq!(TokenHash::try_from(text.clone()), Ok(hash.clone()));
        assert!(hash.matches(&TokenHash::of(&token([7; 32]))));
        assert!(!hash.matches(&TokenHash::of(&token([8; 32]))));
        for bad in ["", &text[1..], &text.replace(|digit: char| digit.is_ascii_digit(), "é")] {
            assert_eq!(TokenHash::try_from(bad.to_owned()), Err(BadTokenHash), "{bad}");
        }
    }
}
