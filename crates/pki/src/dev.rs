//! The development layout: one CA and two certificates for every node of a topology, made and kept up to date.
//!
//! ```text
//! ca.crt  ca.key
//! nodes/<short>.crt      nodes/<short>.key        link identity
//! terminals/<short>.crt  terminals/<short>.key    what browsers see
//! ```

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rcgen::KeyPair;
use serde::Serialize;
use taoyao_types::{NodeName, Wall};

use crate::authority::{self, Authority, AuthorityError, LEAF_LIFE};
use crate::files::{self, FileError};
use crate::identity::{BadIdentity, Identity};
use crate::show::{self, CertInfo};

/// A certificate with less life left than this is made anew.
pub const RENEW_BEFORE: Duration = Duration::from_secs(30 * 24 * 3600);

/// What the certificates of one node are made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeCert {
    /// The files' name.
    pub short: String,
    pub path: NodeName,
    /// Names under which terminals reach the node.
    pub dns: Vec<String>,
    /// Addresses under which terminals reach the node.
    pub ips: Vec<IpAddr>,
}

/// Which files a run made and which it left as they were, relative to the directory.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    pub created: Vec<PathBuf>,
    pub kept: Vec<PathBuf>,
    pub reissued: Vec<PathBuf>,
}

/// Why the development certificates cannot be made or kept.
#[derive(Debug, thiserror::Error)]
pub enum DevError {
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    #[error(transparent)]
    File(#[from] FileError),
    #[error("node {node}: {source}")]
    Identity { node: NodeName, source: BadIdentity },
    #[error("two nodes have the short name {short:?}; their certificates would be the same file")]
    SameShort { short: String },
    #[error("node {node}: a terminal certificate needs at least one DNS name or address")]
    NoNames { node: NodeName },
    #[error(
        "{path}: is not of the organisation {org:?} but says {subject:?}; move ca.crt and ca.key away or use another directory"
    )]
    OtherOrg { path: PathBuf, org: String, subject: String },
    #[error(
        "{path}: expires at {not_after}; move ca.crt and ca.key away and run `taoyao cert dev <topology file>` again"
    )]
    OldAuthority { path: PathBuf, not_after: String },
}

/// Creates what is missing in `dir` and reissues what does not fit any more: other names or addresses, another CA,
/// another key, or less than [`RENEW_BEFORE`] left. Keys that exist are kept.
pub fn ensure_dev(dir: &Path, org: &str, nodes: &[NodeCert], now: Wall) -> Result<Report, DevError> {
    let mut shorts = BTreeSet::new();
    if let Some(twice) = nodes.iter().find(|node| !shorts.insert(node.short.as_str())) {
        return Err(DevError::SameShort { short: twice.short.clone() });
    }
    let mut report = Report::default();
    let authority = ensure_authority(dir, org, now, &mut report)?;
    for node in nodes {
        ensure_node(dir, &authority, org, node, now, LEAF_LIFE, &mut report)?;
    }
    Ok(report)
}

/// Like [`ensure_dev`] for the two certificates of one node, with leaves that live for `life`.
pub fn ensure_node(
    dir: &Path,
    authority: &Authority,
    org: &str,
    node: &NodeCert,
    now: Wall,
    life: Duration,
    report: &mut Report,
) -> Result<(), DevError> {
    let identity = Identity::new(org, node.path.clone())
        .map_err(|source| DevError::Identity { node: node.path.clone(), source })?;
    if node.dns.is_empty() && node.ips.is_empty() {
        return Err(DevError::NoNames { node: node.path.clone() });
    }
    let keeper = Keeper { dir, authority, now };
    let uri = identity.to_string();
    keeper.ensure_leaf(
        &format!("nodes/{}", node.short),
        |info| info.identity.as_deref() == Some(&uri) && info.dns == [identity.dns_name()],
        |key| authority.issue_node(&identity, key, now, life),
        report,
    )?;
    keeper.ensure_leaf(
        &format!("terminals/{}", node.short),
        |info| same(&info.dns, &node.dns) && same(&info.ips, &node.ips),
        |key| authority.issue_terminal(&node.dns, &node.ips, key, now, life),
        report,
    )
}

