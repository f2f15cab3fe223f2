//! The command line: what commands there are, how they are grouped, and which file carries each out.

mod ask;
mod bench;
mod cert;
mod completion;
mod exit;
mod help;
mod input;
mod log;
mod node;
mod output;
mod starting;
mod stopping;
mod topology;
mod up;
mod user;
mod user_rights;
mod user_table;
mod user_token;

use clap::{FromArgMatches, Parser, Subcommand};

pub(crate) use exit::{Exit, Failed};

/// A mesh of signaling nodes for the Taoyao protocol
#[derive(Debug, Parser)]
#[command(name = "taoyao", version, max_term_width = 110)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

/// One file of this directory for each.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Up(up::Up),
    Node(node::NodeCommand),
    Topology(topology::TopologyCommand),
    Cert(cert::CertCommand),
    User(user::UserCommand),
    Status(ask::status::Status),
    Terminals(ask::terminals::Terminals),
    Terminal(ask::terminal::TerminalCommand),
    Links(ask::links::Links),
    Alarms(ask::alarms::Alarms),
    Rooms(ask::rooms::Rooms),
    Room(ask::room::RoomCommand),
    Recordings(ask::recordings::Recordings),
    Recording(ask::recording::RecordingCommand),
    Trace(ask::trace::Trace),
    Bench(bench::BenchCommand),
    Completion(completion::Completion),
}

impl Cli {
    /// Reads the program's arguments. Help and usage errors are printed here and end in an exit code.
    pub(crate) fn read() -> Result<Self, Exit> {
        let parsed = help::command().try_get_matches().and_then(|matches| Self::from_arg_matches(&matches));
        parsed.map_err(|instead| {
            // Nothing can be done if not even stderr takes it.
            instead.print().unwrap_or_default();
            if instead.use_stderr() { Exit::Usage } else { Exit::Fine }
        })
    }

    /// Does what the command says; without one, brings the demo up.
    pub(crate) fn run(self) -> Result<Exit, Failed> {
        self.command.unwrap_or_else(|| Command::Up(up::Up::demo())).run()
    }
}

impl Command {
    fn run(self) -> Result<Exit, Failed> {
        match self {
            Command::Up(command) => command.run(),
            Command::Node(command) => command.run(),
            Command::Topology(command) => command.run(),
            Command::Cert(command) => command.run(),
            Command::User(command) => command.run(),
            Command::Status(command) => command.run(),
            Command::Terminals(command) => command.run(),
            Command::Terminal(command) => command.run(),
            Command::Links(command) => command.run(),
            Command::Alarms(command) => command.run(),
            Command::Rooms(command) => command.run(),
            Command::Room(command) => command.run(),
            Command::Recordings(command) => command.run(),
            Command::Recording(command) => command.run(),
            Command::Trace(command) => command.run(),
            Command::Bench(command) => command.run(),
            Command::Completion(command) => command.run(),
        }
    }
}
