//! Listeners for terminals on bare TCP sockets (reference section 1.3), and the keys of their old ciphers.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// The DES key that the original and its Android app are shipped with: everybody has it.
const PUBLISHED_KEY: [u8; 8] = [0xd9, 0x23, 0xd6, 0xcb, 0xe4, 0xc5, 0xd7, 0x33];

/// One listener for frames.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tcp {
    pub listen: SocketAddr,
    pub mode: TcpMode,
    /// The longest payload of a frame towards terminals, encrypted; `None`: what the mode usually takes.
    pub frame_bytes_max: Option<usize>,
}

/// How frames are protected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TcpMode {
    /// By TLS 1.3 around them, with the node's certificate for terminals.
    Tls,
    /// Not at all.
    Plaintext,
    /// By one of the original's ciphers, which is little better.
    Encrypted { cipher: OldCipher, secret: Secret },
}

impl TcpMode {
    /// As the file calls it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Tls => "tls",
            Self::Plaintext => "plaintext",
            Self::Encrypted { cipher: OldCipher::Des, .. } => "des",
            Self::Encrypted { cipher: OldCipher::Aes, .. } => "aes",
        }
    }
}

/// A cipher of the original, in ECB mode: equal texts are equal bytes, and nobody notices a changed one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OldCipher {
    Des,
    Aes,
}

/// Where a listener's key comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Secret {
    Given(SecretKey),
    /// A file that holds it in Base64.
    File(PathBuf),
}

/// The key of an old cipher, of a length that the cipher takes. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretKey(Vec<u8>);

/// Why a text is no key of a cipher.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadSecret {
    #[error("it is not Base64")]
    NotBase64,
    #[error("it has {bytes} bytes, but DES takes 8; `openssl rand -base64 8` makes such a one")]
    DesLength { bytes: usize },
    #[error("it has {bytes} bytes, but AES takes 16, 24 or 32; `openssl rand -base64 32` makes such a one")]
    AesLength { bytes: usize },
}

impl SecretKey {
    /// Reads Base64 as the original does: line breaks are skipped, and the padding may be missing.
    pub fn read(text: &str, cipher: OldCipher) -> Result<Self, BadSecret> {
        let compact: String = text.split_ascii_whitespace().collect();
        let config = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
        let key = GeneralPurpose::new(&STANDARD, config).decode(compact).map_err(|_| BadSecret::NotBase64)?;
        match (cipher, key.len()) {
            (OldCipher::Des, 8) | (OldCipher::Aes, 16 | 24 | 32) => Ok(Self(key)),
            (OldCipher::Des, bytes) => Err(BadSecret::DesLength { bytes }),
            (OldCipher::Aes, bytes) => Err(BadSecret::AesLength { bytes }),
        }
    }

    /// The key itself, for the cipher alone.
    pub fn reveal(&self) -> &[u8] {
        &self.0
    }

    /// Whether it is the one that the original publishes.
    pub fn is_published(&self) -> bool {
        self.0 == PUBLISHED_KEY
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_with_line_breaks_and_with_or_without_padding() {
        for text in ["2SPWy+TF1zM=", "2SPWy+TF1zM", " 2SPW\r\ny+TF1\nzM=\n"] {
            let key = SecretKey::read(text, OldCipher::Des).unwrap();
            assert!(key.is_published(), "{text:?}");
        }
        let key = SecretKey::read("MDEyMzQ1Njc4OWFiY2RlZg==", OldCipher::Aes).unwrap();
        assert_eq!((key.reveal(), key.is_published()), (&b"0123456789abcdef"[..], false));
    }

    #[test]
    fn what_is_no_key_says_why() {
        let read = |text, cipher| SecretKey::read(text, cipher).unwrap_err();
        assert_eq!(read("2SPWy_TF1zM=", OldCipher::Des), BadSecret::NotBase64);
        assert_eq!(read("", OldCipher::Des), BadSecret::DesLength { bytes: 0 });
        assert_eq!(read("MDEyMzQ1Njc4OWFiY2RlZg==", OldCipher::Des), BadSecret::DesLength { bytes: 16 });
        assert_eq!(read("2SPWy+TF1zM=", OldCipher::Aes), BadSecret::AesLength { bytes: 8 });
    }

    #[test]
    fn debug_shows_no_key() {
        let key = SecretKey::read("2SPWy+TF1zM=", OldCipher::Des).unwrap();
        assert_eq!(format!("{:?}", Secret::Given(key)), "Given(SecretKey(…))");
    }
}
