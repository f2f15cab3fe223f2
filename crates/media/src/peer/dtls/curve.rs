//! Curves of certificates' keys that cannot be verified here, so that a refusal can name them.

/// The object identifiers as a certificate has them (RFC 5480, section 2.1.1.1), tag and length in front.
const ODD: [(&[u8], &str); 3] = [
    (&[0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x21], "P-224"),
    (&[0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x23], "P-521"),
    (&[0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x0a], "secp256k1"),
];

/// Whether a datagram of a handshake, which is not encrypted before its end, holds one of them.
pub(super) fn odd_in(datagram: &[u8]) -> Option<&'static str> {
    let holds = |id: &[u8]| datagram.windows(id.len()).any(|bytes| bytes == id);
    ODD.into_iter().find(|(id, _)| holds(id)).map(|(_, name)| name)
}
