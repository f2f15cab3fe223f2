//! The certificate authority of one organisation: made once, then signs nodes' and terminals' certificates.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, DnValue, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SanType, SerialNumber,
};
use rustls_pki_types::CertificateDer;
use taoyao_types::Wall;

use crate::files::{self, FileError};
use crate::identity::{BadIdentity, Identity, check_org};

/// How long a CA certificate lives.
pub const CA_LIFE: Duration = days(3650);
/// How long a leaf certificate of the development layout lives: the most that browsers accept of a private CA.
pub const LEAF_LIFE: Duration = days(825);
/// Certificates are valid from a little before they are made: machines' clocks differ.
const BACKDATE: Duration = Duration::from_secs(3600);

/// Why an authority cannot be made, loaded or used.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    #[error(transparent)]
    File(#[from] FileError),
    #[error("organisation {org:?}: {source}")]
    Org { org: String, source: BadIdentity },
    #[error(
        "{path}: is not a key that certificates can be signed with: {reason}; restore it, or move the CA's two files away and run `taoyao cert dev <topology file>` for a new CA"
    )]
    BadKey { path: PathBuf, reason: String },
    #[error(
        "{path}: is missing, and without it nothing can be signed; restore it, or move ca.crt away too and run `taoyao cert dev <topology file>` for a new CA"
    )]
    NoKey { path: PathBuf },
    #[error(
        "{cert}: does not belong to the key beside it; restore the pair, or move both away and run `taoyao cert dev <topology file>` for a new CA"
    )]
    Mismatch { cert: PathBuf },
    #[error("{path}: is not a CA certificate: {reason}")]
    BadCert { path: PathBuf, reason: String },
    #[error("{name:?} cannot be put into a certificate: {reason}")]
    Name { name: String, reason: String },
    #[error("a certificate cannot be made: {0}")]
    Sign(String),
}

/// A CA's certificate and key. `Debug` shows the certificate's place only.
pub struct Authority {
    cert_pem: String,
    cert_der: CertificateDer<'static>,
    issuer: Issuer<'static, KeyPair>,
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Authority").finish_non_exhaustive()
    }
}

impl Authority {
    /// A new CA for `org` (its common name says so), valid for [`CA_LIFE`] from `now`. It may sign leaves only
    /// (path length 0).
    pub fn create(org: &str, now: Wall) -> Result<Self, AuthorityError> {
        Self::create_over(new_key()?, org, now)
    }

    /// Like [`Authority::create`] over a key that exists: what it signed before stays valid.
    pub fn create_over(key: KeyPair, org: &str, now: Wall) -> Result<Self, AuthorityError> {
        check_org(org).map_err(|source| AuthorityError::Org { org: org.to_owned(), source })?;
        let mut params = base_params(&common_name(org), now, CA_LIFE)?;
        params.distinguished_name.push(DnType::OrganizationName, org);
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let cert = params.self_signed(&key).map_err(sign_error)?;
        Ok(Self { cert_pem: cert.pem(), cert_der: cert.der().clone(), issuer: Issuer::new(params, key) })
    }

    /// Reads `ca.crt` and `ca.key` of `dir`.
    pub fn load(dir: &Path) -> Result<Self, AuthorityError> {
        let (cert_path, key_path) = (cert_path(dir), key_path(dir));
        let cert_pem = String::from_utf8(files::read(&cert_path)?)
            .map_err(|_| FileError::NotPem { path: cert_path.clone() })?;
        let cert_der = files::load_chain(&cert_path)?.swap_remove(0);
        if !key_path.exists() {
            return Err(AuthorityError::NoKey { path: key_path });
        }
        let key = load_key_pair(&key_path)?;
        if !crate::show::belongs_to(&cert_der, &key) {
            return Err(AuthorityError::Mismatch { cert: cert_path });
        }
        let issuer = Issuer::from_ca_cert_der(&cert_der, key)
            .map_err(|e| AuthorityError::BadCert { path: cert_path, reason: e.to_string() })?;
        Ok(Self { cert_pem, cert_der, issuer })
    }

    /// Writes `ca.key`, then `ca.crt`, into `dir`. Neither may exist; a run that died between the two is completed by
    /// [`Authority::create_over`] and [`Authority::store_cert`].
    pub fn store(&self, dir: &Path) -> Result<(), AuthorityError> {
        files::write_new_key(&key_path(dir), &self.issuer.key().serialize_pem())?;
        self.store_cert(dir)
    }

