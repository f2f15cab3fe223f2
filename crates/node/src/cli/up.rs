//! `taoyao up`: a whole mesh in this process, for one machine and for trying out.

use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use comfy_table::Cell;
use serde::Serialize;
use taoyao_node::telemetry::QUIET_FILTER;
use taoyao_node::{Mesh, MeshRow, NodeOptions, Progress};
use taoyao_topology::Topology;
use taoyao_types::NodeId;

use super::exit::{Exit, Failed};
use super::input::{self, DEMO};
use super::log::Log;
use super::output::{self, STRONG, counted, number, painted, verdict};
use super::starting::mesh_failed;
use super::stopping::{self, DRAIN_MAX, Stop};

/// Start every node of a topology in one process, and tell what to open
///
/// Waits until all links are up and in step, then prints a table of the nodes and the address to open. Development certificates are made if there are none. Ends with 69 if the links are not up and in step within 30 s.
/// Ctrl-C drains: terminals are told and closed, then the links. A second Ctrl-C ends at once.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  taoyao up                                     the same as `taoyao up topology/demo.toml`
  taoyao up topology/single.toml
  taoyao up my.toml --only sh,hz                two of its nodes; the others run elsewhere
  TAOYAO_LOG=info taoyao up my.toml --log json")]
pub(crate) struct Up {
    /// The topology file
    #[arg(default_value = DEMO)]
    file: PathBuf,
    /// Start only these nodes, separated by commas
    #[arg(long, value_name = "NODES", value_delimiter = ',')]
    only: Vec<String>,
    /// How the log looks; it begins at warnings, TAOYAO_LOG=info shows more
    #[arg(long, value_enum, default_value_t = Log::Human)]
    log: Log,
    /// Print the table as JSON when all is up
    #[arg(long)]
    json: bool,
}

/// What `--json` prints when the mesh is up.
#[derive(Debug, Serialize)]
struct Ready<'a> {
    open: Option<String>,
    nodes: Vec<ReadyNode<'a>>,
}

/// One node of it.
#[derive(Debug, Serialize)]
struct ReadyNode<'a> {
    node: &'a str,
    tier: usize,
    partitions: Vec<&'a str>,
    terminals: Option<&'a str>,
    links_synced: usize,
    links: usize,
}

impl Up {
    /// What the program does without a command.
    pub(crate) fn demo() -> Self {
        Self { file: DEMO.into(), only: Vec::new(), log: Log::Human, json: false }
    }

    pub(crate) fn run(self) -> Result<Exit, Failed> {
        let topology = Arc::new(input::load(&self.file)?);
        let only = self.chosen(&topology)?;
        self.log.begin(QUIET_FILTER)?;
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
        let runtime = runtime.map_err(|error| Failed::new(Exit::Io, format!("no threads: {error}")))?;
        runtime.block_on(self.serve(&topology, &only))
    }

    fn chosen(&self, topology: &Topology) -> Result<Vec<NodeId>, Failed> {
        self.only.iter().map(|name| Ok(input::node(topology, name, &self.file)?.id)).collect()
    }

    async fn serve(&self, topology: &Arc<Topology>, only: &[NodeId]) -> Result<Exit, Failed> {
        let mut stop = Stop::listen()?;
        let count = if only.is_empty() { topology.nodes().len() } else { only.len() };
        output::note(format!("{}: starting {}", self.file.display(), counted(count, "node")));
        let mut mesh = tokio::select! {
            mesh = Mesh::up(Arc::clone(topology), only, NodeOptions::default(), tell_progress) => {
                end_progress();
                mesh.map_err(mesh_failed)?
            }
            () = stop.wanted() => {
                end_progress();
                return stopping::ended_at_once();
            }
        };
        output::announce(self.ready(topology, &mesh).await).await;
        tokio::select! {
            ended = mesh.wait() => return stopping::tell(vec![ended]),
            () = stop.wanted() => {}
        }
        output::note("draining; Ctrl-C once more ends at once");
        tokio::select! {
            ended = mesh.drain(DRAIN_MAX) => stopping::tell(ended),
            () = stop.wanted() => stopping::ended_at_once(),
        }
    }

