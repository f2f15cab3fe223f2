//! What a certificate says, for people and for `--json`.

use std::net::IpAddr;
use std::path::Path;

use jiff::Timestamp;
use rcgen::PublicKeyData;
use rustls_pki_types::CertificateDer;
use serde::{Serialize, Serializer};
use sha2::{Digest, Sha256};
use taoyao_types::Wall;
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

use crate::files::{self, FileError};
use crate::identity;

/// A certificate's contents as `taoyao cert show` prints them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CertInfo {
    pub subject: String,
    pub issuer: String,
    /// The URI name, if there is exactly one: a node's identity on links.
    pub identity: Option<String>,
    pub dns: Vec<String>,
    pub ips: Vec<IpAddr>,
    /// RFC 3339, UTC.
    #[serde(serialize_with = "as_text")]
    pub not_before: Timestamp,
    /// RFC 3339, UTC.
    #[serde(serialize_with = "as_text")]
    pub not_after: Timestamp,
    pub is_ca: bool,
    /// SHA-256 of the whole certificate, lower-case hex.
    pub fingerprint: String,
}

impl CertInfo {
    /// Whether the certificate is, or will by `at` be, no longer valid.
    pub fn is_over(&self, at: Wall) -> bool {
        u64::try_from(self.not_after.as_millisecond()).is_ok_and(|end| end <= at.0)
            || self.not_after.as_second() < 0
    }
}

/// Reads the first certificate of a PEM file.
pub fn show(path: &Path) -> Result<CertInfo, FileError> {
    let chain = files::load_chain(path)?;
    info_of(&chain[0]).ok_or_else(|| FileError::NotX509 { path: path.to_owned() })
}

/// Reads a certificate; `None` if it is not one.
pub fn info_of(der: &CertificateDer<'_>) -> Option<CertInfo> {
    let (_, cert) = X509Certificate::from_der(der).ok()?;
    let (dns, ips) = names_of(&cert);
    let uris = identity::uris_of(&cert);
    Some(CertInfo {
        subject: cert.subject().to_string(),
        issuer: cert.issuer().to_string(),
        identity: (uris.len() == 1).then(|| uris[0].to_owned()),
        dns,
        ips,
        not_before: Timestamp::from_second(cert.validity().not_before.timestamp()).ok()?,
        not_after: Timestamp::from_second(cert.validity().not_after.timestamp()).ok()?,
        is_ca: cert.is_ca(),
        fingerprint: Sha256::digest(der).iter().map(|byte| format!("{byte:02x}")).collect(),
    })
}

/// Whether the certificate is over this key.
pub(crate) fn belongs_to(der: &CertificateDer<'_>, key: &rcgen::KeyPair) -> bool {
    X509Certificate::from_der(der)
        .is_ok_and(|(_, cert)| cert.public_key().raw == key.subject_public_key_info().as_slice())
}

/// Whether `issuer` signed the certificate: its name and its signature.
pub(crate) fn signed_by(der: &CertificateDer<'_>, issuer: &CertificateDer<'_>) -> bool {
    let (Ok((_, cert)), Ok((_, issuer))) =
        (X509Certificate::from_der(der), X509Certificate::from_der(issuer))
    else {
        return false;
    };
    cert.issuer() == issuer.subject() && cert.verify_signature(Some(issuer.public_key())).is_ok()
}

fn names_of(cert: &X509Certificate<'_>) -> (Vec<String>, Vec<IpAddr>) {
    let (mut dns, mut ips) = (Vec::new(), Vec::new());
    let Ok(Some(names)) = cert.subject_alternative_name() else { return (dns, ips) };
    for name in &names.value.general_names {
        match name {
            GeneralName::DNSName(name) => dns.push((*name).to_owned()),
            GeneralName::IPAddress(bytes) => ips.extend(ip_of(bytes)),
            _ => {}
        }
    }
    (dns, ips)
}

fn ip_of(bytes: &[u8]) -> Option<IpAddr> {
    match bytes.len() {
        4 => <[u8; 4]>::try_from(bytes).ok().map(IpAddr::from),
        16 => <[u8; 16]>::try_from(bytes).ok().map(IpAddr::from),
        _ => None,
    }
}

fn as_text<S: Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(time)
}
