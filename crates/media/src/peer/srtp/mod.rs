//! SRTP and SRTCP in place: keys, what can go wrong, and where sealing and opening are (RFC 3711, RFC 7714).
//!
//! Keys are expanded once; sealing and opening a packet allocates nothing.

mod cm;
mod gcm;
mod header;
mod index;
mod kdf;
mod opener;
mod sealer;
mod window;

use std::fmt;

use taoyao_ortc::transport::SrtpSuite;

pub use opener::Opener;
pub use sealer::Sealer;

/// One direction's master key and salt.
#[derive(Clone)]
pub struct MasterKey {
    suite: SrtpSuite,
    key: [u8; KEY_BYTES_MAX],
    salt: [u8; SALT_BYTES_MAX],
}

/// Both directions' master keys.
#[derive(Debug, Clone)]
pub struct SrtpKeys {
    pub suite: SrtpSuite,
    /// Of what we send.
    pub local: MasterKey,
    /// Of what the peer sends.
    pub remote: MasterKey,
}

/// Why a packet was not sealed. Ours or the router's fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    #[error("not an RTP or RTCP packet")]
    Malformed,
    #[error("the buffer has no room for the tag: leave {needed} bytes behind the packet", needed = super::SEAL_BYTES_MAX)]
    NoRoom,
    #[error("all indices of this key are used up, or the number is older than the stream")]
    NoIndex,
}

/// Why a packet was not opened. The peer's fault, or an attacker's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    #[error("not an SRTP or SRTCP packet")]
    Malformed,
    #[error("sealed with another key, or changed on its way")]
    Forged,
    #[error("has come before, or is too old to know")]
    Repeated,
}

const KEY_BYTES_MAX: usize = 32;
const SALT_BYTES_MAX: usize = 14;

impl MasterKey {
    /// Key and salt one behind the other, as SDES (RFC 4568, section 6.1) has them. None if the length is not the suite's.
    pub fn new(suite: SrtpSuite, key_and_salt: &[u8]) -> Option<MasterKey> {
        if key_and_salt.len() != key_bytes(suite) + salt_bytes(suite) {
            return None;
        }
        let (key, salt) = key_and_salt.split_at(key_bytes(suite));
        Some(MasterKey { suite, key: padded(key), salt: padded(salt) })
    }

    fn key(&self) -> &[u8] {
        &self.key[..key_bytes(self.suite)]
    }
}

impl SrtpKeys {
    /// From what DTLS exports: both keys, then both salts, the client's first (RFC 5764, section 4.2). None if the length
    /// is not the suite's.
    pub fn from_exported(suite: SrtpSuite, exported: &[u8], is_client: bool) -> Option<SrtpKeys> {
        if exported.len() != exported_bytes(suite) {
            return None;
        }
        let (keys, salts) = exported.split_at(2 * key_bytes(suite));
        let (client_key, server_key) = keys.split_at(key_bytes(suite));
        let (client_salt, server_salt) = salts.split_at(salt_bytes(suite));
        let client = MasterKey { suite, key: padded(client_key), salt: padded(client_salt) };
        let server = MasterKey { suite, key: padded(server_key), salt: padded(server_salt) };
        let (local, remote) = if is_client { (client, server) } else { (server, client) };
        Some(SrtpKeys { suite, local, remote })
    }
}

/// Bytes of keying material that DTLS has to export.
pub fn exported_bytes(suite: SrtpSuite) -> usize {
    2 * (key_bytes(suite) + salt_bytes(suite))
}

/// Bytes of a suite's master key.
pub fn key_bytes(suite: SrtpSuite) -> usize {
    match suite {
        SrtpSuite::AeadAes128Gcm | SrtpSuite::AesCm128HmacSha1_80 => 16,
        SrtpSuite::AeadAes256Gcm => 32,
    }
}

/// Bytes of a suite's master salt.
pub fn salt_bytes(suite: SrtpSuite) -> usize {
    match suite {
        SrtpSuite::AeadAes128Gcm | SrtpSuite::AeadAes256Gcm => 12,
        SrtpSuite::AesCm128HmacSha1_80 => 14,
    }
}

/// The key stays out of logs.
impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MasterKey").field("suite", &self.suite).finish_non_exhaustive()
    }
}

/// What seals or opens the packets of one direction, with the session's keys.
enum Cipher {
    Gcm(Box<gcm::Gcm>),
    Cm(Box<cm::Cm>),
}

impl Cipher {
    fn rtp(master: &MasterKey) -> Cipher {
        Cipher::of(master, kdf::RTP)
    }

    fn rtcp(master: &MasterKey) -> Cipher {
        Cipher::of(master, kdf::RTCP)
    }

    fn of(master: &MasterKey, labels: kdf::Labels) -> Cipher {
        match master.suite {
            SrtpSuite::AesCm128HmacSha1_80 => Cipher::Cm(Box::new(cm::Cm::new(master, labels))),
            SrtpSuite::AeadAes128Gcm | SrtpSuite::AeadAes256Gcm => {
                Cipher::Gcm(Box::new(gcm::Gcm::new(master, labels)))
            }
        }
    }
}

fn padded<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut all = [0; N];
    all[..bytes.len()].copy_from_slice(bytes);
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_of_another_length_is_no_key() {
        assert!(MasterKey::new(SrtpSuite::AeadAes128Gcm, &[0; 28]).is_some());
        assert!(MasterKey::new(SrtpSuite::AeadAes128Gcm, &[0; 30]).is_none());
        assert!(MasterKey::new(SrtpSuite::AesCm128HmacSha1_80, &[0; 30]).is_some());
        assert!(MasterKey::new(SrtpSuite::AeadAes256Gcm, &[0; 44]).is_some());
    }

    #[test]
    fn the_two_ends_of_an_export_mirror_each_other() {
        let exported: Vec<u8> = (0..56).collect();
        let client = SrtpKeys::from_exported(SrtpSuite::AeadAes128Gcm, &exported, true).unwrap();
        let server = SrtpKeys::from_exported(SrtpSuite::AeadAes128Gcm, &exported, false).unwrap();
        assert_eq!(client.local.key(), server.remote.key());
        assert_eq!(client.remote.salt, server.local.salt);
        assert_eq!(client.local.key()[0], 0);
        assert_eq!(server.local.salt[0], 44);
    }

    #[test]
    fn debug_output_hides_keys() {
        let key = MasterKey::new(SrtpSuite::AeadAes128Gcm, &[171; 28]).unwrap();
        assert!(!format!("{key:?}").contains("171"));
    }
}