    async fn ready(&self, topology: &Topology, mesh: &Mesh) -> String {
        let (rows, page) = (mesh.rows().await, mesh.page());
        if self.json {
            return output::json(&Ready { open: page, nodes: rows.iter().map(ready_node).collect() });
        }
        format!("{}\n\n{}", drawn(&rows), invitation(topology, page))
    }
}

/// One line on a terminal that is written over; for logs and scripts only what has changed.
fn tell_progress(progress: Progress) {
    let text = format!("{} of {} in step", progress.links_synced, counted(progress.links, "link"));
    if io::stderr().is_terminal() {
        output::remark(format!("\r{text}  "));
    } else {
        output::note(text);
    }
}

fn end_progress() {
    if io::stderr().is_terminal() {
        output::remark("\n".to_owned());
    }
}

fn ready_node(row: &MeshRow) -> ReadyNode<'_> {
    ReadyNode {
        node: row.node.as_str(),
        tier: row.tier,
        partitions: row.partitions.iter().map(|name| name.as_str()).collect(),
        terminals: row.terminal_url.as_deref(),
        links_synced: row.links.iter().filter(|link| link.is_synced).count(),
        links: row.links.len(),
    }
}

fn drawn(rows: &[MeshRow]) -> String {
    let mut table = output::table(&["NODE", "TIER", "PARTITION", "TERMINALS", "LINKS"]);
    for row in rows {
        let partitions: Vec<&str> = row.partitions.iter().map(|name| name.as_str()).collect();
        let synced = row.links.iter().filter(|link| link.is_synced).count();
        let links = format!("{synced} of {} synced", row.links.len());
        table.add_row([
            Cell::new(&row.node),
            number(row.tier),
            Cell::new(partitions.join(", ")),
            Cell::new(row.terminal_url.as_deref().unwrap_or("-")),
            verdict(links, synced == row.links.len()),
        ]);
    }
    output::drawn(table)
}

/// What to do now: the page, the login, and why the browser warns.
fn invitation(topology: &Topology, page: Option<String>) -> String {
    let Some(page) = page else {
        return "No node serves terminals. Ctrl-C ends.".to_owned();
    };
    let login = match &topology.login().shared_account {
        Some(account) => format!(
            "log in as {} with the password {} (the development account of the topology file)",
            painted(STRONG, &account.username),
            painted(STRONG, account.password.reveal())
        ),
        None => "log in with an account of `taoyao user add`".to_owned(),
    };
    let authority = topology.certs().authority();
    format!(
        "Open {} and {login}.\nThe browser warns until it trusts {}: certs/README.md says how. Ctrl-C ends.",
        painted(STRONG, page),
        authority.display()
    )
}

#[cfg(test)]
mod tests {
    use taoyao_node::report::LinkReport;

    use super::*;

    #[test]
    fn the_table_shows_place_address_and_links_of_every_node() {
        let text = drawn(&[row("cn", &[true, true]), row("cn/east", &[true, false])]);
        let text = anstream::adapter::strip_str(&text).to_string();
        assert!(text.contains("wss://127.0.0.1:8880/websocket.signal"), "{text}");
        assert!(text.contains("2 of 2 synced") && text.contains("1 of 2 synced"), "{text}");
    }

    #[test]
    fn the_invitation_names_page_login_and_authority() {
        let demo = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../topology/demo.toml");
        let topology = input::load(&demo).unwrap();
        let text = invitation(&topology, Some("https://127.0.0.1:8883/".to_owned()));
        let text = anstream::adapter::strip_str(&text).to_string();
        assert!(
            text.starts_with("Open https://127.0.0.1:8883/ and log in as taoyao with the password taoyao")
        );
        assert!(text.contains("certs/ca.crt"), "{text}");
    }

    fn row(node: &str, links: &[bool]) -> MeshRow {
        let link = |is_synced: &bool| LinkReport {
            peer: "cn/x".parse().unwrap(),
            is_parent: false,
            is_up: true,
            is_synced: *is_synced,
            reason: String::new(),
            round_trip_us: None,
            sent_bytes: 0,
            received_bytes: 0,
            queued_bytes: 0,
        };
        MeshRow {
            node: node.parse().unwrap(),
            tier: 1,
            partitions: vec!["cn".parse().unwrap()],
            terminal_url: Some("wss://127.0.0.1:8880/websocket.signal".to_owned()),
            links: links.iter().map(link).collect(),
        }
    }
}
