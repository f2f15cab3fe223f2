//! Reads frames from bytes that come in any pieces.

use std::mem;

use super::framing::Framing;

/// What is no frame of the listener. The connection is closed: nothing says where the next frame would begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FrameFault {
    #[error("a frame of the negative length {0}; the peer is out of step, or does not speak this protocol")]
    NegativeLength(i16),
    #[error("a frame of {bytes} bytes that cannot be decrypted; have both ends the same mode and secret?")]
    Undecryptable { bytes: usize },
    #[error("a frame of {bytes} bytes whose text is not UTF-8; have both ends the same mode and secret?")]
    NotUtf8 { bytes: usize },
}

/// One connection's way in. Between frames it holds no memory, within one no more than what has come of it.
#[derive(Debug, Default)]
pub struct FrameReader {
    /// The first byte of a length whose second one has not come.
    high: Option<u8>,
    /// Of the frame that is arriving; 0 between frames.
    length: usize,
    payload: Vec<u8>,
}

impl FrameReader {
    /// Takes what arrived and appends the texts of the frames that it completes. Empty frames are skipped.
    ///
    /// # Errors
    /// At the first fault; the texts before it count, and what follows must not be given any more.
    pub fn handle_bytes(
        &mut self,
        framing: &Framing,
        mut bytes: &[u8],
        texts: &mut Vec<Box<str>>,
    ) -> Result<(), FrameFault> {
        while !bytes.is_empty() {
            if self.length == 0 {
                self.begin(&mut bytes)?;
                continue;
            }
            let missing = self.length - self.payload.len();
            let (part, rest) = bytes.split_at(missing.min(bytes.len()));
            self.payload.extend_from_slice(part);
            bytes = rest;
            if part.len() == missing {
                self.length = 0;
                texts.push(read(framing, mem::take(&mut self.payload))?);
            }
        }
        Ok(())
    }

    /// Takes the length of the next frame, or its first half.
    fn begin(&mut self, bytes: &mut &[u8]) -> Result<(), FrameFault> {
        let Some((&byte, rest)) = bytes.split_first() else { return Ok(()) };
        *bytes = rest;
        match self.high.take() {
            None => self.high = Some(byte),
            Some(high) => {
                let length = i16::from_be_bytes([high, byte]);
                self.length = usize::try_from(length).map_err(|_| FrameFault::NegativeLength(length))?;
            }
        }
        Ok(())
    }
}

