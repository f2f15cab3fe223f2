//! `taoyao topology check | show`: what is wrong with a topology file, and what it says.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde::Serialize;
use taoyao_node::certificates;
use taoyao_topology::{CertFiles, Mistake, Mistakes, Topology};

use super::exit::{Exit, Failed};
use super::input::{self, Format};
use super::output::{self, GOOD, counted, painted};

/// Check a topology file, or draw its tree
#[derive(Debug, Args)]
pub(crate) struct TopologyCommand {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Check(Check),
    Show(Show),
}

/// Tell every mistake of a topology file with its line and with what to write instead
///
/// Nothing is started and nothing is written. Certificates belong to machines, so they are looked at only with --certs
/// or --node: whether they are there, valid today, over the key beside them, signed by the mesh's authority, and for the
/// right node. Ends with 0 if the file is good and with 1 if it has mistakes.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  taoyao topology check topology/demo.toml
  taoyao topology check --certs topology/demo.toml     the certificates of all nodes as well
  taoyao topology check --node sh my.toml              those that the machine of `sh` needs
  taoyao topology check --json my.toml | jq '.mistakes[].what'")]
struct Check {
    /// The topology file
    file: PathBuf,
    /// Also look whether the certificates of all nodes are there and right
    #[arg(long)]
    certs: bool,
    /// Also look whether the certificates of this node are there and right
    #[arg(long, value_name = "NAME", conflicts_with = "certs")]
    node: Option<String>,
    #[command(flatten)]
    format: Format,
}

/// Draw the tree of a topology file: who is whose parent, what each node owns and where it listens
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  taoyao topology show topology/demo.toml
  taoyao topology show --json topology/demo.toml | jq -r '.nodes[].name'")]
struct Show {
    /// The topology file
    file: PathBuf,
    #[command(flatten)]
    format: Format,
}

/// What `check --json` prints.
#[derive(Debug, Serialize)]
struct Verdict<'a> {
    file: String,
    ok: bool,
    nodes: Option<usize>,
    tiers: Option<usize>,
    partitions: Option<usize>,
    generation: Option<u64>,
    mistakes: &'a [Mistake],
}

impl TopologyCommand {
    pub(crate) fn run(self) -> Result<Exit, Failed> {
        match self.verb {
            Verb::Check(check) => check.run(),
            Verb::Show(show) => show.run(),
        }
    }
}

impl Check {
    fn run(self) -> Result<Exit, Failed> {
        let text = input::read(&self.file)?;
        match Topology::parse(&self.file.display().to_string(), &text) {
            Ok(topology) => match self.wrong(&topology)? {
                None => self.praise(&topology),
                Some(mistakes) => self.blame(&mistakes),
            },
            Err(mistakes) => self.blame(&mistakes),
        }
    }

    fn wrong(&self, topology: &Topology) -> Result<Option<Mistakes>, Failed> {
        let node = match &self.node {
            Some(name) => Some(input::node(topology, name, &self.file)?.id),
            None if self.certs => None,
            None => return Ok(None),
        };
        let examine = |files: &CertFiles<'_>| certificates::faults(topology, files, input::now());
        Ok(topology.check_certificates(node, &|path| path.exists(), &examine).err())
    }

    fn praise(&self, topology: &Topology) -> Result<Exit, Failed> {
        let tiers = topology.nodes().iter().map(|node| node.tier).max().unwrap_or(0);
        let (nodes, partitions) = (topology.nodes().len(), topology.partitions().count());
        if self.format.json {
            output::say_json(&Verdict {
                file: self.file.display().to_string(),
                ok: true,
                nodes: Some(nodes),
                tiers: Some(tiers),
                partitions: Some(partitions),
                generation: Some(topology.generation()),
                mistakes: &[],
            })?;
            return Ok(Exit::Fine);
        }
        let counts = [counted(nodes, "node"), counted(tiers, "tier"), counted(partitions, "partition")];
        let generation = topology.generation();
        output::say(format!(
            "{}: {}: {}, generation {generation}",
            self.file.display(),
            painted(GOOD, "ok"),
            counts.join(", ")
        ))?;
        for rewrite in topology.rewrites() {
            output::say(rewrite)?;
        }
        Ok(Exit::Fine)
    }

    fn blame(&self, mistakes: &Mistakes) -> Result<Exit, Failed> {
        if self.format.json {
            output::say_json(&Verdict {
                file: self.file.display().to_string(),
                ok: false,
                nodes: None,
                tiers: None,
                partitions: None,
                generation: None,
                mistakes: mistakes.list(),
            })?;
        } else {
            output::complain(mistakes);
        }
        Ok(Exit::NotWell)
    }
}

impl Show {
    fn run(self) -> Result<Exit, Failed> {
        let topology = input::load(&self.file)?;
        if self.format.json {
            output::say_json(&topology.summary())?;
        } else {
            output::say(topology.draw())?;
        }
        Ok(Exit::Fine)
    }
}
