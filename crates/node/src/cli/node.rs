//! `taoyao node NAME`: one node of a mesh as this process.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use serde::Serialize;
use taoyao_node::telemetry::DEFAULT_FILTER;
use taoyao_node::{NodeApp, NodeOptions, node_runtime};
use taoyao_topology::{Node, Topology};
use taoyao_types::NodeName;

use super::exit::{Exit, Failed};
use super::input;
use super::log::Log;
use super::output::{self, GOOD, painted};
use super::starting::node_failed;
use super::stopping::{self, DRAIN_MAX, Stop};

/// Run one node of a topology as this process, as on a machine of its own
///
/// Prints one line on standard output as soon as its listeners are open; links to other nodes come up in any order
/// after that (`taoyao status` and the admin listener's /readyz tell). The log goes to standard error. SIGINT and
/// SIGTERM drain it, a second one ends it at once.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  taoyao node sh --topology topology/seven.toml
  taoyao node cn/east/sh --topology my.toml --log json
  TAOYAO_LOG=info,taoyao_link=debug taoyao node sh --topology my.toml")]
pub(crate) struct NodeCommand {
    /// The node's name, short (`sh`) or full (`cn/east/sh`)
    name: String,
    /// The topology file
    #[arg(long, value_name = "FILE", env = "TAOYAO_TOPOLOGY")]
    topology: PathBuf,
    /// How the log looks
    #[arg(long, value_enum, default_value_t = Log::Human)]
    log: Log,
    /// Print the line as JSON
    #[arg(long)]
    json: bool,
}

/// The line that `--json` prints once.
#[derive(Debug, Serialize)]
struct Open {
    node: NodeName,
    process: u32,
    terminals: Option<String>,
    links: Option<String>,
    admin: Option<String>,
}

impl NodeCommand {
    pub(crate) fn run(self) -> Result<Exit, Failed> {
        let topology = Arc::new(input::load(&self.topology)?);
        let place = input::node(&topology, &self.name, &self.topology)?;
        topology
            .check_files(Some(place.id), &|path| path.exists())
            .map_err(|missing| Failed::new(Exit::Configuration, missing))?;
        self.log.begin(DEFAULT_FILTER)?;
        let runtime =
            node_runtime().map_err(|error| Failed::new(Exit::Io, format!("no threads: {error}")))?;
        runtime.block_on(self.serve(&topology, place))
    }

    async fn serve(&self, topology: &Arc<Topology>, place: &Node) -> Result<Exit, Failed> {
        let mut stop = Stop::listen()?;
        let app =
            NodeApp::build(Arc::clone(topology), place.id, NodeOptions::default()).map_err(node_failed)?;
        let mut node = app.spawn();
        output::announce(self.open(place)).await;
        tokio::select! {
            ended = node.wait() => return stopping::tell(vec![ended]),
            () = stop.wanted() => {}
        }
        tokio::select! {
            ended = node.drain(DRAIN_MAX) => stopping::tell(vec![ended]),
            () = stop.wanted() => stopping::ended_at_once(),
        }
    }

    fn open(&self, place: &Node) -> String {
        let open = Open {
            node: place.name.clone(),
            process: std::process::id(),
            terminals: place.terminals.as_ref().map(|terminals| terminals.url()),
            links: place.links.as_ref().map(|links| links.listen.to_string()),
            admin: place.admin.map(|admin| admin.to_string()),
        };
        if self.json {
            return line(&open);
        }
        let parts = [("terminals", &open.terminals), ("links", &open.links), ("admin", &open.admin)];
        let parts: Vec<String> =
            parts.iter().filter_map(|(what, at)| Some(format!("{what} {}", at.as_ref()?))).collect();
        format!("{} {}: {}", open.node, painted(GOOD, "serves"), parts.join(", "))
    }
}

fn line(open: &Open) -> String {
    serde_json::to_string(open).expect("a struct of texts is always JSON")
}
