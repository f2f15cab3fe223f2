//! What is wrong with a certificate for the use that it is meant for, before anybody is refused because of it.

use std::net::IpAddr;
use std::path::Path;

use jiff::Timestamp;
use rustls::crypto::ring::sign::any_supported_type;
use rustls::sign::CertifiedKey;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use taoyao_types::Wall;

use crate::files::{self, FileError};
use crate::identity::{BadIdentity, Identity, identity_of};
use crate::show::{self, CertInfo};

/// Certificates between a leaf and its root; nobody has more than two.
const CHAIN_MAX: usize = 8;

/// What a certificate has to be.
#[derive(Debug, Clone, Default)]
pub struct Wanted<'a> {
    /// The key that it has to be over.
    pub key: Option<&'a Path>,
    /// Whom it has to name, and nobody else: a node on links.
    pub identity: Option<&'a Identity>,
    /// The host by which it is dialled: a DNS name or an IP address.
    pub host: Option<&'a str>,
    /// Who has to have signed it, itself or through what its file has behind it. None: somebody whom this cannot know.
    pub authority: Option<&'a Path>,
    /// Whether it is to sign others.
    pub is_authority: bool,
}

/// One thing that is wrong. The texts continue "the certificate …".
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    #[error("cannot be used: {0}")]
    File(#[from] FileError),
    #[error("is over since {0}")]
    Over(Timestamp),
    #[error("is not valid before {0}; is the clock of this machine right?")]
    NotYet(Timestamp),
    #[error("is over another key than the one beside it")]
    OtherKey,
    #[error("is not signed by the authority of this mesh")]
    NotSigned,
    #[error("is of {found}, not of {wanted}")]
    OtherIdentity { found: String, wanted: Identity },
    #[error("is no node's: {0}")]
    NoIdentity(BadIdentity),
    #[error("does not name {host}, by which it is dialled; it names {names}")]
    OtherHost { host: String, names: String },
    #[error("is no authority's and cannot sign others")]
    NoAuthority,
}

/// Looks at the first certificate of a PEM file and tells everything that is wrong with it; nothing if it will do at `now`.
pub fn examine(path: &Path, wanted: &Wanted<'_>, now: Wall) -> Vec<Fault> {
    let read = files::load_chain(path).and_then(|chain| {
        let info = show::info_of(&chain[0]).ok_or_else(|| FileError::NotX509 { path: path.to_owned() })?;
        Ok((chain, info))
    });
    let (chain, info) = match read {
        Ok(read) => read,
        Err(unreadable) => return vec![unreadable.into()],
    };
    let checks = [
        check_time(&info, now),
        wanted.key.and_then(|key| check_key(&chain, key)),
        wanted.authority.and_then(|authority| check_signature(&chain, authority)),
        wanted.identity.and_then(|identity| check_identity(&chain[0], identity)),
        wanted.host.and_then(|host| check_host(&info, host)),
        (wanted.is_authority && !info.is_ca).then_some(Fault::NoAuthority),
    ];
    checks.into_iter().flatten().collect()
}

fn check_time(info: &CertInfo, now: Wall) -> Option<Fault> {
    if info.is_over(now) {
        return Some(Fault::Over(info.not_after));
    }
    let has_begun = i64::try_from(now.0).is_ok_and(|now| info.not_before.as_millisecond() <= now);
    (!has_begun).then_some(Fault::NotYet(info.not_before))
}

