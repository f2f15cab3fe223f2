//! Meshes for tests: free ports, a topology in a directory of its own, and all of its nodes up.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use taoyao_node::{Mesh, NodeApp, NodeOptions, RunningNode, StartError, UpError, ensure_certificates};
use taoyao_topology::Topology;
use tempfile::TempDir;

use crate::ports;
use crate::terminal::Terminal;

/// Generous: a loaded machine is slow, a broken mesh never gets there.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
/// Somebody else may take a port between its choice and its use.
const ATTEMPTS: usize = 5;

const SHARED_ACCOUNT: &str =
    "[login]\ndevelopment = true\nshared_account = { username = \"taoyao\", password = \"taoyao\" }\n";

/// Root, two regions, a site under each; `mobile.cn` roams between the sites.
const THREE_TIERS: [(&str, &str); 5] =
    [("cn", ""), ("east", "cn"), ("north", "cn"), ("sh", "east"), ("bj", "north")];

/// A topology on this machine, and the directory that all of its files are in.
pub(crate) struct Site {
    dir: TempDir,
    pub(crate) topology: Arc<Topology>,
    admin_ports: BTreeMap<String, u16>,
}

impl Site {
    /// A mesh of three tiers with fresh ports.
    pub(crate) fn three_tiers() -> Self {
        Self::new(SHARED_ACCOUNT)
    }

    /// The same with other settings.
    pub(crate) fn new(settings: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut admin_ports = BTreeMap::new();
        let mut text = format!("org = \"test\"\n[certs]\ndir = \"certs\"\n{settings}");
        for (name, parent) in THREE_TIERS {
            let (terminals, admin, links) = (ports::free(), ports::free(), ports::free());
            admin_ports.insert(name.to_owned(), admin);
            write_node(&mut text, name, parent, [terminals, admin, links]);
        }
        let file = dir.path().join("mesh.toml");
        let topology = Topology::parse(file.to_str().unwrap(), &text).unwrap_or_else(|e| panic!("{e}"));
        Self { dir, topology: Arc::new(topology), admin_ports }
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn authority(&self) -> PathBuf {
        self.topology.certs().authority()
    }

    pub(crate) fn admin_port(&self, node: &str) -> u16 {
        self.admin_ports[node]
    }

    pub(crate) fn state_dir(&self, node: &str) -> &Path {
        &self.topology.by_name(node).unwrap().state_dir
    }

    /// Starts one node alone.
    pub(crate) fn start(&self, node: &str) -> Result<RunningNode, StartError> {
        ensure_certificates(&self.topology).unwrap();
        let own = self.topology.by_name(node).unwrap().id;
        Ok(NodeApp::build(Arc::clone(&self.topology), own, NodeOptions::default())?.spawn())
    }

    /// Connects a terminal to a node and registers it.
    pub(crate) async fn terminal(&self, node: &str, client: &str) -> Terminal {
        let mut terminal = self.connect(node).await;
        terminal.register(client).await;
        terminal
    }

    /// Connects without registering.
    pub(crate) async fn connect(&self, node: &str) -> Terminal {
        let terminals = self.topology.by_name(node).unwrap().terminals.as_ref().unwrap();
        Terminal::connect(&terminals.url(), &self.authority()).await
    }
}

/// A mesh of three tiers with all links in step.
pub(crate) async fn up() -> (Site, Mesh) {
    up_with("", |_| {}).await
}

/// The same with further settings, and with something done to its files before it starts.
pub(crate) async fn up_with(settings: &str, prepare: impl Fn(&Site)) -> (Site, Mesh) {
    for _ in 1..ATTEMPTS {
        let site = Site::new(&format!("{SHARED_ACCOUNT}{settings}"));
        prepare(&site);
        match Mesh::up(Arc::clone(&site.topology), &[], NodeOptions::default(), |_| {}).await {
            Ok(mesh) => return (site, mesh),
            Err(UpError::Start {
                source: StartError::Terminals { .. } | StartError::Admin { .. }, ..
            })
            | Err(UpError::Start { source: StartError::Links(_), .. }) => {}
            Err(error) => panic!("{error}"),
        }
    }
    panic!("{ATTEMPTS} times the ports were taken by somebody else")
}

/// Waits until `condition` holds, for [`PATIENCE`] at most.
pub(crate) async fn until<F: Future<Output = bool>>(what: &str, mut condition: impl FnMut() -> F) {
    let end = tokio::time::Instant::now() + PATIENCE;
    while !condition().await {
        assert!(tokio::time::Instant::now() < end, "not within {} s: {what}", PATIENCE.as_secs());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn write_node(text: &mut String, name: &str, parent: &str, [terminals, admin, links]: [u16; 3]) {
    let is_site = matches!(name, "sh" | "bj");
    let mut line = |line: String| writeln!(text, "{line}").unwrap();
    line(format!("[[node]]\nname = \"{name}\""));
    if !parent.is_empty() {
        line(format!("parent = [\"{parent}\"]"));
    }
    if name == "cn" {
        line("partitions = [\"cn\", \"mobile.cn\"]".to_owned());
    }
    if is_site {
        line("serves = [\"mobile.cn\"]".to_owned());
    } else {
        line(format!("links = {{ listen = \"127.0.0.1:{links}\" }}"));
    }
    line(format!("terminals = {{ listen = \"127.0.0.1:{terminals}\" }}"));
    line(format!("admin = {{ listen = \"127.0.0.1:{admin}\" }}"));
    line(format!("state = {{ dir = \"state/{name}\" }}"));
}
