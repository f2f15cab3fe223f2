//! Until when the certificates are good that a node uses: for the metrics, for `taoyao status`, and once a day for the log.

use std::path::PathBuf;
use std::time::Duration;

use taoyao_topology::{Node, Topology};
use taoyao_types::{NodeName, Wall};

use crate::clock::wall_now;
use crate::report::CertificateReport;

/// From so long before the end on, the log speaks of it: time enough for any office that signs certificates.
pub const REMIND_BEFORE: Duration = Duration::from_secs(30 * 24 * 3600);
/// How often it does.
const REMIND_EVERY: Duration = Duration::from_secs(24 * 3600);
const DAY_MS: u64 = 24 * 3600 * 1000;

/// A certificate as it was when the node started, which is the one that the node shows until it is started anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct InUse {
    /// `link`, `terminals` or `authority`.
    pub(crate) kind: &'static str,
    pub(crate) path: PathBuf,
    /// Unix milliseconds.
    pub(crate) not_after_ms: u64,
}

/// The certificates that a node reads at its start.
pub(crate) fn in_use(topology: &Topology, place: &Node) -> Vec<InUse> {
    let certs = topology.certs();
    let has_links = place.parent().is_some() || place.links.is_some();
    let links = has_links.then(|| [("link", certs.node(place).0), ("authority", certs.authority())]);
    let terminals = place.terminals.as_ref().map(|terminals| match &terminals.tls {
        Some(files) => ("terminals", files.cert.clone()),
        None => ("terminals", certs.terminals(place).0),
    });
    links.into_iter().flatten().chain(terminals).filter_map(|(kind, path)| read(kind, path)).collect()
}

/// One that cannot be read keeps the node from starting, which says more.
fn read(kind: &'static str, path: PathBuf) -> Option<InUse> {
    let info = taoyao_pki::show(&path).ok()?;
    let not_after_ms = u64::try_from(info.not_after.as_millisecond()).unwrap_or_default();
    Some(InUse { kind, path, not_after_ms })
}

impl InUse {
    pub(crate) fn report(&self) -> CertificateReport {
        CertificateReport {
            kind: self.kind.to_owned(),
            path: self.path.display().to_string(),
            not_after_ms: self.not_after_ms,
        }
    }

    /// What is left, if that is so little that somebody has to act.
    fn due(&self, now: Wall) -> Option<Due> {
        let left_ms = self.not_after_ms.saturating_sub(now.0);
        match left_ms {
            0 => Some(Due::Over),
            _ if u128::from(left_ms) < REMIND_BEFORE.as_millis() => Some(Due::Days(left_ms / DAY_MS)),
            _ => None,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Due {
    Over,
    /// Whole days that are left.
    Days(u64),
}

/// Reminds once a day, for as long as the node runs.
pub(crate) async fn remind(node: NodeName, certificates: Vec<InUse>) {
    loop {
        let now = wall_now();
        certificates.iter().for_each(|certificate| tell(&node, certificate, now));
        tokio::time::sleep(REMIND_EVERY).await;
    }
}

fn tell(node: &NodeName, certificate: &InUse, now: Wall) {
    let InUse { kind, path, .. } = certificate;
    match certificate.due(now) {
        Some(Due::Over) => {
            tracing::error!(%node, kind, path = %path.display(), "a certificate is over; renew it and restart the node");
        }
        Some(Due::Days(days)) => {
            tracing::warn!(%node, kind, path = %path.display(), days, "a certificate is soon over; renew it and restart the node");
        }
        None => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_spoken_of_in_its_last_thirty_days_and_when_it_is_over() {
        let certificate = InUse { kind: "link", path: "sh.crt".into(), not_after_ms: 100 * DAY_MS };
        let due = |day: u64| certificate.due(Wall(day * DAY_MS + 1));
        assert_eq!([due(0), due(69)], [None, None]);
        assert_eq!([due(70), due(99)], [Some(Due::Days(29)), Some(Due::Days(0))]);
        assert_eq!([due(100), due(500)], [Some(Due::Over), Some(Due::Over)]);
    }

    #[test]
    fn a_node_tells_of_every_certificate_that_it_reads() {
        let dir = tempfile::tempdir().unwrap();
        let text = "org = \"acme\"\n[certs]\ndir = \"certs\"\n[[node]]\nname = \"cn\"\nlinks = { listen = \"127.0.0.1:1\" }\n\
                    terminals = { listen = \"127.0.0.1:1\" }\n[[node]]\nname = \"sh\"\nparent = [\"cn\"]\n";
        let topology = Topology::parse(dir.path().join("mesh.toml").to_str().unwrap(), text).unwrap();
        crate::ensure_certificates(&topology).unwrap();
        let kinds = |name: &str| -> Vec<&str> {
            let used = in_use(&topology, topology.by_name(name).unwrap());
            assert!(used.iter().all(|used| used.due(wall_now()).is_none() && used.path.exists()), "{used:?}");
            used.iter().map(|used| used.kind).collect()
        };
        assert_eq!(kinds("cn"), ["link", "authority", "terminals"]);
        assert_eq!(kinds("sh"), ["link", "authority"]);
    }
}