    /// Writes `ca.crt` alone. It may not exist.
    pub fn store_cert(&self, dir: &Path) -> Result<(), AuthorityError> {
        let path = cert_path(dir);
        if path.exists() {
            return Err(FileError::Exists { path }.into());
        }
        Ok(files::write_cert(&path, &self.cert_pem)?)
    }

    pub fn cert_der(&self) -> &CertificateDer<'static> {
        &self.cert_der
    }

    /// A link certificate (PEM) for `identity` over `key`: serves and dials.
    pub fn issue_node(
        &self,
        identity: &Identity,
        key: &KeyPair,
        now: Wall,
        life: Duration,
    ) -> Result<String, AuthorityError> {
        let uri = identity.to_string();
        let mut params = base_params(&clipped(identity.node().as_str()), now, life)?;
        params.subject_alt_names =
            vec![SanType::URI(ia5(&uri)?), SanType::DnsName(ia5(&identity.dns_name())?)];
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        self.sign(params, key)
    }

    /// A web certificate (PEM) over `key` for the names and addresses under which terminals reach a node.
    pub fn issue_terminal(
        &self,
        dns: &[String],
        ips: &[IpAddr],
        key: &KeyPair,
        now: Wall,
        life: Duration,
    ) -> Result<String, AuthorityError> {
        let first = dns.first().cloned().or_else(|| ips.first().map(IpAddr::to_string)).unwrap_or_default();
        let mut params = base_params(&clipped(&first), now, life)?;
        for name in dns {
            params.subject_alt_names.push(SanType::DnsName(ia5(name)?));
        }
        params.subject_alt_names.extend(ips.iter().copied().map(SanType::IpAddress));
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        self.sign(params, key)
    }

    fn sign(&self, mut params: CertificateParams, key: &KeyPair) -> Result<String, AuthorityError> {
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.use_authority_key_identifier_extension = true;
        Ok(params.signed_by(key, &self.issuer).map_err(sign_error)?.pem())
    }
}

/// A fresh key of the kind that all our certificates have: ECDSA P-256, which every browser takes.
pub fn new_key() -> Result<KeyPair, AuthorityError> {
    KeyPair::generate().map_err(sign_error)
}

/// Reads a key to sign with or to have signed.
pub fn load_key_pair(path: &Path) -> Result<KeyPair, AuthorityError> {
    let der = files::load_key(path)?;
    KeyPair::try_from(&der)
        .map_err(|e| AuthorityError::BadKey { path: path.to_owned(), reason: e.to_string() })
}

/// Where the CA's certificate is in a certificate directory.
pub fn cert_path(dir: &Path) -> PathBuf {
    dir.join("ca.crt")
}

/// Where the CA's key is in a certificate directory.
pub fn key_path(dir: &Path) -> PathBuf {
    dir.join("ca.key")
}

/// The common name of `org`'s CA.
pub(crate) fn common_name(org: &str) -> String {
    clipped(&format!("{org} mesh CA"))
}

fn base_params(common_name: &str, now: Wall, life: Duration) -> Result<CertificateParams, AuthorityError> {
    let mut serial = [0; 16];
    getrandom::fill(&mut serial).map_err(|e| AuthorityError::Sign(e.to_string()))?;
    // The first bit would be a sign (RFC 5280 section 4.1.2.2 wants positive numbers).
    serial[0] = serial[0] & 0x7f | 0x40;
    let start = UNIX_EPOCH + Duration::from_millis(now.0).saturating_sub(BACKDATE);
    let end = UNIX_EPOCH + Duration::from_millis(now.0) + life;
    let mut params = CertificateParams::default();
    params.serial_number = Some(SerialNumber::from_slice(&serial));
    params.not_before = start.into();
    params.not_after = end.into();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, DnValue::Utf8String(common_name.to_owned()));
    Ok(params)
}

/// A common name has at most 64 characters (RFC 5280, upper bounds); it is for people, verifiers read the alternative names.
fn clipped(text: &str) -> String {
    text.chars().take(64).collect()
}

fn ia5(name: &str) -> Result<rcgen::string::Ia5String, AuthorityError> {
    name.try_into()
        .map_err(|e: rcgen::Error| AuthorityError::Name { name: name.to_owned(), reason: e.to_string() })
}

fn sign_error(error: rcgen::Error) -> AuthorityError {
    AuthorityError::Sign(error.to_string())
}

const fn days(count: u64) -> Duration {
    Duration::from_secs(count * 24 * 3600)
}
