//! Certificates for links that a mesh should and should not take.

use std::time::{SystemTime, UNIX_EPOCH};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use taoyao_pki::{Authority, Identity, LinkCredentials, authority, load_chain};
use taoyao_types::Wall;

use crate::mesh::Mesh;
use crate::shape::ORG;

/// A certificate for the node `name`, signed by the mesh's own CA.
pub(crate) fn good(mesh: &Mesh, name: &str) -> LinkCredentials {
    issue(&Authority::load(&mesh.certs()).unwrap(), mesh, name)
}

/// The same from another CA of the same name. Its bearer trusts the mesh, which does not trust it.
pub(crate) fn of_another_ca(mesh: &Mesh, name: &str) -> LinkCredentials {
    issue(&Authority::create(ORG, now()).unwrap(), mesh, name)
}

pub(crate) fn now() -> Wall {
    Wall(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as u64)
}

fn issue(ca: &Authority, mesh: &Mesh, name: &str) -> LinkCredentials {
    let key = authority::new_key().unwrap();
    let identity = Identity::new(ORG, name.parse().unwrap()).unwrap();
    let pem = ca.issue_node(&identity, &key, now(), authority::LEAF_LIFE).unwrap();
    LinkCredentials {
        chain: vec![CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()],
        key: PrivateKeyDer::Pkcs8(key.serialize_der().into()),
        roots: load_chain(&mesh.certs().join("ca.crt")).unwrap(),
    }
}
