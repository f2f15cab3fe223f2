//! Listeners for bare TCP sockets: from the topology to the gateway's settings, with a warning for each unsafe one.

use std::path::PathBuf;
use std::{fs, io};

use taoyao_gateway::{FrameCipher, Framing, TcpConfig};
use taoyao_topology::{BadSecret, Certs, Node, OldCipher, Secret, SecretKey, Tcp, TcpMode, Terminals};

use crate::credentials::{self, CredentialsError};

/// Why a listener cannot be set up. Each text names the file and what to do.
#[derive(Debug, thiserror::Error)]
pub enum SocketsError {
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
    #[error("{path}: the secret of a TCP listener cannot be read: {source}; check its owner and mode")]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("{path}: no secret of a TCP listener: {why}")]
    NoSecret { path: PathBuf, why: BadSecret },
}

/// The settings of all of a node's listeners for frames; reads certificates and secrets.
pub(crate) fn listeners(
    certs: &Certs,
    place: &Node,
    terminals: &Terminals,
) -> Result<Vec<TcpConfig>, SocketsError> {
    terminals.tcp.iter().map(|tcp| listener(certs, place, terminals, tcp)).collect()
}

fn listener(
    certs: &Certs,
    place: &Node,
    terminals: &Terminals,
    tcp: &Tcp,
) -> Result<TcpConfig, SocketsError> {
    let (tls, cipher) = match &tcp.mode {
        TcpMode::Tls => (Some(credentials::for_sockets(certs, place, terminals)?), FrameCipher::plaintext()),
        TcpMode::Plaintext => (None, FrameCipher::plaintext()),
        TcpMode::Encrypted { cipher, secret } => (None, keyed(*cipher, &key(*cipher, secret)?)),
    };
    let framing = Framing::new(cipher);
    let framing = match tcp.frame_bytes_max {
        Some(bytes) => framing.with_bytes_max(bytes),
        None => framing,
    };
    Ok(TcpConfig { listen: tcp.listen, tls, framing })
}

fn key(cipher: OldCipher, secret: &Secret) -> Result<SecretKey, SocketsError> {
    let path = match secret {
        Secret::Given(key) => return Ok(key.clone()),
        Secret::File(path) => path,
    };
    let text =
        fs::read_to_string(path).map_err(|source| SocketsError::Unreadable { path: path.clone(), source })?;
    SecretKey::read(&text, cipher).map_err(|why| SocketsError::NoSecret { path: path.clone(), why })
}

fn keyed(cipher: OldCipher, key: &SecretKey) -> FrameCipher {
    if key.is_published() {
        tracing::warn!("the secret of a TCP listener is the original's published one, which everybody has");
    }
    let made = match cipher {
        OldCipher::Des => FrameCipher::des(key.reveal()),
        OldCipher::Aes => FrameCipher::aes(key.reveal()),
    };
    made.expect("a secret key has a length that its cipher takes")
}

/// Says which listeners leave terminals unprotected, and what would not.
pub(crate) fn warn(place: &Node) {
    let all = place.terminals.iter().flat_map(|terminals| &terminals.tcp);
    for tcp in all.filter(|tcp| tcp.mode != TcpMode::Tls) {
        let risk = match &tcp.mode {
            TcpMode::Tls | TcpMode::Plaintext => "everything can be read and changed on its way",
            TcpMode::Encrypted { cipher: OldCipher::Des, .. } => {
                "DES in ECB mode keeps nobody from reading and changing everything on its way"
            }
            TcpMode::Encrypted { cipher: OldCipher::Aes, .. } => {
                "ECB mode without authentication shows equal messages and lets them be changed on their way"
            }
        };
        let (node, listen, mode) = (&place.name, tcp.listen, tcp.mode.name());
        tracing::warn!(%node, %listen, mode, "an unsafe TCP listener for terminals: {risk}; mode = \"tls\" is the better way");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_read_from_its_file_and_a_bad_one_named_with_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("tcp.secret");
        let file = Secret::File(path.clone());
        let told = key(OldCipher::Des, &file).unwrap_err().to_string();
        assert!(told.contains("tcp.secret: the secret of a TCP listener cannot be read"), "{told}");
        fs::write(&path, "MDEyMzQ1Njc4OWFiY2RlZg==\n").unwrap();
        assert_eq!(key(OldCipher::Aes, &file).unwrap().reveal(), b"0123456789abcdef");
        let told = key(OldCipher::Des, &file).unwrap_err().to_string();
        assert!(told.contains("tcp.secret: no secret of a TCP listener: it has 16 bytes"), "{told}");
        assert!(!told.contains("MDEy"), "{told}");
    }
}
