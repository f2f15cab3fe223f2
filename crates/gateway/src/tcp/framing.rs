//! Writes frames: what one listener's frames look like, and how long they may get.

use taoyao_types::limits;

use super::cipher::FrameCipher;

/// How texts become frames on one listener.
#[derive(Debug, Clone)]
pub struct Framing {
    cipher: FrameCipher,
    bytes_max: usize,
}

/// A text that is too long for one frame of the listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a payload of {bytes} bytes; a frame takes at most {max}")]
pub struct DoesNotFit {
    /// Bytes of the payload that it would have been.
    pub bytes: usize,
    pub max: usize,
}

impl Framing {
    /// Frames as long as their length field allows, `limits::TCP_FRAME_BYTES_MAX`. With a cipher terminals are the
    /// original's Android app or like it, so that theirs are no longer than `limits::TCP_FRAME_BYTES_ANDROID`.
    pub fn new(cipher: FrameCipher) -> Self {
        let bytes_max =
            if cipher.is_plaintext() { limits::TCP_FRAME_BYTES_MAX } else { limits::TCP_FRAME_BYTES_ANDROID };
        Self { cipher, bytes_max }
    }

    /// The same with payloads towards terminals of at most so many bytes, encrypted. The length field bounds them, too.
    pub fn with_bytes_max(self, bytes_max: usize) -> Self {
        Self { bytes_max: bytes_max.min(limits::TCP_FRAME_BYTES_MAX), ..self }
    }

    /// Bytes of the longest text that fits into one frame, whatever its padding.
    pub fn text_max(&self) -> usize {
        match self.cipher.sealed_bytes(0) {
            0 => self.bytes_max,
            // There is one byte of padding at least.
            block => (self.bytes_max / block * block).saturating_sub(1),
        }
    }

    /// Appends a text as one frame.
    ///
    /// # Errors
    /// If it does not fit; then nothing is appended.
    pub fn append(&self, text: &str, out: &mut Vec<u8>) -> Result<(), DoesNotFit> {
        let bytes = self.cipher.sealed_bytes(text.len());
        let too_long = DoesNotFit { bytes, max: self.bytes_max };
        let length = i16::try_from(bytes).ok().filter(|_| bytes <= self.bytes_max).ok_or(too_long)?;
        out.reserve(2 + bytes);
        out.extend_from_slice(&length.to_be_bytes());
        let start = out.len();
        out.extend_from_slice(text.as_bytes());
        out.resize(start + bytes, 0);
        self.cipher.seal(&mut out[start..], text.len());
        Ok(())
    }

    /// The text of a payload; `None` if it cannot be decrypted.
    pub(super) fn open(&self, mut payload: Vec<u8>) -> Option<Vec<u8>> {
        let length = self.cipher.open(&mut payload)?;
        payload.truncate(length);
        Some(payload)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_counts_with_its_padding() {
        for (cipher, text_max) in [
            (FrameCipher::plaintext(), 32_767),
            (FrameCipher::des(&[1; 8]).unwrap(), 32_759),
            (FrameCipher::aes(&[1; 16]).unwrap(), 32_751),
        ] {
            let framing = Framing::new(cipher).with_bytes_max(usize::MAX);
            let mut out = Vec::new();
            framing.append(&"x".repeat(text_max), &mut out).unwrap();
            assert!(i16::from_be_bytes([out[0], out[1]]) > 0, "{framing:?}");
            let told = framing.append(&"x".repeat(text_max + 1), &mut Vec::new()).unwrap_err();
            assert_eq!((told.max, told.bytes > 32_767), (32_767, true), "{framing:?}");
        }
    }

    #[test]
    fn what_does_not_fit_leaves_nothing_behind() {
        let framing = Framing::new(FrameCipher::des(&[1; 8]).unwrap()).with_bytes_max(16);
        let mut out = vec![1, 2];
        assert_eq!(framing.append("sixteen letters!", &mut out), Err(DoesNotFit { bytes: 24, max: 16 }));
        assert_eq!(out, [1, 2]);
        framing.append("fifteen letters", &mut out).unwrap();
        assert_eq!((out.len(), &out[2..4]), (2 + 2 + 16, &[0, 16][..]));
    }
}
