//! Who a node is on links: `spiffe://<org>/node/<path>` in its certificate.

use std::fmt;
use std::str::FromStr;

use taoyao_types::{BadName, NodeName};
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

/// The longest DNS name (RFC 1035 section 2.3.4, without the root label).
const DNS_BYTES_MAX: usize = 253;
/// Labels after a node's reversed path in its DNS name. `.internal` is reserved for private use (ICANN, 2024).
const DNS_SUFFIX: &str = "node.mesh.internal";

/// Why a text or a certificate is not a node's identity.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadIdentity {
    #[error("it cannot be read as an X.509 certificate")]
    NotX509,
    #[error("the certificate has {found} URI names, a link certificate has exactly one")]
    UriCount { found: usize },
    #[error("it is not of the form spiffe://<organisation>/node/<path>")]
    Form,
    #[error("the organisation is not 1 to 63 of a-z, 0-9, '.', '-' and '_'")]
    Org,
    #[error("the node's path: {0}")]
    Node(BadName),
    #[error("the node's path is too long for a DNS name of {DNS_BYTES_MAX} bytes")]
    TooLong,
}

/// A node of an organisation, as its link certificate says it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Identity {
    org: String,
    node: NodeName,
}

impl Identity {
    /// Checks the organisation and that the node's DNS name is short enough to be one.
    pub fn new(org: &str, node: NodeName) -> Result<Self, BadIdentity> {
        check_org(org)?;
        let identity = Self { org: org.to_owned(), node };
        if identity.dns_name().len() > DNS_BYTES_MAX {
            return Err(BadIdentity::TooLong);
        }
        Ok(identity)
    }

    pub fn org(&self) -> &str {
        &self.org
    }

    pub fn node(&self) -> &NodeName {
        &self.node
    }

    /// The name by which a dialler verifies this node with rustls' standard verifier: the path read backwards,
    /// `sh.east.cn.node.mesh.internal`. It is never looked up.
    pub fn dns_name(&self) -> String {
        format!("{}.{DNS_SUFFIX}", self.node.default_partition())
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "spiffe://{}/node/{}", self.org, self.node)
    }
}

impl FromStr for Identity {
    type Err = BadIdentity;

    /// Strict: no other scheme, no upper case, no port, no query, no empty or trailing part.
    fn from_str(text: &str) -> Result<Self, BadIdentity> {
        let rest = text.strip_prefix("spiffe://").ok_or(BadIdentity::Form)?;
        let (org, path) = rest.split_once('/').ok_or(BadIdentity::Form)?;
        let node = path.strip_prefix("node/").ok_or(BadIdentity::Form)?;
        Self::new(org, node.parse().map_err(BadIdentity::Node)?)
    }
}

/// Whether `org` may be the trust domain of an identity (SPIFFE-ID, section 2.1). At most 63 bytes, so that it fits a
/// certificate's common name.
pub fn check_org(org: &str) -> Result<(), BadIdentity> {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'_');
    if org.is_empty() || org.len() > 63 || !org.bytes().all(allowed) {
        return Err(BadIdentity::Org);
    }
    Ok(())
}

/// The identity in a link certificate: exactly one URI name, and that one well-formed.
///
/// Says nothing about who signed the certificate; TLS has checked that by the time a peer's certificate is seen here.
pub fn identity_of(cert_der: &[u8]) -> Result<Identity, BadIdentity> {
    let (_, cert) = X509Certificate::from_der(cert_der).map_err(|_| BadIdentity::NotX509)?;
    let uris = uris_of(&cert);
    match uris.as_slice() {
        [uri] => uri.parse(),
        _ => Err(BadIdentity::UriCount { found: uris.len() }),
    }
}

pub(crate) fn uris_of<'a>(cert: &'a X509Certificate<'_>) -> Vec<&'a str> {
    let Ok(Some(names)) = cert.subject_alternative_name() else { return Vec::new() };
    let uri = |name: &GeneralName<'a>| match name {
        GeneralName::URI(uri) => Some(*uri),
        _ => None,
    };
    names.value.general_names.iter().filter_map(uri).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_reads_back_as_it_is_written() {
        let identity = Identity::new("acme", "cn/east/sh".parse().unwrap()).unwrap();
        assert_eq!(identity.to_string(), "spiffe://acme/node/cn/east/sh");
        assert_eq!(identity.to_string().parse(), Ok(identity.clone()));
        assert_eq!(identity.dns_name(), "sh.east.cn.node.mesh.internal");
    }

    #[test]
    fn only_the_exact_form_is_an_identity() {
        for text in [
            "",
            "spiffe://acme",
            "spiffe://acme/",
            "spiffe://acme/cn",
            "https://acme/node/cn",
            "SPIFFE://acme/node/cn",
        ] {
            assert_eq!(text.parse::<Identity>(), Err(BadIdentity::Form), "{text}");
        }
        for text in
            ["spiffe:///node/cn", "spiffe://Acme/node/cn", "spiffe://acme:1/node/cn", "spiffe://a@b/node/cn"]
        {
            assert_eq!(text.parse::<Identity>(), Err(BadIdentity::Org), "{text}");
        }
        for text in [
            "spiffe://acme/node/",
            "spiffe://acme/node/cn/",
            "spiffe://acme/node/cn?x",
            "spiffe://acme/node/CN",
        ] {
            assert!(matches!(text.parse::<Identity>(), Err(BadIdentity::Node(_))), "{text}");
        }
    }

    #[test]
    fn a_path_that_makes_too_long_a_dns_name_is_refused() {
        let part = "a".repeat(60);
        let node: NodeName = [part.as_str(); 4].join("/").parse().unwrap();
        assert_eq!(Identity::new("acme", node), Err(BadIdentity::TooLong));
    }

    #[test]
    fn garbage_is_not_a_certificate() {
        assert_eq!(identity_of(b"certainly not DER"), Err(BadIdentity::NotX509));
    }
}
