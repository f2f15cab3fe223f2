//! AEAD_AES_128_GCM and AEAD_AES_256_GCM (RFC 7714).

use ring::aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use taoyao_ortc::transport::SrtpSuite;

use super::header::{INDEX, RTCP_HEADER, index_word};
use super::kdf::{self, Labels};
use super::{MasterKey, OpenError};

pub(super) const TAG: usize = 16;
const IV: usize = 12;

pub(super) struct Gcm {
    key: LessSafeKey,
    salt: [u8; IV],
}

impl Gcm {
    pub(super) fn new(master: &MasterKey, labels: Labels) -> Gcm {
        let mut key = [0; 32];
        let algorithm = match master.suite {
            SrtpSuite::AeadAes256Gcm => &AES_256_GCM,
            SrtpSuite::AeadAes128Gcm | SrtpSuite::AesCm128HmacSha1_80 => &AES_128_GCM,
        };
        let key = &mut key[..algorithm.key_len()];
        kdf::fill(master, labels.key, key);
        let unbound = UnboundKey::new(algorithm, key).expect("the key is as long as the algorithm's");
        Gcm { key: LessSafeKey::new(unbound), salt: kdf::derive(master, labels.salt) }
    }

    /// `buffer`: header, payload, room for the tag. Returns the sealed length.
    pub(super) fn seal_rtp(
        &self,
        buffer: &mut [u8],
        header: usize,
        len: usize,
        ssrc: u32,
        index: u64,
    ) -> usize {
        let (clear, rest) = buffer.split_at_mut(header);
        let (payload, room) = rest.split_at_mut(len - header);
        let nonce = self.nonce(ssrc, index);
        self.seal(nonce, clear, payload, &mut room[..TAG]);
        len + TAG
    }

    pub(super) fn open_rtp(
        &self,
        packet: &mut [u8],
        header: usize,
        ssrc: u32,
        index: u64,
    ) -> Result<usize, OpenError> {
        let (clear, sealed) = packet.split_at_mut(header);
        if sealed.len() < TAG {
            return Err(OpenError::Malformed);
        }
        let nonce = self.nonce(ssrc, index);
        let plain =
            self.key.open_in_place(nonce, Aad::from(&*clear), sealed).map_err(|_| OpenError::Forged)?;
        Ok(header + plain.len())
    }

    /// `buffer`: packet, room for tag and index.
    pub(super) fn seal_rtcp(&self, buffer: &mut [u8], len: usize, ssrc: u32, index: u32) -> usize {
        let word = index_word(index);
        let aad = rtcp_aad(buffer, word);
        let (payload, room) = buffer[RTCP_HEADER..].split_at_mut(len - RTCP_HEADER);
        self.seal(self.nonce(ssrc, u64::from(index)), &aad, payload, &mut room[..TAG]);
        room[TAG..TAG + INDEX].copy_from_slice(&word);
        len + TAG + INDEX
    }

    /// Returns the length in plain.
    pub(super) fn open_rtcp(&self, packet: &mut [u8], ssrc: u32, index: u32) -> Result<usize, OpenError> {
        let aad = rtcp_aad(packet, index_word(index));
        let end = packet.len() - INDEX;
        let sealed = packet
            .get_mut(RTCP_HEADER..end)
            .filter(|sealed| sealed.len() >= TAG)
            .ok_or(OpenError::Malformed)?;
        let nonce = self.nonce(ssrc, u64::from(index));
        let plain = self.key.open_in_place(nonce, Aad::from(&aad), sealed).map_err(|_| OpenError::Forged)?;
        Ok(RTCP_HEADER + plain.len())
    }

    fn seal(&self, nonce: Nonce, aad: &[u8], payload: &mut [u8], tag_room: &mut [u8]) {
        let tag = self.key.seal_in_place_separate_tag(nonce, Aad::from(aad), payload);
        tag_room.copy_from_slice(tag.expect("a datagram is shorter than what GCM can seal").as_ref());
    }

    /// Two zero bytes, the SSRC, six bytes of index, exclusive-or the salt (RFC 7714, sections 8.1 and 9.1).
    fn nonce(&self, ssrc: u32, index: u64) -> Nonce {
        let mut iv = [0; IV];
        iv[2..6].copy_from_slice(&ssrc.to_be_bytes());
        iv[6..].copy_from_slice(&index.to_be_bytes()[2..]);
        for (byte, salt) in iv.iter_mut().zip(self.salt) {
            *byte ^= salt;
        }
        Nonce::assume_unique_for_key(iv)
    }
}

fn rtcp_aad(packet: &[u8], word: [u8; INDEX]) -> [u8; RTCP_HEADER + INDEX] {
    let mut aad = [0; RTCP_HEADER + INDEX];
    aad[..RTCP_HEADER].copy_from_slice(&packet[..RTCP_HEADER]);
    aad[RTCP_HEADER..].copy_from_slice(&word);
    aad
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::peer::srtp::kdf::RTP;
    use crate::peer::srtp::padded;

    /// The session key and salt of RFC 7714, section 16.1.
    fn of_the_rfc() -> Gcm {
        let key: Vec<u8> = (0..16).collect();
        let unbound = UnboundKey::new(&AES_128_GCM, &key).unwrap();
        Gcm { key: LessSafeKey::new(unbound), salt: *b"Quid pro quo" }
    }

    #[test]
    fn the_packet_of_rfc_7714_section_16_1_1_comes_out() {
        let mut buffer = vec![0x80, 0x40, 0xf1, 0x7b, 0x80, 0x41, 0xf8, 0xd3, 0x55, 0x01, 0xa0, 0xb2];
        buffer.extend(b"Gallia est omnis divisa in partes tres");
        let len = buffer.len();
        buffer.resize(len + TAG, 0);
        let sealed = of_the_rfc().seal_rtp(&mut buffer, 12, len, 0x5501_a0b2, 0xf17b);
        let expected = "f24de3a3fb34de6cacba861c9d7e4bcabe633bd50d294e6f42a5f47a51c7d19b36de3adf8833\
                        899d7f27beb16a9152cf765ee4390cce";
        let text: String = buffer[12..sealed].iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(text, expected);
    }

    #[test]
    fn keys_of_256_bits_are_others_than_those_of_128() {
        let bytes = [7; 44];
        let long = MasterKey::new(SrtpSuite::AeadAes256Gcm, &bytes).unwrap();
        let short = MasterKey { suite: SrtpSuite::AeadAes128Gcm, key: padded(&bytes[..16]), salt: long.salt };
        let mut buffers = [[0x80; 64]; 2];
        for (buffer, master) in buffers.iter_mut().zip([&long, &short]) {
            Gcm::new(master, RTP).seal_rtp(buffer, 12, 40, 1, 1);
        }
        assert_ne!(buffers[0], buffers[1]);
    }
}
