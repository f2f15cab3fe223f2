//! `taoyao terminal close`: ends a session, wherever it is.

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use taoyao_types::TerminalName;

use super::asked::Target;
use super::client::AskError;
use super::{Whom, block_on};
use crate::cli::exit::{Exit, Failed};
use crate::cli::output;

/// Do something to a terminal that is connected
#[derive(Debug, Args)]
pub(crate) struct TerminalCommand {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Close(Close),
}

/// End a terminal's session; it is told so, and may log in again unless its account was removed
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  taoyao terminal close cam-7@sh.east.cn")]
struct Close {
    /// The terminal's full name
    #[arg(value_name = "CLIENT@PARTITION")]
    name: TerminalName,
    #[command(flatten)]
    whom: Whom,
}

impl TerminalCommand {
    pub(crate) fn run(self) -> Result<Exit, Failed> {
        match self.verb {
            Verb::Close(close) => close.run(),
        }
    }
}

impl Close {
    fn run(self) -> Result<Exit, Failed> {
        let asked = self.whom.load()?;
        self.whom.check_partition(&asked, &self.name.partition)?;
        let question = json!({ "terminal": self.name.to_string() });
        let mut trouble = vec![format!("no node that was asked has a terminal {}", self.name)];
        for Target { node, admin, .. } in self.whom.targets(&asked)? {
            let answer = block_on(async { admin?.post::<Value>(PATH, &question).await })?;
            match answer {
                Ok(_) if self.whom.format.json => {
                    output::say_json(&json!({ "closed": self.name.to_string(), "node": node }))?;
                    return Ok(Exit::Fine);
                }
                Ok(_) => {
                    output::say(format!("closed {} at {node}", self.name))?;
                    return Ok(Exit::Fine);
                }
                Err(AskError::Refused { status: 404, .. }) => {}
                Err(error) => trouble.push(format!("{node}: {error}")),
            }
        }
        Err(Failed::new(Exit::NotWell, trouble.join("\n       ")))
    }
}

const PATH: &str = "/api/terminals/close";