fn ensure_authority(dir: &Path, org: &str, now: Wall, report: &mut Report) -> Result<Authority, DevError> {
    let path = authority::cert_path(dir);
    if !path.exists() {
        report.created.push("ca.crt".into());
        return create_authority(dir, org, now);
    }
    let authority = Authority::load(dir)?;
    let info = show::show(&path)?;
    if !info.subject.contains(&format!("CN={}", authority::common_name(org))) {
        return Err(DevError::OtherOrg { path, org: org.to_owned(), subject: info.subject });
    }
    if info.is_over(later(now)) {
        return Err(DevError::OldAuthority { path, not_after: info.not_after.to_string() });
    }
    report.kept.push("ca.crt".into());
    Ok(authority)
}

fn create_authority(dir: &Path, org: &str, now: Wall) -> Result<Authority, DevError> {
    let key_path = authority::key_path(dir);
    if key_path.exists() {
        let authority = Authority::create_over(authority::load_key_pair(&key_path)?, org, now)?;
        authority.store_cert(dir)?;
        return Ok(authority);
    }
    let authority = Authority::create(org, now)?;
    authority.store(dir)?;
    Ok(authority)
}

/// What is the same for every leaf of one run.
struct Keeper<'a> {
    dir: &'a Path,
    authority: &'a Authority,
    now: Wall,
}

impl Keeper<'_> {
    /// Brings `<stem>.key` and `<stem>.crt` into order.
    fn ensure_leaf(
        &self,
        stem: &str,
        fits: impl Fn(&CertInfo) -> bool,
        issue: impl Fn(&KeyPair) -> Result<String, AuthorityError>,
        report: &mut Report,
    ) -> Result<(), DevError> {
        let name = PathBuf::from(format!("{stem}.crt"));
        let cert_path = self.dir.join(&name);
        let key = ensure_key(&self.dir.join(format!("{stem}.key")))?;
        if cert_path.exists() {
            if self.is_good(&cert_path, &key, fits) {
                report.kept.push(name);
                return Ok(());
            }
            report.reissued.push(name);
        } else {
            report.created.push(name);
        }
        files::write_cert(&cert_path, &issue(&key)?)?;
        Ok(())
    }

    /// Whether the certificate can stay. A file that cannot be read as a certificate cannot.
    fn is_good(&self, path: &Path, key: &KeyPair, fits: impl Fn(&CertInfo) -> bool) -> bool {
        let Ok(chain) = files::load_chain(path) else { return false };
        let Some(info) = show::info_of(&chain[0]) else { return false };
        fits(&info)
            && !info.is_over(later(self.now))
            && show::belongs_to(&chain[0], key)
            && show::signed_by(&chain[0], self.authority.cert_der())
    }
}

fn ensure_key(path: &Path) -> Result<KeyPair, AuthorityError> {
    if path.exists() {
        return authority::load_key_pair(path);
    }
    let key = authority::new_key()?;
    files::write_new_key(path, &key.serialize_pem())?;
    Ok(key)
}

fn later(now: Wall) -> Wall {
    Wall(now.0.saturating_add(u64::try_from(RENEW_BEFORE.as_millis()).unwrap_or(u64::MAX)))
}

