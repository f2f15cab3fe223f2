//! TLS settings: links (mutual, TLS 1.3, our CA alone) and the listener for terminals.

use std::sync::Arc;

use rustls::client::{Resumption, WebPkiServerVerifier};
use rustls::crypto::{CryptoProvider, ring};
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::{CipherSuite, ClientConfig, RootCertStore, ServerConfig, SupportedProtocolVersion};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

/// The application protocol of links. A peer that does not speak it is refused in the handshake.
pub const LINK_ALPN: &[u8] = b"taoyao-mesh/1";

/// Why certificates and key do not make a TLS configuration.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error(
        "certificate and key: {0}; check that they belong together, or run `taoyao cert dev <topology file>`"
    )]
    Pair(rustls::Error),
    #[error(
        "the CA certificate: {0}; run `taoyao cert dev <topology file>` or name the right `ca` in the topology"
    )]
    Root(String),
}

/// What one end of a link proves itself with and whom it believes. `Debug` does not show the key.
#[derive(Debug)]
pub struct LinkCredentials {
    /// This node's certificate first.
    pub chain: Vec<CertificateDer<'static>>,
    pub key: PrivateKeyDer<'static>,
    /// The organisation's CA; nothing else is trusted.
    pub roots: Vec<CertificateDer<'static>>,
}

impl Clone for LinkCredentials {
    fn clone(&self) -> Self {
        Self { chain: self.chain.clone(), key: self.key.clone_key(), roots: self.roots.clone() }
    }
}

/// The accepting end of links: asks for a certificate of our CA, and never resumes (a resumed session would skip the
/// verifier, and with it a certificate that is no longer trusted).
pub fn link_server_config(credentials: &LinkCredentials) -> Result<ServerConfig, TlsError> {
    let provider = link_provider();
    let verifier = WebPkiClientVerifier::builder_with_provider(roots(&credentials.roots)?, provider.clone())
        .build()
        .map_err(|e| TlsError::Root(e.to_string()))?;
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(TlsError::Pair)?
        .with_client_cert_verifier(verifier)
        .with_single_cert(credentials.chain.clone(), credentials.key.clone_key())
        .map_err(TlsError::Pair)?;
    config.alpn_protocols = vec![LINK_ALPN.to_vec()];
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    config.max_early_data_size = 0;
    Ok(config)
}

/// The dialling end of links: verifies the acceptor by our CA and by the DNS name of its identity, never resumes,
/// sends nothing early.
pub fn link_client_config(credentials: &LinkCredentials) -> Result<ClientConfig, TlsError> {
    let provider = link_provider();
    let verifier = WebPkiServerVerifier::builder_with_provider(roots(&credentials.roots)?, provider.clone())
        .build()
        .map_err(|e| TlsError::Root(e.to_string()))?;
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(TlsError::Pair)?
        .with_webpki_verifier(verifier)
        .with_client_auth_cert(credentials.chain.clone(), credentials.key.clone_key())
        .map_err(TlsError::Pair)?;
    config.alpn_protocols = vec![LINK_ALPN.to_vec()];
    config.resumption = Resumption::disabled();
    config.enable_early_data = false;
    Ok(config)
}

/// The listener for terminals and browsers: TLS 1.2 and 1.3, HTTP/1.1 (WebSocket needs it).
pub fn terminal_server_config(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<ServerConfig, TlsError> {
    let mut config = server_config(&[&rustls::version::TLS13, &rustls::version::TLS12], chain, key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// Listeners for terminals on bare sockets: TLS 1.3 only, since whoever speaks TLS there is new.
pub fn terminal_socket_config(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<ServerConfig, TlsError> {
    server_config(&[&rustls::version::TLS13], chain, key)
}

fn server_config(
    versions: &[&'static SupportedProtocolVersion],
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<ServerConfig, TlsError> {
    ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(versions)
        .map_err(TlsError::Pair)?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(TlsError::Pair)
}

/// ring with AES-128-GCM first: on links every byte is encrypted at each hop, and it costs a quarter less than AES-256.
fn link_provider() -> Arc<CryptoProvider> {
    let mut provider = ring::default_provider();
    provider.cipher_suites.sort_by_key(|suite| suite.suite() != CipherSuite::TLS13_AES_128_GCM_SHA256);
    Arc::new(provider)
}

fn roots(certs: &[CertificateDer<'static>]) -> Result<Arc<RootCertStore>, TlsError> {
    let mut store = RootCertStore::empty();
    for cert in certs {
        store.add(cert.clone()).map_err(|e| TlsError::Root(e.to_string()))?;
    }
    if store.is_empty() {
        return Err(TlsError::Root("there is none".to_owned()));
    }
    Ok(Arc::new(store))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Authority, Identity, authority};
    use taoyao_types::Wall;

    fn credentials() -> LinkCredentials {
        let ca = Authority::create("acme", Wall(1_800_000_000_000)).unwrap();
        let key = authority::new_key().unwrap();
        let identity = Identity::new("acme", "cn".parse().unwrap()).unwrap();
        let pem = ca.issue_node(&identity, &key, Wall(1_800_000_000_000), authority::LEAF_LIFE).unwrap();
        let der = rustls_pki_types::pem::PemObject::from_pem_slice(pem.as_bytes()).unwrap();
        LinkCredentials {
            chain: vec![der],
            key: PrivateKeyDer::Pkcs8(key.serialize_der().into()),
            roots: vec![ca.cert_der().clone()],
        }
    }

    #[test]
    fn links_neither_resume_nor_send_early() {
        let server = link_server_config(&credentials()).unwrap();
        assert_eq!((server.send_tls13_tickets, server.max_early_data_size), (0, 0));
        assert!(!server.session_storage.can_cache());
        let client = link_client_config(&credentials()).unwrap();
        assert!(!client.enable_early_data);
        assert_eq!(client.alpn_protocols, [LINK_ALPN]);
    }

    #[test]
    fn a_key_of_another_certificate_is_refused() {
        let mut mixed = credentials();
        mixed.key = credentials().key;
        assert!(matches!(link_server_config(&mixed), Err(TlsError::Pair(_))));
    }

    #[test]
    fn a_debug_print_shows_no_key() {
        let credentials = credentials();
        let PrivateKeyDer::Pkcs8(key) = &credentials.key else { unreachable!("made above") };
        let bytes = format!("{:?}", &key.secret_pkcs8_der()[..8]);
        assert!(!format!("{credentials:?}").contains(bytes.trim_matches(['[', ']'])));
    }
}