fn check_key(chain: &[CertificateDer<'static>], path: &Path) -> Option<Fault> {
    let key = match files::load_key(path) {
        Ok(key) => key,
        Err(unreadable) => return Some(unreadable.into()),
    };
    // A key that has no public half to compare with is not refused by TLS either.
    matches!(is_over_key(chain, &key), Some(false)).then_some(Fault::OtherKey)
}

fn is_over_key(chain: &[CertificateDer<'static>], key: &PrivateKeyDer<'_>) -> Option<bool> {
    let key = any_supported_type(key).ok()?;
    match CertifiedKey::new(chain.to_vec(), key).keys_match() {
        Ok(()) => Some(true),
        Err(rustls::Error::InconsistentKeys(rustls::InconsistentKeys::KeyMismatch)) => Some(false),
        Err(_) => None,
    }
}

fn check_signature(chain: &[CertificateDer<'_>], authority: &Path) -> Option<Fault> {
    let roots = match files::load_chain(authority) {
        Ok(roots) => roots,
        // The authority is looked at for itself.
        Err(_) => return None,
    };
    let mut lowest = &chain[0];
    for _ in 0..CHAIN_MAX {
        if roots.iter().any(|root| show::signed_by(lowest, root)) {
            return None;
        }
        let issuer = chain[1..].iter().find(|above| *above != lowest && show::signed_by(lowest, above));
        match issuer {
            Some(above) => lowest = above,
            None => break,
        }
    }
    Some(Fault::NotSigned)
}

fn check_identity(leaf: &CertificateDer<'_>, wanted: &Identity) -> Option<Fault> {
    match identity_of(leaf) {
        Ok(found) if found == *wanted => None,
        Ok(found) => Some(Fault::OtherIdentity { found: found.to_string(), wanted: wanted.clone() }),
        Err(why) => Some(Fault::NoIdentity(why)),
    }
}

fn check_host(info: &CertInfo, host: &str) -> Option<Fault> {
    let is_named = match host.parse::<IpAddr>() {
        Ok(ip) => info.ips.contains(&ip),
        Err(_) => info.dns.iter().any(|name| covers(name, host)),
    };
    if is_named {
        return None;
    }
    let names: Vec<String> =
        info.dns.iter().cloned().chain(info.ips.iter().map(ToString::to_string)).collect();
    let names = if names.is_empty() { "nobody".to_owned() } else { names.join(", ") };
    Some(Fault::OtherHost { host: host.to_owned(), names })
}

/// Whether a DNS name of a certificate is the host's; `*` stands for one whole label (RFC 9525, section 6.3).
fn covers(name: &str, host: &str) -> bool {
    match name.strip_prefix("*.") {
        Some(zone) => host.split_once('.').is_some_and(|(_, rest)| rest.eq_ignore_ascii_case(zone)),
        None => name.eq_ignore_ascii_case(host),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;
    use std::time::Duration;

    use tempfile::TempDir;

    use super::*;
    use crate::authority::LEAF_LIFE;
    use crate::{Authority, NodeCert, ensure_dev};

    const NOW: Wall = Wall(1_800_000_000_000);

    #[test]
    fn what_the_product_makes_is_right() {
        let mesh = Mesh::new("acme");
        assert_eq!(mesh.told(&mesh.wanted(), NOW), Vec::<String>::new());
        let terminal = Wanted { identity: None, host: Some("cn.example.com"), ..mesh.wanted() };
        let key = mesh.path("terminals/cn.key");
        let terminal = Wanted { key: Some(&key), ..terminal };
        assert!(examine(&mesh.path("terminals/cn.crt"), &terminal, NOW).is_empty());
        let authority = Wanted { is_authority: true, ..Wanted::default() };
        assert!(examine(&mesh.path("ca.crt"), &authority, NOW).is_empty());
    }

    #[test]
    fn every_fault_is_told_by_its_name() {
        let (mesh, other) = (Mesh::new("acme"), Mesh::new("acme"));
        let late = Wall(NOW.0 + LEAF_LIFE.as_millis() as u64 + 86_400_000);
        assert_told(&mesh.told(&mesh.wanted(), late), "is over since 20");
        let early = Wall(NOW.0 - Duration::from_secs(3 * 86_400).as_millis() as u64);
        assert_told(&mesh.told(&mesh.wanted(), early), "is not valid before 20");
        let key = other.path("nodes/cn.key");
        assert_told(&mesh.told(&Wanted { key: Some(&key), ..mesh.wanted() }, NOW), "is over another key");
        let ca = other.path("ca.crt");
        assert_told(&mesh.told(&Wanted { authority: Some(&ca), ..mesh.wanted() }, NOW), "is not signed by");
        let identity = Identity::new("acme", "cn/east".parse().unwrap()).unwrap();
        let told = mesh.told(&Wanted { identity: Some(&identity), ..mesh.wanted() }, NOW);
        assert_told(&told, "is of spiffe://acme/node/cn, not of spiffe://acme/node/cn/east");
        let told = mesh.told(&Wanted { host: Some("else.example.com"), ..mesh.wanted() }, NOW);
        assert_told(&told, "does not name else.example.com");
        assert_told(&mesh.told(&Wanted { is_authority: true, ..mesh.wanted() }, NOW), "is no authority's");
        let told = examine(&mesh.path("terminals/cn.crt"), &mesh.wanted_identity(), NOW);
        assert_told(&told.iter().map(ToString::to_string).collect::<Vec<_>>(), "is no node's");
        fs::write(mesh.path("nodes/cn.crt"), "nothing").unwrap();
        assert_told(&mesh.told(&mesh.wanted(), NOW), "cannot be used");
    }

    #[test]
    fn a_wildcard_stands_for_one_label() {
        assert!(covers("*.example.com", "sh.Example.com") && covers("SH.example.com", "sh.example.com"));
        assert!(!covers("*.example.com", "a.sh.example.com") && !covers("*.example.com", "example.com"));
    }

    #[track_caller]
    fn assert_told(told: &[String], expected: &str) {
        assert!(told.len() == 1 && told[0].contains(expected), "{expected:?} alone is expected: {told:?}");
    }

    /// The certificates of one node and its authority.
    struct Mesh {
        dir: TempDir,
        identity: Identity,
        key: PathBuf,
        authority: PathBuf,
    }

    impl Mesh {
        fn new(org: &str) -> Self {
            let dir = tempfile::tempdir().unwrap();
            let path: taoyao_types::NodeName = "cn".parse().unwrap();
            let dns = vec!["cn.example.com".to_owned()];
            let cert = NodeCert { short: "cn".to_owned(), path: path.clone(), dns, ips: Vec::new() };
            ensure_dev(dir.path(), org, &[cert], NOW).unwrap();
            assert!(Authority::load(dir.path()).is_ok());
            let identity = Identity::new(org, path).unwrap();
            let (key, authority) = (dir.path().join("nodes/cn.key"), dir.path().join("ca.crt"));
            Self { dir, identity, key, authority }
        }

        fn path(&self, name: &str) -> PathBuf {
            self.dir.path().join(name)
        }

        fn wanted(&self) -> Wanted<'_> {
            Wanted { key: Some(&self.key), authority: Some(&self.authority), ..self.wanted_identity() }
        }

        fn wanted_identity(&self) -> Wanted<'_> {
            Wanted { identity: Some(&self.identity), ..Wanted::default() }
        }

        fn told(&self, wanted: &Wanted<'_>, now: Wall) -> Vec<String> {
            examine(&self.path("nodes/cn.crt"), wanted, now).iter().map(ToString::to_string).collect()
        }
    }
}