fn same<T: Ord + Clone>(a: &[T], b: &[T]) -> bool {
    let set = |items: &[T]| items.iter().cloned().collect::<BTreeSet<T>>();
    set(a) == set(b)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::identity_of;

    const NOW: Wall = Wall(1_800_000_000_000);
    const DAY_MS: u64 = 24 * 3600 * 1000;

    fn nodes() -> Vec<NodeCert> {
        let node = |path: &str| {
            let path: NodeName = path.parse().unwrap();
            let short = path.short().to_owned();
            NodeCert { short, path, dns: vec!["localhost".into()], ips: vec![IpAddr::from([127, 0, 0, 1])] }
        };
        vec![node("cn"), node("cn/east")]
    }

    #[test]
    fn a_second_run_keeps_everything() {
        let dir = tempfile::tempdir().unwrap();
        let first = ensure_dev(dir.path(), "acme", &nodes(), NOW).unwrap();
        assert_eq!(first.created.len(), 5, "{first:?}");
        let second = ensure_dev(dir.path(), "acme", &nodes(), NOW).unwrap();
        assert_eq!((second.created.len(), second.reissued.len(), second.kept.len()), (0, 0, 5), "{second:?}");
    }

    #[test]
    fn every_key_is_its_owners_alone() {
        let dir = tempfile::tempdir().unwrap();
        ensure_dev(dir.path(), "acme", &nodes(), NOW).unwrap();
        for key in ["ca.key", "nodes/cn.key", "nodes/east.key", "terminals/cn.key", "terminals/east.key"] {
            let mode = fs::metadata(dir.path().join(key)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{key}");
        }
    }

    #[test]
    fn changed_addresses_reissue_that_certificate_with_its_old_key() {
        let dir = tempfile::tempdir().unwrap();
        ensure_dev(dir.path(), "acme", &nodes(), NOW).unwrap();
        let key = fs::read(dir.path().join("terminals/cn.key")).unwrap();
        let mut changed = nodes();
        changed[0].ips.push(IpAddr::from([192, 0, 2, 7]));
        let report = ensure_dev(dir.path(), "acme", &changed, NOW).unwrap();
        assert_eq!(report.reissued, [PathBuf::from("terminals/cn.crt")]);
        assert_eq!(fs::read(dir.path().join("terminals/cn.key")).unwrap(), key);
        assert_eq!(show::show(&dir.path().join("terminals/cn.crt")).unwrap().ips.len(), 2);
    }

    #[test]
    fn a_certificate_near_its_end_or_of_another_ca_is_reissued() {
        let dir = tempfile::tempdir().unwrap();
        ensure_dev(dir.path(), "acme", &nodes(), NOW).unwrap();
        let late = Wall(NOW.0 + 800 * DAY_MS);
        assert_eq!(ensure_dev(dir.path(), "acme", &nodes(), late).unwrap().reissued.len(), 4);
        fs::remove_file(dir.path().join("ca.crt")).unwrap();
        fs::remove_file(dir.path().join("ca.key")).unwrap();
        assert_eq!(ensure_dev(dir.path(), "acme", &nodes(), late).unwrap().reissued.len(), 4);
    }

    #[test]
    fn a_lost_or_foreign_ca_key_is_an_error_and_touches_nothing() {
        let dir = tempfile::tempdir().unwrap();
        ensure_dev(dir.path(), "acme", &nodes(), NOW).unwrap();
        assert!(matches!(ensure_dev(dir.path(), "other", &nodes(), NOW), Err(DevError::OtherOrg { .. })));
        fs::copy(dir.path().join("nodes/cn.key"), dir.path().join("ca.key")).unwrap();
        let error = ensure_dev(dir.path(), "acme", &nodes(), NOW).unwrap_err();
        assert!(matches!(error, DevError::Authority(AuthorityError::Mismatch { .. })), "{error}");
        fs::remove_file(dir.path().join("ca.key")).unwrap();
        let error = ensure_dev(dir.path(), "acme", &nodes(), NOW).unwrap_err();
        assert!(matches!(error, DevError::Authority(AuthorityError::NoKey { .. })), "{error}");
    }

    #[test]
    fn a_ca_key_without_its_certificate_gets_a_new_one_and_the_leaves_stay() {
        let dir = tempfile::tempdir().unwrap();
        ensure_dev(dir.path(), "acme", &nodes(), NOW).unwrap();
        fs::remove_file(dir.path().join("ca.crt")).unwrap();
        let report = ensure_dev(dir.path(), "acme", &nodes(), NOW).unwrap();
        assert_eq!((report.created.len(), report.kept.len()), (1, 4), "{report:?}");
    }

    #[test]
    fn a_node_certificate_tells_its_identity_and_a_terminal_certificate_has_none() {
        let dir = tempfile::tempdir().unwrap();
        ensure_dev(dir.path(), "acme", &nodes(), NOW).unwrap();
        let link = files::load_chain(&dir.path().join("nodes/east.crt")).unwrap();
        assert_eq!(identity_of(&link[0]).unwrap().to_string(), "spiffe://acme/node/cn/east");
        let web = files::load_chain(&dir.path().join("terminals/east.crt")).unwrap();
        assert_eq!(identity_of(&web[0]), Err(BadIdentity::UriCount { found: 0 }));
        let info = show::show(&dir.path().join("terminals/east.crt")).unwrap();
        assert_eq!((info.dns, info.ips), (vec!["localhost".to_owned()], vec![IpAddr::from([127, 0, 0, 1])]));
        assert_eq!(
            info.not_after.as_second() - info.not_before.as_second(),
            (825 * DAY_MS / 1000 + 3600) as i64
        );
    }

    #[test]
    fn two_nodes_with_one_file_name_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let mut twice = nodes();
        twice[1].short = "cn".into();
        assert!(matches!(ensure_dev(dir.path(), "acme", &twice, NOW), Err(DevError::SameShort { .. })));
    }
}
