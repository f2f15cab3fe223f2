//! Reads what a node proves itself with: to its neighbours, and to terminals.

use std::sync::Arc;

use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use taoyao_pki::{
    FileError, LinkCredentials, TlsError, load_chain, load_key, terminal_server_config,
    terminal_socket_config,
};
use taoyao_topology::{Certs, Node, Terminals};

/// Why a node's certificates cannot be used. Each text names the file and what to do.
#[derive(Debug, thiserror::Error)]
pub enum CredentialsError {
    #[error(transparent)]
    File(#[from] FileError),
    #[error(transparent)]
    Tls(#[from] TlsError),
}

/// The node's identity on links and the authority that it believes.
pub(crate) fn for_links(certs: &Certs, node: &Node) -> Result<LinkCredentials, CredentialsError> {
    let (chain, key) = certs.node(node);
    let (chain, key) = (load_chain(&chain)?, load_key(&key)?);
    Ok(LinkCredentials { chain, key, roots: load_chain(&certs.authority())? })
}

/// What browsers and WebSocket terminals see.
pub(crate) fn for_terminals(
    certs: &Certs,
    node: &Node,
    terminals: &Terminals,
) -> Result<Arc<rustls::ServerConfig>, CredentialsError> {
    let (chain, key) = load(certs, node, terminals)?;
    Ok(Arc::new(terminal_server_config(chain, key)?))
}

/// What terminals on bare sockets with TLS see: the same certificate.
pub(crate) fn for_sockets(
    certs: &Certs,
    node: &Node,
    terminals: &Terminals,
) -> Result<Arc<rustls::ServerConfig>, CredentialsError> {
    let (chain, key) = load(certs, node, terminals)?;
    Ok(Arc::new(terminal_socket_config(chain, key)?))
}

/// The operator's own certificate, or the one in the certificate directory.
fn load(
    certs: &Certs,
    node: &Node,
    terminals: &Terminals,
) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), FileError> {
    let (chain, key) = match &terminals.tls {
        Some(files) => (files.cert.clone(), files.key.clone()),
        None => certs.terminals(node),
    };
    Ok((load_chain(&chain)?, load_key(&key)?))
}
