//! Nodes for tests: certificates made in memory, links on loopback, and waiting for events with a generous bound.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use taoyao_link::{
    Ending, Lane, Life, LinkConfig, LinkEvent, LinkHandle, LinkNo, Links, ParentAddr, Transport,
};
use taoyao_pki::{Authority, Identity, LinkCredentials, authority};
use taoyao_types::{NodeEpoch, NodeId, NodeName, Wall};
use tokio::sync::mpsc;

/// Far more than anything takes on a loaded machine; only a failure waits this long.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
pub(crate) const ORG: &str = "acme";
/// Every node that the tests' topology knows.
const KNOWN: [&str; 4] = ["cn", "cn/east", "cn/east/sh", "cn/north"];

/// One organisation's CA.
pub(crate) struct Ca(Authority);

impl Ca {
    pub(crate) fn new() -> Self {
        Self(Authority::create(ORG, now()).unwrap())
    }

    pub(crate) fn credentials(&self, node: &str) -> LinkCredentials {
        self.credentials_of(ORG, node)
    }

    pub(crate) fn credentials_of(&self, org: &str, node: &str) -> LinkCredentials {
        let key = authority::new_key().unwrap();
        let identity = Identity::new(org, node.parse().unwrap()).unwrap();
        let pem = self.0.issue_node(&identity, &key, now(), authority::LEAF_LIFE).unwrap();
        LinkCredentials {
            chain: vec![CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()],
            key: PrivateKeyDer::Pkcs8(key.serialize_der().into()),
            roots: vec![self.0.cert_der().clone()],
        }
    }

    /// A node of the tests' topology in its first life: `cn` over `cn/east` and `cn/north`, `cn/east/sh` below.
    pub(crate) fn config(&self, node: &str) -> LinkConfig {
        let names =
            |names: &[&str]| names.iter().map(|name| name.parse().unwrap()).collect::<BTreeSet<NodeName>>();
        let children: &[&str] = match node {
            "cn" => &["cn/east", "cn/north"],
            "cn/east" => &["cn/east/sh"],
            _ => &[],
        };
        LinkConfig {
            org: ORG.to_owned(),
            own: node.parse().unwrap(),
            life: Life::new(NodeEpoch(1)),
            generation: 1,
            features: 0,
            listen: (!children.is_empty()).then_some(loopback()),
            parents: Vec::new(),
            children: names(children),
            known: names(&KNOWN),
            credentials: self.credentials(node),
            transport: Transport::default(),
        }
    }

    /// The same, dialling `parent` at `address`.
    pub(crate) fn dialling(&self, node: &str, parent: &str, address: SocketAddr) -> LinkConfig {
        let parent = ParentAddr { name: parent.parse().unwrap(), address: address.to_string() };
        LinkConfig { parents: vec![parent], ..self.config(node) }
    }
}

/// Any free port.
pub(crate) fn loopback() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, 0).into()
}

pub(crate) fn id(node: &str) -> NodeId {
    NodeId::of(&node.parse().unwrap())
}

fn now() -> Wall {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    Wall(since.as_millis() as u64)
}

/// A running node.
pub(crate) struct Node {
    pub(crate) links: Links,
    pub(crate) events: mpsc::Receiver<LinkEvent>,
}

impl Node {
    pub(crate) fn start(config: LinkConfig) -> Self {
        let (sender, events) = mpsc::channel(64);
        Self { links: Links::start(config, sender).unwrap(), events }
    }

    /// Starts on a port that another node of this process has just left; the system takes a moment to free it.
    pub(crate) async fn start_when_free(config: LinkConfig) -> Self {
        let (sender, events) = mpsc::channel(64);
        let begin = Instant::now();
        loop {
            match Links::start(config.clone(), sender.clone()) {
                Ok(links) => return Self { links, events },
                Err(error) => assert!(begin.elapsed() < PATIENCE, "{error}"),
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.links.local_addr().unwrap()
    }

    /// Waits for the first event that `pick` takes; others are lost.
    pub(crate) async fn until<T>(
        &mut self,
        wanted: &str,
        mut pick: impl FnMut(&LinkEvent) -> Option<T>,
    ) -> T {
        let mut seen = Vec::new();
        let search = async {
            while let Some(event) = self.events.recv().await {
                if let Some(found) = pick(&event) {
                    return Some(found);
                }
                seen.push(brief(&event));
            }
            None
        };
        let found = tokio::time::timeout(PATIENCE, search).await.unwrap_or(None);
        found.unwrap_or_else(|| panic!("no {wanted}; there were {seen:#?}"))
    }

    pub(crate) async fn up(&mut self) -> LinkHandle {
        self.until("link up", |event| match event {
            LinkEvent::Up { link, .. } => Some(link.clone()),
            _ => None,
        })
        .await
    }

    pub(crate) async fn down(&mut self) -> (LinkNo, Ending) {
        self.until("link down", |event| match event {
            LinkEvent::Down { link, why, .. } => Some((*link, why.clone())),
            _ => None,
        })
        .await
    }

    pub(crate) async fn refused(&mut self) -> (Option<NodeName>, Ending) {
        self.until("refusal", |event| match event {
            LinkEvent::Refused { peer, why, .. } => Some((peer.clone(), why.clone())),
            _ => None,
        })
        .await
    }

    /// The next `count` frames of one lane.
    pub(crate) async fn frames(&mut self, wanted: Lane, count: usize) -> Vec<Bytes> {
        let mut all = Vec::new();
        while all.len() < count {
            let more = self.until("frames", |event| match event {
                LinkEvent::Frames { lane, frames, .. } if *lane == wanted => Some(frames.clone()),
                _ => None,
            });
            all.extend(more.await);
        }
        all
    }
}

/// Parent `cn` and child `cn/east` with a link between them.
pub(crate) async fn linked_pair(ca: &Ca) -> (Node, LinkHandle, Node, LinkHandle) {
    let mut parent = Node::start(ca.config("cn"));
    let mut child = Node::start(ca.dialling("cn/east", "cn", parent.address()));
    let (down_link, up_link) = (parent.up().await, child.up().await);
    (parent, down_link, child, up_link)
}

/// Both directions of a link work.
pub(crate) async fn assert_talks(a: (&mut Node, &LinkHandle), b: (&mut Node, &LinkHandle)) {
    a.1.send(Lane::Urgent, Bytes::from_static(b"ping")).unwrap();
    assert_eq!(b.0.frames(Lane::Urgent, 1).await, ["ping"]);
    b.1.send(Lane::Urgent, Bytes::from_static(b"pong")).unwrap();
    assert_eq!(a.0.frames(Lane::Urgent, 1).await, ["pong"]);
}

fn brief(event: &LinkEvent) -> String {
    match event {
        LinkEvent::Frames { lane, frames, .. } => format!("{} frames on {lane:?}", frames.len()),
        other => format!("{other:?}"),
    }
}
