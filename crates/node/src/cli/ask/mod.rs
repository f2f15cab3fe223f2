//! The commands that ask running nodes: which nodes, what to ask, and what their silence means.

pub(crate) mod alarms;
mod asked;
mod client;
pub(crate) mod links;
pub(crate) mod recording;
pub(crate) mod recordings;
pub(crate) mod room;
pub(crate) mod rooms;
pub(crate) mod status;
pub(crate) mod terminal;
pub(crate) mod terminals;
pub(crate) mod trace;

use std::future::Future;
use std::path::PathBuf;

use clap::Args;
use serde::de::DeserializeOwned;
use taoyao_topology::{Node, Topology};
use taoyao_types::{NodeName, PartitionId, PartitionName};

use self::asked::{Asked, Target};
use self::client::AskError;
use super::exit::{Exit, Failed};
use super::input::{self, Format, TopologyArg};
use super::output;

/// Whom to ask.
#[derive(Debug, Args)]
pub(crate) struct Whom {
    /// Ask this node only, by its short or full name; may be repeated [default: every node of the file]
    #[arg(long, value_name = "NAME")]
    node: Vec<String>,
    /// Ask the node whose admin listener is found at this address of this machine, by a tunnel for example; no topology
    /// file is read
    #[arg(long, value_name = "HOST:PORT", conflicts_with = "node")]
    address: Option<String>,
    /// The file with the token for --address [default: the environment's TAOYAO_TOKEN]
    #[arg(long, value_name = "FILE", requires = "address")]
    token_file: Option<PathBuf>,
    #[command(flatten)]
    topology: TopologyArg,
    #[command(flatten)]
    format: Format,
}

/// What one node answered.
#[derive(Debug)]
struct Answer<T> {
    node: NodeName,
    tier: usize,
    result: Result<T, AskError>,
}

impl Whom {
    fn load(&self) -> Result<Asked, Failed> {
        match &self.address {
            Some(address) => Asked::at(address, self.token_file.as_deref()),
            None => Ok(Asked::Mesh(input::load(&self.topology.topology)?.into())),
        }
    }

    /// Refuses a partition that the topology does not have; a node by itself refuses it on its own.
    fn check_partition(&self, asked: &Asked, name: &PartitionName) -> Result<(), Failed> {
        let file = &self.topology.topology;
        asked.topology().map_or(Ok(()), |topology| input::check_partition(topology, name, file))
    }

    /// Refuses the id of a room that no partition of the topology can have: ids begin with their partition's.
    fn check_room(&self, asked: &Asked, id: &str) -> Result<(), Failed> {
        let Some(topology) = asked.topology() else { return Ok(()) };
        let partition = id.get(..8).and_then(|start| u32::from_str_radix(start, 16).ok());
        let is_of_mesh = partition.is_some_and(|id| topology.partition(PartitionId(id)).is_some());
        if is_of_mesh {
            return Ok(());
        }
        let file = self.topology.topology.display();
        let what = format!("{id} is no room of {file}; `taoyao rooms` lists those that there are");
        Err(Failed::new(Exit::Usage, what))
    }

    /// The nodes that were named, or all that the file gives an admin listener.
    fn targets(&self, asked: &Asked) -> Result<Vec<Target>, Failed> {
        match asked {
            Asked::Mesh(topology) => Ok(self.nodes(topology)?.into_iter().map(Target::of).collect()),
            Asked::One { node, tier, admin } => {
                Ok(vec![Target { node: node.clone(), tier: *tier, admin: Ok(admin.clone()) }])
            }
        }
    }

    fn nodes<'t>(&self, topology: &'t Topology) -> Result<Vec<&'t Node>, Failed> {
        let file = &self.topology.topology;
        if !self.node.is_empty() {
            return self.node.iter().map(|name| input::node(topology, name, file)).collect();
        }
        let nodes: Vec<&Node> = topology.nodes().iter().filter(|node| node.admin.is_some()).collect();
        if nodes.is_empty() {
            let what = format!("{}: no node has an `admin` listener, so none can be asked", file.display());
            return Err(Failed::new(Exit::Configuration, what));
        }
        Ok(nodes)
    }

    /// Asks one after the other until one has it. `missing` says what none of them has.
    async fn ask_in_turn<T: DeserializeOwned>(
        &self,
        asked: &Asked,
        path: &str,
        missing: String,
    ) -> Result<T, Failed> {
        let mut trouble = vec![missing];
        for target in self.targets(asked)? {
            let Answer { node, result, .. } = ask_one(target, path).await;
            match result {
                Ok(found) => return Ok(found),
                Err(AskError::Refused { status: 404, .. }) => {}
                Err(error) => trouble.push(format!("{node}: {error}")),
            }
        }
        Err(Failed::new(Exit::NotWell, trouble.join("\n       ")))
    }

    /// Asks all of them at once. Fails if no node answered.
    fn ask<T: DeserializeOwned>(&self, asked: &Asked, path: &str) -> Result<Vec<Answer<T>>, Failed> {
        let targets = self.targets(asked)?.into_iter();
        let answers = block_on(futures_util::future::join_all(targets.map(|target| ask_one(target, path))))?;
        if answers.iter().any(|answer: &Answer<T>| answer.result.is_ok()) {
            return Ok(answers);
        }
        Err(self.all_silent(answers))
    }

    /// Nobody answered: one sentence if nothing seems to run at all, else each node's reason.
    fn all_silent<T>(&self, answers: Vec<Answer<T>>) -> Failed {
        let failures: Vec<(NodeName, AskError)> =
            answers.into_iter().filter_map(|answer| Some((answer.node, answer.result.err()?))).collect();
        let exit = match failures.as_slice() {
            [(_, only)] => only.exit(),
            _ => Exit::Unreachable,
        };
        if failures.len() > 1 && failures.iter().all(|(_, error)| matches!(error, AskError::NoToken { .. })) {
            let file = self.topology.topology.display();
            let what = format!(
                "no node of {file} is running here: none of their state directories has an admin token; \
                 start them with `taoyao up {file}`, or call this where those directories are"
            );
            return Failed::new(exit, what);
        }
        let lines: Vec<String> = failures.iter().map(|(node, error)| format!("{node}: {error}")).collect();
        Failed::new(exit, lines.join("\n       "))
    }
}

async fn ask_one<T: DeserializeOwned>(Target { node, tier, admin }: Target, path: &str) -> Answer<T> {
    let result = match admin {
        Ok(admin) => admin.get(path).await,
        Err(error) => Err(error),
    };
    Answer { node, tier, result }
}

/// Says below a table which nodes did not answer and why; the exit code that this means.
fn tell_silent<T>(answers: &[Answer<T>]) -> Exit {
    let mut exit = Exit::Fine;
    for answer in answers {
        if let Err(error) = &answer.result {
            output::complain(format!("{}: {error}", answer.node));
            exit = Exit::NotWell;
        }
    }
    exit
}

/// Runs one question to its end.
fn block_on<F: Future>(question: F) -> Result<F::Output, Failed> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failed::new(Exit::Io, format!("cannot begin to ask: {error}")))?;
    Ok(runtime.block_on(question))
}