fn read(framing: &Framing, payload: Vec<u8>) -> Result<Box<str>, FrameFault> {
    let bytes = payload.len();
    let text = framing.open(payload).ok_or(FrameFault::Undecryptable { bytes })?;
    let text = String::from_utf8(text).map_err(|_| FrameFault::NotUtf8 { bytes })?;
    Ok(text.into_boxed_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tcp::FrameCipher;

    const HEARTBEAT: &str = r#"{"header":{"v":"1.0.0","id":1,"signal":"client::heartbeat"}}"#;
    /// The published vectors of reference section 1.3, made by the ciphers of the JDK.
    const DES: &str = "0040\
        39307226f9add980cc79ac300d4031be93b96ee3b5bf94d0d1ce999eee66c14b\
        7d720477d6747e58817dc47abb249a888ff6574600741aac30edc004ebc4dbfe";
    const AES: &str = "0040\
        a7d5a919a1a1d470e4ff287a16a385414335b7b5c268f350aa2fc2024abb0975\
        f8e3b3f6ae09601b02aaac56a17278e5a137caa330b5d32a5974bbf74d6c6119";
    /// `2SPWy+TF1zM=`, which the original and its Android app are shipped with.
    const DES_KEY: [u8; 8] = [0xd9, 0x23, 0xd6, 0xcb, 0xe4, 0xc5, 0xd7, 0x33];
    /// `MDEyMzQ1Njc4OWFiY2RlZg==`.
    const AES_KEY: &[u8; 16] = b"0123456789abcdef";

    #[test]
    fn the_published_vectors_are_written_and_read() {
        for (framing, vector) in [(des(), DES), (aes(), AES)] {
            let frame = unhex(vector);
            let mut written = Vec::new();
            framing.append(HEARTBEAT, &mut written).unwrap();
            assert_eq!(written, frame, "{framing:?}");
            assert_eq!(read_all(&framing, &frame), (vec![HEARTBEAT.into()], Ok(())), "{framing:?}");
        }
    }

    #[test]
    fn plaintext_is_a_length_and_the_text() {
        let mut written = Vec::new();
        plaintext().append("桃夭", &mut written).unwrap();
        assert_eq!(written, [&[0, 6][..], "桃夭".as_bytes()].concat());
        assert_eq!(read_all(&plaintext(), &written), (vec!["桃夭".into()], Ok(())));
    }

    #[test]
    fn frames_cut_anywhere_arrive_whole_and_empty_ones_are_skipped() {
        let framing = des();
        let mut bytes = vec![0, 0];
        for text in ["one", "", "three"] {
            framing.append(text, &mut bytes).unwrap();
            bytes.extend([0, 0]);
        }
        for cut in 0..=bytes.len() {
            let (mut reader, mut texts) = (FrameReader::default(), Vec::new());
            reader.handle_bytes(&framing, &bytes[..cut], &mut texts).unwrap();
            reader.handle_bytes(&framing, &bytes[cut..], &mut texts).unwrap();
            let texts: Vec<&str> = texts.iter().map(AsRef::as_ref).collect();
            assert_eq!(texts, ["one", "", "three"], "cut at {cut}");
            assert_eq!((reader.length, reader.payload.capacity()), (0, 0), "cut at {cut}");
        }
    }

    #[test]
    fn the_longest_frame_passes() {
        let text = "x".repeat(32_767);
        let mut bytes = Vec::new();
        plaintext().append(&text, &mut bytes).unwrap();
        assert_eq!(read_all(&plaintext(), &bytes), (vec![text.into()], Ok(())));
    }

    #[test]
    fn faults_are_told_apart_and_the_texts_before_them_count() {
        let good = |framing: &Framing| {
            let mut bytes = Vec::new();
            framing.append("good", &mut bytes).unwrap();
            bytes
        };
        let after_good =
            |framing: &Framing, bad: &[u8]| read_all(framing, &[good(framing), bad.to_vec()].concat());
        let texts = vec![Box::from("good")];
        let negative = FrameFault::NegativeLength(-32_768);
        assert_eq!(after_good(&plaintext(), &[0x80, 0]), (texts.clone(), Err(negative)));
        let not_utf8 = FrameFault::NotUtf8 { bytes: 2 };
        assert_eq!(after_good(&plaintext(), &[0, 2, 0xff, 0xfe]), (texts.clone(), Err(not_utf8)));
        let undecryptable = FrameFault::Undecryptable { bytes: 7 };
        assert_eq!(after_good(&aes(), &[0, 7, 1, 2, 3, 4, 5, 6, 7]), (texts, Err(undecryptable)));
    }

    #[test]
    fn a_plain_text_on_an_encrypted_listener_is_a_fault() {
        let mut plain = Vec::new();
        plaintext().append(HEARTBEAT, &mut plain).unwrap();
        for framing in [des(), aes()] {
            let (texts, ended) = read_all(&framing, &plain);
            assert_eq!((texts, ended), (vec![], Err(FrameFault::Undecryptable { bytes: HEARTBEAT.len() })));
        }
    }

    fn plaintext() -> Framing {
        Framing::new(FrameCipher::plaintext())
    }

    fn des() -> Framing {
        Framing::new(FrameCipher::des(&DES_KEY).unwrap())
    }

    fn aes() -> Framing {
        Framing::new(FrameCipher::aes(AES_KEY).unwrap())
    }

    fn read_all(framing: &Framing, bytes: &[u8]) -> (Vec<Box<str>>, Result<(), FrameFault>) {
        let mut texts = Vec::new();
        let ended = FrameReader::default().handle_bytes(framing, bytes, &mut texts);
        (texts, ended)
    }

    fn unhex(text: &str) -> Vec<u8> {
        let digit = |c: u8| char::from(c).to_digit(16).unwrap() as u8;
        text.as_bytes().chunks(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
    }
}
