//! Certificates: the development CA, node identities, loading and reading them back.
//!
//! A node's identity on links is the URI `spiffe://<org>/node/<path>` in its certificate ([`Identity`]). The certificate
//! that terminals see is another one, with a key of its own, so that a web server's key never opens a link.
//! Everything that is read from files names the file and what to do about it when it fails.

pub mod authority;
pub mod dev;
pub mod examine;
pub mod files;
pub mod identity;
pub mod show;
pub mod tls;

pub use authority::{Authority, AuthorityError};
pub use dev::{DevError, NodeCert, Report, ensure_dev};
pub use examine::{Fault, Wanted, examine};
pub use files::{FileError, load_chain, load_key};
pub use identity::{BadIdentity, Identity, identity_of};
pub use show::{CertInfo, show};
pub use tls::{
    LinkCredentials, TlsError, link_client_config, link_server_config, terminal_server_config,
    terminal_socket_config,
};
