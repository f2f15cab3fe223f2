//! The certificate with which a process's DTLS shows itself, and its fingerprint.

use std::fmt;
use std::fmt::Write as _;
use std::sync::Arc;

use taoyao_ortc::transport::{Fingerprint, SrtpSuite};

use super::dtls::{Configs, PREFERENCE};

/// A self-signed ECDSA P-256 certificate (RFC 8827, section 6.5), made anew by each process. Cheap to clone.
#[derive(Clone)]
pub struct Certificate {
    inner: Arc<Inner>,
}

struct Inner {
    configs: Configs,
    fingerprint: Fingerprint,
}

/// The system's randomness failed.
#[derive(Debug, thiserror::Error)]
#[error("no certificate for DTLS could be made: {0}")]
pub struct CertificateError(String);

impl Certificate {
    /// # Errors
    /// See [`CertificateError`].
    pub fn generate() -> Result<Certificate, CertificateError> {
        Self::generate_offering(&PREFERENCE)
    }

    /// As [`Self::generate`]; as client it offers these suites only.
    ///
    /// # Errors
    /// See [`CertificateError`].
    pub fn generate_offering(suites: &[SrtpSuite]) -> Result<Certificate, CertificateError> {
        let failed = |error: &dyn fmt::Display| CertificateError(error.to_string());
        let provider = rtc_dtls::crypto_provider::default_provider().map_err(|e| failed(&e))?;
        let names = vec!["taoyao".to_owned()];
        let dtls = rtc_dtls::crypto::Certificate::generate_self_signed(names, provider.crypto())
            .map_err(|e| failed(&e))?;
        let der = dtls.certificate.first().ok_or_else(|| failed(&"it is empty"))?;
        let fingerprint = fingerprint_of(der);
        let configs = Configs::new(&dtls, &provider, suites).map_err(|e| failed(&e))?;
        Ok(Certificate { inner: Arc::new(Inner { configs, fingerprint }) })
    }

    /// What clients are told.
    pub fn fingerprint(&self) -> &Fingerprint {
        &self.inner.fingerprint
    }

    pub(super) fn configs(&self) -> &Configs {
        &self.inner.configs
    }
}

/// The key stays out of logs.
impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate")
            .field("fingerprint", &self.inner.fingerprint.value)
            .finish_non_exhaustive()
    }
}

pub(super) fn fingerprint_of(der: &[u8]) -> Fingerprint {
    let hash = ring::digest::digest(&ring::digest::SHA256, der);
    Fingerprint { algorithm: "sha-256".to_owned(), value: hex_with_colons(hash.as_ref()) }
}

/// Upper-case pairs with colons (RFC 8122, section 5).
pub(super) fn hex_with_colons(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(3 * bytes.len());
    for (at, byte) in bytes.iter().enumerate() {
        let colon = if at == 0 { "" } else { ":" };
        write!(text, "{colon}{byte:02X}").expect("a String takes all that is written");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_certificates_have_fingerprints_of_32_bytes_that_differ() {
        let (one, other) = (Certificate::generate().unwrap(), Certificate::generate().unwrap());
        assert_eq!(one.fingerprint().value.len(), 32 * 3 - 1);
        assert_ne!(one.fingerprint(), other.fingerprint());
    }
}
