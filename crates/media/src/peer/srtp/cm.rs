//! AES_CM_128_HMAC_SHA1_80: AES in counter mode, signed by HMAC-SHA1 cut to 80 bits (RFC 3711, section 4).

use aes::Aes128Enc;
use aes::cipher::{InnerIvInit, KeyInit, StreamCipher, StreamCipherCoreWrapper};
use ctr::CtrCore;
use ctr::flavors::Ctr128BE;
use hmac::{Hmac, Mac};
use sha1::Sha1;
use subtle::ConstantTimeEq;

use super::header::{INDEX, RTCP_HEADER, index_word};
use super::kdf::{self, Labels};
use super::{MasterKey, OpenError};

pub(super) const TAG: usize = 10;
const BLOCK: usize = 16;
const SALT: usize = 14;

pub(super) struct Cm {
    aes: Aes128Enc,
    salt: [u8; SALT],
    /// Has taken in the key; a copy of it signs a packet.
    hmac: Hmac<Sha1>,
}

impl Cm {
    pub(super) fn new(master: &MasterKey, labels: Labels) -> Cm {
        let key: [u8; 16] = kdf::derive(master, labels.key);
        let authentication: [u8; 20] = kdf::derive(master, labels.authentication);
        Cm {
            aes: Aes128Enc::new(&key.into()),
            salt: kdf::derive(master, labels.salt),
            hmac: Hmac::new_from_slice(&authentication).expect("HMAC takes keys of any length"),
        }
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
        self.apply(&mut buffer[header..len], ssrc, index);
        let tag = self.tag(&buffer[..len], rollovers(index));
        buffer[len..len + TAG].copy_from_slice(&tag);
        len + TAG
    }

    pub(super) fn open_rtp(
        &self,
        packet: &mut [u8],
        header: usize,
        ssrc: u32,
        index: u64,
    ) -> Result<usize, OpenError> {
        let len = packet.len().checked_sub(TAG).filter(|len| *len >= header).ok_or(OpenError::Malformed)?;
        let tag = self.tag(&packet[..len], rollovers(index));
        if !bool::from(tag.ct_eq(&packet[len..])) {
            return Err(OpenError::Forged);
        }
        self.apply(&mut packet[header..len], ssrc, index);
        Ok(len)
    }

    /// `buffer`: packet, room for index and tag.
    pub(super) fn seal_rtcp(&self, buffer: &mut [u8], len: usize, ssrc: u32, index: u32) -> usize {
        self.apply(&mut buffer[RTCP_HEADER..len], ssrc, u64::from(index));
        let word = index_word(index);
        let tag = self.tag(&buffer[..len], word);
        buffer[len..len + INDEX].copy_from_slice(&word);
        buffer[len + INDEX..len + INDEX + TAG].copy_from_slice(&tag);
        len + INDEX + TAG
    }

    /// Returns the length in plain.
    pub(super) fn open_rtcp(&self, packet: &mut [u8], ssrc: u32, index: u32) -> Result<usize, OpenError> {
        let len = packet
            .len()
            .checked_sub(INDEX + TAG)
            .filter(|len| *len >= RTCP_HEADER)
            .ok_or(OpenError::Malformed)?;
        let tag = self.tag(&packet[..len], index_word(index));
        if !bool::from(tag.ct_eq(&packet[len + INDEX..])) {
            return Err(OpenError::Forged);
        }
        self.apply(&mut packet[RTCP_HEADER..len], ssrc, u64::from(index));
        Ok(len)
    }

    /// Encrypts or decrypts: the key stream of salt, SSRC and index (RFC 3711, section 4.1.1).
    fn apply(&self, payload: &mut [u8], ssrc: u32, index: u64) {
        let mut iv = [0; BLOCK];
        iv[4..8].copy_from_slice(&ssrc.to_be_bytes());
        iv[8..SALT].copy_from_slice(&index.to_be_bytes()[2..]);
        for (byte, salt) in iv.iter_mut().zip(self.salt) {
            *byte ^= salt;
        }
        let core = CtrCore::<&Aes128Enc, Ctr128BE>::inner_iv_init(&self.aes, &iv.into());
        StreamCipherCoreWrapper::from_core(core).apply_keystream(payload);
    }

    fn tag(&self, signed: &[u8], behind: [u8; 4]) -> [u8; TAG] {
        let mut hmac = self.hmac.clone();
        hmac.update(signed);
        hmac.update(&behind);
        let whole = hmac.finalize().into_bytes();
        let mut tag = [0; TAG];
        tag.copy_from_slice(&whole[..TAG]);
        tag
    }
}

/// The upper 32 bits of the index: signed, and not sent.
fn rollovers(index: u64) -> [u8; 4] {
    let [_, _, a, b, c, d, _, _] = index.to_be_bytes();
    [a, b, c, d]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_stream_of_rfc_3711_appendix_b_2_comes_out() {
        let key = 0x2B7E_1516_28AE_D2A6_ABF7_1588_09CF_4F3C_u128.to_be_bytes();
        let mut salt = [0; SALT];
        salt.copy_from_slice(&0xF0F1_F2F3_F4F5_F6F7_F8F9_FAFB_FCFD_0000_u128.to_be_bytes()[..SALT]);
        let hmac = Hmac::new_from_slice(&[0; 20]).unwrap();
        let cm = Cm { aes: Aes128Enc::new(&key.into()), salt, hmac };
        let mut stream = [0; 48];
        cm.apply(&mut stream, 0, 0);
        let text: String = stream.iter().map(|byte| format!("{byte:02X}")).collect();
        assert_eq!(
            text,
            "E03EAD0935C95E80E166B16DD92B4EB4D23513162B02D0F72A43A2FE4A5F97AB41E95B3BB0A2E8DD477901E4FCA894C0"
        );
    }

    #[test]
    fn the_tag_covers_the_rollover_counter() {
        let master =
            MasterKey::new(taoyao_ortc::transport::SrtpSuite::AesCm128HmacSha1_80, &[3; 30]).unwrap();
        let cm = Cm::new(&master, kdf::RTP);
        let mut packet = [0x80; 64];
        let sealed = cm.seal_rtp(&mut packet, 12, 50, 1, 77);
        assert_eq!(cm.open_rtp(&mut packet[..sealed], 12, 1, 77 + (1 << 16)), Err(OpenError::Forged));
        assert_eq!(cm.open_rtp(&mut packet[..sealed], 12, 1, 77), Ok(50));
    }
}
