//! Seals: how a node knows again what it has handed out, without remembering it.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Makes and checks seals (HMAC-SHA256, RFC 2104, cut to 128 bits) under a key of its own.
#[derive(Clone)]
pub struct Sealer([u8; 32]);

impl Sealer {
    /// `key` must be random and secret; whoever has it can forge.
    pub fn new(key: [u8; 32]) -> Self {
        Self(key)
    }

    /// The seal of these words for one purpose, 32 hexadecimal digits. No other words of any other purpose have it.
    pub fn seal(&self, purpose: &str, words: &[&str]) -> String {
        let tag = self.mac(purpose, words).finalize().into_bytes();
        tag.iter().take(SEAL_BYTES).map(|byte| format!("{byte:02x}")).collect()
    }

    /// Whether `seal` is the seal of these words; takes the same time for every wrong one.
    pub fn is_sealed(&self, purpose: &str, words: &[&str], seal: &str) -> bool {
        let Some(bytes) = from_hex(seal) else { return false };
        self.mac(purpose, words).verify_truncated_left(&bytes).is_ok()
    }

    fn mac(&self, purpose: &str, words: &[&str]) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes a key of any length");
        for word in [purpose].iter().chain(words) {
            mac.update(&(word.len() as u64).to_be_bytes());
            mac.update(word.as_bytes());
        }
        mac
    }
}

/// The key is not shown.
impl std::fmt::Debug for Sealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sealer")
    }
}

const SEAL_BYTES: usize = 16;

fn from_hex(text: &str) -> Option<[u8; SEAL_BYTES]> {
    let mut bytes = [0; SEAL_BYTES];
    if text.len() != 2 * SEAL_BYTES || !text.is_ascii() {
        return None;
    }
    for (place, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * place..2 * place + 2)?, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seal_fits_its_words_its_purpose_and_its_key_only() {
        let sealer = Sealer::new([7; 32]);
        let seal = sealer.seal("pass", &["room", "ann"]);
        assert_eq!(seal.len(), 32);
        assert!(sealer.is_sealed("pass", &["room", "ann"], &seal));
        for words in [["room", "bob"], ["rooma", "nn"], ["roo", "mann"]] {
            assert!(!sealer.is_sealed("pass", &words, &seal), "{words:?}");
        }
        assert!(!sealer.is_sealed("ticket", &["room", "ann"], &seal));
        assert!(!Sealer::new([8; 32]).is_sealed("pass", &["room", "ann"], &seal));
        for broken in ["", "zz", &seal[1..], &seal.replace(|_: char| true, "é")] {
            assert!(!sealer.is_sealed("pass", &["room", "ann"], broken), "{broken}");
        }
    }
}
