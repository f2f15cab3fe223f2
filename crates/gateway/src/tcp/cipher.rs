//! The ciphers of the original's frames: DES and AES in ECB with PKCS#7 padding. They hide a text from nobody who tries.

use std::fmt;

use aes::{Aes128, Aes192, Aes256};
use des::Des;
use ecb::cipher::block_padding::Pkcs7;
use ecb::cipher::common::InnerInit;
use ecb::cipher::{BlockCipherDecrypt, BlockCipherEncrypt, BlockModeDecrypt, BlockModeEncrypt, KeyInit};
use ecb::{Decryptor, Encryptor};

/// What a frame's payload is encrypted with. `Debug` does not show the key.
#[derive(Clone)]
pub struct FrameCipher(Keyed);

#[derive(Clone)]
enum Keyed {
    Plaintext,
    Des(Des),
    Aes128(Aes128),
    Aes192(Aes192),
    Aes256(Aes256),
}

/// A key that the cipher does not take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a key of {bytes} bytes; {cipher} takes {takes}")]
pub struct BadKey {
    pub cipher: &'static str,
    pub takes: &'static str,
    pub bytes: usize,
}

impl FrameCipher {
    /// No cipher: for listeners with TLS, and for the original's `PLAINTEXT`.
    pub fn plaintext() -> Self {
        Self(Keyed::Plaintext)
    }

    /// DES with a key of 8 bytes, whose parity bits are ignored.
    pub fn des(key: &[u8]) -> Result<Self, BadKey> {
        let bad = BadKey { cipher: "DES", takes: "8", bytes: key.len() };
        Des::new_from_slice(key).map(|des| Self(Keyed::Des(des))).map_err(|_| bad)
    }

    /// AES-128, AES-192 or AES-256 with a key of 16, 24 or 32 bytes.
    pub fn aes(key: &[u8]) -> Result<Self, BadKey> {
        let keyed = match key.len() {
            16 => Aes128::new_from_slice(key).map(Keyed::Aes128),
            24 => Aes192::new_from_slice(key).map(Keyed::Aes192),
            _ => Aes256::new_from_slice(key).map(Keyed::Aes256),
        };
        keyed.map(Self).map_err(|_| BadKey { cipher: "AES", takes: "16, 24 or 32", bytes: key.len() })
    }

    pub(super) fn is_plaintext(&self) -> bool {
        matches!(self.0, Keyed::Plaintext)
    }

    /// Bytes of the payload of a text of so many bytes. Padding is never empty.
    pub(super) fn sealed_bytes(&self, text_bytes: usize) -> usize {
        let block = match &self.0 {
            Keyed::Plaintext => return text_bytes,
            Keyed::Des(_) => 8,
            Keyed::Aes128(_) | Keyed::Aes192(_) | Keyed::Aes256(_) => 16,
        };
        (text_bytes / block + 1) * block
    }

    /// Encrypts in place: the text at the start of `payload`, which is as long as [`FrameCipher::sealed_bytes`] says.
    pub(super) fn seal(&self, payload: &mut [u8], text_bytes: usize) {
        match &self.0 {
            Keyed::Plaintext => {}
            Keyed::Des(des) => encrypt(des, payload, text_bytes),
            Keyed::Aes128(aes) => encrypt(aes, payload, text_bytes),
            Keyed::Aes192(aes) => encrypt(aes, payload, text_bytes),
            Keyed::Aes256(aes) => encrypt(aes, payload, text_bytes),
        }
    }

    /// Decrypts in place; the bytes of the text at the start of `payload`, or `None` if it was not encrypted like this.
    pub(super) fn open(&self, payload: &mut [u8]) -> Option<usize> {
        match &self.0 {
            Keyed::Plaintext => Some(payload.len()),
            Keyed::Des(des) => decrypt(des, payload),
            Keyed::Aes128(aes) => decrypt(aes, payload),
            Keyed::Aes192(aes) => decrypt(aes, payload),
            Keyed::Aes256(aes) => decrypt(aes, payload),
        }
    }
}

fn encrypt<C: BlockCipherEncrypt>(cipher: &C, payload: &mut [u8], text_bytes: usize) {
    let sealed = Encryptor::inner_init(cipher).encrypt_padded::<Pkcs7>(payload, text_bytes);
    sealed.expect("the payload has room for the padding");
}

fn decrypt<C: BlockCipherDecrypt>(cipher: &C, payload: &mut [u8]) -> Option<usize> {
    Decryptor::inner_init(cipher).decrypt_padded::<Pkcs7>(payload).map(<[u8]>::len).ok()
}

impl fmt::Debug for FrameCipher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &self.0 {
            Keyed::Plaintext => "Plaintext",
            Keyed::Des(_) => "Des(…)",
            Keyed::Aes128(_) | Keyed::Aes192(_) | Keyed::Aes256(_) => "Aes(…)",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_of_the_wrong_length_is_told_what_is_right() {
        let told = |made: Result<FrameCipher, BadKey>| made.unwrap_err().to_string();
        assert_eq!(told(FrameCipher::des(&[0; 7])), "a key of 7 bytes; DES takes 8");
        assert_eq!(told(FrameCipher::aes(&[0; 8])), "a key of 8 bytes; AES takes 16, 24 or 32");
        for bytes in [16, 24, 32] {
            assert!(FrameCipher::aes(&vec![7; bytes]).is_ok());
        }
    }

    #[test]
    fn every_cipher_opens_what_it_sealed_and_pads_whole_blocks_too() {
        let ciphers = [
            FrameCipher::plaintext(),
            FrameCipher::des(&[1; 8]).unwrap(),
            FrameCipher::aes(&[2; 16]).unwrap(),
            FrameCipher::aes(&[3; 24]).unwrap(),
            FrameCipher::aes(&[4; 32]).unwrap(),
        ];
        for cipher in ciphers {
            for length in [0, 1, 7, 8, 15, 16, 17, 1000] {
                let text = vec![b'x'; length];
                let mut payload = text.clone();
                payload.resize(cipher.sealed_bytes(length), 0);
                cipher.seal(&mut payload, length);
                assert_eq!(cipher.open(&mut payload), Some(length), "{cipher:?}");
                assert_eq!(payload[..length], text, "{cipher:?}");
            }
        }
    }

    #[test]
    fn what_another_key_sealed_does_not_open() {
        let mut payload = [0; 16];
        FrameCipher::des(&[1; 8]).unwrap().seal(&mut payload, 8);
        assert_eq!(FrameCipher::des(&[3; 8]).unwrap().open(&mut payload), None);
        assert_eq!(FrameCipher::aes(&[1; 16]).unwrap().open(&mut [0; 15]), None);
    }

    #[test]
    fn debug_shows_no_key() {
        let shown = format!("{:?}", FrameCipher::des(b"hunter22").unwrap());
        assert_eq!(shown, "Des(…)");
    }
}
