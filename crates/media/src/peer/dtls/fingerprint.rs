//! Whether a certificate is the one that was announced (RFC 8122).

use sha1::Sha1;
use sha2::{Digest, Sha224, Sha256, Sha384, Sha512};
use taoyao_ortc::transport::Fingerprint;

use crate::peer::certificate::hex_with_colons;

/// The fingerprints that can be checked.
pub(in crate::peer) fn usable(fingerprints: &[Fingerprint]) -> Vec<Fingerprint> {
    fingerprints.iter().filter(|one| hash(&one.algorithm, &[]).is_some()).cloned().collect()
}

/// Whether one of them is the certificate's (RFC 8122, section 5: any of the peer's).
pub(super) fn is_of(fingerprints: &[Fingerprint], certificate: &[u8]) -> bool {
    fingerprints.iter().any(|one| {
        hash(&one.algorithm, certificate)
            .is_some_and(|hash| hex_with_colons(&hash).eq_ignore_ascii_case(&one.value))
    })
}

fn hash(algorithm: &str, bytes: &[u8]) -> Option<Vec<u8>> {
    Some(match algorithm.to_ascii_lowercase().as_str() {
        "sha-1" => Sha1::digest(bytes).to_vec(),
        "sha-224" => Sha224::digest(bytes).to_vec(),
        "sha-256" => Sha256::digest(bytes).to_vec(),
        "sha-384" => Sha384::digest(bytes).to_vec(),
        "sha-512" => Sha512::digest(bytes).to_vec(),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fingerprint(algorithm: &str, value: &str) -> Fingerprint {
        Fingerprint { algorithm: algorithm.into(), value: value.into() }
    }

    #[test]
    fn any_usable_fingerprint_will_do_in_any_case_of_letters() {
        let right =
            "BA:78:16:BF:8F:01:CF:EA:41:41:40:DE:5D:AE:22:23:B0:03:61:A3:96:17:7A:9C:B4:10:FF:61:F2:00:15:AD";
        let both = [fingerprint("sha-1", "00"), fingerprint("SHA-256", &right.to_lowercase())];
        assert!(is_of(&both, b"abc"));
        assert!(!is_of(&both, b"abd"));
        assert!(!is_of(&[fingerprint("sha-512", right)], b"abc"));
        assert!(!is_of(&[], b"abc"));
    }

    #[test]
    fn hashes_that_nobody_knows_are_not_usable() {
        assert!(usable(&[fingerprint("md5", "00"), fingerprint("crc", "")]).is_empty());
        assert_eq!(usable(&[fingerprint("md5", "00"), fingerprint("sha-384", "00")]).len(), 1);
    }
}
