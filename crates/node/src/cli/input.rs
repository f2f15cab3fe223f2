//! What many commands read: the topology file, a node of it, the clock.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use clap::Args;
use taoyao_topology::{Node, Topology};
use taoyao_types::{PartitionId, PartitionName, Wall};

use super::exit::{Exit, Failed};

/// The file of `taoyao up` without arguments, so that the commands beside it need no `--topology` either.
pub(crate) const DEMO: &str = "topology/demo.toml";

/// `--topology FILE` with the demo as its default.
#[derive(Debug, Args)]
pub(crate) struct TopologyArg {
    /// The topology file
    #[arg(long, value_name = "FILE", env = "TAOYAO_TOPOLOGY", default_value = DEMO)]
    pub(crate) topology: PathBuf,
}

/// `--json`.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Format {
    /// Print JSON instead of text for people
    #[arg(long)]
    pub(crate) json: bool,
}

/// Reads and checks a topology file.
pub(crate) fn load(path: &Path) -> Result<Topology, Failed> {
    let text = read(path)?;
    Topology::parse(&path.display().to_string(), &text)
        .map_err(|mistakes| Failed::new(Exit::Configuration, mistakes))
}

/// Reads a topology file's text.
pub(crate) fn read(path: &Path) -> Result<String, Failed> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(Failed::new(
            Exit::Io,
            format!(
                "{}: there is no such topology file; name another, or go to the directory where it is",
                path.display()
            ),
        )),
        Err(error) => Err(Failed::file(path, "read", &error)),
    }
}

/// The node of that name (short or full), or a sentence with those that there are.
pub(crate) fn node<'t>(topology: &'t Topology, name: &str, file: &Path) -> Result<&'t Node, Failed> {
    topology.by_name(name).ok_or_else(|| {
        let (file, instead) = (file.display(), topology.instead_of_node(name));
        Failed::new(Exit::Usage, format!("{file} has no node {name:?}; {instead}"))
    })
}

/// Refuses a partition that the topology does not have: nothing would ever be found in it.
pub(crate) fn check_partition(topology: &Topology, name: &PartitionName, file: &Path) -> Result<(), Failed> {
    if topology.partition(PartitionId::of(name)).is_some() {
        return Ok(());
    }
    let (file, instead) = (file.display(), topology.instead_of_partition(name.as_str()));
    Err(Failed::new(Exit::Usage, format!("{file} has no partition {:?}; {instead}", name.as_str())))
}

/// The wall clock.
pub(crate) fn now() -> Wall {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Wall(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
