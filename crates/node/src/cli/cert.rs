//! `taoyao cert dev | issue | show`: make certificates for a topology, and read one.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, Subcommand};
use comfy_table::Cell;
use taoyao_node::certificates::{node_cert, node_certs};
use taoyao_pki::dev::ensure_node;
use taoyao_pki::{Authority, CertInfo, DevError, FileError, Report, ensure_dev};
use taoyao_topology::Topology;

use super::exit::{Exit, Failed};
use super::input::{self, Format, TopologyArg};
use super::output::{self, STRONG, counted, painted};

/// Make certificates, or read one
#[derive(Debug, Args)]
pub(crate) struct CertCommand {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Dev(Dev),
    Issue(Issue),
    Show(Show),
}

/// Make a development CA and the certificates of every node of a topology, or renew what no longer fits
///
/// What is there and fits is kept; keys are never replaced. `taoyao up` does the same at each start.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  taoyao cert dev topology/demo.toml
  taoyao cert dev --json topology/demo.toml | jq '.reissued'")]
struct Dev {
    /// The topology file
    file: PathBuf,
    #[command(flatten)]
    format: Format,
}

/// Make the two certificates of one node with the CA's key
///
/// Run it where `ca.key` is and carry the node's files and `ca.crt` to its machine. The certificates that are there are
/// kept while they fit and have 30 days left; --renew makes them anew over the same keys.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  taoyao cert issue sh --topology my.toml
  taoyao cert issue sh --topology my.toml --days 90 --renew")]
struct Issue {
    /// The node's name, short (`sh`) or full (`cn/east/sh`)
    node: String,
    /// How long new certificates are valid
    #[arg(long, value_name = "DAYS", default_value_t = 825, value_parser = clap::value_parser!(u32).range(1..=825))]
    days: u32,
    /// Make new certificates even if the old ones still fit
    #[arg(long)]
    renew: bool,
    #[command(flatten)]
    topology: TopologyArg,
    #[command(flatten)]
    format: Format,
}

/// Tell what a certificate says, and whether it is still valid
///
/// Reads the first certificate of a PEM file. Ends with 1 if its time is over or has not begun.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  taoyao cert show certs/nodes/sh.crt
  taoyao cert show --json certs/ca.crt | jq -r .fingerprint")]
struct Show {
    /// A PEM file
    path: PathBuf,
    #[command(flatten)]
    format: Format,
}

impl CertCommand {
    pub(crate) fn run(self) -> Result<Exit, Failed> {
        match self.verb {
            Verb::Dev(dev) => dev.run(),
            Verb::Issue(issue) => issue.run(),
            Verb::Show(show) => show.run(),
        }
    }
}

impl Dev {
    fn run(self) -> Result<Exit, Failed> {
        let topology = input::load(&self.file)?;
        let nodes = node_certs(&topology);
        let report = ensure_dev(topology.certs().dir(), topology.org(), &nodes, input::now());
        tell(&report.map_err(dev_failed)?, &topology, self.format)
    }
}

impl Issue {
    fn run(self) -> Result<Exit, Failed> {
        let file = &self.topology.topology;
        let topology = input::load(file)?;
        let node = input::node(&topology, &self.node, file)?;
        let certs = topology.certs();
        let authority = Authority::load(certs.dir()).map_err(|error| dev_failed(error.into()))?;
        if self.renew {
            remove(&certs.node(node).0)?;
            remove(&certs.terminals(node).0)?;
        }
        let life = Duration::from_secs(u64::from(self.days) * 24 * 3600);
        let mut report = Report::default();
        ensure_node(
            certs.dir(),
            &authority,
            topology.org(),
            &node_cert(node),
            input::now(),
            life,
            &mut report,
        )
        .map_err(dev_failed)?;
        tell(&report, &topology, self.format)
    }
}

impl Show {
    fn run(self) -> Result<Exit, Failed> {
        let info = taoyao_pki::show(&self.path).map_err(file_failed)?;
        let is_valid = is_valid(&info);
        if self.format.json {
            output::say_json(&info)?;
        } else {
            output::say(drawn(&info, is_valid))?;
        }
        Ok(if is_valid { Exit::Fine } else { Exit::NotWell })
    }
}

fn tell(report: &Report, topology: &Topology, format: Format) -> Result<Exit, Failed> {
    if format.json {
        output::say_json(report)?;
        return Ok(Exit::Fine);
    }
    let dir = topology.certs().dir();
    for (made, paths) in [("made", &report.created), ("renewed", &report.reissued)] {
        for path in paths {
            output::say(format!("{made:8} {}", dir.join(path).display()))?;
        }
    }
    if !report.kept.is_empty() {
        output::say(format!("{} kept as they are", counted(report.kept.len(), "certificate")))?;
    }
    if report.created.iter().any(|path| path == Path::new("ca.crt")) {
        let authority = topology.certs().authority();
        output::say(format!(
            "\nBrowsers warn until they trust {}; certs/README.md says how, system by system.",
            painted(STRONG, authority.display())
        ))?;
    }
    Ok(Exit::Fine)
}

fn drawn(info: &CertInfo, is_valid: bool) -> String {
    let mut table = output::table(&[]);
    let mut row = |name: &str, value: Cell| {
        table.add_row([Cell::new(name), value]);
    };
    row("subject", Cell::new(&info.subject));
    row("issuer", Cell::new(&info.issuer));
    if let Some(identity) = &info.identity {
        row("identity on links", Cell::new(identity));
    }
    let names: Vec<String> =
        info.dns.iter().cloned().chain(info.ips.iter().map(ToString::to_string)).collect();
    if !names.is_empty() {
        row("names", Cell::new(names.join(", ")));
    }
    row("kind", Cell::new(if info.is_ca { "authority (CA)" } else { "leaf" }));
    row("valid from", Cell::new(info.not_before));
    let until =
        if is_valid { info.not_after.to_string() } else { format!("{} (not valid now)", info.not_after) };
    row("valid until", output::verdict(until, is_valid));
    row("SHA-256", Cell::new(&info.fingerprint));
    output::drawn(table)
}

fn is_valid(info: &CertInfo) -> bool {
    let now = input::now();
    let has_begun = u64::try_from(info.not_before.as_millisecond()).is_ok_and(|start| start <= now.0);
    has_begun && !info.is_over(now)
}

fn remove(path: &Path) -> Result<(), Failed> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Failed::file(path, "removed", &error)),
        _ => Ok(()),
    }
}

/// What the certificates' maker says, with the exit code of its cause.
fn dev_failed(error: DevError) -> Failed {
    use taoyao_pki::AuthorityError;
    match error {
        DevError::File(file) | DevError::Authority(AuthorityError::File(file)) => file_failed(file),
        other => Failed::new(Exit::Configuration, other),
    }
}

fn file_failed(error: FileError) -> Failed {
    let exit = match &error {
        FileError::Missing { .. } => Exit::Io,
        FileError::Unreadable { source, .. } | FileError::Unwritable { source, .. } => match source.kind() {
            io::ErrorKind::PermissionDenied => Exit::Permission,
            _ => Exit::Io,
        },
        _ => Exit::Configuration,
    };
    Failed::new(exit, error)
}
