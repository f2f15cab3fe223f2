//! Where certificates lie in the certificate directory.

use std::path::{Path, PathBuf};

use crate::node::Node;

/// The certificate directory and the names of the files in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certs {
    dir: PathBuf,
}

impl Certs {
    pub(crate) fn new(dir: PathBuf) -> Self {
        Self { dir }
    }

    /// The directory, as it is reached from where the topology file's name is.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The certificate of the organisation's authority.
    pub fn authority(&self) -> PathBuf {
        self.dir.join("ca.crt")
    }

    /// The certificate and key by which a node is known on links.
    pub fn node(&self, node: &Node) -> (PathBuf, PathBuf) {
        self.pair("nodes", node)
    }

    /// The certificate and key that a node shows to terminals, unless the operator gives others.
    pub fn terminals(&self, node: &Node) -> (PathBuf, PathBuf) {
        self.pair("terminals", node)
    }

    fn pair(&self, folder: &str, node: &Node) -> (PathBuf, PathBuf) {
        let short = node.name.short();
        let folder = self.dir.join(folder);
        (folder.join(format!("{short}.crt")), folder.join(format!("{short}.key")))
    }
}
