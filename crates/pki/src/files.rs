//! Certificate and key files: read with errors that help, written complete or not at all.

use std::fs::{self, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

const CERT_MODE: u32 = 0o644;
const KEY_MODE: u32 = 0o600;

/// What is wrong with a certificate's or key's file, and what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    #[error(
        "{path}: there is no such file; run `taoyao cert dev <topology file>` or name the right file in the topology"
    )]
    Missing { path: PathBuf },
    #[error("{path}: cannot be read: {source}; check its owner and mode")]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("{path}: cannot be written: {source}; check the directory's owner, mode and free space")]
    Unwritable { path: PathBuf, source: io::Error },
    #[error("{path}: exists already and is not overwritten; move it away if you want a new one")]
    Exists { path: PathBuf },
    #[error("{path}: has no PEM certificate (`-----BEGIN CERTIFICATE-----`) in it")]
    NoCertificate { path: PathBuf },
    #[error("{path}: has no PEM private key (PKCS#8, SEC1 or PKCS#1) in it")]
    NoKey { path: PathBuf },
    #[error("{path}: is not valid PEM")]
    NotPem { path: PathBuf },
    #[error("{path}: is not a valid certificate")]
    NotX509 { path: PathBuf },
}

/// The certificates of a PEM file in their order: the node's own first, then what leads to its CA.
pub fn load_chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, FileError> {
    let text = read(path)?;
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    match chain {
        Ok(chain) if chain.is_empty() => Err(FileError::NoCertificate { path: path.to_owned() }),
        Ok(chain) => Ok(chain),
        Err(_) => Err(FileError::NotPem { path: path.to_owned() }),
    }
}

/// The first private key of a PEM file.
pub fn load_key(path: &Path) -> Result<PrivateKeyDer<'static>, FileError> {
    PrivateKeyDer::from_pem_slice(&read(path)?).map_err(|_| FileError::NoKey { path: path.to_owned() })
}

pub(crate) fn read(path: &Path) -> Result<Vec<u8>, FileError> {
    fs::read(path).map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => FileError::Missing { path: path.to_owned() },
        _ => FileError::Unreadable { path: path.to_owned(), source },
    })
}

/// Writes a key that nobody else can read at any moment. An existing file is left as it is and is an error.
pub(crate) fn write_new_key(path: &Path, pem: &str) -> Result<(), FileError> {
    let file = written_beside(path, pem, KEY_MODE)?;
    match file.persist_noclobber(path) {
        Ok(_) => Ok(()),
        Err(e) if e.error.kind() == io::ErrorKind::AlreadyExists => {
            Err(FileError::Exists { path: path.to_owned() })
        }
        Err(e) => Err(FileError::Unwritable { path: path.to_owned(), source: e.error }),
    }
}

/// Writes a certificate in place of the one that may be there.
pub(crate) fn write_cert(path: &Path, pem: &str) -> Result<(), FileError> {
    let file = written_beside(path, pem, CERT_MODE)?;
    match file.persist(path) {
        Ok(_) => Ok(()),
        Err(e) => Err(FileError::Unwritable { path: path.to_owned(), source: e.error }),
    }
}

/// A complete file of another name in `path`'s directory, created with `mode`; renaming it is then atomic.
fn written_beside(path: &Path, text: &str, mode: u32) -> Result<tempfile::NamedTempFile, FileError> {
    let write = || {
        let dir = path.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(dir)?;
        let permissions = Permissions::from_mode(mode);
        let mut file = tempfile::Builder::new().prefix(".new-").permissions(permissions).tempfile_in(dir)?;
        file.write_all(text.as_bytes())?;
        file.as_file().sync_all()?;
        Ok(file)
    };
    write().map_err(|source| FileError::Unwritable { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_private_and_never_overwritten() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("nodes").join("a.key");
        write_new_key(&path, "first").unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(matches!(write_new_key(&path, "second"), Err(FileError::Exists { .. })));
        assert_eq!(fs::read_to_string(&path).unwrap(), "first");
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "no half-written file stays");
    }

    #[test]
    fn errors_name_the_file_and_the_remedy() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("no.crt");
        let text = load_chain(&path).unwrap_err().to_string();
        assert!(text.contains("no.crt") && text.contains("taoyao cert dev"), "{text}");
        write_cert(&path, "hello").unwrap();
        assert!(matches!(load_chain(&path), Err(FileError::NoCertificate { .. })));
        assert!(matches!(load_key(&path), Err(FileError::NoKey { .. })));
    }
}
