//! Why a part of the benchmark could not be measured.

use std::io;

/// Each text says what was tried; most come from the machine, not from the mesh.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    #[error("{what}: {source}")]
    Io { what: String, source: io::Error },
    #[error("certificates: {0}")]
    Certs(#[from] crate::CertsError),
    #[error("certificates: {0}")]
    Credentials(#[from] crate::CredentialsError),
    #[error("links: {0}")]
    Links(#[from] taoyao_link::StartError),
    #[error("media: {0}")]
    Media(#[from] taoyao_media::StartError),
    #[error("media: {0}")]
    Connect(#[from] taoyao_media::load::ConnectFailed),
    #[error("{0} ended while it was needed; its log ends with: {1}")]
    Ended(String, String),
    /// Something did not come in the time that a working mesh needs many times over.
    #[error("{0}")]
    Late(String),
    /// An answer that the protocol does not have.
    #[error("{0}")]
    Answer(String),
    /// Something that this machine lacks, and how to get it.
    #[error("{0}")]
    Lacking(String),
}

/// Says what was being done when an operation of the system failed.
pub(super) fn io(what: impl Into<String>) -> impl FnOnce(io::Error) -> BenchError {
    let what = what.into();
    move |source| BenchError::Io { what, source }
}
