//! Alerts of a handshake: what the end that gives up says of why (RFC 5246, section 7.2).

/// The text of the first alert in a datagram, if it can be read: those of a handshake are not encrypted.
pub(super) fn told_in(datagram: &[u8]) -> Option<&'static str> {
    const HEADER_BYTES: usize = 13;
    const ALERT: u8 = 21;
    let mut rest = datagram;
    while let Some((header, behind)) = rest.split_at_checked(HEADER_BYTES) {
        let length = usize::from(u16::from_be_bytes([header[11], header[12]]));
        let (body, next) = behind.split_at_checked(length)?;
        // In the first epoch alone records are not encrypted.
        if let (ALERT, [0, 0], [_, description]) = (header[0], [header[3], header[4]], body) {
            return Some(name(*description));
        }
        rest = next;
    }
    None
}

fn name(description: u8) -> &'static str {
    match description {
        0 => "close_notify",
        10 => "unexpected_message",
        20 => "bad_record_mac",
        22 => "record_overflow",
        40 => "handshake_failure: no cipher suite, curve or signature in common",
        42 => "bad_certificate: the certificate is not the announced one, or is broken",
        43 => "unsupported_certificate: the certificate's kind of key is not supported",
        44 => "certificate_revoked",
        45 => "certificate_expired",
        46 => "certificate_unknown",
        47 => "illegal_parameter",
        48 => "unknown_ca",
        49 => "access_denied",
        50 => "decode_error",
        51 => "decrypt_error: a signature or a key does not fit",
        70 => "protocol_version: DTLS 1.2 is needed",
        71 => "insufficient_security: no cipher suite in common",
        80 => "internal_error",
        90 => "user_canceled",
        110 => "unsupported_extension",
        _ => "an alert that has no name",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alert_is_found_among_records_and_an_encrypted_one_is_not() {
        let record = |kind: u8, epoch: u8, body: &[u8]| {
            let mut record = vec![kind, 0xfe, 0xfd, 0, epoch, 0, 0, 0, 0, 0, 7, 0, body.len() as u8];
            record.extend_from_slice(body);
            record
        };
        let both = [record(22, 0, &[1; 30]), record(21, 0, &[2, 71])].concat();
        assert!(told_in(&both).is_some_and(|told| told.starts_with("insufficient_security")));
        assert_eq!(told_in(&record(21, 1, &[2, 71])), None);
        assert_eq!(told_in(&record(22, 0, &[2, 71])), None);
        for end in 0..both.len() {
            assert_eq!(told_in(&both[..end]), None, "{end}");
        }
    }
}
