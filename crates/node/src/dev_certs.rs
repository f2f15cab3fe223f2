//! Certificates for a mesh on one machine: made if this organisation's are ours to make, else only looked for.

use taoyao_pki::{DevError, Report, authority, ensure_dev};
use taoyao_topology::{Mistakes, Topology};

use crate::certificates::node_certs;
use crate::clock::wall_now;

/// Why the certificates of a topology are not all there.
#[derive(Debug, thiserror::Error)]
pub enum CertsError {
    #[error(transparent)]
    Dev(#[from] DevError),
    /// The authority's key is elsewhere, so nothing can be made here.
    #[error("{0}")]
    Missing(Mistakes),
}

/// Makes what is missing and renews what does not fit, if the authority's key is here or there is no authority yet.
/// With an authority of which the key is elsewhere nothing is made; missing files are then mistakes.
pub fn ensure_certificates(topology: &Topology) -> Result<Report, CertsError> {
    let dir = topology.certs().dir();
    let is_ours = authority::key_path(dir).exists() || !authority::cert_path(dir).exists();
    if is_ours {
        return Ok(ensure_dev(dir, topology.org(), &node_certs(topology), wall_now())?);
    }
    topology.check_files(None, &|path| path.exists()).map_err(CertsError::Missing)?;
    Ok(Report::default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certificates_are_made_once_and_only_by_whoever_has_the_key() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("mesh.toml");
        let text = "org = \"acme\"\n[certs]\ndir = \"certs\"\n[[node]]\nname = \"cn\"\nterminals = { listen = \"127.0.0.1:8880\" }\n";
        let topology = Topology::parse(file.to_str().unwrap(), text).unwrap();
        assert!(topology.certs().dir().starts_with(dir.path()), "{:?}", topology.certs());

        assert_eq!(ensure_certificates(&topology).unwrap().created.len(), 3);
        assert_eq!(ensure_certificates(&topology).unwrap().kept.len(), 3);
        std::fs::remove_file(authority::key_path(topology.certs().dir())).unwrap();
        assert_eq!(ensure_certificates(&topology).unwrap(), Report::default());
        std::fs::remove_file(topology.certs().terminals(topology.root()).0).unwrap();
        assert!(matches!(ensure_certificates(&topology), Err(CertsError::Missing(_))));
    }
}
