//! Who is asked: the nodes of a topology file, or one node at an address of this machine.

use std::env;
use std::fs;
use std::path::Path;

use taoyao_node::report::StatusReport;
use taoyao_topology::{Node, Topology};
use taoyao_types::NodeName;

use super::block_on;
use super::client::{Admin, AskError};
use crate::cli::exit::{Exit, Failed};

/// Where a token is looked for that no file is named for.
const TOKEN_VARIABLE: &str = "TAOYAO_TOKEN";

/// Who is asked.
pub(super) enum Asked {
    Mesh(Box<Topology>),
    /// Its name and tier are what it says of itself.
    One {
        node: NodeName,
        tier: usize,
        admin: Admin,
    },
}

/// One node, and how to ask it.
pub(super) struct Target {
    pub(super) node: NodeName,
    pub(super) tier: usize,
    pub(super) admin: Result<Admin, AskError>,
}

impl Asked {
    /// The node behind an address, which is asked for its name.
    pub(super) fn at(address: &str, token_file: Option<&Path>) -> Result<Self, Failed> {
        let failed = |error: AskError| Failed::new(error.exit(), error);
        let admin = Admin::at(address, token(token_file)?).map_err(failed)?;
        let status: StatusReport = block_on(admin.get("/api/status"))?.map_err(failed)?;
        Ok(Asked::One { node: status.node, tier: status.tier, admin })
    }

    /// None where only an address is known.
    pub(super) fn topology(&self) -> Option<&Topology> {
        match self {
            Asked::Mesh(topology) => Some(topology),
            Asked::One { .. } => None,
        }
    }
}

impl Target {
    pub(super) fn of(node: &Node) -> Self {
        Self { node: node.name.clone(), tier: node.tier, admin: Admin::of(node) }
    }
}

/// From a file, else from the environment; never from the command line, which everybody on the machine can read.
fn token(file: Option<&Path>) -> Result<String, Failed> {
    let token = match file {
        Some(path) => fs::read_to_string(path).map_err(|error| Failed::file(path, "read", &error))?,
        None => env::var(TOKEN_VARIABLE).unwrap_or_default(),
    };
    match token.trim() {
        "" => {
            let what = format!(
                "--address needs a token: --token-file FILE, or {TOKEN_VARIABLE} in the environment; a node's are in \
                 its state directory, `admin.read.token` for looking and `admin.token` for everything"
            );
            Err(Failed::new(Exit::Usage, what))
        }
        token => Ok(token.to_owned()),
    }
}
