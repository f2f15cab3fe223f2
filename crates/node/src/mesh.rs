//! Several nodes of one topology in one process: what `taoyao up` runs.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use taoyao_topology::Topology;
use taoyao_types::{NodeId, NodeName, PartitionName};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use crate::app::{NodeApp, NodeOptions, StartError};
use crate::dev_certs::{CertsError, ensure_certificates};
use crate::report::{LinkReport, StatusReport};
use crate::running::RunningNode;
use crate::supervisor::{DrainReport, NodeFailure};

/// How long links may take to get up and in step.
pub const SYNC_MAX: Duration = Duration::from_secs(30);
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Why a mesh does not come up.
#[derive(Debug, thiserror::Error)]
pub enum UpError {
    #[error(transparent)]
    Certificates(#[from] CertsError),
    #[error("node {node}: {source}")]
    Start { node: NodeName, source: StartError },
    #[error("after {} s these links are not in step:\n{}", SYNC_MAX.as_secs(), missing.join("\n"))]
    NotSynced { missing: Vec<String> },
    #[error(transparent)]
    Failed(#[from] NodeFailure),
}

/// How far a mesh has come up; told whenever it has come further.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Links between nodes of this process that are in step, as both of their ends say.
    pub links_synced: usize,
    pub links: usize,
}

/// One node as the table of `taoyao up` shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MeshRow {
    pub node: NodeName,
    /// 1 for the root.
    pub tier: usize,
    /// The partitions that it owns, its home first.
    pub partitions: Vec<PartitionName>,
    /// Where terminals open their WebSocket.
    pub terminal_url: Option<String>,
    pub links: Vec<LinkReport>,
}

/// Running nodes of one topology.
#[derive(Debug)]
pub struct Mesh {
    topology: Arc<Topology>,
    nodes: Vec<RunningNode>,
}

impl Mesh {
    /// Starts the nodes `only` (all of the topology if it is empty) and returns when every link between them is in step.
    ///
    /// Certificates are made first if they are ours to make (see [`ensure_certificates`]).
    pub async fn up(
        topology: Arc<Topology>,
        only: &[NodeId],
        options: NodeOptions,
        mut progress: impl FnMut(Progress),
    ) -> Result<Self, UpError> {
        ensure_certificates(&topology)?;
        let mut apps = Vec::new();
        for node in topology.nodes().iter().filter(|node| only.is_empty() || only.contains(&node.id)) {
            let app = NodeApp::build(Arc::clone(&topology), node.id, options)
                .map_err(|source| UpError::Start { node: node.name.clone(), source })?;
            apps.push(app);
        }
        let nodes = apps.into_iter().map(NodeApp::spawn).collect();
        let mut mesh = Self { topology, nodes };
        mesh.wait_for_links(&mut progress).await?;
        Ok(mesh)
    }

    /// How every node is now; one that has ended is left out.
    pub async fn status(&self) -> Vec<StatusReport> {
        let mut reports = Vec::with_capacity(self.nodes.len());
        for node in &self.nodes {
            reports.extend(node.status().await);
        }
        reports
    }

    /// The nodes as a table, in the topology's order.
    pub async fn rows(&self) -> Vec<MeshRow> {
        let row = |status: StatusReport| {
            let terminals =
                self.topology.by_name(status.node.as_str()).and_then(|node| node.terminals.as_ref());
            MeshRow {
                terminal_url: terminals.map(|terminals| terminals.url()),
                node: status.node,
                tier: status.tier,
                partitions: status.partitions,
                links: status.links,
            }
        };
        self.status().await.into_iter().map(row).collect()
    }

    /// The page to open: that of the first node of the lowest tier which serves terminals.
    pub fn page(&self) -> Option<String> {
        let running = |node: &&taoyao_topology::Node| self.nodes.iter().any(|one| *one.name() == node.name);
        let mut pages: Vec<_> = self
            .topology
            .nodes()
            .iter()
            .filter(running)
            .filter_map(|node| Some((node.tier, node.terminals.as_ref()?)))
            .collect();
        // Stable: the first of a tier stays the first.
        pages.sort_by_key(|(tier, _)| std::cmp::Reverse(*tier));
        pages.first().map(|(_, terminals)| format!("https://{}/", terminals.advertise))
    }

    /// Waits until the first node ends by itself or is drained by an operator. Cancel safe.
    pub async fn wait(&mut self) -> Result<DrainReport, NodeFailure> {
        let waiting = self.nodes.iter_mut().map(|node| Box::pin(node.wait()));
        futures_util::future::select_all(waiting).await.0
    }

    /// Drains all nodes, the lowest tier first, so that nobody dials a parent that has gone; tells how each ended, in
    /// the topology's order. The deadline is for all of them together.
    pub async fn drain(self, deadline: Duration) -> Vec<Result<DrainReport, NodeFailure>> {
        let until = Instant::now() + deadline;
        let mut tiers: BTreeMap<usize, Vec<(usize, RunningNode)>> = BTreeMap::new();
        for (place, node) in self.nodes.into_iter().enumerate() {
            let tier = node.name().as_str().split('/').count();
            tiers.entry(tier).or_default().push((place, node));
        }
        let mut ended = Vec::new();
        while let Some((_, nodes)) = tiers.pop_last() {
            let left = until.saturating_duration_since(Instant::now());
            let draining =
                nodes.into_iter().map(|(place, node)| async move { (place, node.drain(left).await) });
            ended.extend(draining.collect::<JoinSet<_>>().join_all().await);
        }
        ended.sort_by_key(|(place, _)| *place);
        ended.into_iter().map(|(_, report)| report).collect()
    }

    async fn wait_for_links(&mut self, progress: &mut impl FnMut(Progress)) -> Result<(), UpError> {
        let until = Instant::now() + SYNC_MAX;
        let mut told = None;
        loop {
            let ends = self.link_ends().await;
            let synced = ends.iter().filter(|(_, link)| link.is_synced).count();
            // Each link has two ends here.
            let now = Progress { links_synced: synced / 2, links: ends.len() / 2 };
            if told != Some(now) {
                progress(now);
                told = Some(now);
            }
            if synced == ends.len() {
                return Ok(());
            }
            if Instant::now() >= until {
                return Err(UpError::NotSynced { missing: missing(&ends) });
            }
            tokio::select! {
                ended = self.wait() => return ended.map(|_| ()).map_err(UpError::Failed),
                () = sleep(LOOK_EVERY) => {}
            }
        }
    }

    /// Both ends of every link between nodes of this process.
    async fn link_ends(&self) -> Vec<(NodeName, LinkReport)> {
        let status = self.status().await;
        let here: Vec<NodeName> = self.nodes.iter().map(|node| node.name().clone()).collect();
        let ends = status
            .into_iter()
            .flat_map(|status| status.links.into_iter().map(move |link| (status.node.clone(), link)));
        ends.filter(|(_, link)| here.contains(&link.peer)).collect()
    }
}

/// One line for each link that is not in step, told from the child's end, which dials.
fn missing(ends: &[(NodeName, LinkReport)]) -> Vec<String> {
    let open = ends.iter().filter(|(_, link)| !link.is_synced && link.is_parent);
    let line = |(node, link): &(NodeName, LinkReport)| {
        let state = if link.is_up { "up, but the directories do not agree yet" } else { &link.reason };
        format!("  {node} to {}: {state}", link.peer)
    };
    open.map(line).collect()
}
