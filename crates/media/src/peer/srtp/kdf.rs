//! Derives session keys from a master key by AES in counter mode (RFC 3711, section 4.3; RFC 7714, section 11).

use aes::cipher::{BlockCipherEncrypt, KeyInit};
use aes::{Aes128Enc, Aes256Enc};

use super::MasterKey;

/// What is derived for one of RTP and RTCP.
#[derive(Debug, Clone, Copy)]
pub(super) struct Labels {
    pub key: u8,
    pub authentication: u8,
    pub salt: u8,
}

pub(super) const RTP: Labels = Labels { key: 0, authentication: 1, salt: 2 };
pub(super) const RTCP: Labels = Labels { key: 3, authentication: 4, salt: 5 };

const BLOCK: usize = 16;
/// Where the label meets the salt: it is byte 7 of 14 of the key's id.
const LABEL_AT: usize = 7;

/// `N` bytes for one label; the key derivation rate is 0, so that a session has one set of keys.
pub(super) fn derive<const N: usize>(master: &MasterKey, label: u8) -> [u8; N] {
    let mut bytes = [0; N];
    fill(master, label, &mut bytes);
    bytes
}

/// As [`derive`], of a length that is known late.
pub(super) fn fill(master: &MasterKey, label: u8, bytes: &mut [u8]) {
    let mut start = [0; BLOCK];
    start[..master.salt.len()].copy_from_slice(&master.salt);
    start[LABEL_AT] ^= label;
    for (counter, part) in (0u16..).zip(bytes.chunks_mut(BLOCK)) {
        let mut block = start;
        block[BLOCK - 2..].copy_from_slice(&counter.to_be_bytes());
        encrypt(master.key(), &mut block);
        part.copy_from_slice(&block[..part.len()]);
    }
}

fn encrypt(key: &[u8], block: &mut [u8; BLOCK]) {
    let block = block.into();
    match key.len() {
        16 => Aes128Enc::new_from_slice(key).expect("16 bytes are a key").encrypt_block(block),
        _ => {
            Aes256Enc::new_from_slice(key).expect("a suite has a key of 16 or 32 bytes").encrypt_block(block)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::peer::srtp::padded;
    use taoyao_ortc::transport::SrtpSuite;

    fn hex(text: &str) -> Vec<u8> {
        (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
    }

    #[test]
    fn the_vectors_of_rfc_3711_appendix_b_3_come_out() {
        let key = hex("E1F97A0D3E018BE0D64FA32C06DE4139");
        let salt = hex("0EC675AD498AFEEBB6960B3AABE6");
        let master =
            MasterKey { suite: SrtpSuite::AesCm128HmacSha1_80, key: padded(&key), salt: padded(&salt) };
        assert_eq!(derive::<16>(&master, RTP.key).as_slice(), hex("C61E7A93744F39EE10734AFE3FF7A087"));
        assert_eq!(derive::<14>(&master, RTP.salt).as_slice(), hex("30CBBC08863D8C85D49DB34A9AE1"));
        assert_eq!(
            derive::<20>(&master, RTP.authentication).as_slice(),
            hex("CEBE321F6FF7716B6FD4AB49AF256A156D38BAA4")
        );
    }
}
